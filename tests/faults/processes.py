"""A part of the house for the fault tests, as a process of its own.

python -m tests.faults.processes worker QUEUE | relay | sweeper | promise COUNT
"""

import os
import sys
from dataclasses import dataclass

from redis import Redis

from app import logs
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import new_id
from storage.outbox import promise
from tests.faults.effects import FAST, HANDLERS, MOURNERS


@dataclass(frozen=True)
class Parts:
    """As much of the container as carries promised work; the rest takes seconds to load."""

    db: Database
    redis: Redis


def main(role: str, *words: str) -> None:
    """Run one part until it is told to stop."""
    logs.configure("info")
    parts = Parts(
        Database(os.environ["DATABASE_URL"], SystemClock()),
        Redis.from_url(os.environ["REDIS_URL"]),
    )
    if role == "worker":
        from app.jobs import worker

        worker.run_forever(parts, words[0], handlers=HANDLERS, pace=FAST)
    elif role == "relay":
        from app.jobs import relay

        quiet = float(words[0]) if words else relay.QUIET_SECONDS
        relay.run_forever(parts, pace=FAST, mourners=MOURNERS, quiet=quiet)
    elif role == "sweeper":
        from app.jobs import sweeper

        sweeper.run_forever(parts)
    elif role == "promise":
        for _ in range(int(words[0])):
            with parts.db.transaction() as tx:
                promise(tx, "effect", new_id())


if __name__ == "__main__":
    main(*sys.argv[1:])
