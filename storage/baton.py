"""A baton that one process at a time holds, all through its life: an advisory lock.

Losing the connection is losing the baton, so two holders can overlap for a moment after a fault.
What is done under a baton must bear that; the baton only saves doing it twice.
"""

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database

SWEEPER = 7_265_002


class Baton:
    """The right to act, for as long as the connection lives."""

    def __init__(self, db: Database, key: int) -> None:
        self._db = db
        self._key = key
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether we hold it now; takes it when it is free. False when the database is away."""
        try:
            if self._connection is None:
                return self._take()
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self.drop()
            return False
        return True

    def drop(self) -> None:
        """Let go of it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # not back to the pool: only a closed connection surely holds no lock
            connection.invalidate()
            connection.close()

    def _take(self) -> bool:
        connection = self._db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key})
        if not taken:
            connection.close()
            return False
        self._connection = connection
        return True
