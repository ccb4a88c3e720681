"""One RQ worker on one queue, which forks a process for each job.

On one queue RQ moves an id (BLMOVE) instead of taking it off the list before it wrote it down
anywhere. The JSON serializer keeps pickle out. RQ's own recovery is not relied on: the outbox
gives a job that went silent to whoever asks next.

A process for each job, and not RQ's SimpleWorker: jobs open files that strangers made. One that
makes a library crash, hang or grow takes its own process with it and nothing else; after five
times it is given up, and the queue goes on. Measured on two cores, with work that does nothing: a
job takes 45 ms in a process of its own (32 ms of them processor time) and 9 ms in SimpleWorker,
whose memory keeps what each job leaves behind. What all jobs need is loaded and compiled before
the fork; without that a job takes half as long again.
"""

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import Worker

from app import logs
from app.jobs import entrypoint
from app.jobs.entrypoint import Bench
from app.jobs.queues import own_connection, rq_queue
from app.jobs.stopping import tell, when_told
from app.scanning import NoScanner
from storage.errors import AssayError
from storage.ids import ItemId, OutboxId, new_id
from storage.outbox import PACE, AlreadyDone, Pace
from storage.vocabulary import Queue
from workflows.evidence.one_pass import read_once
from workflows.evidence.sealing import Checks, seal_evidence
from workflows.issuance import signing
from workflows.work import begin_work, is_done

if TYPE_CHECKING:
    from app.container import Container
    from app.jobs.handlers import Handler

# how long RQ remembers a worker that says nothing; it waits for jobs 15 s less at a time
WORKER_TTL_SECONDS = 60
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
PR_SET_PDEATHSIG = 1
# pictures of files may wait, films longer; uploads, seals and pages may not
PATIENCE: Mapping[str, int] = {Queue.LOOK: 10, Queue.RENDER: 15}

AUTOGROUP = Path("/proc/self/autogroup")

log = logs.get(__name__)


def run_forever(
    parts: "Container",
    queue: str,
    *,
    handlers: Mapping[str, "Handler"] | None = None,
    pace: Pace = PACE,
) -> None:
    """Serve a queue until SIGTERM or SIGINT; a job that is under way is finished first.

    `handlers` are those of `app.jobs.handlers` unless a test brings its own.
    """
    entrypoint.furnish(Bench(parts, handlers or _all_handlers(), pace))
    _stand_back(PATIENCE.get(queue, 0))
    told = when_told()
    _warm_up(parts, queue)
    pause = SHORTEST_PAUSE
    while not told.is_set():
        began = time.monotonic()
        _serve(parts, queue, told)
        lasted = time.monotonic() - began > LONGEST_PAUSE
        pause = SHORTEST_PAUSE if lasted else min(pause * 2, LONGEST_PAUSE)
        told.wait(pause)
    log.info("worker has stopped", queue=queue)


def _stand_back(patience: int) -> None:
    """Let others go first: within our session by `nice`, and, where Linux shares the processors
    out among sessions first, with our whole session."""
    os.nice(patience)
    with suppress(OSError):
        AUTOGROUP.write_text(str(patience))


def _all_handlers() -> Mapping[str, "Handler"]:
    """Every command that does promised work, and all that those import."""
    from app.jobs.handlers import HANDLERS

    return HANDLERS


def _warm_up(parts: "Container", queue: str) -> None:
    """Have loaded and compiled once what each forked process would otherwise do anew."""
    nobody = OutboxId(new_id())
    try:
        begin_work(parts.db, nobody)
        is_done(parts.db, nobody)
        if queue == Queue.SEAL:
            parts.vault.warm_up()
            read_once([b"%PDF-"], "warm.pdf", NoScanner(), lambda _: None)
            checks = Checks(NoScanner(), parts.confinement)
            with suppress(AlreadyDone):
                seal_evidence(parts.db, parts.vault, checks, ItemId(nobody), nobody)
        if queue == Queue.ISSUE:
            signing.warm_up(parts.clock.now())
    except AssayError as error:
        log.warning("worker starts cold", reason=str(error))
    finally:
        parts.db.close()
    # what is there now is not looked through again, so that forked processes go on sharing it
    gc.freeze()


def _serve(parts: "Container", queue: str, told: Event) -> None:
    """Let one RQ worker work until it ends: by signal, or because Valkey failed it.

    RQ's worker ends itself when Valkey is lost or full in the middle of something.
    """
    try:
        connection = own_connection(parts.redis)
        worker = ForkingWorker(
            [rq_queue(queue, connection)],
            connection=connection,
            serializer=JSONSerializer,
            default_result_ttl=0,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )
        worker.told = told
        log.info("worker is ready", queue=queue)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        log.warning("worker waits: Valkey is away or full", queue=queue, reason=repr(error))
    finally:
        tell(told)


class ForkingWorker(Worker):
    """RQ's forking worker with our signals; inheriting is the only way that RQ offers."""

    max_connection_wait_time = 2.0
    told: Event

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the job that is under way, then end."""
        self.told.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, RqQueue] | None:
        """The next job, unless we were told to end before RQ listened to signals."""
        if self.told.is_set():
            raise StopRequested
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def main_work_horse(self, job: Job, queue: RqQueue) -> None:
        """What the forked process does: the job, with connections of its own."""
        _die_with(self.pid)
        entrypoint.after_fork()
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """Ending is the worker's to arrange: a signal to the whole group lets the job finish."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _die_with(parent: int | None) -> None:
    """End this process when the worker that forked it dies; nobody would hear of its result."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
