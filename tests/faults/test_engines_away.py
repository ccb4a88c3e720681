"""Valkey or PostgreSQL away, full or forgetful: promises stay, and work goes on when it is back."""

import time

import psycopg
import pytest
from psycopg import sql

from app.jobs.queues import rq_queue
from storage.outbox_reports import waiting_for
from tests.faults.conftest import House

pytestmark = pytest.mark.slow


def test_a_promise_is_kept_while_valkey_is_away(house: House) -> None:
    house.engine.stop()
    promised = house.promise(count=3)
    house.start("relay")
    house.start("worker", "work")
    house.wait(lambda: b"relay waits" in (house.folder / "log").read_bytes(), "the relay waits")
    with house.db.reading() as tx:
        waiting = waiting_for(tx, *[house.row(row).subject_id for row in promised])
    assert [row.attempts for row in waiting] == [0, 0, 0]

    house.bring_valkey_back()
    house.settle()
    assert len(house.effects()) == 3
    house.check()


def test_work_goes_on_after_valkey_went_away_under_way(house: House) -> None:
    house.start("relay")
    house.start("worker", "work")
    house.promise("some_work", count=20)
    house.wait(house.effects, "work is under way")
    house.engine.stop()
    house.promise("some_work", count=20)
    house.bring_valkey_back()
    house.settle()
    assert len(house.effects()) == 40
    house.check()


def test_the_outbox_keeps_what_a_full_valkey_does_not_take(house: House) -> None:
    house.start("relay")
    house.start("worker", "work")
    house.promise()
    house.settle()
    house.valkey.config_set("maxmemory", "1")
    promised = house.promise(count=5)
    house.wait(lambda: b"relay waits" in (house.folder / "log").read_bytes(), "the relay waits")
    time.sleep(2)
    assert house.open_rows() == 5
    assert {house.row(row).attempts for row in promised} == {0}

    house.valkey.config_set("maxmemory", "0")
    house.settle()
    assert len(house.effects()) == 6
    house.check()


def test_a_valkey_that_forgets_everything_forgets_no_work(house: House) -> None:
    house.promise(count=10)
    house.start("relay")
    house.wait(lambda: rq_queue("work", house.valkey).count == 10, "all lie in RQ")
    house.valkey.flushall()
    house.start("worker", "work")
    house.settle()
    assert len(house.effects()) == 10
    house.check()


def test_work_goes_on_after_the_database_was_away(house: House, postgres_url: str) -> None:
    house.start("relay")
    house.start("worker", "work")
    house.promise("some_work", count=30)
    house.wait(house.effects, "work is under way")
    house.stop_asking()
    name = sql.Identifier(house.url.rpartition("/")[2])
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [house.url.rpartition("/")[2]],
        )
        time.sleep(4)
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    house.settle()
    assert len(house.effects()) == 30
    assert house.ask("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL") == [(0,)]
    house.check()
