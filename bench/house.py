"""The engines, a database of its own, a relay and workers for issuing: for benchmarks of jobs."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import psutil
from rq.worker import Worker

from app.cli.surroundings import whole_environment
from app.container import Container, build
from app.engines import stack
from app.jobs.queues import own_connection, rq_queue
from app.settings import Settings
from storage import migrate
from storage.clock import SetClock, SystemClock
from storage.vocabulary import Queue
from tests.fixtures.shared import ROOT
from tests.fixtures.world import World

GRACE_SECONDS = 60
WORKERS, POSTGRESQL, REST = "workers", "PostgreSQL", "relay and other engines"


@dataclass
class House:
    """The parts of an installation whose issuing is done by processes of its own."""

    parts: Container
    world: World

    def cpu_seconds(self) -> Counter[str]:
        """Processor seconds so far of the workers and their jobs, of PostgreSQL, and of the rest:
        the relay and the other engines."""
        home, spent = str(self.parts.settings.home), Counter[str]()
        for process in psutil.process_iter(["cmdline", "environ"]):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                told = process.info["environ"] or {}
                words = " ".join(process.info["cmdline"] or ())
                if told.get("ASSAY_HOME") == home or home in words:
                    spent[_part(words)] += sum(process.cpu_times()[:4])
        return spent


def _part(words: str) -> str:
    if "postgres" in words:
        return POSTGRESQL
    return WORKERS if " worker " in words else REST


@contextmanager
def house(*, issue_workers: int) -> Iterator[House]:
    """Engines, a relay and so many workers of the issuing queue; removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    home.chmod(0o711)
    with ExitStack() as ending:
        ending.callback(rmtree, home)
        plain = {"ASSAY_HOME": str(home), "ASSAY_ENV": "development", "LOG_LEVEL": "error"}
        env = whole_environment({**os.environ, **plain})
        engines = stack.start(home, env, lambda _: None)
        ending.callback(engines.stop)
        env |= engines.addresses
        settings = Settings.from_env(env)
        migrate.upgrade(settings.database_url)
        parts = build(settings)
        ending.callback(parts.close)
        world = World(parts.db, SetClock(SystemClock().now()))
        for words in [["relay"], *([["worker", "issue"]] * issue_workers)]:
            ending.enter_context(_running(words, env))
        _until_ready(parts, issue_workers)
        yield House(parts, world)


def _until_ready(parts: Container, workers: int) -> None:
    """Wait until the workers listen: what starting them takes is nothing of a job's."""
    valkey, ends_at = own_connection(parts.redis), time.monotonic() + GRACE_SECONDS
    while Worker.count(queue=rq_queue(Queue.ISSUE.value, valkey)) < workers:
        if time.monotonic() > ends_at:
            raise AssertionError("The workers did not start.")
        time.sleep(0.1)


@contextmanager
def _running(words: list[str], env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(GRACE_SECONDS)
