"""The kinds of work that are done after a command, and the steps of a promise's way.

Commands promise work with `promise_work`. The steps below it are transactions of their own: the
relay, the workers and the sweeper call them, and nobody else.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from storage import outbox
from storage.database import Database, Transaction, command
from storage.events import SYSTEM, Who, record
from storage.ids import OutboxId
from storage.outbox import PACE, Pace, Promised
from storage.vocabulary import Queue

REMEMBERED = timedelta(days=30)
# an urgent row is handed out even when its queue is full, up to so many at a time
URGENT_ROOM = 20

Mourner = Callable[[Transaction, Promised], None]


class Work(StrEnum):
    """What can be promised. The subject of each is in its name."""

    SEAL_EVIDENCE = "seal_evidence"
    ERASE_EVIDENCE = "erase_evidence"
    ERASE_CASE = "erase_case"
    INSPECT_EVIDENCE = "inspect_evidence"
    DRAW_PAGES = "draw_pages"
    MAKE_RENDITION = "make_rendition"
    SEND_MAIL = "send_mail"
    SETTLE_AGREEMENT = "settle_agreement"
    ISSUE_CREDENTIAL = "issue_credential"
    CORRECT_CREDENTIAL = "correct_credential"
    RELEASE_SLICE = "release_slice"
    RESIGN_SLICE = "resign_slice"
    SIGN_STATUS_LIST = "sign_status_list"
    SIGN_ENDORSEMENT = "sign_endorsement"
    SEAL_ATTESTATION = "seal_attestation"
    SEND_NEWS = "send_news"

    @property
    def queue(self) -> Queue:
        """The queue that serves this kind."""
        return _QUEUE_OF[self]


_QUEUE_OF: Mapping[Work, Queue] = {
    Work.SEAL_EVIDENCE: Queue.SEAL,
    Work.ERASE_EVIDENCE: Queue.WORK,
    Work.ERASE_CASE: Queue.WORK,
    Work.INSPECT_EVIDENCE: Queue.LOOK,
    Work.DRAW_PAGES: Queue.LOOK,
    Work.MAKE_RENDITION: Queue.RENDER,
    Work.SEND_MAIL: Queue.WORK,
    Work.SETTLE_AGREEMENT: Queue.WORK,
    Work.ISSUE_CREDENTIAL: Queue.ISSUE,
    Work.CORRECT_CREDENTIAL: Queue.ISSUE,
    Work.RELEASE_SLICE: Queue.ISSUE,
    Work.RESIGN_SLICE: Queue.ISSUE,
    Work.SIGN_STATUS_LIST: Queue.ISSUE,
    Work.SIGN_ENDORSEMENT: Queue.ISSUE,
    Work.SEAL_ATTESTATION: Queue.SEAL,
    Work.SEND_NEWS: Queue.NEWS,
}


def promise_work(
    tx: Transaction,
    work: Work,
    subject_id: UUID,
    *,
    dedupe_key: str | None = None,
    after: timedelta = timedelta(0),
    urgent: bool = False,
) -> OutboxId:
    """Promise a kind of work on a subject in this transaction; see `storage.outbox.promise`."""
    return outbox.promise(
        tx,
        work.value,
        subject_id,
        queue=work.queue.value,
        dedupe_key=dedupe_key,
        after=after,
        urgent=urgent,
    )


@command
def hand_out(db: Database, room: Mapping[str, int], pace: Pace = PACE) -> Sequence[Promised]:
    """Claim what is due for queues that have so much room each, urgent work first.

    A queue without room gets urgent work all the same.
    """
    with db.transaction() as tx:
        return [
            one
            for queue, free in room.items()
            for one in outbox.claim_due(
                tx, queue, free if free > 0 else URGENT_ROOM, urgent_only=free <= 0, pace=pace
            )
        ]


@command
def take_back(db: Database, promised: Sequence[Promised]) -> None:
    """The queue did not take these: they are due again at once."""
    with db.transaction() as tx:
        outbox.hand_back(tx, promised)


@command
def leave_work(db: Database, outbox_ids: Sequence[OutboxId]) -> None:
    """These were handed out and will not be begun now: they are due again at once."""
    with db.transaction() as tx:
        outbox.leave(tx, outbox_ids)


@command
def begin_work(db: Database, outbox_id: OutboxId, pace: Pace = PACE) -> Promised | None:
    """Begin a run; None when it is done, given up, gone, or in the hands of another worker."""
    with db.transaction() as tx:
        return outbox.begin(tx, outbox_id, pace)


@command
def hold_work(db: Database, run: Promised, pace: Pace = PACE) -> bool:
    """Say that a run is alive. False when it has lost its row."""
    with db.transaction() as tx:
        return outbox.hold(tx, run, pace)


@command
def work_failed(db: Database, run: Promised, why: str, pace: Pace = PACE) -> None:
    """Let go of a row whose run failed; it is tried again after its back-off, or given up."""
    with db.transaction() as tx:
        outbox.fail(tx, run, why, pace)


@command
def work_waits(db: Database, run: Promised, why: str, pace: Pace = PACE) -> None:
    """Let go of a row that needs a part of the house that is away; it does not count against it."""
    with db.transaction() as tx:
        outbox.postpone(tx, run, why, pace)


def is_done(db: Database, outbox_id: OutboxId) -> bool:
    """Whether the work was received; true also of a row that is gone, for only done ones go."""
    with db.reading() as tx:
        return outbox.is_done(tx, outbox_id)


@command
def give_up_work(
    db: Database, mourners: Mapping[str, Mourner], pace: Pace = PACE, limit: int = 50
) -> Sequence[Promised]:
    """Mark dead what has used up its attempts, and tell what it was for; returns those rows.

    The mourner of a kind changes its subject in the same transaction (an evidence item becomes
    failed). One that cannot is passed over: the row is dead and reported all the same.
    """
    with db.transaction() as tx:
        dead = outbox.give_up(tx, limit, pace)
        for row in dead:
            trouble = _mourn(tx, row, mourners.get(row.kind))
            record(
                tx,
                SYSTEM,
                "give_up_work",
                ("outbox", row.id),
                why=row.last_error,
                data={
                    "kind": row.kind,
                    "subject_id": str(row.subject_id),
                    "attempts": row.attempts,
                    "trouble": trouble,
                },
            )
        return dead


@command
def revive_work(db: Database, who: Who, outbox_id: OutboxId, why: str) -> None:
    """Try given-up work again from the start. Raises NotFound when it is not given up."""
    with db.transaction() as tx:
        row = outbox.revive(tx, outbox_id)
        facts = {"kind": row.kind, "subject_id": str(row.subject_id)}
        record(tx, who, "revive_work", ("outbox", row.id), why=why, data=facts)


@command
def forget_old_work(db: Database, limit: int = 1000) -> int:
    """Remove what was done more than 30 days ago, each row with its receipt; returns how many."""
    with db.transaction() as tx:
        return outbox.forget_done(tx, tx.now - REMEMBERED, limit)


def _mourn(tx: Transaction, row: Promised, mourner: Mourner | None) -> str:
    """Tell the subject of a dead row; returns what went wrong with that, or ''."""
    if mourner is None:
        return ""
    try:
        with tx.session.begin_nested():
            mourner(tx, row)
    except Exception as error:
        return type(error).__name__
    return ""
