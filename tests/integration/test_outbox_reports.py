"""What people are told of promised work."""

from datetime import timedelta

from sqlalchemy import text

from storage.clock import SetClock
from storage.database import Database
from storage.ids import OutboxId, new_id
from storage.outbox import PACE, Promised, begin, fail, give_up, promise, receive
from storage.outbox_reports import contradictions, dead_rows, overdue, standing, waiting_for

HOUR = timedelta(hours=1)


def promised(db: Database, subject: object = None, **how: object) -> OutboxId:
    with db.transaction() as tx:
        return promise(tx, "effect", subject or new_id(), **how)


def done(db: Database, row: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, row)


def begun(db: Database, row: OutboxId) -> Promised:
    with db.transaction() as tx:
        run = begin(tx, row)
    assert run is not None
    return run


def dead(db: Database, clock: SetClock, **how: object) -> OutboxId:
    row = promised(db, **how)
    for _ in range(PACE.max_attempts):
        run = begun(db, row)
        with db.transaction() as tx:
            fail(tx, run, "it broke")
        clock.advance(HOUR)
    with db.transaction() as tx:
        give_up(tx, 10)
    return row


def test_given_up_work_is_listed_latest_first(db: Database, clock: SetClock) -> None:
    promised(db)
    first, second = dead(db, clock), dead(db, clock)
    with db.reading() as tx:
        rows = dead_rows(tx)
        assert [row.id for row in rows] == [second, first]
        assert rows[0].last_error == "it broke"
        assert [row.id for row in dead_rows(tx, limit=1)] == [second]


def test_a_subject_waits_for_all_that_is_promised_and_not_done(
    db: Database, clock: SetClock
) -> None:
    subject, other = new_id(), new_id()
    given_up = dead(db, clock, subject=subject)
    clock.advance(HOUR)
    waiting = promised(db, subject)
    done(db, promised(db, subject))
    elsewhere = promised(db, other)
    with db.reading() as tx:
        assert [row.id for row in waiting_for(tx, subject)] == [given_up, waiting]
        found = {row.id for row in waiting_for(tx, subject, other)}
        assert found == {given_up, waiting, elsewhere}
        assert waiting_for(tx) == []


def test_work_is_overdue_when_it_should_long_have_been_done(db: Database, clock: SetClock) -> None:
    late = promised(db)
    promised(db, after=10 * HOUR)
    done(db, promised(db))
    clock.advance(HOUR)
    promised(db)
    with db.reading() as tx:
        assert [row.id for row in overdue(tx, HOUR / 2)] == [late]


def test_each_queue_says_what_waits_runs_and_is_dead(db: Database, clock: SetClock) -> None:
    dead(db, clock, queue="seal")
    promised(db, queue="seal")
    begun(db, promised(db, queue="seal"))
    promised(db)
    done(db, promised(db, queue="issue"))
    with db.reading() as tx:
        seal, work = standing(tx)
    assert (seal.queue, seal.waiting, seal.running, seal.dead) == ("seal", 1, 1, 1)
    assert (work.queue, work.waiting, work.running, work.dead) == ("work", 1, 0, 0)
    assert work.oldest == clock.now()


def test_a_row_and_a_receipt_that_do_not_agree_are_found(db: Database) -> None:
    sound, faulty, doubtful = promised(db), promised(db), promised(db)
    done(db, sound)
    with db.reading() as tx:
        assert contradictions(tx) == []
    with db.transaction() as tx:
        tx.session.execute(text("UPDATE outbox SET done_at = now() WHERE id = :id"), {"id": faulty})
        tx.session.execute(text("INSERT INTO job_receipt VALUES (:id, now())"), {"id": doubtful})
    with db.reading() as tx:
        assert {one.outbox_id for one in contradictions(tx)} == {faulty, doubtful}


def test_what_is_promised_for_a_later_day_does_not_wait_yet(db: Database) -> None:
    promised(db, after=10 * HOUR)
    with db.reading() as tx:
        assert [one.waiting for one in standing(tx)] == [0]
        assert [one.oldest for one in standing(tx)] == [None]
