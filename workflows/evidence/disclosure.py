"""Links to the bytes of evidence: asked for each time, good for a minute, each one written down."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.events import Who, record
from storage.ids import CaseId, CredentialId, ItemId, new_id
from storage.tables import Case, Credential, EvidenceAccess, EvidenceItem, SealedObject
from storage.vault import ObjectMissing, Vault
from storage.vocabulary import CaseState, CredentialState, Disclosure, EvidenceState, Role
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import state_of

LOST = (
    "This file is not in the store any more. Its digest is kept; staff have been told and will "
    "look for a copy."
)


@dataclass(frozen=True)
class _Opened:
    """A sealed file that somebody was just allowed to read."""

    sha256: str
    key: str
    file_name: str


def link_to_evidence(
    db: Database, vault: Vault, actor: Actor, item_id: ItemId, purpose: str
) -> str:
    """A link of a minute to a sealed item's bytes, as a download.

    Raises NotFound and Forbidden (asked anew each time), Conflict (it is not sealed), StoreAway,
    ObjectMissing (the store has lost it).
    """
    return _link(db, vault, _open_for(db, actor, item_id, purpose))


def link_to_disclosed(
    db: Database, vault: Vault, credential_id: CredentialId, item_id: ItemId
) -> str:
    """A link of a minute for anyone who reads a published credential, to an item whose holder has
    opened it to all.

    Raises NotFound, StoreAway, ObjectMissing.
    """
    return _link(db, vault, _open_disclosed(db, credential_id, item_id))


def _link(db: Database, vault: Vault, opened: _Opened) -> str:
    if vault.find(opened.key) is None:
        note_missing(db, opened.sha256)
        raise ObjectMissing(LOST)
    return vault.presign_download(opened.key, opened.file_name)


@command
def note_missing(db: Database, sha256: str) -> None:
    """Write down that the store has lost these bytes, so that pages say so and doctor tells."""
    with db.transaction() as tx:
        row = tx.session.get(SealedObject, sha256, with_for_update=True)
        if row is not None and row.missing_at is None:
            row.missing_at = tx.now


@command
def _open_for(db: Database, actor: Actor, item_id: ItemId, purpose: str) -> _Opened:
    with db.transaction() as tx:
        item, case = _item_and_case(tx, item_id)
        who = acting(actor, Permission.READ_EVIDENCE, case_resource(tx, case))
        if state_of(case) is CaseState.DRAFT and actor.account_id != case.learner_id:
            raise NotFound(NOT_YOURS)  # what was never submitted is the learner's alone
        return _open(tx, who, item, purpose, None)


@command
def _open_disclosed(db: Database, credential_id: CredentialId, item_id: ItemId) -> _Opened:
    with db.transaction() as tx:
        credential = tx.session.get(Credential, credential_id)
        if credential is None or credential.state != CredentialState.PUBLISHED.value:
            raise NotFound(NOT_YOURS)
        item, case = _item_and_case(tx, item_id)
        if item.case_id != credential.case_id or item.disclosure != Disclosure.OPEN_LINK.value:
            raise NotFound(NOT_YOURS)
        del case
        return _open(tx, Who(Role.VERIFIER), item, "credential", credential.id)


def _item_and_case(tx: Transaction, item_id: ItemId) -> tuple[EvidenceItem, Case]:
    row = tx.session.exec(
        select(EvidenceItem, Case)
        .join(Case, col(Case.id) == col(EvidenceItem.case_id))
        .where(col(EvidenceItem.id) == item_id)
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    return row[0], row[1]


def _open(
    tx: Transaction, who: Who, item: EvidenceItem, purpose: str, credential_id: UUID | None
) -> _Opened:
    sealed = tx.session.get(SealedObject, item.sha256) if item.sha256 else None
    if item.state != EvidenceState.SEALED.value or sealed is None:
        raise Conflict("Only sealed files can be opened.")
    tx.session.add(
        EvidenceAccess(
            id=new_id(),
            item_id=item.id,
            account_id=who.account_id,
            credential_id=credential_id,
            purpose=purpose,
            at=tx.now,
            details={"role": who.role.value},
        )
    )
    record(
        tx,
        who,
        "open_evidence",
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        data={"purpose": purpose},
    )
    return _Opened(sealed.sha256, sealed.key, item.file_name)
