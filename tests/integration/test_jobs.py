"""From an outbox id to its command and back: entry point, relay and sweeper, in this process."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import text

from app.jobs import entrypoint, relay, sweeper
from app.jobs.entrypoint import Bench, after_fork, furnish, run, run_on
from app.jobs.given_up import ON_DEAD
from app.jobs.handlers import HANDLERS
from app.jobs.queues import ENTRYPOINT, LONGEST_SECONDS, QUEUES, own_connection, rq_queue
from app.jobs.sweeper import TICKS, Tick, sweep
from storage.clock import SetClock, SystemClock
from storage.database import Database, PassingFault
from storage.errors import InvalidInput, Unavailable
from storage.events import request_id
from storage.ids import OutboxId, new_id
from storage.outbox import PACE, Pace, Promised, begin, claim_due, find, promise, receive
from storage.outbox_reports import overdue
from storage.vocabulary import Queue
from workflows.work import REMEMBERED, Work, hand_out

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Parts:
    db: Database
    redis: redis.Redis


@pytest.fixture
def parts(db: Database, valkey_client: redis.Redis) -> Parts:
    return Parts(db, valkey_client)


@pytest.fixture(autouse=True)
def unfurnished() -> Iterator[None]:
    yield
    entrypoint._bench = None


def promised(db: Database, kind: str = "effect", **how: object) -> OutboxId:
    with db.transaction() as tx:
        return promise(tx, kind, new_id(), **how)


def seen(db: Database, row: OutboxId) -> Promised:
    with db.reading() as tx:
        found = find(tx, row)
    assert found is not None
    return found


def do(parts: Parts, one: Promised) -> None:
    with parts.db.transaction() as tx:
        receive(tx, one.id)


def raising(error: Exception) -> Callable[[Parts, Promised], None]:
    def fail(_: Parts, __: Promised) -> None:
        raise error

    return fail


def tried(parts: Parts, handler: Callable[[Parts, Promised], None] = do) -> Promised:
    """A promise after one run with this handler."""
    row = promised(parts.db)
    run_on(Bench(parts, {"effect": handler}, PACE), row)
    return seen(parts.db, row)


def test_work_is_done_by_its_handler(parts: Parts) -> None:
    row = tried(parts)
    assert row.done_at is not None
    assert (row.runs, row.last_error) == (1, "")


def test_rq_runs_it_by_name_with_nothing_but_an_id(parts: Parts) -> None:
    row = promised(parts.db)
    furnish(Bench(parts, {"effect": do}, PACE))
    after_fork()
    run(str(row))
    assert seen(parts.db, row).done_at is not None


def test_one_process_does_several_pieces_of_work_one_after_the_other(parts: Parts) -> None:
    rows = [promised(parts.db) for _ in range(3)]
    furnish(Bench(parts, {"effect": do}, PACE))
    run(*map(str, rows))
    assert all(seen(parts.db, row).done_at is not None for row in rows)


def test_what_a_process_has_no_time_for_is_due_again_at_once(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [promised(parts.db) for _ in range(3)]
    hand_out(parts.db, {"work": 10})
    monkeypatch.setattr(entrypoint, "BATCH_SECONDS", -1.0)
    furnish(Bench(parts, {"effect": do}, PACE))
    run(*map(str, rows))
    assert [seen(parts.db, row).done_at is not None for row in rows] == [True, False, False]
    assert {one.id for one in hand_out(parts.db, {"work": 10})} == set(rows[1:])


def test_a_process_that_is_not_our_worker_does_nothing(parts: Parts) -> None:
    after_fork()
    with pytest.raises(RuntimeError, match="assay worker"):
        run(str(promised(parts.db)))


def test_a_job_works_under_the_id_of_the_request_that_promised_it(parts: Parts) -> None:
    ids: list[str] = []
    token = request_id.set("request-0001")
    row = promised(parts.db)
    request_id.reset(token)

    def listen(parts: Parts, one: Promised) -> None:
        ids.append(request_id.get())
        do(parts, one)

    run_on(Bench(parts, {"effect": listen}, PACE), row)
    assert ids == ["request-0001"]
    assert request_id.get() == ""


def test_a_second_job_for_done_work_does_not_call_the_handler(parts: Parts) -> None:
    row = tried(parts)
    run_on(Bench(parts, {"effect": raising(AssertionError())}, PACE), row.id)
    assert seen(parts.db, row.id) == row


def test_a_job_for_a_row_that_is_gone_does_nothing(parts: Parts) -> None:
    begun: list[Promised] = []
    run_on(Bench(parts, {"effect": lambda _, one: begun.append(one)}, PACE), OutboxId(new_id()))
    assert begun == []


def test_a_run_that_another_overtook_stops_quietly(parts: Parts) -> None:
    def overtaken(parts: Parts, one: Promised) -> None:
        do(parts, one)
        do(parts, one)

    row = tried(parts, overtaken)
    assert (row.done_at is not None, row.last_error) == (True, "")


def test_our_own_words_are_kept_as_the_reason_and_redacted(parts: Parts) -> None:
    refused = InvalidInput("The mail server refuses %(who)s.", {"who": "sam@example.org"})
    assert tried(parts, raising(refused)).last_error == "The mail server refuses [e-mail]."


def test_of_other_errors_only_their_sort_and_place_are_kept(parts: Parts) -> None:
    row = tried(parts, raising(ValueError("the password is hunter2")))
    assert row.last_error.startswith("ValueError at test_jobs.py:")
    assert row.attempts == 1


def test_an_error_without_a_place_is_still_named() -> None:
    assert entrypoint.told(ValueError("the password is hunter2")) == "ValueError"


def test_a_part_that_is_away_does_not_count_against_the_work(parts: Parts) -> None:
    row = tried(parts, raising(Unavailable("The store is away.")))
    assert (row.runs, row.attempts, row.last_error) == (1, 0, "The store is away.")


def test_what_the_database_refuses_again_and_again_counts(parts: Parts) -> None:
    assert tried(parts, raising(PassingFault("busy"))).attempts == 1


def test_a_handler_that_receives_nothing_has_failed(parts: Parts) -> None:
    row = tried(parts, lambda *_: None)
    assert row.done_at is None
    assert "without saying" in row.last_error


def test_work_of_an_unknown_kind_waits_for_a_worker_that_knows_it_and_is_reported_late(
    parts: Parts, clock: SetClock
) -> None:
    """While a new version is rolled out, its promises meet workers of the old one for a while."""
    row = promised(parts.db, "from_the_future")
    known = promised(parts.db)
    for _ in range(PACE.max_attempts * 2):
        run_on(Bench(parts, {"effect": do}, PACE), row)
        clock.advance(timedelta(minutes=2))
    assert "does not know" in seen(parts.db, row).last_error
    assert (seen(parts.db, row).dead_at, seen(parts.db, row).attempts) == (None, 0)
    with parts.db.reading() as tx:
        assert row in [late.id for late in overdue(tx, timedelta(minutes=15))]
    run_on(Bench(parts, {"effect": do}, PACE), known)
    run_on(Bench(parts, {"from_the_future": do}, PACE), row)
    assert seen(parts.db, row).done_at is not None
    assert seen(parts.db, known).done_at is not None


def test_a_long_job_keeps_its_hold(parts: Parts, database_url: str) -> None:
    living = Parts(Database(database_url, SystemClock()), parts.redis)
    holds: list[object] = []

    def long(parts: Parts, one: Promised) -> None:
        first = seen(parts.db, one.id).held_until
        deadline = time.monotonic() + 30
        while seen(parts.db, one.id).held_until == first and time.monotonic() < deadline:
            time.sleep(0.02)
        holds.append(seen(parts.db, one.id).held_until != first)
        do(parts, one)

    row = promised(living.db)
    run_on(Bench(living, {"effect": long}, Pace(lease=timedelta(seconds=0.6))), row)
    assert holds == [True]
    living.db.close()


def test_a_database_that_is_away_stops_nothing_but_this_run(
    parts: Parts, valkey_client: redis.Redis
) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", SystemClock())
    run_on(Bench(Parts(nowhere, valkey_client), {"effect": do}, PACE), OutboxId(new_id()))
    row = promised(parts.db)

    def cut(parts: Parts, _: Promised) -> None:
        parts.db.close()
        parts.db.engine = nowhere.engine
        raise ValueError

    kept = parts.db.engine
    run_on(Bench(parts, {"effect": cut}, PACE), row)
    parts.db.engine = kept
    assert seen(parts.db, row).last_error == ""
    assert seen(parts.db, row).held_until is not None


def test_every_kind_of_work_has_a_handler_and_no_other_has() -> None:
    assert set(HANDLERS) == set(Work)
    assert set(ON_DEAD) <= set(Work)


def test_every_queue_has_a_longest_time() -> None:
    assert set(QUEUES) == set(Queue) == set(LONGEST_SECONDS)


def test_the_relay_puts_ids_into_rq_as_json(parts: Parts, valkey_client: redis.Redis) -> None:
    row = promised(parts.db, queue="seal")
    assert relay.round_once(parts, valkey_client, {}) is False
    line = rq_queue("seal", valkey_client)
    assert line.job_ids == [f"{row}-1"]
    job = Job.fetch(f"{row}-1", connection=valkey_client, serializer=JSONSerializer)
    assert (job.func_name, job.args) == (ENTRYPOINT, [str(row)])
    assert (job.result_ttl, job.timeout) == (0, LONGEST_SECONDS["seal"])
    assert 0 < valkey_client.ttl(job.key) <= relay.JOB_TTL_SECONDS
    assert json.loads(job.data)[0] == ENTRYPOINT


def test_films_in_the_making_leave_the_room_of_looks_alone(
    parts: Parts, valkey_client: redis.Redis
) -> None:
    for _ in range(relay.ROOM + 5):
        promised(parts.db, queue=Work.MAKE_RENDITION.queue)
    relay.round_once(parts, valkey_client, {})
    look = promised(parts.db, queue=Work.INSPECT_EVIDENCE.queue)
    relay.round_once(parts, valkey_client, {})
    assert rq_queue("render", valkey_client).count == relay.ROOM
    assert rq_queue("look", valkey_client).job_ids == [f"{look}-1"]


def test_the_relay_keeps_rqs_lists_short(parts: Parts, valkey_client: redis.Redis) -> None:
    for _ in range(relay.ROOM + 5):
        promised(parts.db)
    line = rq_queue("work", valkey_client)
    assert relay.round_once(parts, valkey_client, {}) is True
    assert line.count == relay.ROOM
    assert relay.round_once(parts, valkey_client, {}) is True
    assert line.count == relay.ROOM
    urgent = promised(parts.db, urgent=True)
    relay.round_once(parts, valkey_client, {})
    assert line.job_ids[0] == f"{urgent}-1"


def test_what_valkey_refuses_is_due_at_once(parts: Parts, valkey_client: redis.Redis) -> None:
    row = promised(parts.db)
    valkey_client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.exceptions.RedisError):
            relay.round_once(parts, valkey_client, {})
    finally:
        valkey_client.config_set("maxmemory", "0")
    assert rq_queue("work", valkey_client).count == 0
    with parts.db.transaction() as tx:
        assert [one.id for one in claim_due(tx, "work", 5)] == [row]


def test_nothing_is_claimed_while_valkey_is_away(parts: Parts) -> None:
    row = promised(parts.db)
    away = own_connection(redis.Redis.from_url("redis://127.0.0.1:1/0"))
    with pytest.raises(redis.exceptions.ConnectionError):
        relay.round_once(parts, away, {})
    assert seen(parts.db, row).handed_out == 0


def test_the_relay_gives_up_what_has_failed_too_often(
    parts: Parts, valkey_client: redis.Redis, clock: SetClock
) -> None:
    row = promised(parts.db)
    for _ in range(PACE.max_attempts):
        with parts.db.transaction() as tx:
            assert begin(tx, row) is not None
        clock.advance(HOUR)
    mourned: list[OutboxId] = []
    relay.round_once(parts, valkey_client, {"effect": lambda _, one: mourned.append(one.id)})
    assert mourned == [row]
    assert seen(parts.db, row).dead_at is not None
    assert rq_queue("work", valkey_client).count == 0


def test_a_connection_of_ones_own_leaves_the_shared_one_as_it_was(redis_url: str) -> None:
    shared = redis.Redis.from_url(redis_url, socket_timeout=7)
    own = own_connection(shared, timeout=1)
    assert own.ping()
    assert shared.get_connection_kwargs()["socket_timeout"] == 7
    assert own.get_connection_kwargs()["socket_timeout"] == 1


def test_a_tick_that_fails_does_not_keep_the_others_waiting(parts: Parts) -> None:
    rung: list[str] = []

    def stumble(_: Parts) -> None:
        rung.append("first")
        raise ZeroDivisionError

    ticks = [
        Tick("first", HOUR, stumble),
        Tick("second", timedelta(0), lambda _: rung.append("second")),
    ]
    due = dict.fromkeys(("first", "second"), 0.0)
    sweep(parts, ticks, due, Event())
    sweep(parts, ticks, due, Event())
    assert rung == ["first", "second", "second"]


def test_a_sweeper_that_was_told_to_end_begins_no_tick(parts: Parts) -> None:
    told = Event()
    told.set()
    rung: list[str] = []
    sweep(parts, [Tick("first", HOUR, lambda _: rung.append("first"))], {"first": 0.0}, told)
    assert rung == []


def test_no_two_ticks_have_the_same_name() -> None:
    assert len({tick.name for tick in TICKS}) == len(TICKS)


def test_late_work_is_counted_for_the_log(parts: Parts, clock: SetClock) -> None:
    promised(parts.db)
    assert sweeper.report_late_work(parts) == 0
    clock.advance(sweeper.LATE)
    assert sweeper.report_late_work(parts) == 1


def test_old_work_is_forgotten_batch_by_batch(parts: Parts, clock: SetClock) -> None:
    with parts.db.transaction() as tx:
        tx.session.execute(
            text(
                """INSERT INTO outbox (id, kind, queue, subject_id, dedupe_key, handed_out, runs,
                     attempts, urgent, created_at, available_at, done_at, last_error, request_id)
                   SELECT gen_random_uuid(), 'effect', 'work', gen_random_uuid(), 'bulk:' || n, 1,
                          1, 1, false, :now, :now, :now, '', ''
                   FROM generate_series(1, 2500) n"""
            ),
            {"now": clock.now()},
        )
    clock.advance(REMEMBERED + HOUR)
    assert sweeper.forget_in_batches(parts) == 2500
    assert sweeper.forget_in_batches(parts) == 0
