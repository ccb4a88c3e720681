"""Hears the bell that a promise rings at its commit (LISTEN), so that nobody has to poll fast.

The bell only wakes: what is due is always read from the tables. Where it cannot be heard, because
the database is away or a pooler stands between, waiting is plain sleep.
"""

import time
from types import TracebackType

import psycopg
from psycopg import sql

from storage.outbox import CHANNEL


class Bell:
    """A connection that listens for promises."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def wait(self, seconds: float) -> bool:
        """Return at the next ring, or after so many seconds; True when it rang. Never raises."""
        began = time.monotonic()
        try:
            return self._rang(seconds)
        except psycopg.Error:
            self.close()
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
            return False

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> "Bell":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rang(self, seconds: float) -> bool:
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=3)
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            # what was promised before we listened is not announced: look at once
            return True
        return any(self._connection.notifies(timeout=seconds, stop_after=1))
