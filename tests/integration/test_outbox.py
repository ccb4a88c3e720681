"""A row's way through the outbox, step by step, at a clock that the test moves."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from storage import outbox
from storage.clock import SetClock
from storage.database import Database
from storage.errors import Conflict, NotFound
from storage.events import request_id
from storage.ids import OutboxId, new_id
from storage.outbox import (
    PACE,
    WENT_SILENT,
    AlreadyDone,
    Pace,
    Promised,
    begin,
    claim_due,
    fail,
    find,
    forget_done,
    give_up,
    hand_back,
    hold,
    postpone,
    promise,
    receive,
    revive,
)

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def promised(db: Database, kind: str = "effect", **how: object) -> OutboxId:
    with db.transaction() as tx:
        return promise(tx, kind, new_id(), **how)


def claimed(db: Database, limit: int = 10, **how: object) -> list[OutboxId]:
    with db.transaction() as tx:
        return [row.id for row in claim_due(tx, "work", limit, **how)]


def begun(db: Database, row: OutboxId) -> Promised | None:
    with db.transaction() as tx:
        return begin(tx, row)


def run_of(db: Database, row: OutboxId) -> Promised:
    run = begun(db, row)
    assert run is not None
    return run


def received(db: Database, row: OutboxId) -> bool:
    try:
        with db.transaction() as tx:
            receive(tx, row)
    except AlreadyDone:
        return False
    return True


def failed(db: Database, run: Promised, why: str = "it broke") -> bool:
    with db.transaction() as tx:
        return fail(tx, run, why)


def given_up(db: Database) -> list[OutboxId]:
    with db.transaction() as tx:
        return [row.id for row in give_up(tx, 10)]


def seen(db: Database, row: OutboxId) -> Promised:
    with db.reading() as tx:
        found = find(tx, row)
    assert found is not None
    return found


def used_up(db: Database, clock: SetClock, row: OutboxId) -> None:
    """Let a row fail as often as it may."""
    for _ in range(PACE.max_attempts):
        failed(db, run_of(db, row))
        clock.advance(HOUR)


def dead(db: Database, clock: SetClock) -> OutboxId:
    row = promised(db)
    used_up(db, clock, row)
    assert given_up(db) == [row]
    return row


def test_a_promise_is_kept_only_with_its_transaction(db: Database) -> None:
    row: UUID | None = None
    with pytest.raises(ZeroDivisionError), db.transaction() as tx:
        row = promise(tx, "effect", new_id())
        raise ZeroDivisionError
    with db.reading() as tx:
        assert row is not None
        assert find(tx, row) is None


def test_a_second_promise_with_the_same_key_is_the_first(db: Database) -> None:
    first = promised(db, dedupe_key="seal:1")
    assert promised(db, dedupe_key="seal:1") == first
    assert promised(db, dedupe_key="seal:2") != first


def test_promises_without_a_key_are_all_different(db: Database) -> None:
    assert promised(db) != promised(db)


def test_a_promise_carries_the_id_of_the_request_it_was_made_in(db: Database) -> None:
    token = request_id.set("request-0001")
    row = promised(db)
    request_id.reset(token)
    assert seen(db, row).request_id == "request-0001"


def test_a_promise_names_a_queue_that_there_is(db: Database) -> None:
    with pytest.raises(Conflict):
        promised(db, queue="nowhere")


def test_work_is_received_once(db: Database) -> None:
    row = promised(db)
    assert received(db, row)
    assert not received(db, row)
    assert seen(db, row).done_at is not None


def test_work_that_fails_after_it_was_received_was_not_received(db: Database) -> None:
    row = promised(db)
    with pytest.raises(ZeroDivisionError), db.transaction() as tx:
        receive(tx, row)
        raise ZeroDivisionError
    assert received(db, row)


def test_of_two_that_receive_at_once_one_waits_and_then_stops(db: Database) -> None:
    row = promised(db)
    answers: list[bool] = []
    with db.transaction() as tx:
        receive(tx, row)
        other = threading.Thread(target=lambda: answers.append(received(db, row)))
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()
    other.join()
    assert answers == [False]


def test_what_was_given_up_or_never_promised_is_not_received(db: Database, clock: SetClock) -> None:
    assert not received(db, dead(db, clock))
    assert not received(db, OutboxId(new_id()))


def test_the_relay_takes_urgent_rows_first_and_then_the_oldest(
    db: Database, clock: SetClock
) -> None:
    first = promised(db)
    clock.advance(SECOND)
    second = promised(db)
    clock.advance(SECOND)
    urgent = promised(db, urgent=True)
    elsewhere = promised(db, queue="seal")
    assert claimed(db, urgent_only=True) == [urgent]
    assert claimed(db, limit=1) == [first]
    assert claimed(db) == [second]
    with db.transaction() as tx:
        assert [row.id for row in claim_due(tx, "seal", 10)] == [elsewhere]


def test_a_row_is_not_handed_out_before_its_time(db: Database, clock: SetClock) -> None:
    row = promised(db, after=HOUR)
    assert claimed(db) == []
    clock.advance(HOUR)
    assert claimed(db) == [row]


def test_two_relays_at_once_take_different_rows(db: Database) -> None:
    rows = {promised(db) for _ in range(4)}
    with db.transaction() as one, db.transaction() as other:
        first = {row.id for row in claim_due(one, "work", 2)}
        second = {row.id for row in claim_due(other, "work", 10)}
    assert first | second == rows
    assert not first & second


def test_a_handed_out_row_waits_longer_each_time_nobody_begins_it(
    db: Database, clock: SetClock
) -> None:
    row = promised(db)
    waits = []
    for _ in range(9):
        assert claimed(db) == [row]
        waits.append((seen(db, row).available_at - clock.now()).total_seconds())
        clock.set(seen(db, row).available_at)
    assert waits == [20, 40, 80, 160, 320, 640, 900, 900, 900]


def test_the_wait_to_be_begun_starts_short_again_after_each_run(
    db: Database, clock: SetClock
) -> None:
    row = promised(db)
    for _ in range(3):
        claimed(db)
        failed(db, run_of(db, row))
        clock.advance(HOUR)
    claimed(db)
    assert seen(db, row).available_at - clock.now() == PACE.first_delay


def test_being_handed_out_costs_a_row_none_of_its_attempts(db: Database, clock: SetClock) -> None:
    row = promised(db)
    for _ in range(20):
        assert claimed(db) == [row]
        clock.advance(HOUR)
    assert given_up(db) == []
    assert seen(db, row).attempts == 0


def test_what_the_queue_did_not_take_is_due_at_once(db: Database) -> None:
    row = promised(db)
    with db.transaction() as tx:
        hand_back(tx, claim_due(tx, "work", 10))
    assert claimed(db) == [row]
    assert seen(db, row).handed_out == 1


def test_a_row_that_a_worker_has_begun_is_not_handed_back(db: Database) -> None:
    row = promised(db)
    with db.transaction() as tx:
        taken = claim_due(tx, "work", 10)
    run_of(db, row)
    with db.transaction() as tx:
        hand_back(tx, taken)
    assert claimed(db) == []


def test_a_row_in_other_hands_is_not_begun(db: Database, clock: SetClock) -> None:
    row = promised(db)
    run = run_of(db, row)
    assert (run.runs, run.attempts) == (1, 1)
    assert begun(db, row) is None
    assert claimed(db) == []


def test_a_run_that_goes_silent_loses_its_row(db: Database, clock: SetClock) -> None:
    row = promised(db)
    run_of(db, row)
    clock.advance(PACE.lease + SECOND)
    assert claimed(db) == [row]
    second = run_of(db, row)
    assert (second.runs, second.last_error) == (2, WENT_SILENT)


def test_a_run_keeps_its_row_as_long_as_it_says_so(db: Database, clock: SetClock) -> None:
    row = promised(db)
    run = run_of(db, row)
    for _ in range(10):
        clock.advance(PACE.lease - SECOND)
        with db.transaction() as tx:
            assert hold(tx, run)
    assert begun(db, row) is None
    assert claimed(db) == []


def test_a_run_that_lost_its_row_cannot_hold_or_fail_it(db: Database, clock: SetClock) -> None:
    row = promised(db)
    slow = run_of(db, row)
    clock.advance(PACE.lease + SECOND)
    quick = run_of(db, row)
    with db.transaction() as tx:
        assert not hold(tx, slow)
    assert not failed(db, slow)
    assert seen(db, row).held_until is not None
    assert failed(db, quick)
    assert seen(db, row).held_until is None


def test_a_run_that_lost_its_row_may_still_be_the_one_that_does_the_work(
    db: Database, clock: SetClock
) -> None:
    row = promised(db)
    run_of(db, row)
    clock.advance(PACE.lease + SECOND)
    quick = run_of(db, row)
    assert received(db, row)
    assert not received(db, row)
    assert not failed(db, quick)
    assert seen(db, row).last_error == WENT_SILENT


def test_a_done_row_is_not_begun_or_handed_out(db: Database, clock: SetClock) -> None:
    row = promised(db)
    received(db, row)
    clock.advance(HOUR)
    assert begun(db, row) is None
    assert claimed(db) == []


def test_a_failed_run_waits_for_its_back_off_and_says_why(db: Database, clock: SetClock) -> None:
    row = promised(db)
    failed(db, run_of(db, row), "no such thing")
    assert seen(db, row).last_error == "no such thing"
    clock.advance(PACE.first_delay - SECOND)
    assert claimed(db) == []
    clock.advance(SECOND)
    assert claimed(db) == [row]


def test_a_very_long_reason_is_cut(db: Database) -> None:
    row = promised(db)
    failed(db, run_of(db, row), "x" * 5000)
    assert len(seen(db, row).last_error) == outbox.LONGEST_ERROR


def test_a_part_that_is_away_costs_no_attempt_however_long(db: Database, clock: SetClock) -> None:
    row = promised(db)
    for _ in range(50):
        with db.transaction() as tx:
            run = begin(tx, row)
            assert run is not None
            assert postpone(tx, run, "the store is away")
        assert seen(db, row).available_at - clock.now() <= PACE.away_delay
        clock.advance(PACE.away_delay)
    assert given_up(db) == []
    assert (seen(db, row).attempts, seen(db, row).runs) == (0, 50)


def test_a_row_is_given_up_after_its_last_attempt_and_not_before(
    db: Database, clock: SetClock
) -> None:
    row = promised(db)
    for _ in range(PACE.max_attempts):
        assert given_up(db) == []
        failed(db, run_of(db, row))
        clock.advance(HOUR)
    assert begun(db, row) is None
    assert claimed(db) == []
    assert given_up(db) == [row]
    assert given_up(db) == []
    assert seen(db, row).last_error == "it broke"


def test_a_last_attempt_that_goes_silent_is_given_up_too(db: Database, clock: SetClock) -> None:
    row = promised(db)
    for _ in range(PACE.max_attempts):
        run_of(db, row)
        clock.advance(PACE.lease + SECOND)
    assert given_up(db) == [row]
    assert seen(db, row).last_error == WENT_SILENT


def test_a_last_attempt_under_way_is_not_given_up(db: Database, clock: SetClock) -> None:
    row = promised(db)
    for _ in range(PACE.max_attempts):
        clock.advance(HOUR)
        run_of(db, row)
    assert given_up(db) == []
    assert received(db, row)


def test_a_dead_row_can_be_revived_with_all_its_attempts(db: Database, clock: SetClock) -> None:
    row = dead(db, clock)
    with db.transaction() as tx:
        assert revive(tx, row).attempts == 0
    assert claimed(db) == [row]
    run_of(db, row)
    assert received(db, row)


def test_only_dead_rows_can_be_revived(db: Database) -> None:
    row = promised(db)
    with pytest.raises(NotFound), db.transaction() as tx:
        revive(tx, row)


def test_old_done_rows_are_forgotten_together_with_their_receipts(
    db: Database, clock: SetClock
) -> None:
    old, waiting = promised(db), promised(db)
    given = dead(db, clock)
    received(db, old)
    clock.advance(HOUR)
    new = promised(db)
    received(db, new)
    with db.transaction() as tx:
        assert forget_done(tx, clock.now()) == 1
    with db.reading() as tx:
        assert find(tx, old) is None
        assert {find(tx, row) is None for row in (new, waiting, given)} == {False}
        assert tx.session.execute(text("SELECT outbox_id FROM job_receipt")).scalars().all() == [
            new
        ]


def test_the_database_refuses_a_row_that_is_both_done_and_dead(db: Database) -> None:
    row = promised(db)
    with pytest.raises(Conflict), db.transaction() as tx:
        tx.session.execute(
            text("UPDATE outbox SET done_at = now(), dead_at = now() WHERE id = :id"), {"id": row}
        )


def test_the_database_refuses_a_receipt_without_a_promise(db: Database) -> None:
    with pytest.raises(Conflict), db.transaction() as tx:
        tx.session.execute(text("INSERT INTO job_receipt VALUES (gen_random_uuid(), now())"))


def test_back_off_doubles_up_to_its_longest() -> None:
    pace = Pace(first_delay=SECOND, longest_delay=6 * SECOND)
    waits = [pace.backoff(attempt).total_seconds() for attempt in (0, 1, 2, 3, 4, 5000)]
    assert waits == [1, 1, 2, 4, 6, 6]
