"""The bell that a promise rings, the baton that one process holds, and lost connections."""

import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from storage.baton import SWEEPER, Baton
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from storage.errors import Unavailable
from storage.ids import new_id
from storage.outbox import promise

LONG = 30.0


def cut_others(db: Database) -> None:
    """End all other connections to this database, as a restart does."""
    with db.transaction() as tx:
        tx.session.execute(
            text(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        )


def listening(db: Database) -> Bell:
    bell = Bell(db.url)
    assert bell.wait(LONG), "the first look is at once"
    return bell


def test_a_promise_rings_at_its_commit_and_not_before(db: Database) -> None:
    with listening(db) as bell:
        with db.transaction() as tx:
            promise(tx, "effect", new_id())
            assert not bell.wait(0.2)
        assert bell.wait(LONG)
        assert not bell.wait(0.2)


def test_a_promise_that_was_not_kept_does_not_ring(db: Database) -> None:
    with listening(db) as bell:
        with pytest.raises(ZeroDivisionError), db.transaction() as tx:
            promise(tx, "effect", new_id())
            raise ZeroDivisionError
        assert not bell.wait(0.2)


def test_a_bell_that_lost_its_connection_sleeps_and_then_hears_again(db: Database) -> None:
    with listening(db) as bell:
        cut_others(db)
        began = time.monotonic()
        assert not bell.wait(0.3)
        assert time.monotonic() - began >= 0.3
        assert bell.wait(LONG), "it listens again and says to look"
        with db.transaction() as tx:
            promise(tx, "effect", new_id())
        assert bell.wait(LONG)


def test_a_bell_without_a_database_is_plain_sleep() -> None:
    with Bell("postgresql://nobody@127.0.0.1:1/nothing") as bell:
        assert not bell.wait(0.1)


def test_one_process_at_a_time_holds_the_baton(db: Database) -> None:
    one, other = Baton(db, SWEEPER), Baton(db, SWEEPER)
    assert one.held()
    assert one.held()
    assert not other.held()
    one.drop()
    assert other.held()
    assert not one.held()
    other.drop()


def test_a_baton_is_lost_with_its_connection(db: Database, database_url: str) -> None:
    elsewhere = Database(database_url, SystemClock())
    lost, found = Baton(elsewhere, SWEEPER), Baton(db, SWEEPER)
    assert lost.held()
    cut_others(db)
    assert not lost.held()
    assert found.held()
    found.drop()
    elsewhere.close()


def test_a_connection_cut_in_the_middle_is_the_house_that_is_away(
    db: Database, database_url: str
) -> None:
    elsewhere = Database(database_url, SystemClock())
    with pytest.raises(Unavailable), elsewhere.transaction() as tx:
        tx.session.execute(text("SELECT 1"))
        cut_others(db)
        tx.session.execute(text("SELECT 1"))
    elsewhere.ping()
    elsewhere.close()


def test_a_database_that_lets_nobody_in_is_away(db: Database, postgres_url: str) -> None:
    name = db.engine.url.database
    admin = Database(postgres_url, SystemClock())
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        db.close()
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        with pytest.raises(Unavailable):
            db.ping()
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    db.ping()
    admin.close()


def test_too_few_connections_is_the_house_that_is_away(database_url: str) -> None:
    narrow = Database(database_url, SystemClock(), pool_size=1, pool_timeout=0.1)
    with ExitStack() as open_ones:
        for _ in range(11):
            tx = open_ones.enter_context(narrow.transaction())
            tx.session.execute(text("SELECT 1"))
        with pytest.raises(Unavailable):
            narrow.ping()
    narrow.close()


def test_what_people_wrote_is_not_in_the_errors_of_the_database(db: Database) -> None:
    with pytest.raises(Exception, match="hidden") as caught, db.transaction() as tx:
        tx.session.execute(text("SELECT 1/0 WHERE :word = :word"), {"word": "my secret"})
    assert "my secret" not in str(caught.value)
