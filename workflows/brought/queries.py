"""Credentials from elsewhere for pages, and everything of a learner for a program."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from credentials.verdict import Outcome, Verdict
from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import AccountId
from storage.tables.brought import BroughtCredential
from storage.tables.issuance import Credential
from workflows.access.rules import NOT_YOURS, Actor
from workflows.brought.rules import read_verdict
from workflows.issuance.rules import PUBLIC

AROUND = "\ufeff \t\r\n"
"""What may stand before and after a document, and cannot inside of another."""


@dataclass(frozen=True)
class BroughtLine:
    """A credential from elsewhere in a list."""

    id: UUID
    title: str
    issuer_name: str
    issuer_place: str
    outcome: Outcome
    names_holder: bool | None
    brought_by: str
    brought_at: datetime
    checked_at: datetime


@dataclass(frozen=True)
class BroughtView:
    """One of them, whole."""

    line: BroughtLine
    verdict: Verdict
    is_token: bool
    sha256: str
    size: int
    body: str = field(repr=False)


@dataclass(frozen=True)
class Handed:
    """What a program is given: documents letter for letter, and how many there are in all."""

    documents: Sequence[str]
    tokens: Sequence[str]
    total: int


def brought_by(tx: Transaction, account_id: AccountId) -> Sequence[BroughtLine]:
    """A learner's credentials from elsewhere, the newest first."""
    rows = tx.session.exec(
        select(BroughtCredential)
        .where(BroughtCredential.account_id == account_id)
        .order_by(col(BroughtCredential.brought_at).desc(), col(BroughtCredential.id).desc())
    ).all()
    return [_line(row) for row in rows]


def own_brought(tx: Transaction, actor: Actor, brought_id: UUID) -> BroughtCredential:
    """One's own credential from elsewhere. Raises NotFound."""
    kept = tx.session.get(BroughtCredential, brought_id)
    if kept is None or kept.account_id != actor.account_id:
        raise NotFound(NOT_YOURS)
    return kept


def brought_credential(tx: Transaction, actor: Actor, brought_id: UUID) -> BroughtView:
    """One of one's own. Raises NotFound."""
    row = own_brought(tx, actor, brought_id)
    return BroughtView(
        line=_line(row),
        verdict=read_verdict(row.verdict),
        is_token=row.is_token,
        sha256=row.sha256,
        size=row.size,
        body=row.body,
    )


def credentials_for_program(
    tx: Transaction, account_id: AccountId, since: datetime | None, offset: int, limit: int
) -> Handed:
    """A page of all that a learner has: issued here, and from elsewhere; the oldest first.

    Suspended and revoked ones are there too: their status lists say so. `since`: only those issued
    after it. A constant number of statements.
    """
    issued = tx.session.exec(
        select(Credential.signed_at, Credential.id).where(
            Credential.learner_id == account_id,
            col(Credential.state).in_([state.value for state in PUBLIC]),
        )
    ).all()
    brought = tx.session.exec(
        select(
            BroughtCredential.valid_from, BroughtCredential.id, BroughtCredential.brought_at
        ).where(BroughtCredential.account_id == account_id)
    ).all()
    dated = [(at, own_id) for at, own_id in issued if at is not None]
    dated += [(valid_from or brought_at, own_id) for valid_from, own_id, brought_at in brought]
    wanted = sorted(one for one in dated if since is None or one[0] > since)
    ids = [own_id for _, own_id in wanted[offset : offset + limit]]
    return Handed(*_texts(tx, ids), len(wanted))


def _texts(tx: Transaction, ids: Sequence[UUID]) -> tuple[list[str], list[str]]:
    """The documents and the tokens of these ids, each in their order."""
    documents = dict(
        tx.session.exec(
            select(Credential.id, Credential.document).where(col(Credential.id).in_(ids))
        ).all()
    )
    tokens: dict[UUID, str] = {}
    for row in tx.session.exec(
        select(BroughtCredential).where(col(BroughtCredential.id).in_(ids))
    ).all():
        (tokens if row.is_token else documents)[row.id] = row.body.strip(AROUND)
    return (
        [text for one in ids if (text := documents.get(one))],
        [tokens[one] for one in ids if one in tokens],
    )


def _line(row: BroughtCredential) -> BroughtLine:
    return BroughtLine(
        id=row.id,
        title=row.title,
        issuer_name=row.issuer_name,
        issuer_place=row.issuer_place,
        outcome=Outcome(row.outcome),
        names_holder=row.names_holder,
        brought_by=row.brought_by,
        brought_at=row.brought_at,
        checked_at=row.checked_at,
    )
