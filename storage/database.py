"""The database and its transactions. The only place that commits.

One command is one transaction: state change, event and outbox rows together. No network call is
made inside one. A failure of the database becomes `Unavailable`, a failed invariant `Conflict`,
and what it cannot keep (a NUL in a text, a number beyond its column) `InvalidInput`.
"""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from sqlalchemy import Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import Session

from storage.clock import Clock
from storage.errors import AssayError, Conflict, InvalidInput, Unavailable

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
# deadlock, serialization failure, statement timeout, lock not available
PASSING_FAULTS = {"40P01", "40001", "57014", "55P03"}
# connection failures, operator intervention, no resources, failures of the system under it
AWAY = {"08", "57", "53", "58"}
# a column left empty by our own mistake: nothing that came first, and nothing to reload
NOT_NULL_VIOLATION = "23502"
# NUL in text (found before it is sent, so without a code), NUL or half a character in JSON,
# bytes that are no text, numbers and dates beyond their columns
UNKEEPABLE = {None, "22P05", "22P02", "22021", "22003", "22008"}
# a line that went dead is noticed within half a minute, also in the middle of a statement
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# so long a connection may lie unused before it is asked whether it still works
TRUSTED_SECONDS = 5.0
RETURNED_AT = "returned_at"


class PassingFault(Unavailable):
    """The database asked to try again: nothing of the transaction was kept."""


class Transaction:
    """One act: a session, and the moment at which the act happens."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self.now = clock.now()


class Database:
    """A PostgreSQL database.

    `url` is a SQLAlchemy address with the psycopg driver (`postgresql+psycopg://…`); the plain
    `postgresql://…` form is accepted.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        statement_timeout_ms: int = 15_000,
        pool_size: int = 10,
        pool_timeout: float = 5,
    ) -> None:
        self.clock = clock
        self.url = driver_url(url)
        self.engine: Engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=10,
            pool_timeout=pool_timeout,
            # what people wrote does not go into error messages and from there into logs
            hide_parameters=True,
            connect_args={
                **KEEPALIVE,
                "connect_timeout": 3,
                "options": f"-c statement_timeout={statement_timeout_ms} -c lock_timeout=5000"
                " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
            },
        )
        event.listen(self.engine, "handle_error", _without_contents)
        event.listen(self.engine, "checkin", _note_return)
        event.listen(self.engine, "checkout", self._refuse_dead)
        # said as the transaction begins, and not in a statement of its own
        self._looking = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that is kept when the block ends well, and leaves nothing when it does not.

        Raises Conflict (an invariant of the database was broken by something that came first),
        InvalidInput (something cannot be kept as it is), PassingFault (nothing was kept, try
        again), Unavailable (the database is away; when the line broke during the commit itself,
        it may have been kept).
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield Transaction(session, self.clock)
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A read-only look at one consistent state of the database."""
        with _translated(), Session(self._looking, expire_on_commit=False) as session:
            session.connection()
            yield Transaction(session, self.clock)

    def ping(self) -> None:
        """Return when the database answers; raise Unavailable when it does not."""
        with self.reading() as tx:
            tx.session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()

    def forget_connections(self) -> None:
        """Leave all connections to the process we were forked from; ours will be fresh."""
        self.engine.dispose(close=False)

    def _refuse_dead(
        self,
        connection: DBAPIConnection,
        entry: ConnectionPoolEntry,
        _: PoolProxiedConnection,
    ) -> None:
        """Have a connection that died in the pool replaced, with all that are as old.

        One that was used a moment ago, and whose line is quiet, is not asked: it would take as
        long as what it is wanted for. A server that ended it has told so on the line.
        """
        unused = time.monotonic() - entry.info.get(RETURNED_AT, time.monotonic())
        if unused < TRUSTED_SECONDS and not _has_news(connection):
            return
        try:
            self.engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error


def _note_return(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info[RETURNED_AT] = time.monotonic()


def _has_news(connection: DBAPIConnection) -> bool:
    """Whether the server said something unasked, or hung up."""
    if connection.closed:
        return True
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return bool(line.poll(0))


def driver_url(url: str) -> str:
    """The address with our driver in it."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as a command: run again, at most three times, after a passing fault."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return function(*args, **kwargs)
            except PassingFault:
                continue
        return function(*args, **kwargs)

    return run


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PendingRollbackError, PoolTimeout, StaleDataError) as error:
        fault = _fault(error)
        if fault is None:
            raise
        raise fault from error
    except UnicodeEncodeError as error:
        raise _unkeepable() from error


def _fault(error: Exception) -> AssayError | None:
    """The error as people may be told of it; None when it is a mistake of ours."""
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    if code in PASSING_FAULTS:
        return PassingFault("The database is busy. Nothing was changed; please try again.")
    if _is_away(error, code):
        return Unavailable("The database is away for a moment. Nothing was lost; please try again.")
    if isinstance(error, StaleDataError) or (
        isinstance(error, IntegrityError) and code != NOT_NULL_VIOLATION
    ):
        return Conflict(
            "This was changed by someone else at the same moment, or it has been done already. "
            "Reload the page to see how it stands now."
        )
    if isinstance(error, DataError) and code in UNKEEPABLE:
        return _unkeepable()
    return None


def _is_away(error: Exception, code: str | None) -> bool:
    broken = isinstance(error, OperationalError | PendingRollbackError | PoolTimeout)
    away = broken and (code is None or code[:2] in AWAY)
    return away or bool(getattr(error, "connection_invalidated", False))


def _unkeepable() -> InvalidInput:
    return InvalidInput(
        "This holds a character that cannot be kept, or a number that is too large. "
        "Please write it another way."
    )


def _without_contents(context: ExceptionContext) -> None:
    """Leave the server's details out of the error: they quote the row that was to be written."""
    told, primary = context.sqlalchemy_exception, _primary_message(context.original_exception)
    if primary:
        context.original_exception.args = (primary,)
    if told is not None and primary:
        told.args = (f"({type(context.original_exception).__name__}) {primary}",)


def _primary_message(error: BaseException) -> str:
    diagnosis = error.diag if isinstance(error, psycopg.Error) else None
    return (diagnosis.message_primary or "") if diagnosis is not None else ""
