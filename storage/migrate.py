"""Bringing the database to a version, safely: one migrator at a time, bounded waits for locks."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from storage.database import driver_url
from storage.errors import Conflict, InvalidInput, Unavailable

ADVISORY_LOCK = 7_265_001
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"

STAY = (
    "The way back ended here, and nothing is half done: the database is at the last version that "
    "can hold what is kept. `assay migrate` brings it up again. If the earlier version must run, "
    "restore the backup of the database that was made before the upgrade: what was done since is "
    "lost then."
)


def upgrade(url: str, revision: str = "head", *, lock_timeout: str = LOCK_TIMEOUT) -> None:
    """Bring the database at `url` up to `revision`.

    Raises Unavailable when the database is away, another migration runs or a table stays locked
    (nothing is half done then), Conflict when a newer version of Assay has been here, InvalidInput
    when there is no such revision.
    """
    _run(url, revision, command.upgrade, lock_timeout)


def downgrade(url: str, revision: str, *, lock_timeout: str = LOCK_TIMEOUT) -> None:
    """Take the database at `url` back to `revision` ("base" empties it).

    Raises as `upgrade`, and Conflict when something is kept that the earlier version cannot hold.
    """
    try:
        _run(url, revision, command.downgrade, lock_timeout)
    except Conflict as error:
        raise Conflict(f"{error} {STAY}") from None


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The newest revision that this code knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _run(url: str, revision: str, work: Callable[[Config, str], None], lock_timeout: str) -> None:
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": 5})
    config = _config()
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = '{lock_timeout}'"))
            connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            _refuse_newer(connection, config)
            # each revision is a transaction of its own
            connection.commit()
            config.attributes["connection"] = connection
            work(config, revision)
            connection.commit()
    except OperationalError as error:
        raise Unavailable(
            "The database could not be migrated now: it is away, or a table is in use. "
            "Nothing is half done; try again."
        ) from error
    except CommandError as error:
        raise InvalidInput(
            "There is no revision %(revision)s to go to.", {"revision": revision}
        ) from error
    finally:
        engine.dispose()


def _refuse_newer(connection: Connection, config: Config) -> None:
    """Raise Conflict when the database is at a revision that this code does not know."""
    at = current(connection)
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if at is not None and at not in known:
        raise Conflict(
            "The database is at revision %(revision)s, which only a newer version of Assay knows. "
            "Start that version, or restore a backup from before it.",
            {"revision": at},
        )
