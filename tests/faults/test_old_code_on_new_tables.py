"""A migration while rows are there and the version before still runs: both find what they need.

The rows of a whole case are put into the tables of each older revision, as that version's code
writes them: with its columns and no others. Then the database is brought up to the newest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql

from storage import migrate
from storage.database import Database
from storage.ids import new_id
from tests.fixtures.issued import Issued
from tests.fixtures.recall import Recall
from workflows.invariants import broken

OLDER = [one.revision for one in ScriptDirectory("storage/migrations").walk_revisions()][:0:-1]
COLUMNS = """
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version' AND is_generated = 'NEVER'
GROUP BY table_name ORDER BY table_name
"""

Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Older:
    """An empty database at an older revision, and what that version's tables have."""

    url: str
    columns: Columns


def columns_of(url: str) -> Columns:
    """The columns of each table."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(COLUMNS).fetchall())


@pytest.fixture(params=OLDER)
def older(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Older]:
    """A database as an older version left it."""
    name = sql.Identifier(f"older_{new_id().hex}")
    url = f"{postgres_url.rpartition('/')[0]}/{name.as_string(None)[1:-1]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        migrate.upgrade(url, request.param)
        yield Older(url, columns_of(url))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def written_by_old_code(source: str, target: str, columns: Columns) -> dict[str, int]:
    """Write every row of `source` into `target`, with these columns alone; how many per table."""
    counts = {}
    with psycopg.connect(source) as old, psycopg.connect(target) as new:
        # the order of tables is not kept, so what only looks from row to row is left out
        new.execute("SET session_replication_role = replica")
        for table, names in columns.items():
            what = sql.SQL("{} ({})").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
            )
            with old.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(what)) as rows:
                data = b"".join(rows)
            with new.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(what)) as writing:
                writing.write(data)
            counts[table] = data.count(b"\n")
    return counts


def counted(url: str, columns: Columns) -> dict[str, int]:
    """How many rows each table has."""
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchall()[0][0]
            for table in columns
        }


def emptied(url: str, columns: Columns) -> None:
    """Remove every row."""
    tables = sql.SQL(", ").join(map(sql.Identifier, columns))
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))


def counting(url: str) -> None:
    """Let items be counted also where nobody else looks at what is written."""
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE evidence_item ENABLE ALWAYS TRIGGER item_is_counted")


def test_a_database_with_rows_is_brought_up_and_loses_none(
    older: Older, recall: Recall, database_url: str
) -> None:
    issued = recall(Issued)
    before = written_by_old_code(database_url, older.url, older.columns)
    assert before["credential"] == 1 and before["event"] > 20
    migrate.upgrade(older.url)
    assert counted(older.url, older.columns) == before
    db = Database(older.url, issued.world.clock)
    with db.reading() as tx:
        assert list(broken(tx)) == []
    db.close()


def test_code_of_the_version_before_goes_on_writing_to_the_new_tables(
    older: Older, recall: Recall, database_url: str
) -> None:
    issued = recall(Issued)
    migrate.upgrade(older.url)
    new = columns_of(older.url)
    gone = {
        f"{table}.{name}"
        for table, names in older.columns.items()
        for name in set(names) - set(new.get(table, []))
    }
    assert gone == set(), "the version before still reads these"
    emptied(older.url, older.columns)
    if "case_usage" not in older.columns:
        counting(older.url)
    written = written_by_old_code(database_url, older.url, older.columns)
    assert counted(older.url, older.columns) == written
    changed_by_old_code(older)
    db = Database(older.url, issued.world.clock)
    with db.reading() as tx:
        assert list(broken(tx)) == []
    db.close()


def changed_by_old_code(older: Older) -> None:
    """Change rows by the old columns, with every guard on: guards of the new version too."""
    with psycopg.connect(older.url) as connection:
        for statement in (
            "UPDATE evidence_item SET title = title || '.', version = version + 1",
            "UPDATE account SET name = name",
            "UPDATE outbox SET last_error = last_error",
        ):
            connection.execute(statement.encode())
