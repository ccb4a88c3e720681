"""What people are told of promised work: the pages of a case, `assay doctor`, metrics, fsck."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy import select as columns
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import OutboxId
from storage.outbox import Promised, as_value
from storage.tables.outbox import OutboxRow


@dataclass(frozen=True)
class QueueStanding:
    """How much of a queue waits, is under way and has been given up, and its oldest promise."""

    queue: str
    waiting: int
    running: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True)
class Contradiction:
    """A row and a receipt that do not agree."""

    outbox_id: OutboxId
    what: str


def dead_rows(tx: Transaction, limit: int = 200) -> Sequence[Promised]:
    """Work that was given up, latest first."""
    rows = tx.session.exec(
        select(OutboxRow)
        .where(col(OutboxRow.dead_at).is_not(None))
        .order_by(col(OutboxRow.dead_at).desc())
        .limit(limit)
    )
    return [as_value(row) for row in rows]


def waiting_for(tx: Transaction, *subject_ids: UUID) -> Sequence[Promised]:
    """What is promised for these subjects and not done, oldest first; given-up work included."""
    rows = tx.session.exec(
        select(OutboxRow)
        .where(col(OutboxRow.subject_id).in_(subject_ids), col(OutboxRow.done_at).is_(None))
        .order_by(col(OutboxRow.created_at))
    )
    return [as_value(row) for row in rows]


def overdue(tx: Transaction, longer_than: timedelta, limit: int = 200) -> Sequence[Promised]:
    """Work that should have been done for so long and is neither done nor dead, oldest first.

    This is where work shows that waits for a part of the house that never comes back.
    """
    rows = tx.session.exec(
        select(OutboxRow)
        .where(
            col(OutboxRow.done_at).is_(None),
            col(OutboxRow.dead_at).is_(None),
            col(OutboxRow.created_at) <= tx.now - longer_than,
            col(OutboxRow.available_at) <= tx.now + longer_than,
        )
        .order_by(col(OutboxRow.created_at))
        .limit(limit)
    )
    return [as_value(row) for row in rows]


def standing(tx: Transaction) -> Sequence[QueueStanding]:
    """How each queue stands, in one statement; queues without open work are not listed."""
    row = OutboxRow
    # what was promised for a later day does not wait yet
    untouched = (col(row.handed_out) == 0) & (col(row.runs) == 0)
    planned = untouched & (col(row.available_at) > tx.now)
    alive = col(row.dead_at).is_(None) & ~planned
    running = alive & (col(row.held_until) > tx.now)
    found = tx.session.execute(
        columns(
            col(row.queue),
            func.count().filter(alive),
            func.count().filter(running),
            func.count().filter(col(row.dead_at).is_not(None)),
            func.min(col(row.created_at)).filter(alive),
        )
        .where(col(row.done_at).is_(None))
        .group_by(col(row.queue))
        .order_by(col(row.queue))
    )
    return [
        QueueStanding(queue, open_rows - under_way, under_way, dead, oldest)
        for queue, open_rows, under_way, dead, oldest in found
    ]


def contradictions(tx: Transaction) -> Sequence[Contradiction]:
    """Rows done without a receipt, and receipts of rows that are not done: none, ever."""
    found = tx.session.execute(
        text("""
            SELECT o.id, CASE WHEN r.outbox_id IS NULL THEN 'done without a receipt'
                              ELSE 'a receipt, but not done' END
            FROM outbox o LEFT JOIN job_receipt r ON r.outbox_id = o.id
            WHERE (o.done_at IS NULL) <> (r.outbox_id IS NULL)
            """)
    )
    return [Contradiction(OutboxId(row_id), what) for row_id, what in found]
