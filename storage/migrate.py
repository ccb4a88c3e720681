"""Bringing the database to a version, safely: one migrator at a time, bounded waits for locks."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from storage.database import driver_url
from storage.errors import Unavailable

ADVISORY_LOCK = 7_265_001
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def upgrade(url: str, revision: str = "head", *, lock_timeout: str = LOCK_TIMEOUT) -> None:
    """Bring the database at `url` up to `revision`.

    Raises Unavailable when another migration runs or a table stays locked; nothing is half done.
    """
    _run(url, lambda config: command.upgrade(config, revision), lock_timeout)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision` ("base" empties it)."""
    _run(url, lambda config: command.downgrade(config, revision), LOCK_TIMEOUT)


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


def _run(url: str, work: Callable[[Config], None], lock_timeout: str) -> None:
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": 5})
    config = _config()
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = '{lock_timeout}'"))
            connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
            config.attributes["connection"] = connection
            work(config)
            connection.commit()
    except OperationalError as error:
        raise Unavailable(
            "The database could not be migrated now: it is away, or a table is in use. "
            "Nothing was changed; try again."
        ) from error
    finally:
        engine.dispose()
