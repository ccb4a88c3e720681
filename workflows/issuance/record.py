"""A credential as the registrar keeps it: what was done to it, by whom, and what staff noted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import CaseId, CredentialId
from storage.tables import (
    Account,
    Credential,
    CredentialNote,
    DefinitionVersion,
    Event,
    IssuerKey,
    StatusEntry,
)
from storage.vocabulary import CredentialState
from workflows.access.rules import NOT_YOURS
from workflows.decisions.appealed import running_appeal
from workflows.issuance.claims import read_frozen
from workflows.issuance.rules import REPLACEABLE, acts_for, reason_words


@dataclass(frozen=True)
class RecordLine:
    """Something that was done to the credential. `reason` is public, in English words."""

    at: datetime
    kind: str
    actor: str
    reason: str


@dataclass(frozen=True)
class NoteLine:
    """What somebody of the staff wrote to their colleagues when they did something."""

    at: datetime
    act: str
    author: str
    note: str


@dataclass(frozen=True)
class CredentialRecord:
    """A credential, what may be done with it now, and its history, the newest first."""

    id: CredentialId
    case_id: CaseId
    title: str
    learner: str
    state: CredentialState
    public_reason: str
    issued_at: datetime
    valid_until: datetime | None
    published_at: datetime | None
    status_index: int | None
    key: str
    sha256: str
    replaces: CredentialId | None
    replacement: CredentialId | None
    replacement_state: CredentialState | None
    acts: tuple[str, ...]
    correctable: bool
    history: Sequence[RecordLine]
    notes: Sequence[NoteLine]
    appealed: bool = False
    """the decision behind it is under appeal"""

    @property
    def being_corrected(self) -> bool:
        """Whether a corrected one is on its way and not published yet."""
        return self.replacement is not None and self.state in REPLACEABLE


def record_of(tx: Transaction, credential_id: CredentialId) -> CredentialRecord:
    """The credential's record, also before it is published. Raises NotFound."""
    row = tx.session.exec(
        select(Credential, DefinitionVersion.title).where(
            Credential.id == credential_id, DefinitionVersion.id == Credential.definition_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    credential, title = row
    frozen = read_frozen(credential.claims)
    claims = frozen.credential_claims()
    state = CredentialState(credential.state)
    following = _replacement(tx, credential_id)
    free = following is None
    return CredentialRecord(
        id=credential_id,
        case_id=CaseId(credential.case_id),
        title=title,
        learner=tx.session.get_one(Account, credential.learner_id).name
        if not frozen.named
        else frozen.learner,
        state=state,
        public_reason=reason_words(credential.public_reason),
        issued_at=claims.valid_from,
        valid_until=claims.valid_until,
        published_at=credential.published_at,
        status_index=_index(tx, credential_id),
        key=_key(tx, credential.key_id or frozen.key_id),
        sha256=credential.document_sha256 or "",
        replaces=CredentialId(credential.replaces_id) if credential.replaces_id else None,
        replacement=CredentialId(following.id) if following else None,
        replacement_state=CredentialState(following.state) if following else None,
        acts=acts_for(state) if free else (),
        correctable=free and state in REPLACEABLE,
        history=_history(tx, credential_id),
        notes=_notes(tx, credential_id),
        appealed=running_appeal(tx, credential.case_id) is not None,
    )


def _replacement(tx: Transaction, credential_id: CredentialId) -> Credential | None:
    return tx.session.exec(
        select(Credential).where(Credential.replaces_id == credential_id)
    ).one_or_none()


def _index(tx: Transaction, credential_id: CredentialId) -> int | None:
    return tx.session.exec(
        select(StatusEntry.position).where(StatusEntry.subject_id == credential_id)
    ).first()


def _key(tx: Transaction, key_id: UUID) -> str:
    key = tx.session.get(IssuerKey, key_id)
    return key.fragment if key else ""


def _history(tx: Transaction, credential_id: CredentialId) -> Sequence[RecordLine]:
    rows = tx.session.exec(
        select(Event)
        .where(Event.subject_type == "credential", Event.subject_id == credential_id)
        .order_by(col(Event.at).desc(), col(Event.id).desc())
    ).all()
    return [RecordLine(row.at, row.kind, row.actor_label, row.why) for row in rows]


def _notes(tx: Transaction, credential_id: CredentialId) -> Sequence[NoteLine]:
    rows = tx.session.exec(
        select(CredentialNote, Account)
        .join(Account, col(Account.id) == col(CredentialNote.author_id), isouter=True)
        .where(CredentialNote.credential_id == credential_id)
        .order_by(col(CredentialNote.at).desc(), col(CredentialNote.id).desc())
    ).all()
    return [
        NoteLine(note.at, note.act, author.name if author else "", note.note)
        for note, author in rows
    ]
