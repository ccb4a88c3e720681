"""The one function that RQ runs: from an outbox id to the command that does the work.

Nothing is raised to RQ. What went wrong is written to the outbox row, which comes due again.
"""

import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from app import logs
from storage.database import Database, PassingFault
from storage.errors import AssayError, Unavailable
from storage.ids import OutboxId
from storage.outbox import AlreadyDone, Pace, Promised
from workflows.work import (
    begin_work,
    hold_work,
    is_done,
    leave_work,
    work_failed,
    work_waits,
)

if TYPE_CHECKING:
    from app.container import Container
    from app.jobs.handlers import Handler

# so long one process takes up one piece of work after the other
BATCH_SECONDS = 5.0

log = logs.get(__name__)


@dataclass(frozen=True)
class Bench:
    """What a worker works with."""

    parts: "Container"
    handlers: Mapping[str, "Handler"]
    pace: Pace


class Miswired(AssayError):
    """Work that a handler did not do to its end."""


class FromAnotherVersion(Unavailable):
    """Work that a newer version promised, or an older one: it waits for a worker that knows it."""


_bench: Bench | None = None


def furnish(bench: Bench) -> None:
    """Say what jobs of this process work with."""
    global _bench  # noqa: PLW0603  # RQ calls `run` by name, with nothing but the id
    _bench = bench


def after_fork() -> None:
    """Leave the connections of the process we were forked from to it."""
    if _bench is not None:
        _bench.parts.db.forget_connections()


def run(*outbox_ids: str) -> None:
    """Do the work of outbox rows, one after the other, unless it is done or in other hands.

    What is not begun within a few seconds is due again at once, for whoever has time.
    """
    if _bench is None:
        raise RuntimeError("Workers are started with `assay worker QUEUE`, not with rq itself.")
    ids = [OutboxId(UUID(each)) for each in outbox_ids]
    ends_at = time.monotonic() + BATCH_SECONDS
    while ids:
        run_on(_bench, ids.pop(0))
        if ids and time.monotonic() > ends_at:
            _leave(_bench, ids)
            return


def _leave(bench: Bench, outbox_ids: Sequence[OutboxId]) -> None:
    """Give back what was handed to us and is not begun."""
    try:
        leave_work(bench.parts.db, outbox_ids)
    except AssayError as error:
        log.warning("work comes due again only later", reason=str(error))


def run_on(bench: Bench, outbox_id: OutboxId) -> None:
    """Do the work of an outbox row with these parts and handlers."""
    try:
        promised = begin_work(bench.parts.db, outbox_id, bench.pace)
    except Unavailable as error:
        log.warning("work could not be begun", outbox_id=outbox_id, reason=str(error))
        return
    if promised is None:
        log.info("nothing to do: done, given up, or in other hands", outbox_id=outbox_id)
        return
    facts = {"outbox_id": outbox_id, "work": promised.kind, "attempt": promised.attempts}
    with logs.following(promised.request_id, subject_id=promised.subject_id, **facts):
        try:
            with holding(bench.parts.db, promised, bench.pace):
                attempt(bench, promised)
        except AssayError as error:
            log.warning("the outcome could not be written down", reason=str(error))


def attempt(bench: Bench, promised: Promised) -> None:
    """Run the handler once and write down what came of it."""
    db, pace = bench.parts.db, bench.pace
    try:
        handler_of(bench, promised)(bench.parts, promised)
        if not is_done(db, promised.id):
            raise Miswired("The work came to its end without saying that it was done.")
    except AlreadyDone:
        log.info("done by another run, or given up")
    except Unavailable as error:
        log.warning("work waits", reason=str(error))
        # what the database refuses again and again is a fault of the work, not of the house
        write_down = work_failed if isinstance(error, PassingFault) else work_waits
        write_down(db, promised, told(error), pace)
    except Exception as error:
        log.exception("work failed")
        work_failed(db, promised, told(error), pace)
    else:
        log.info("work done")


def handler_of(bench: Bench, promised: Promised) -> "Handler":
    """The handler of this kind of work; an older version of us may not have it yet.

    Giving it up would be wrong: while a new version is rolled out, it is done a little later. What
    waits for long is reported like all work that is late.
    """
    handler = bench.handlers.get(promised.kind)
    if handler is None:
        raise FromAnotherVersion(
            "This worker's version of Assay does not know this kind of work; it waits for one that "
            "does."
        )
    return handler


def told(error: Exception) -> str:
    """What staff may read of an error: our own words, or only the sort of error and its place.

    Other errors' messages can hold what people wrote, or secrets; they are in the log alone.
    """
    if isinstance(error, AssayError):
        return logs.redacted(str(error))
    steps = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(steps[-1].filename).name}:{steps[-1].lineno}" if steps else ""
    return f"{type(error).__name__}{place}"


@contextmanager
def holding(db: Database, promised: Promised, pace: Pace) -> Iterator[None]:
    """Keep saying that the run is alive for as long as the block runs."""
    over = threading.Event()
    keeper = threading.Thread(target=_hold, args=(db, promised, pace, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _hold(db: Database, promised: Promised, pace: Pace, over: threading.Event) -> None:
    while not over.wait(pace.lease.total_seconds() / 3):
        try:
            if not hold_work(db, promised, pace):
                return
        except AssayError as error:
            log.warning("the hold could not be moved on", reason=str(error))
