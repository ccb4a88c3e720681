"""Migrations on a real database: equal to the models, whole or not at all, one at a time."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, text

from storage import migrate
from storage.clock import SetClock, SystemClock
from storage.database import Database, driver_url
from storage.errors import Conflict, InvalidInput, Unavailable
from storage.ids import new_id
from storage.tables import METADATA, Case
from storage.tables.guards import (
    APPEALED,
    COUNTED,
    GUARDS,
    LETTING_GO,
    NOT_APPEALED,
    NOT_COUNTED,
    NOT_LETTING_GO,
    NOT_SIGNED_ANEW,
    SIGNED_ANEW,
    UNGUARDS,
)
from tests.fixtures.panel import Panel
from tests.fixtures.world import World

IMPATIENT = "50ms"

# everything that PostgreSQL knows of a schema, as text that can be compared
CATALOGUE = """
SELECT 'column ' || table_name || '.' || column_name,
       concat_ws(' ', data_type, is_nullable, column_default)
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || proname, pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'sequence ' || sequencename, start_value || ' by ' || increment_by
  FROM pg_sequences WHERE schemaname = 'public'
"""


class Server:
    """Makes empty databases, and looks into them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made: list[str] = []

    def empty(self) -> str:
        """The address of a new database without tables."""
        name = f"empty_{new_id().hex}"
        self.admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self.made.append(name)
        return f"{self.url.rpartition('/')[0]}/{name}"

    def close(self) -> None:
        """Remove what was made."""
        for name in self.made:
            self.admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def admin(self, statement: sql.Composed) -> None:
        """Run a statement outside of any transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture
def server(postgres_url: str) -> Iterator[Server]:
    made = Server(postgres_url)
    yield made
    made.close()


@pytest.fixture
def empty_url(server: Server) -> str:
    return server.empty()


def catalogue(url: str) -> dict[str, str]:
    """What is in a database's schema, without the book of migrations itself."""
    with psycopg.connect(url) as connection:
        return {
            name: words
            for name, words in connection.execute(CATALOGUE)
            if "alembic_version" not in name
        }


def revision(url: str) -> str | None:
    engine = create_engine(driver_url(url))
    with engine.connect() as connection:
        found = migrate.current(connection)
    engine.dispose()
    return found


def all_revisions() -> list[str]:
    """Every revision, the first one first."""
    scripts = ScriptDirectory("storage/migrations")
    return [script.revision for script in scripts.walk_revisions()][::-1]


class TestEqualToTheModels:
    def test_alembic_finds_nothing_to_migrate(self, database_url: str) -> None:
        engine = create_engine(driver_url(database_url))
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, METADATA) == []
        engine.dispose()

    def test_tables_checks_indexes_and_guards_are_those_of_the_models_to_the_letter(
        self, database_url: str, empty_url: str
    ) -> None:
        engine = create_engine(driver_url(empty_url))
        with engine.begin() as connection:
            METADATA.create_all(connection)
            for guard in (*GUARDS, *LETTING_GO, *SIGNED_ANEW, *COUNTED, *APPEALED):
                connection.exec_driver_sql(guard)
        engine.dispose()
        migrated, modelled = catalogue(database_url), catalogue(empty_url)
        assert migrated == modelled
        assert len([name for name in migrated if name.startswith("trigger")]) >= 10
        assert len([name for name in migrated if "_known" in name]) >= 15

    def test_every_guard_can_be_taken_down(self, database_url: str) -> None:
        with psycopg.connect(database_url) as connection:
            for guards in (NOT_APPEALED, NOT_COUNTED, NOT_SIGNED_ANEW, NOT_LETTING_GO, UNGUARDS):
                for statement in guards:
                    connection.execute(statement.encode())
        left = [
            name for name in catalogue(database_url) if name.split()[0] in {"trigger", "function"}
        ]
        assert left == []


class TestUpAndDown:
    def test_a_database_says_which_revision_it_is_at(self, empty_url: str) -> None:
        assert revision(empty_url) is None
        migrate.upgrade(empty_url)
        assert revision(empty_url) == migrate.newest() == all_revisions()[-1]

    def test_every_revision_goes_down_and_up_again_with_data(
        self, database_url: str, clock: SetClock
    ) -> None:
        db = Database(database_url, clock)
        panel = Panel(World(db, clock))
        panel.scored()
        panel.decide()
        panel.release()
        before = catalogue(database_url)
        db.close()
        for down in [*all_revisions()[-2::-1], "base"]:
            migrate.downgrade(database_url, down)
            assert revision(database_url) == (None if down == "base" else down)
        assert catalogue(database_url) == {}
        for up in all_revisions():
            migrate.upgrade(database_url, up)
            assert revision(database_url) == up
        assert catalogue(database_url) == before

    def test_what_the_earlier_version_cannot_hold_stops_the_way_back_and_says_what_to_do(
        self, database_url: str
    ) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("SET session_replication_role = replica")
            one, other = new_id(), new_id()
            connection.execute(
                "INSERT INTO credential (id, case_id, decision_id, institution_id, learner_id,"
                " definition_id, state, version, claims, created_at, public_reason, replaces_id)"
                " VALUES (%s, %s, %s, %s, %s, %s, 'pending', 1, '{}', now(), '', %s)",
                (one, one, one, one, one, one, other),
            )
        with pytest.raises(Conflict, match=r"was corrected.*assay migrate.*restore the backup"):
            migrate.downgrade(database_url, "base")
        assert revision(database_url) == "0003"
        migrate.upgrade(database_url)
        assert revision(database_url) == migrate.newest()

    def test_bringing_up_what_is_up_keeps_every_row(
        self, database_url: str, clock: SetClock
    ) -> None:
        db = Database(database_url, clock)
        panel = Panel(World(db, clock))
        migrate.upgrade(database_url)
        assert panel.case().id == panel.case_id
        db.close()

    def test_case_numbers_begin_where_people_expect_them(self, empty_url: str) -> None:
        migrate.upgrade(empty_url)
        with psycopg.connect(empty_url) as connection:
            assert connection.execute("SELECT nextval('case_number')").fetchone() == (1001,)


class TestLocks:
    def test_at_the_lock_timeout_nothing_of_an_upgrade_is_left_and_it_says_so(
        self, empty_url: str
    ) -> None:
        migrate.upgrade(empty_url)
        migrate.downgrade(empty_url, "base")
        with psycopg.connect(empty_url) as other:
            # lets everything be made, and stops at the very last step: writing down the revision
            other.execute("LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match=r"in use.*half done.*try again"):
                migrate.upgrade(empty_url, lock_timeout=IMPATIENT)
        assert (catalogue(empty_url), revision(empty_url)) == ({}, None)
        migrate.upgrade(empty_url, lock_timeout=IMPATIENT)
        assert revision(empty_url) == migrate.newest()

    def test_at_the_lock_timeout_no_step_of_a_downgrade_is_half_done(
        self, database_url: str, clock: SetClock
    ) -> None:
        db = Database(database_url, clock)
        panel = Panel(World(db, clock))
        before = catalogue(database_url)
        with db.reading() as old_code:
            old_code.session.get_one(Case, panel.case_id)
            with pytest.raises(Unavailable):
                migrate.downgrade(database_url, "base", lock_timeout=IMPATIENT)
        # each revision is a transaction of its own: where it stopped it is whole
        migrate.upgrade(database_url)
        assert (catalogue(database_url), revision(database_url)) == (before, migrate.newest())
        assert panel.case().id == panel.case_id
        db.close()

    def test_while_a_migration_waits_for_a_lock_others_wait_no_longer_than_it_does(
        self, database_url: str
    ) -> None:
        db = Database(database_url, SystemClock())
        with ThreadPoolExecutor(1) as pool, psycopg.connect(database_url) as old_code:
            old_code.execute("SELECT count(*) FROM event")
            going = pool.submit(migrate.downgrade, database_url, "base", lock_timeout="300ms")
            _wait_for_a_queue(database_url, going)
            with db.reading() as behind:
                behind.session.execute(text("SELECT count(*) FROM event"))
            with pytest.raises(Unavailable):
                going.result()
        db.close()

    def test_two_migrators_at_once_are_one(self, empty_url: str) -> None:
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(migrate.upgrade, empty_url, lock_timeout="60s") for _ in range(2)]
            for each in both:
                each.result()
        assert revision(empty_url) == migrate.newest()

    def test_a_migrator_that_does_not_get_its_turn_gives_up(self, empty_url: str) -> None:
        with psycopg.connect(empty_url) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [migrate.ADVISORY_LOCK])
            with pytest.raises(Unavailable):
                migrate.upgrade(empty_url, lock_timeout=IMPATIENT)
        assert revision(empty_url) is None

    def test_after_giving_up_it_stands_in_nobodys_way(self, empty_url: str) -> None:
        with psycopg.connect(empty_url) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [migrate.ADVISORY_LOCK])
            with pytest.raises(Unavailable):
                migrate.upgrade(empty_url, lock_timeout=IMPATIENT)
        with psycopg.connect(empty_url) as other:
            taken = other.execute("SELECT pg_try_advisory_lock(%s)", [migrate.ADVISORY_LOCK])
            assert taken.fetchone() == (True,)


class TestWords:
    def test_a_database_that_is_away_is_told_as_such(self) -> None:
        with pytest.raises(Unavailable, match="away"):
            migrate.upgrade("postgresql://nobody@127.0.0.1:9/nothing")

    def test_a_database_of_a_newer_version_is_left_alone(self, database_url: str) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = catalogue(database_url)
        with pytest.raises(Conflict, match=r"9999.*newer"):
            migrate.upgrade(database_url)
        assert (catalogue(database_url), revision(database_url)) == (before, "9999")

    def test_a_revision_that_nobody_knows_is_refused(self, empty_url: str) -> None:
        with pytest.raises(InvalidInput, match="no revision 0815"):
            migrate.upgrade(empty_url, "0815")
        assert revision(empty_url) is None


def _wait_for_a_queue(url: str, going: "Future[None]") -> None:
    """Return when someone waits for a lock, or when it is over before."""
    with psycopg.connect(url, autocommit=True) as connection:
        waiting = """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                     WHERE NOT l.granted AND d.datname = current_database()"""
        while connection.execute(waiting).fetchone() == (0,) and not going.done():
            connection.execute("SELECT pg_sleep(0.01)")
