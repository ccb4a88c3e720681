"""The engines, a database of its own, a relay and workers for issuing: for benchmarks of jobs."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import psutil

from app.cli.surroundings import whole_environment
from app.container import Container, build
from app.engines import stack
from app.settings import Settings
from storage import migrate
from storage.clock import SetClock, SystemClock
from tests.fixtures.shared import ROOT
from tests.fixtures.world import World

GRACE_SECONDS = 60


@dataclass
class House:
    """The parts of an installation whose issuing is done by processes of its own."""

    parts: Container
    world: World

    def cpu_seconds(self) -> float:
        """Processor seconds of the relay, the workers, their jobs, and the engines, so far."""
        home, total = str(self.parts.settings.home), 0.0
        for process in psutil.process_iter(["cmdline", "environ"]):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                told = process.info["environ"] or {}
                words = " ".join(process.info["cmdline"] or ())
                if told.get("ASSAY_HOME") == home or home in words:
                    total += sum(process.cpu_times()[:4])
        return total


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
        yield House(parts, world)


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
