"""Attestations for pages: the supervisor's, the learner's list, and what staff see beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import AttestationId, CaseId, ItemId
from storage.tables import Attestation, MailLink
from storage.vocabulary import LinkPurpose, VoiceState
from workflows.attestations.document import KeptStatement, read_kept
from workflows.attestations.load import by_link, by_used_link
from workflows.attestations.mails import Around
from workflows.attestations.rules import Flag, Observable


@dataclass(frozen=True)
class Question:
    """What a supervisor was asked, and how far they are. `draft` None: not accepted yet."""

    id: AttestationId
    case_number: int
    state: VoiceState
    supervisor: str
    email: str
    around: Around
    message: str
    outcomes: tuple[Observable, ...]
    draft: Mapping[str, str] | None
    expires_at: datetime


@dataclass(frozen=True)
class Asked:
    """An attestation in the learner's list. `expires_at` None: no link works any more."""

    id: AttestationId
    state: VoiceState
    name: str
    email: str
    outcomes: tuple[str, ...]
    asked_at: datetime
    opened_at: datetime | None
    ended_at: datetime | None
    accepted: bool
    expires_at: datetime | None
    decline_reason: str
    handed_to: AttestationId | None
    statement: KeptStatement | None


@dataclass(frozen=True)
class Witnessed:
    """A given, perhaps withdrawn, statement with what is for staff only."""

    id: AttestationId
    state: VoiceState
    item_id: ItemId | None
    statement: KeptStatement
    withdrawn_at: datetime | None
    flags: tuple[Flag, ...]


def question(tx: Transaction, token: str) -> Question:
    """The question behind a live link. Raises LinkEnded, Conflict (the case is over)."""
    held, link = by_link(tx, token)
    asked = held.attestation
    return Question(
        id=held.id,
        case_number=held.case.number,
        state=VoiceState(asked.state),
        supervisor=asked.supervisor_name,
        email=asked.supervisor_email,
        around=held.around,
        message=asked.message,
        outcomes=held.outcomes,
        draft=None if asked.draft is None else {k: str(v) for k, v in asked.draft.items()},
        expires_at=link.expires_at,
    )


def receipt(tx: Transaction, token: str) -> Witnessed | None:
    """What was given through a link that was used; None when it was declined with it.

    Raises LinkEnded when the link is unknown or ended unused.
    """
    return _witnessed(by_used_link(tx, token).attestation)


def attestations_of(tx: Transaction, case_id: CaseId) -> Sequence[Asked]:
    """Everyone who was asked for a case, the first first."""
    rows = tx.session.exec(
        select(Attestation)
        .where(Attestation.case_id == case_id)
        .order_by(col(Attestation.asked_at), col(Attestation.id))
    ).all()
    links = tx.session.exec(
        select(MailLink).where(
            MailLink.purpose == LinkPurpose.ATTEST.value,
            col(MailLink.subject_id).in_([row.id for row in rows]),
            col(MailLink.used_at).is_(None),
            col(MailLink.revoked_at).is_(None),
            col(MailLink.expires_at) > tx.now,
        )
    ).all()
    ends = {link.subject_id: link.expires_at for link in links}
    return [
        Asked(
            id=AttestationId(row.id),
            state=VoiceState(row.state),
            name=row.supervisor_name,
            email=row.supervisor_email,
            outcomes=tuple(row.outcome_codes),
            asked_at=row.asked_at,
            opened_at=row.opened_at,
            ended_at=row.ended_at,
            accepted=row.draft is not None,
            expires_at=ends.get(row.id),
            decline_reason=row.decline_reason,
            handed_to=AttestationId(row.handed_to) if row.handed_to else None,
            statement=read_kept(row.statement) if row.statement else None,
        )
        for row in rows
    ]


def witnessed(tx: Transaction, case_id: CaseId) -> Sequence[Witnessed]:
    """The statements given for a case, for those who may read its evidence."""
    rows = tx.session.exec(
        select(Attestation)
        .where(Attestation.case_id == case_id, col(Attestation.statement).is_not(None))
        .order_by(col(Attestation.asked_at), col(Attestation.id))
    ).all()
    return [found for row in rows if (found := _witnessed(row)) is not None]


def _witnessed(row: Attestation) -> Witnessed | None:
    if row.statement is None:
        return None
    flags = (row.identity or {}).get("flags")
    raised = tuple(Flag(str(flag)) for flag in flags) if isinstance(flags, list) else ()
    return Witnessed(
        id=AttestationId(row.id),
        state=VoiceState(row.state),
        item_id=ItemId(row.item_id) if row.item_id else None,
        statement=read_kept(row.statement),
        withdrawn_at=row.ended_at if row.state == VoiceState.WITHDRAWN else None,
        flags=raised,
    )
