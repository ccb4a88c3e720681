"""Transactions on a real database: all or nothing, tried again where that helps, told in words."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col, delete

from app.engines import postgres
from storage.clock import SystemClock
from storage.database import Database, PassingFault, Transaction, command, driver_url
from storage.errors import AssayError, Conflict, InvalidInput, NotFound, Unavailable
from storage.ids import new_id
from storage.tables import Mail
from tests.fixtures.proxy import Proxy

NOTES = "CREATE TABLE note (id int PRIMARY KEY, words text NOT NULL DEFAULT '', facts jsonb)"
SLOW = "SELECT pg_sleep(30)"


class Notes:
    """A database with one small table, and what happened to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.db = Database(url, SystemClock(), pool_timeout=0.1)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(NOTES)

    def kept(self) -> list[int]:
        """The notes that are there, seen from outside."""
        with psycopg.connect(self.url) as connection:
            return [row[0] for row in connection.execute("SELECT id FROM note ORDER BY id")]

    def kill_connections(self) -> None:
        """End every connection that the database has to its clients, as a failover does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def notes(database_url: str) -> Iterator[Notes]:
    made = Notes(database_url)
    yield made
    made.db.close()


def write(tx: Transaction, note: int, words: str = "", facts: str | None = None) -> None:
    tx.session.execute(
        text("INSERT INTO note VALUES (:id, :words, CAST(:facts AS jsonb))"),
        {"id": note, "words": words, "facts": facts},
    )


class Counted:
    """A command that writes note 1 and then does something, and counts how often it was tried."""

    def __init__(self, db: Database, then: Callable[[Transaction, int], object]) -> None:
        self.db = db
        self.then = then
        self.tries = 0

    def run(self) -> None:
        """Run it as a command."""
        command(self._once)()

    def _once(self) -> None:
        self.tries += 1
        with self.db.transaction() as tx:
            write(tx, 1)
            self.then(tx, self.tries)


class TestAllOrNothing:
    def test_what_a_transaction_did_is_kept_when_it_ends_well(self, notes: Notes) -> None:
        with notes.db.transaction() as tx:
            write(tx, 1)
            write(tx, 2)
            assert notes.kept() == []
        assert notes.kept() == [1, 2]

    @pytest.mark.parametrize("error", [NotFound("gone"), ValueError("a bug"), KeyboardInterrupt()])
    def test_any_error_leaves_nothing_and_comes_out_as_it_is(
        self, notes: Notes, error: BaseException
    ) -> None:
        with pytest.raises(type(error)) as caught, notes.db.transaction() as tx:
            write(tx, 1)
            raise error
        assert caught.value is error
        assert notes.kept() == []

    def test_a_broken_invariant_is_a_conflict_and_takes_the_rest_along(self, notes: Notes) -> None:
        with notes.db.transaction() as tx:
            write(tx, 1)
        with pytest.raises(Conflict, match="Reload the page"), notes.db.transaction() as tx:
            write(tx, 2)
            write(tx, 1)
        assert notes.kept() == [1]

    def test_a_row_that_another_removed_meanwhile_is_a_conflict(self, notes: Notes) -> None:
        mail_id = new_id()
        with notes.db.transaction() as tx:
            tx.session.add(
                Mail(
                    id=mail_id,
                    message_id="m",
                    recipient="a@b.example",
                    subject="",
                    body="",
                    created_at=tx.now,
                )
            )
        with pytest.raises(Conflict), notes.db.transaction() as tx:
            mail = tx.session.get_one(Mail, mail_id)
            with notes.db.transaction() as other:
                other.session.exec(delete(Mail).where(col(Mail.id) == mail_id))
            mail.subject = "changed"

    def test_an_empty_column_is_our_own_mistake_and_not_the_persons(self, notes: Notes) -> None:
        with pytest.raises(IntegrityError), notes.db.transaction() as tx:
            tx.session.execute(text("INSERT INTO note (id) VALUES (NULL)"))

    def test_a_transaction_tells_one_time_throughout(self, notes: Notes) -> None:
        with notes.db.transaction() as tx:
            begun = tx.now
            tx.session.execute(text("SELECT pg_sleep(0.01)"))
            assert tx.now == begun


class TestReading:
    def test_a_look_sees_one_state_whatever_is_written_meanwhile(self, notes: Notes) -> None:
        count = text("SELECT count(*) FROM note")
        with notes.db.reading() as look:
            before = look.session.execute(count).scalar_one()
            with notes.db.transaction() as tx:
                write(tx, 1)
            assert look.session.execute(count).scalar_one() == before == 0
        with notes.db.reading() as look:
            assert look.session.execute(count).scalar_one() == 1

    def test_a_look_writes_nothing(self, notes: Notes) -> None:
        with pytest.raises(DBAPIError, match="read-only"), notes.db.reading() as look:
            write(look, 1)
        with notes.db.reading() as look:
            look.session.add(Mail(id=new_id(), message_id="m", recipient="", subject="", body=""))
        with notes.db.reading() as look:
            assert look.session.execute(text("SELECT count(*) FROM mail")).scalar_one() == 0
        assert notes.kept() == []


def timed_out(tx: Transaction, _: int) -> None:
    tx.session.execute(text("SET LOCAL statement_timeout = '20ms'"))
    tx.session.execute(text(SLOW))


def refused_with(code: str) -> Callable[[Transaction, int], None]:
    """A statement that the database refuses with a code of its own."""

    def refuse(tx: Transaction, _: int) -> None:
        tx.session.execute(text(f"DO $$ BEGIN RAISE 'try again' USING ERRCODE = '{code}'; END $$"))

    return refuse


class TestTryingAgain:
    @pytest.mark.parametrize(
        "fault",
        [timed_out, refused_with("40001"), refused_with("40P01"), refused_with("55P03")],
        ids=["statement timeout", "serialization failure", "deadlock", "lock timeout"],
    )
    def test_a_fault_that_does_not_pass_is_tried_three_times_and_leaves_nothing(
        self, notes: Notes, fault: Callable[[Transaction, int], None]
    ) -> None:
        counted = Counted(notes.db, fault)
        with pytest.raises(PassingFault, match="Nothing was changed") as caught:
            counted.run()
        assert (counted.tries, caught.value.status) == (3, 503)
        assert notes.kept() == []

    @pytest.mark.parametrize("passes_at", [2, 3])
    def test_a_fault_that_passes_is_not_seen_and_has_one_effect(
        self, notes: Notes, passes_at: int
    ) -> None:
        counted = Counted(notes.db, lambda tx, tries: tries < passes_at and timed_out(tx, tries))
        counted.run()
        assert (counted.tries, notes.kept()) == (passes_at, [1])

    @pytest.mark.parametrize(
        "error", [Conflict("no"), Unavailable("away"), InvalidInput("what"), RuntimeError("a bug")]
    )
    def test_nothing_else_is_tried_again(self, notes: Notes, error: Exception) -> None:
        def fail(_: Transaction, __: int) -> None:
            raise error

        counted = Counted(notes.db, fail)
        with pytest.raises(type(error)):
            counted.run()
        assert (counted.tries, notes.kept()) == (1, [])

    def test_two_commands_that_lock_each_other_out_both_come_to_their_end(
        self, notes: Notes
    ) -> None:
        with notes.db.transaction() as tx:
            write(tx, 1)
            write(tx, 2)
        both_hold_one = threading.Barrier(2, timeout=30)
        tries: list[tuple[int, int]] = []

        @command
        def add(first: int, second: int) -> None:
            tries.append((first, second))
            with notes.db.transaction() as tx:
                tx.session.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                _add_one(tx, first)
                if tries.count((first, second)) == 1:
                    both_hold_one.wait()
                _add_one(tx, second)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(add, 1, 2), pool.submit(add, 2, 1)]:
                done.result()
        with notes.db.reading() as look:
            words = look.session.execute(text("SELECT words FROM note")).scalars().all()
        assert words == ["++", "++"]
        assert len(tries) == 3

    def test_a_lock_that_is_not_let_go_of_is_waited_for_three_times_and_then_told(
        self, notes: Notes
    ) -> None:
        with notes.db.transaction() as tx:
            write(tx, 2)

        def wait_for_note_2(tx: Transaction, _: int) -> None:
            tx.session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            tx.session.execute(text("SELECT id FROM note WHERE id = 2 FOR UPDATE"))

        counted = Counted(notes.db, wait_for_note_2)
        with psycopg.connect(notes.url) as holder:
            holder.execute("SELECT id FROM note WHERE id = 2 FOR UPDATE")
            with pytest.raises(PassingFault):
                counted.run()
            assert (counted.tries, notes.kept()) == (3, [2])
        counted.run()
        assert (counted.tries, notes.kept()) == (4, [1, 2])

    def test_a_write_to_what_changed_since_it_was_read_is_read_anew(self, notes: Notes) -> None:
        with notes.db.transaction() as tx:
            write(tx, 2)
            tx.session.execute(text("UPDATE note SET words = 'a' WHERE id = 2"))
        tries = []

        @command
        def double() -> None:
            tries.append(1)
            with notes.db.transaction() as tx:
                tx.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
                read = tx.session.execute(text("SELECT words FROM note")).scalar_one()
                if len(tries) == 1:
                    with notes.db.transaction() as other:
                        other.session.execute(text("UPDATE note SET words = 'b'"))
                tx.session.execute(text("UPDATE note SET words = :words"), {"words": read * 2})

        double()
        with notes.db.reading() as look:
            assert look.session.execute(text("SELECT words FROM note")).scalar_one() == "bb"
        assert len(tries) == 2


def _add_one(tx: Transaction, note: int) -> None:
    tx.session.execute(text("UPDATE note SET words = words || '+' WHERE id = :id"), {"id": note})


class TestAway:
    def test_a_connection_that_ends_in_the_middle_leaves_nothing(self, notes: Notes) -> None:
        def cut(tx: Transaction, _: int) -> None:
            notes.kill_connections()
            write(tx, 2)

        counted = Counted(notes.db, cut)
        with pytest.raises(Unavailable, match="away for a moment") as caught:
            counted.run()
        assert not isinstance(caught.value, PassingFault)
        assert (counted.tries, notes.kept()) == (1, [])

    def test_a_connection_that_ended_before_the_commit_leaves_nothing(self, notes: Notes) -> None:
        counted = Counted(notes.db, lambda _, __: notes.kill_connections())
        with pytest.raises(Unavailable):
            counted.run()
        assert (counted.tries, notes.kept()) == (1, [])

    def test_connections_that_ended_while_nobody_used_them_are_replaced_unseen(
        self, notes: Notes
    ) -> None:
        with ExitStack() as several:
            for _ in range(3):
                several.enter_context(notes.db.reading())
        notes.kill_connections()
        for note in range(3):
            with notes.db.transaction() as tx:
                write(tx, note)
        assert notes.kept() == [0, 1, 2]

    def test_a_connection_that_was_just_used_is_not_asked_whether_it_works(
        self, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []
        dialect = notes.db.engine.dialect
        ping = dialect.do_ping

        def noted(line: DBAPIConnection) -> bool:
            asked.append(line)
            return ping(line)

        monkeypatch.setattr(dialect, "do_ping", noted)
        for note in range(3):
            with notes.db.transaction() as tx:
                write(tx, note)
        assert asked == []
        monkeypatch.setattr("storage.database.TRUSTED_SECONDS", 0)
        notes.db.ping()
        assert len(asked) == 1

    def test_a_commit_whose_answer_was_lost_is_not_done_again(self, notes: Notes) -> None:
        line = Proxy(notes.url)
        address = notes.url.rpartition("@")[0] + line.url.replace("http://", "@")
        distant = Database(f"{address}/{notes.url.rpartition('/')[2]}", SystemClock())

        def lose_the_answer(_: Transaction, __: int) -> None:
            line.cut_after = 0

        counted = Counted(distant, lose_the_answer)
        with pytest.raises(Unavailable) as caught:
            counted.run()
        assert not isinstance(caught.value, PassingFault)
        assert (counted.tries, line.cuts, notes.kept()) == (1, 1, [1])

        line.cut_after = None
        with pytest.raises(Conflict):
            Counted(distant, lambda _, __: None).run()
        distant.close()
        line.close()

    def test_when_all_connections_are_taken_one_is_told_to_come_back(self, notes: Notes) -> None:
        narrow = Database(notes.url, SystemClock(), pool_size=1, pool_timeout=0.05)
        with ExitStack() as taken:
            for _ in range(11):
                taken.enter_context(narrow.reading())
            with pytest.raises(Unavailable):
                narrow.ping()
        narrow.ping()
        narrow.close()

    def test_a_server_that_takes_no_more_connections_is_away(self, notes: Notes) -> None:
        with psycopg.connect(notes.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE crowd LOGIN PASSWORD 'crowd' CONNECTION LIMIT 1")
        rest = notes.url.partition("@")[2]
        crowded = Database(f"postgresql://crowd:crowd@{rest}", SystemClock())
        with crowded.reading(), pytest.raises(Unavailable):
            crowded.ping()
        crowded.ping()
        crowded.close()
        with psycopg.connect(notes.url, autocommit=True) as connection:
            connection.execute("DROP ROLE crowd")

    def test_a_server_that_stops_and_comes_back_is_away_and_then_as_before(
        self, engines_home: Path
    ) -> None:
        home = engines_home / "postgres-that-stops"
        engine = postgres.start(home, durable=False)
        notes = Notes(engine.settings["DATABASE_URL"])
        with notes.db.transaction() as tx:
            write(tx, 1)
        with pytest.raises(Unavailable), notes.db.transaction() as tx:
            write(tx, 2)
            engine.stop()
        for attempt in (notes.db.ping, Counted(notes.db, lambda _, __: None).run):
            with pytest.raises(Unavailable):
                attempt()
        with postgres.start(home, durable=False):
            notes.db.ping()
            with notes.db.transaction() as tx:
                write(tx, 3)
            assert notes.kept() == [1, 3]
        notes.db.close()


class TestWhatCannotBeKept:
    @pytest.mark.parametrize("character", ["\x00", "\ud800"], ids=["NUL", "half a character"])
    def test_text_that_is_no_text_is_refused_in_words(self, notes: Notes, character: str) -> None:
        with pytest.raises(InvalidInput, match="cannot be kept"), notes.db.transaction() as tx:
            write(tx, 1, words=f"before{character}after")
        assert notes.kept() == []

    @pytest.mark.parametrize("escape", ["\\u0000", "\\ud800"], ids=["NUL", "half a character"])
    def test_also_within_a_document(self, notes: Notes, escape: str) -> None:
        with pytest.raises(InvalidInput), notes.db.transaction() as tx:
            write(tx, 1, facts=f'{{"title": "before{escape}after"}}')
        assert notes.kept() == []

    def test_a_number_beyond_its_column_is_refused_in_words(self, notes: Notes) -> None:
        with pytest.raises(InvalidInput, match="too large"), notes.db.transaction() as tx:
            write(tx, 2**40)

    def test_an_error_does_not_quote_what_people_wrote(self, notes: Notes) -> None:
        statement = text("INSERT INTO note (id, words) VALUES (NULL, :words)")
        with pytest.raises(IntegrityError) as caught, notes.db.transaction() as tx:
            tx.session.execute(statement, {"words": "my diagnosis"})
        with pytest.raises(Conflict) as known, notes.db.transaction() as tx:
            write(tx, 1)
            tx.session.execute(text("ALTER TABLE note ADD UNIQUE (words)"))
            write(tx, 2, words="my diagnosis")
            write(tx, 3, words="my diagnosis")
        told = [caught.value, caught.value.orig, known.value, known.value.__cause__]
        assert "diagnosis" not in " ".join(map(repr, told)) + " ".join(map(str, told))
        assert "null value" in str(caught.value)

    def test_a_mistake_of_ours_stays_one(self, notes: Notes) -> None:
        with pytest.raises(DBAPIError) as caught, notes.db.transaction() as tx:
            tx.session.execute(text("SELECT nothing FROM nowhere"))
        assert not isinstance(caught.value, AssayError)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
        ("postgresql://c/d?sslmode=require", "postgresql+psycopg://c/d?sslmode=require"),
        ("postgresql+psycopg://c/d", "postgresql+psycopg://c/d"),
    ],
)
def test_addresses_are_taken_as_people_write_them(given: str, used: str) -> None:
    assert driver_url(given) == used
