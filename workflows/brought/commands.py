"""Bringing a credential from elsewhere, checking it again, removing it."""

from enum import StrEnum
from uuid import UUID

from sqlmodel import col, func, select

from credentials.fetching import Fetcher
from credentials.verdict import Verdict
from credentials.verify import verify
from storage.database import Database, Transaction, command
from storage.errors import Forbidden
from storage.events import record
from storage.ids import CredentialId, new_id, sha256_of
from storage.tables.brought import BroughtCredential
from storage.tables.issuance import Credential
from storage.tables.people import Account
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.brought.queries import own_brought
from workflows.brought.rules import (
    Brought,
    fit_to_keep,
    fit_to_replace,
    is_newer,
    kept_verdict,
    names_holder,
    read_brought,
    read_verdict,
    room_for,
)
from workflows.issuance.addresses import Site
from workflows.issuance.published import local_fetcher
from workflows.issuance.rules import PUBLIC
from workflows.programs.queries import ProgramHolder

ANOTHERS = "This credential was issued here to somebody else. It cannot be added to yours."


class Became(StrEnum):
    """What became of a credential that was brought."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


def bring_credential(
    db: Database,
    site: Site,
    elsewhere: Fetcher,
    holder: ProgramHolder,
    data: bytes,
    *,
    as_token: bool,
) -> Became:
    """A program brings its learner a credential; it is checked, and kept with what was found.

    One that was issued here stands among the learner's own already. Raises InvalidInput (no badge,
    not signed as it says, or less surely than the form it would replace), Forbidden (another
    learner's), TooMany.
    """
    acting(holder.actor, Permission.VIEW_OWN_CREDENTIALS)
    brought = read_brought(data, as_token=as_token)
    with db.reading() as tx:
        own = _issued_here(tx, site, brought)
    if own is not None and own.learner_id != holder.actor.account_id:
        raise Forbidden(ANOTHERS)
    verdict = _judged(db, site, elsewhere, brought.body)
    fit_to_keep(verdict)
    if own is not None:
        return Became.UNCHANGED
    return _keep(db, holder, brought, verdict)


def check_again(
    db: Database, site: Site, elsewhere: Fetcher, actor: Actor, brought_id: UUID
) -> None:
    """Check a kept credential again: what was found is what holds today. Raises NotFound."""
    with db.reading() as tx:
        body = own_brought(tx, actor, brought_id).body
    _keep_verdict(db, actor, brought_id, body, _judged(db, site, elsewhere, body))


@command
def remove_brought(db: Database, actor: Actor, brought_id: UUID) -> None:
    """Remove a credential that was brought. Raises Forbidden, NotFound."""
    with db.transaction() as tx:
        who = acting(actor, Permission.VIEW_OWN_CREDENTIALS)
        kept = own_brought(tx, actor, brought_id)
        subject = ("brought_credential", kept.id)
        record(tx, who, "remove_brought_credential", subject, data={"sha256": kept.sha256})
        tx.session.delete(kept)


@command
def _keep(db: Database, holder: ProgramHolder, brought: Brought, verdict: Verdict) -> Became:
    with db.transaction() as tx:
        who = acting(holder.actor, Permission.VIEW_OWN_CREDENTIALS)
        account = tx.session.get_one(Account, who.account_id, with_for_update=True)
        kept = tx.session.exec(
            select(BroughtCredential).where(
                BroughtCredential.account_id == account.id,
                BroughtCredential.same_as == brought.same_as,
            )
        ).one_or_none()
        digest, size = sha256_of(brought.body.encode()), len(brought.body.encode())
        if kept is not None and (
            kept.sha256 == digest or not is_newer(brought.valid_from, kept.valid_from)
        ):
            return Became.UNCHANGED
        if kept is not None:
            fit_to_replace(verdict, read_verdict(kept.verdict))
        _room(tx, account, size, kept)
        row = BroughtCredential(
            id=kept.id if kept else new_id(),
            account_id=account.id,
            same_as=brought.same_as,
            body=brought.body,
            is_token=brought.is_token,
            sha256=digest,
            size=size,
            title=brought.title,
            issuer_name=brought.issuer_name,
            issuer_place=brought.issuer_place,
            valid_from=brought.valid_from,
            names_holder=names_holder(brought.document, account.email),
            outcome=verdict.outcome.value,
            verdict=kept_verdict(verdict),
            brought_by=holder.program,
            brought_at=tx.now,
            checked_at=tx.now,
        )
        tx.session.merge(row)
        data = {"sha256": digest, "program": holder.program, "client_id": str(holder.client_id)}
        record(tx, who, "bring_credential", ("brought_credential", row.id), data=data)
        return Became.REPLACED if kept else Became.CREATED


@command
def _keep_verdict(
    db: Database, actor: Actor, brought_id: UUID, body: str, verdict: Verdict
) -> None:
    """Unless the credential was replaced or removed meanwhile."""
    with db.transaction() as tx:
        kept = own_brought(tx, actor, brought_id)
        if kept.body == body:
            kept.outcome, kept.verdict = verdict.outcome.value, kept_verdict(verdict)
            kept.checked_at = tx.now


def _judged(db: Database, site: Site, elsewhere: Fetcher, body: str) -> Verdict:
    fetch = local_fetcher(db, site, elsewhere)
    return verify(body.encode(), fetch=fetch, now=db.clock.now())


def _issued_here(tx: Transaction, site: Site, brought: Brought) -> Credential | None:
    """The credential of ours that this says to be."""
    path = site.path_of(brought.id) if brought.issuer == site.did() else None
    if path is None or not path.startswith("/credentials/"):
        return None
    try:
        found = CredentialId(UUID(path.removeprefix("/credentials/")))
    except ValueError:
        return None
    row = tx.session.get(Credential, found)
    return row if row is not None and row.state in PUBLIC else None


def _room(tx: Transaction, account: Account, size: int, kept: BroughtCredential | None) -> None:
    count, whole = tx.session.exec(
        select(func.count(), func.coalesce(func.sum(col(BroughtCredential.size)), 0)).where(
            BroughtCredential.account_id == account.id
        )
    ).one()
    before = (1, kept.size) if kept else (0, 0)
    room_for(count - before[0], int(whole) - before[1] + size)
