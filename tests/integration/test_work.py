"""Promising kinds of work, giving them up, and trying them again."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.clock import SetClock
from storage.database import Database, Transaction
from storage.errors import NotFound
from storage.events import SYSTEM, Who
from storage.ids import OutboxId, new_id
from storage.outbox import PACE, AlreadyDone, Promised, find, promise, receive
from storage.tables.events import Event
from storage.vocabulary import Queue, Role
from workflows.work import (
    REMEMBERED,
    URGENT_ROOM,
    Work,
    begin_work,
    forget_old_work,
    give_up_work,
    hand_out,
    hold_work,
    is_done,
    promise_work,
    revive_work,
    take_back,
    work_failed,
    work_waits,
)

HOUR = timedelta(hours=1)
ADMINISTRATOR = Who(Role.ADMINISTRATOR, label="Ada")


def promised(db: Database, work: Work = Work.SEND_MAIL, **how: object) -> OutboxId:
    with db.transaction() as tx:
        return promise_work(tx, work, new_id(), **how)


def seen(db: Database, row: OutboxId) -> Promised:
    with db.reading() as tx:
        found = find(tx, row)
    assert found is not None
    return found


def begun(db: Database, row: OutboxId) -> Promised:
    run = begin_work(db, row)
    assert run is not None
    return run


def used_up(db: Database, clock: SetClock) -> OutboxId:
    row = promised(db)
    for _ in range(PACE.max_attempts):
        work_failed(db, begun(db, row), "the mail server refuses")
        clock.advance(HOUR)
    return row


def events(db: Database, kind: str) -> list[Event]:
    with db.reading() as tx:
        return list(tx.session.exec(select(Event).where(Event.kind == kind)).all())


@pytest.mark.parametrize("work", Work)
def test_every_kind_of_work_has_a_queue(db: Database, work: Work) -> None:
    assert seen(db, promised(db, work)).queue in set(Queue)


def test_promised_work_keeps_what_it_was_promised_with(db: Database) -> None:
    row = promised(db, Work.SEAL_EVIDENCE, dedupe_key="seal:1", after=HOUR, urgent=True)
    kept = seen(db, row)
    assert (kept.kind, kept.queue, kept.urgent) == ("seal_evidence", "seal", True)
    assert kept.available_at - kept.created_at == HOUR
    assert promised(db, Work.SEAL_EVIDENCE, dedupe_key="seal:1") == row


def test_a_full_queue_still_gets_urgent_work(db: Database) -> None:
    rows = {promised(db) for _ in range(3)}
    urgent = {promised(db, urgent=True) for _ in range(URGENT_ROOM + 1)}
    first = {row.id for row in hand_out(db, {"work": 0, "seal": 5})}
    assert len(first) == URGENT_ROOM
    assert first < urgent
    assert {row.id for row in hand_out(db, {"work": 100})} == (urgent - first) | rows


def test_what_is_taken_back_can_be_handed_out_again(db: Database) -> None:
    promised(db)
    taken = hand_out(db, {"work": 1})
    take_back(db, taken)
    assert hand_out(db, {"work": 1}) == taken


def test_work_counts_as_done_when_it_was_received_or_is_forgotten(db: Database) -> None:
    row = promised(db)
    assert not is_done(db, row)
    with db.transaction() as tx:
        receive(tx, row)
    assert is_done(db, row)
    assert is_done(db, OutboxId(new_id()))


def test_a_run_can_be_held_and_can_wait(db: Database) -> None:
    row = promised(db)
    run = begun(db, row)
    assert hold_work(db, run)
    work_waits(db, run, "the mail server is away")
    assert not hold_work(db, Promised(**{**vars(run), "runs": 7}))
    assert seen(db, row).last_error == "the mail server is away"


def test_giving_up_tells_the_subject_and_the_history(db: Database, clock: SetClock) -> None:
    row = used_up(db, clock)
    mourned: list[UUID] = []
    (dead,) = give_up_work(db, {Work.SEND_MAIL: lambda _, one: mourned.append(one.subject_id)})
    assert dead.id == row
    assert mourned == [dead.subject_id]
    (event,) = events(db, "give_up_work")
    assert (event.subject_id, event.why) == (row, "the mail server refuses")
    assert event.data["kind"] == "send_mail"
    assert event.data["attempts"] == 5
    assert give_up_work(db, {}) == []


def test_a_mourner_that_fails_does_not_keep_the_row_alive(db: Database, clock: SetClock) -> None:
    row = used_up(db, clock)

    def stumble(tx: Transaction, _: Promised) -> None:
        tx.session.execute(text("INSERT INTO nowhere VALUES (1)"))

    give_up_work(db, {Work.SEND_MAIL: stumble})
    assert seen(db, row).dead_at is not None
    assert events(db, "give_up_work")[0].data["trouble"] == "ProgrammingError"


def test_what_a_failing_mourner_began_is_undone(db: Database, clock: SetClock) -> None:
    used_up(db, clock)

    def half(tx: Transaction, one: Promised) -> None:
        promise(tx, "effect", one.subject_id)
        raise KeyError

    give_up_work(db, {Work.SEND_MAIL: half})
    with db.reading() as tx:
        assert tx.session.execute(text("SELECT count(*) FROM outbox")).scalar() == 1


def test_given_up_work_is_revived_by_someone_and_for_a_reason(
    db: Database, clock: SetClock
) -> None:
    row = used_up(db, clock)
    give_up_work(db, {})
    revive_work(db, ADMINISTRATOR, row, "the mail server is mended")
    assert begun(db, row).attempts == 1
    (event,) = events(db, "revive_work")
    assert (event.actor_label, event.why) == ("Ada", "the mail server is mended")
    with pytest.raises(NotFound):
        revive_work(db, SYSTEM, row, "again")


def test_done_work_is_remembered_for_thirty_days(db: Database, clock: SetClock) -> None:
    row = promised(db)
    with db.transaction() as tx:
        receive(tx, row)
    clock.advance(REMEMBERED)
    assert forget_old_work(db) == 0
    with pytest.raises(AlreadyDone), db.transaction() as tx:
        receive(tx, row)
    clock.advance(timedelta(seconds=1))
    assert forget_old_work(db) == 1
