"""The relay: hands promised work that is due to RQ, and gives up what has failed too often.

A claim is committed before the nudge, so a crash in between costs a back-off and nothing else.
RQ's lists are kept short: an urgent promise overtakes what waits in the outbox, and a Valkey that
forgets everything forgets little. Several relays may run at once.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError

from app import logs
from app.jobs.queues import ENTRYPOINT, LONGEST_SECONDS, QUEUES, own_connection, rq_queue
from app.jobs.stopping import when_told
from storage.bell import Bell
from storage.crashpoints import crash_point
from storage.errors import AssayError
from storage.outbox import PACE, Pace, Promised
from storage.vocabulary import Queue
from workflows.work import Mourner, give_up_work, hand_out, take_back

if TYPE_CHECKING:
    from app.container import Container

# so many jobs of a queue lie in RQ at a time; the others wait in the outbox
ROOM = 100
# how many small pieces of work share a process, when there are enough for so many workers
SHARING = frozenset({Queue.SEAL.value, Queue.NEWS.value})
LARGEST_BATCH = 24
SHARED_BY = 4
QUIET_SECONDS = 1.0
BUSY_SECONDS = 0.25
# when much is promised at once, one look finds the promises of so long
SPACING_SECONDS = 0.1
LONGEST_PAUSE = 5.0
# what RQ may keep of a job that was never taken, and of one whose worker died
JOB_TTL_SECONDS = 24 * 3600
FAILURE_TTL_SECONDS = 3600

log = logs.get(__name__)


def run_forever(
    parts: "Container",
    *,
    pace: Pace = PACE,
    mourners: Mapping[str, Mourner] | None = None,
    quiet: float = QUIET_SECONDS,
) -> None:
    """Hand out work until SIGTERM or SIGINT; look at least every `quiet` seconds.

    `mourners` are those of `app.jobs.given_up` unless a test brings its own.
    """
    told = when_told()
    mourners = mourners or _all_mourners()
    valkey = own_connection(parts.redis)
    log.info("relay is ready")
    trouble = 0.0
    with Bell(parts.db.url) as bell:
        while not told.is_set():
            began = time.monotonic()
            try:
                more = round_once(parts, valkey, mourners, pace)
            except Exception as error:
                trouble = _rest(told, trouble, error)
                continue
            if trouble:
                log.info("relay works again")
            trouble = 0.0
            bell.wait(BUSY_SECONDS if more else quiet)
            told.wait(max(0.0, began + SPACING_SECONDS - time.monotonic()))
    log.info("relay has stopped")


def round_once(
    parts: "Container",
    valkey: Redis,
    mourners: Mapping[str, Mourner],
    pace: Pace = PACE,
) -> bool:
    """One look at what is due; True when a queue is full and more may be waiting for it.

    Raises AssayError (the database is away) and RedisError (Valkey is away or full); then
    nothing is lost and what could not be handed out is due as before.
    """
    for dead in give_up_work(parts.db, mourners, pace):
        log.error(
            "work given up",
            outbox_id=dead.id,
            work=dead.kind,
            subject_id=dead.subject_id,
            request_id=dead.request_id,
            reason=dead.last_error,
        )
    room = _room(valkey)
    claimed = hand_out(parts.db, room, pace)
    if not claimed:
        return any(free <= 0 for free in room.values())
    crash_point("relay.claimed")
    _nudge(parts, valkey, claimed)
    crash_point("relay.enqueued")
    taken = {queue: sum(one.queue == queue for one in claimed) for queue in QUEUES}
    return any(taken[queue] >= free for queue, free in room.items())


def _all_mourners() -> Mapping[str, Mourner]:
    """What is to be done for every kind of work that is given up, and all that this imports."""
    from app.jobs.given_up import ON_DEAD

    return ON_DEAD


def _room(valkey: Redis) -> Mapping[str, int]:
    """How many more jobs each queue takes."""
    with valkey.pipeline(transaction=False) as asked:
        for queue in QUEUES:
            asked.llen(rq_queue(queue, valkey).key)
        return {
            queue: ROOM - waiting for queue, waiting in zip(QUEUES, asked.execute(), strict=True)
        }


def _nudge(parts: "Container", valkey: Redis, claimed: Sequence[Promised]) -> None:
    """Put the ids into RQ; what Valkey does not take is due again at once."""
    left = list(claimed)
    try:
        for queue in QUEUES:
            _fill(valkey, queue, [one for one in left if one.queue == queue])
            left = [one for one in left if one.queue != queue]
    except RedisError:
        take_back(parts.db, left)
        raise


def _fill(valkey: Redis, queue: str, promised: Sequence[Promised]) -> None:
    """Put ids into one queue, all or none."""
    line = rq_queue(queue, valkey)
    jobs = [
        line.prepare_data(
            ENTRYPOINT,
            args=[str(one.id) for one in batch],
            job_id=f"{batch[0].id}-{batch[0].handed_out}",
            at_front=batch[0].urgent,
            timeout=LONGEST_SECONDS[queue],
            result_ttl=0,
            ttl=JOB_TTL_SECONDS,
            failure_ttl=FAILURE_TTL_SECONDS,
        )
        for batch in (batches(promised) if queue in SHARING else [[one] for one in promised])
    ]
    if jobs:
        line.enqueue_many(jobs)


def batches(promised: Sequence[Promised]) -> Iterator[Sequence[Promised]]:
    """Work that goes into one job: alone, unless much is waiting.

    A process is forked for each job, which costs more than sealing a small file. What is urgent,
    or was begun before and did not end well, has a process to itself: nobody else suffers from it.
    """
    alone = [one for one in promised if one.urgent or one.runs]
    others = [one for one in promised if not (one.urgent or one.runs)]
    yield from ([one] for one in alone)
    size = max(1, min(LARGEST_BATCH, len(others) // SHARED_BY))
    for start in range(0, len(others), size):
        yield others[start : start + size]


def _rest(told: Event, pause: float, error: Exception) -> float:
    """Wait a little, longer each time; say once what is wrong."""
    if not pause and isinstance(error, AssayError | RedisError):
        log.warning("relay waits: a part of the house is away", reason=type(error).__name__)
    elif not pause:
        log.error("relay stumbled", exc_info=error)
    longer = min(max(pause * 2, 0.25), LONGEST_PAUSE)
    told.wait(longer)
    return longer
