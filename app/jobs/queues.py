"""RQ's queues: their names, how long a job may take, and connections that fit the purpose."""

from collections.abc import Mapping

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue as RqQueue
from rq.serializers import JSONSerializer

from storage.vocabulary import Queue

# the one function that RQ runs, by name: the relay need not load what workers load
ENTRYPOINT = "app.jobs.entrypoint.run"
QUEUES = tuple(queue.value for queue in Queue)

# a job that takes longer is ended and counts as failed
LONGEST_SECONDS: Mapping[str, int] = {
    Queue.SEAL.value: 2 * 3600,
    Queue.LOOK.value: 2 * 3600,
    Queue.RENDER.value: 2 * 3600,
    Queue.WORK.value: 600,
    Queue.ISSUE.value: 600,
    Queue.NEWS.value: 600,
}


def rq_queue(name: str, connection: Redis) -> RqQueue:
    """The queue of that name, with the JSON serializer: nothing from Valkey is ever unpickled."""
    return RqQueue(
        name,
        connection=connection,
        serializer=JSONSerializer,
        default_timeout=LONGEST_SECONDS[name],
    )


def own_connection(redis: Redis, *, timeout: float = 3.0) -> Redis:
    """A connection of one's own to the same Valkey, which gives up after `timeout` seconds.

    RQ changes the time limits of the connections that it is given.
    """
    pool = redis.connection_pool
    settings = {
        **pool.connection_kwargs,
        "socket_timeout": timeout,
        "socket_connect_timeout": min(timeout, 3.0),
        "retry": Retry(NoBackoff(), 1),
    }
    return Redis(connection_pool=ConnectionPool(connection_class=pool.connection_class, **settings))
