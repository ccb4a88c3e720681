"""Work that a transaction promises: written with the change itself, done later, exactly once.

`promise` belongs to commands and `receive` to the command a job calls. The rest moves a row along
its way: the relay calls `claim_due`, `hand_back` and `give_up`, a worker `begin`, `hold`, `fail`
and `postpone`, the sweeper `forget_done`. Reports for people are in `storage/outbox_reports.py`.

A row is handed to the queue as often as needed until a worker begins it; that costs it nothing.
A begun run holds the row and moves its hold on; when it goes silent the row comes due again. A
run counts as an attempt unless it found a part of the house away. After the last attempt the row
is dead: it stays, is reported, and can be revived.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, case, delete, func, literal, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.bulk import write_rows
from storage.crashpoints import around_commit
from storage.database import Transaction
from storage.errors import NotFound
from storage.events import request_id
from storage.ids import OutboxId, new_id
from storage.tables.outbox import JobReceipt, OutboxRow

CHANNEL = "assay_outbox"
LONGEST_ERROR = 1000
WENT_SILENT = "The worker ended in the middle of this and said nothing."


@dataclass(frozen=True)
class Pace:
    """How patient the outbox is.

    `first_delay` doubles up to `longest_delay`: the wait for a handed-out row to be begun, and
    the wait after a failed attempt. `lease` is how long a worker's hold lasts unless moved on.
    `away_delay` is the longest wait for a part of the house that is away.
    """

    first_delay: timedelta = timedelta(seconds=20)
    longest_delay: timedelta = timedelta(minutes=15)
    away_delay: timedelta = timedelta(minutes=1)
    lease: timedelta = timedelta(seconds=30)
    max_attempts: int = 5

    def backoff(self, attempts: int) -> timedelta:
        """How long to wait after attempt number `attempts` before the next."""
        doubled: timedelta = self.first_delay * (1 << min(max(attempts - 1, 0), 20))
        return min(doubled, self.longest_delay)


PACE = Pace()


@dataclass(frozen=True)
class Promised:
    """A row of the outbox as it stood when it was read."""

    id: OutboxId
    kind: str
    queue: str
    subject_id: UUID
    urgent: bool
    handed_out: int
    runs: int
    attempts: int
    created_at: datetime
    available_at: datetime
    held_until: datetime | None
    done_at: datetime | None
    dead_at: datetime | None
    last_error: str
    request_id: str


class AlreadyDone(Exception):
    """Another run of the same work finished first, or it was given up: change nothing."""


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

    A second promise with the same `dedupe_key` is the first one, as long as that is remembered
    (30 days after it was done). Returns the row's id.
    """
    row_id = new_id()
    key = dedupe_key or f"{kind}:{row_id}"
    tx.session.flush()
    made = tx.session.scalar(
        insert(OutboxRow)
        .values(
            id=row_id,
            kind=kind,
            queue=queue,
            subject_id=subject_id,
            dedupe_key=key,
            handed_out=0,
            runs=0,
            attempts=0,
            urgent=urgent,
            created_at=tx.now,
            available_at=tx.now + after,
            last_error="",
            request_id=request_id.get(),
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(col(OutboxRow.id), func.pg_notify(CHANNEL, ""))
    )
    around_commit(tx.session, "promise")
    if made is not None:
        return OutboxId(made)
    _ring(tx)
    kept = tx.session.exec(select(OutboxRow.id).where(OutboxRow.dedupe_key == key)).one()
    return OutboxId(kept)


def promise_many(
    tx: Transaction, kind: str, subject_ids: Sequence[UUID], *, queue: str = "work"
) -> list[OutboxId]:
    """Promise the same for each of many subjects, in one statement; returns the rows' ids in order.

    None of it is urgent, so that it keeps nothing else waiting.
    """
    ids = [OutboxId(new_id()) for _ in subject_ids]
    rows = [
        {
            "id": row_id,
            "kind": kind,
            "queue": queue,
            "subject_id": subject_id,
            "dedupe_key": f"{kind}:{row_id}",
            "handed_out": 0,
            "runs": 0,
            "attempts": 0,
            "urgent": False,
            "created_at": tx.now,
            "available_at": tx.now,
            "last_error": "",
            "request_id": request_id.get(),
        }
        for row_id, subject_id in zip(ids, subject_ids, strict=True)
    ]
    write_rows(tx, OutboxRow, rows)
    _ring(tx)
    return ids


def receive(tx: Transaction, outbox_id: OutboxId) -> None:
    """Say, first thing in the transaction that does the work, that it is being done.

    Raises AlreadyDone when it was, or was given up, or was never promised. Kept only together
    with the work itself; another run of the same row waits here for the outcome of this one.
    """
    taken = (
        update(OutboxRow)
        .where(col(OutboxRow.id) == outbox_id, *_waiting())
        .values(done_at=tx.now, held_until=None)
        .returning(col(OutboxRow.id), literal(tx.now, DateTime(timezone=True)))
        .cte("taken")
    )
    received = tx.session.scalar(
        insert(JobReceipt)
        .from_select(["outbox_id", "received_at"], select(*taken.columns))
        .returning(col(JobReceipt.outbox_id))
    )
    if received is None:
        raise AlreadyDone
    around_commit(tx.session, "job")


def claim_due(
    tx: Transaction, queue: str, limit: int, *, urgent_only: bool = False, pace: Pace = PACE
) -> Sequence[Promised]:
    """Take rows of a queue that are due, urgent ones first, and push each out by its back-off.

    Several relays may claim at once: each gets rows of its own.
    """
    chosen = [*_due(tx), col(OutboxRow.queue) == queue]
    chosen.append(col(OutboxRow.attempts) < pace.max_attempts)
    if urgent_only:
        chosen.append(col(OutboxRow.urgent).is_(True))
    rows = tx.session.exec(
        select(OutboxRow)
        .where(*chosen)
        .order_by(col(OutboxRow.urgent).desc(), col(OutboxRow.available_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.handed_out += 1
        row.available_at = tx.now + pace.backoff(row.handed_out - row.runs)
    tx.session.flush()
    return [as_value(row) for row in rows]


def hand_back(tx: Transaction, promised: Sequence[Promised]) -> None:
    """The queue did not take these: they are due again at once, as if never claimed."""
    tx.session.execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id).in_([one.id for one in promised]),
            col(OutboxRow.held_until).is_(None),
            *_waiting(),
        )
        .values(available_at=tx.now, handed_out=OutboxRow.handed_out - 1)
    )


def leave(tx: Transaction, outbox_ids: Sequence[OutboxId]) -> None:
    """Nobody begins these after all: they are due again at once."""
    tx.session.execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id).in_(outbox_ids),
            col(OutboxRow.held_until).is_(None),
            col(OutboxRow.handed_out) > col(OutboxRow.runs),
            *_waiting(),
        )
        .values(available_at=tx.now)
    )
    _ring(tx)


def begin(tx: Transaction, outbox_id: OutboxId, pace: Pace = PACE) -> Promised | None:
    """Begin a run: count it and hold the row.

    None when there is nothing to do: done, dead, gone, or held by a run that is alive.
    """
    until = tx.now + pace.lease
    row = tx.session.scalar(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == outbox_id,
            or_(col(OutboxRow.held_until).is_(None), col(OutboxRow.held_until) < tx.now),
            col(OutboxRow.attempts) < pace.max_attempts,
            *_waiting(),
        )
        .values(
            last_error=case(
                (col(OutboxRow.held_until).is_not(None), WENT_SILENT),
                else_=col(OutboxRow.last_error),
            ),
            runs=OutboxRow.runs + 1,
            attempts=OutboxRow.attempts + 1,
            held_until=until,
            available_at=until,
        )
        .returning(OutboxRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return None if row is None else as_value(row)


def hold(tx: Transaction, run: Promised, pace: Pace = PACE) -> bool:
    """Move the hold of a run on. False when the run does not hold its row any more."""
    until = tx.now + pace.lease
    return _of_run(tx, run, held_until=until, available_at=until)


def fail(tx: Transaction, run: Promised, error: str, pace: Pace = PACE) -> bool:
    """Let go of a row whose run failed: due after its back-off, at once after the last attempt.

    `error` is shown to staff: it holds no secrets and no personal data. False when the run does
    not hold its row any more; then nothing is written.
    """
    last = run.attempts >= pace.max_attempts
    wait = timedelta(0) if last else pace.backoff(run.attempts)
    return _let_go(tx, run, error, tx.now + wait, run.attempts)


def postpone(tx: Transaction, run: Promised, error: str, pace: Pace = PACE) -> bool:
    """Let go of a row whose run found a part of the house away: it does not count against it."""
    wait = min(pace.backoff(run.runs - run.attempts + 1), pace.away_delay)
    return _let_go(tx, run, error, tx.now + wait, run.attempts - 1)


def give_up(tx: Transaction, limit: int, pace: Pace = PACE) -> Sequence[Promised]:
    """Mark rows dead whose last attempt failed or went silent; returns them."""
    rows = tx.session.exec(
        select(OutboxRow)
        .where(*_due(tx), col(OutboxRow.attempts) >= pace.max_attempts)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.last_error = WENT_SILENT if row.held_until else row.last_error
        row.held_until = None
        row.dead_at = tx.now
    tx.session.flush()
    return [as_value(row) for row in rows]


def revive(tx: Transaction, outbox_id: OutboxId) -> Promised:
    """Give a dead row all its attempts again. Raises NotFound when there is no such dead row."""
    row = tx.session.exec(
        select(OutboxRow)
        .where(col(OutboxRow.id) == outbox_id, col(OutboxRow.dead_at).is_not(None))
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound("There is no failed work here to try again; it may be under way already.")
    row.dead_at = None
    row.attempts = 0
    row.available_at = tx.now
    tx.session.flush()
    _ring(tx)
    return as_value(row)


def forget_done(tx: Transaction, before: datetime, limit: int = 1000) -> int:
    """Remove rows done before a moment, each with its receipt; returns how many."""
    old = (
        select(col(OutboxRow.id))
        .where(col(OutboxRow.done_at) < before)
        .order_by(col(OutboxRow.done_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = tx.session.scalars(
        delete(OutboxRow).where(col(OutboxRow.id).in_(old)).returning(col(OutboxRow.id))
    ).all()
    return len(gone)


def find(tx: Transaction, outbox_id: OutboxId) -> Promised | None:
    """The row as it stands; None when there is none."""
    row = tx.session.get(OutboxRow, outbox_id, populate_existing=True)
    return as_value(row) if row else None


def is_done(tx: Transaction, outbox_id: OutboxId) -> bool:
    """Whether the row was received; true also of one that is gone, for only done ones go."""
    done = tx.session.exec(select(OutboxRow.done_at).where(OutboxRow.id == outbox_id)).all()
    return done != [None]


def as_value(row: OutboxRow) -> Promised:
    """The row as a value that can leave its transaction."""
    return Promised(**{field.name: getattr(row, field.name) for field in fields(Promised)})


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return (col(OutboxRow.done_at).is_(None), col(OutboxRow.dead_at).is_(None))


def _due(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    return (*_waiting(), col(OutboxRow.available_at) <= tx.now)


def _let_go(tx: Transaction, run: Promised, error: str, until: datetime, attempts: int) -> bool:
    return _of_run(
        tx,
        run,
        held_until=None,
        available_at=until,
        attempts=attempts,
        last_error=error[:LONGEST_ERROR],
    )


def _of_run(tx: Transaction, run: Promised, **values: object) -> bool:
    """Change the row of a run, unless a later run has taken it or it is over."""
    changed = tx.session.scalar(
        update(OutboxRow)
        .where(col(OutboxRow.id) == run.id, col(OutboxRow.runs) == run.runs, *_waiting())
        .values(**values)
        .returning(col(OutboxRow.id))
    )
    return changed is not None


def _ring(tx: Transaction) -> None:
    """Wake the relays when this transaction is committed."""
    tx.session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
