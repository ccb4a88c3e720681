"""Work that a transaction promises: written with the change itself, done later, exactly once.

`promise` belongs to commands, `receive` to the command a job calls, the rest to the relay.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.database import Transaction
from storage.events import request_id
from storage.ids import OutboxId, new_id
from storage.tables.outbox import JobReceipt, OutboxRow

MAX_ATTEMPTS = 5
FIRST_DELAY = timedelta(seconds=20)
LONGEST_DELAY = timedelta(minutes=15)


class AlreadyDone(Exception):
    """Another run of the same work finished first: stop quietly, change nothing."""


def promise(
    tx: Transaction,
    kind: str,
    subject_id: UUID,
    *,
    queue: str = "work",
    dedupe_key: str | None = None,
    after: timedelta = timedelta(0),
    urgent: bool = False,
) -> OutboxId:
    """Promise a piece of work in this transaction; the relay hands it out once it is committed.

    A second promise with the same `dedupe_key` is the first one. Returns the row's id.
    """
    row_id = new_id()
    key = dedupe_key or f"{kind}:{row_id}"
    tx.session.flush()
    tx.session.execute(
        insert(OutboxRow)
        .values(
            id=row_id,
            kind=kind,
            queue=queue,
            subject_id=subject_id,
            dedupe_key=key,
            attempts=0,
            urgent=urgent,
            created_at=tx.now,
            available_at=tx.now + after,
            last_error="",
            request_id=request_id.get(),
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
    )
    kept = tx.session.exec(select(OutboxRow.id).where(OutboxRow.dedupe_key == key)).one()
    return OutboxId(kept)


def receive(tx: Transaction, outbox_id: OutboxId) -> None:
    """Say, first thing in the transaction that does the work, that it is being done.

    Raises AlreadyDone when it was. Kept only together with the work itself.
    """
    made = tx.session.execute(
        insert(JobReceipt)
        .values(outbox_id=outbox_id, received_at=tx.now)
        .on_conflict_do_nothing()
        .returning(col(JobReceipt.outbox_id))
    ).first()
    if made is None:
        raise AlreadyDone
    tx.session.execute(
        update(OutboxRow).where(col(OutboxRow.id) == outbox_id).values(done_at=tx.now)
    )


def claim_due(tx: Transaction, limit: int) -> Sequence[OutboxRow]:
    """Take rows that are due, urgent ones first, and push each one out by its back-off."""
    rows = tx.session.exec(
        select(OutboxRow)
        .where(
            col(OutboxRow.done_at).is_(None),
            col(OutboxRow.dead_at).is_(None),
            col(OutboxRow.available_at) <= tx.now,
        )
        .order_by(col(OutboxRow.urgent).desc(), col(OutboxRow.available_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.available_at = tx.now + backoff(row.attempts)
    return rows


def backoff(attempts: int) -> timedelta:
    """How long to wait for attempt number `attempts` to report before the next."""
    doubled: timedelta = FIRST_DELAY * (1 << min(max(attempts - 1, 0), 10))
    return min(doubled, LONGEST_DELAY)
