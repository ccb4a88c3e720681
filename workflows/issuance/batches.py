"""Acts on very many credentials at once: begun, stopped, gone on with, and how far they are.

A batch is cut into slices, and each is one piece of promised work that is done whole or not at all.
So a crash costs a slice, a stop takes effect between two of them, and nothing is done twice.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from storage.bulk import among, kept_to_the_end, write_rows
from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound
from storage.events import Who, record
from storage.ids import CaseId, InstitutionId, new_id
from storage.outbox import AlreadyDone
from storage.tables import Batch, BatchMember, BatchSlice, Case, Credential, StatusList
from storage.vocabulary import BatchKind, CaseState, CredentialState
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.issuance.keys import Issuer, ensure_issuer_key, live_key_id
from workflows.issuance.progress import WORK_OF, given_up_of, own_batch
from workflows.work import Work, promise_work

RELEASED_AT_ONCE = 1000
SIGNED_AT_ONCE = 1000
MOST_CASES = 50_000

IN_FORCE = (CredentialState.PUBLISHED.value, CredentialState.SUSPENDED.value)
"""Only these are signed anew: what was revoked, or replaced, keeps the bytes that it had."""

T = TypeVar("T")


def begin_releases(db: Database, issuer: Issuer, actor: Actor, case_ids: Sequence[CaseId]) -> UUID:
    """Release these decided cases, and issue what was earned, as one act; returns the batch's id.

    Each is looked at when its turn comes: one that moved on, or that this person may not release,
    is passed over and named. Raises Forbidden, InvalidInput (none, or too many).
    """
    acting(actor, Permission.RELEASE_MANY)
    if actor.institution_id is None:
        raise NotFound(NOT_YOURS)
    ensure_issuer_key(db, issuer, actor.institution_id)
    return _begin_releases(db, actor, actor.institution_id, case_ids)


@command
def begin_resigning(db: Database, who: Who, institution_id: InstitutionId) -> UUID:
    """Sign everything that is in force anew under the live key; returns the batch's id.

    The status lists follow at once. Raises NotFound (no key), Conflict (it is under way, or
    everything is signed with this key).
    """
    with db.transaction() as tx:
        key_id = live_key_id(tx, institution_id)
        if _unfinished(tx, institution_id, BatchKind.RESIGN):
            raise Conflict("Everything is being signed anew already.")
        ids = _signed_with_another(tx, institution_id, key_id)
        if not ids:
            raise Conflict("Everything that is in force is signed with this key already.")
        batch = _new(tx, institution_id, BatchKind.RESIGN, who, total=len(ids), key_id=key_id)
        for number, part in enumerate(_parts(ids, SIGNED_AT_ONCE), 1):
            tx.session.add(_slice(batch, number, part, first=part[0], last=part[-1]))
        tx.session.flush()
        _promise(tx, batch)
        _sign_lists_anew(tx, institution_id, key_id)
        return batch.id


def signed_with_others(tx: Transaction, institution_id: InstitutionId) -> int:
    """How many credentials that are in force are signed with another key than the live one."""
    key_id = live_key_id(tx, institution_id)
    return len(_signed_with_another(tx, institution_id, key_id))


@command
def stop_batch(db: Database, actor: Actor, batch_id: UUID) -> None:
    """Do no more of it; slices that are under way are finished. Raises NotFound, Conflict."""
    with db.transaction() as tx:
        batch = _hold(tx, actor, batch_id)
        who = acting(actor, Permission.RUN_BATCHES)
        if batch.done_at is not None or batch.stopped_at is not None:
            raise Conflict("This has stopped, or is done already.")
        batch.stopped_at = tx.now
        record(tx, who, "stop_batch", ("batch", batch.id))


@command
def go_on_with_batch(db: Database, actor: Actor, batch_id: UUID) -> None:
    """Go on where it stopped or was given up. Raises NotFound, Conflict (it is under way)."""
    with db.transaction() as tx:
        batch = _hold(tx, actor, batch_id)
        who = acting(actor, Permission.RUN_BATCHES)
        given_up = given_up_of(tx, batch)
        if batch.done_at is not None or (batch.stopped_at is None and not given_up):
            raise Conflict("This is under way, or done already.")
        batch.stopped_at = None
        batch.begun += 1
        record(tx, who, "go_on_with_batch", ("batch", batch.id))
        _promise(tx, batch)


def open_slice(tx: Transaction, slice_id: UUID) -> tuple[Batch, BatchSlice] | None:
    """A slice that is to be done, with its batch; None when it is done, or the batch stopped."""
    row = tx.session.exec(
        select(Batch, BatchSlice).where(BatchSlice.id == slice_id, Batch.id == BatchSlice.batch_id)
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    batch, part = row
    return None if part.done_at is not None or batch.stopped_at is not None else (batch, part)


def hold_slice(tx: Transaction, slice_id: UUID) -> BatchSlice:
    """The slice for the transaction that does it. Raises AlreadyDone."""
    part = tx.session.get_one(BatchSlice, slice_id, with_for_update=True)
    if part.done_at is not None:
        raise AlreadyDone
    return part


def end_slice(tx: Transaction, part: BatchSlice, passed_over: int = 0) -> None:
    """Say that it is done, last thing in the transaction that did it; and so is the batch when it
    was the last one."""
    part.done_at = tx.now
    part.passed_over = passed_over
    tx.session.flush()
    batch = tx.session.get_one(Batch, part.batch_id, with_for_update=True, populate_existing=True)
    left = tx.session.exec(
        select(BatchSlice.id).where(
            BatchSlice.batch_id == part.batch_id, col(BatchSlice.done_at).is_(None)
        )
    ).first()
    if left is None:
        batch.done_at = tx.now


@command
@kept_to_the_end()
def _begin_releases(
    db: Database, actor: Actor, institution_id: InstitutionId, case_ids: Sequence[CaseId]
) -> UUID:
    with db.transaction() as tx:
        who = acting(actor, Permission.RELEASE_MANY)
        known = _decided(tx, institution_id, case_ids[: MOST_CASES + 1])
        if not known or len(case_ids) > MOST_CASES:
            raise InvalidInput("Choose decided cases, at most fifty thousand at a time.")
        batch = _new(tx, institution_id, BatchKind.ISSUE, who, total=len(known))
        members = []
        for number, part in enumerate(_parts(known, RELEASED_AT_ONCE), 1):
            one = _slice(batch, number, part)
            tx.session.add(one)
            members += [_member(batch, one, case) for case in part]
        write_rows(tx, BatchMember, members)
        _promise(tx, batch)
        return batch.id


def _decided(
    tx: Transaction, institution_id: InstitutionId, case_ids: Sequence[CaseId]
) -> Sequence[UUID]:
    return tx.session.exec(
        select(Case.id)
        .where(
            among(col(Case.id), set(case_ids)),
            Case.institution_id == institution_id,
            Case.state == CaseState.DECIDED.value,
        )
        .order_by(col(Case.id))
    ).all()


def _member(batch: Batch, part: BatchSlice, case_id: UUID) -> dict[str, object]:
    return {
        "batch_id": batch.id,
        "case_id": case_id,
        "slice_id": part.id,
        "credential_id": new_id(),
        "problem": "",
    }


def _signed_with_another(
    tx: Transaction, institution_id: InstitutionId, key_id: UUID
) -> Sequence[UUID]:
    return tx.session.exec(
        select(Credential.id)
        .where(
            Credential.institution_id == institution_id,
            col(Credential.state).in_(IN_FORCE),
            col(Credential.key_id).is_distinct_from(key_id),
        )
        .order_by(col(Credential.id))
    ).all()


def _sign_lists_anew(tx: Transaction, institution_id: InstitutionId, key_id: UUID) -> None:
    lists = tx.session.exec(
        select(StatusList).where(
            StatusList.institution_id == institution_id,
            col(StatusList.organisation_id).is_(None),
        )
    ).all()
    for one in lists:
        key = f"sign_status_list:{one.id}:{one.version}:{key_id}"
        promise_work(tx, Work.SIGN_STATUS_LIST, one.id, dedupe_key=key)


def _new(
    tx: Transaction,
    institution_id: InstitutionId,
    kind: BatchKind,
    who: Who,
    *,
    total: int,
    key_id: UUID | None = None,
) -> Batch:
    batch = Batch(
        id=new_id(),
        institution_id=institution_id,
        kind=kind.value,
        started_by=who.account_id,
        started_at=tx.now,
        total=total,
        key_id=key_id,
    )
    tx.session.add(batch)
    tx.session.flush()
    record(tx, who, f"begin_{kind.value}_batch", ("batch", batch.id), data={"total": total})
    return batch


def _slice(
    batch: Batch,
    number: int,
    part: Sequence[UUID],
    *,
    first: UUID | None = None,
    last: UUID | None = None,
) -> BatchSlice:
    return BatchSlice(
        id=new_id(),
        batch_id=batch.id,
        number=number,
        size=len(part),
        first_id=first,
        last_id=last,
    )


def _parts(whole: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(whole)
    while part := list(islice(rest, size)):
        yield part


def _promise(tx: Transaction, batch: Batch) -> None:
    """Promise what is left of it, once for each time that it was begun."""
    left = tx.session.exec(
        select(BatchSlice.id)
        .where(BatchSlice.batch_id == batch.id, col(BatchSlice.done_at).is_(None))
        .order_by(col(BatchSlice.number))
    ).all()
    work = WORK_OF[BatchKind(batch.kind)]
    for slice_id in left:
        promise_work(tx, work, slice_id, dedupe_key=f"{work}:{slice_id}:{batch.begun}")


def _unfinished(tx: Transaction, institution_id: InstitutionId, kind: BatchKind) -> bool:
    found = tx.session.exec(
        select(Batch.id).where(
            Batch.institution_id == institution_id,
            Batch.kind == kind.value,
            col(Batch.done_at).is_(None),
        )
    ).first()
    return found is not None


def _hold(tx: Transaction, actor: Actor, batch_id: UUID) -> Batch:
    return own_batch(tx, actor, tx.session.get(Batch, batch_id, with_for_update=True))
