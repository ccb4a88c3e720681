"""One running engine: started, waited for until it is ready, stopped cleanly."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from app.engines.processes import Command, Kept, keep, log_of, reap
from app.engines.state import kept_ports
from storage.errors import Unavailable

TRIES = 3
# names by which an engine could be led elsewhere than we mean
LED_BY = ("PG", "AWS_", "S3_", "WEED_")


class EngineFailed(Unavailable):
    """An engine did not start; the message ends with what its log says."""


@dataclass
class Engine:
    """A running engine. `settings` are the names and values that lead the program to it."""

    name: str
    settings: Mapping[str, str]
    seconds: float
    process: Kept
    after_stop: Callable[[], object] = field(default=lambda: None)

    @property
    def pid(self) -> int:
        """The engine's own process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.code is None

    def stop(self) -> None:
        """Ask it to stop and return when its process has ended. Nothing happens the second time."""
        self.process.stop()
        self.after_stop()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def launch(
    name: str,
    home: Path,
    port_count: int,
    command: Callable[[list[int]], Command],
    ready: Callable[[list[int]], Mapping[str, str]],
    *,
    timeout: float = 30.0,
) -> Engine:
    """Start an engine with its state under `home` and return once `ready` gave its settings.

    `ready` raises as long as the engine does not answer. Ports taken by someone else in the
    meantime are exchanged, a few times. Raises EngineFailed.
    """
    began = time.monotonic()
    reap(home)
    for _ in range(TRIES):
        ports = kept_ports(home / "ports.json", port_count)
        plan = command(ports)
        process = keep(home, replace(plan, env=_plain_environment() | dict(plan.env)))
        try:
            settings = _first_answer(name, process, partial(ready, ports), timeout)
        except _PortTaken:
            (home / "ports.json").unlink(missing_ok=True)
            continue
        return Engine(name, settings, time.monotonic() - began, process)
    raise EngineFailed(f"{name} found no free port on 127.0.0.1 after {TRIES} tries.")


class _PortTaken(Exception):
    pass


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(LED_BY)}


def _first_answer(
    name: str, process: Kept, ready: Callable[[], Mapping[str, str]], timeout: float
) -> Mapping[str, str]:
    """What `ready` gives, once it does. Stops the process when it never does."""
    try:
        return _poll(name, process, ready, time.monotonic() + timeout)
    except BaseException:
        process.stop()
        raise


def _poll(
    name: str, process: Kept, ready: Callable[[], Mapping[str, str]], deadline: float
) -> Mapping[str, str]:
    while True:
        code = process.code
        try:
            if code is None:
                return ready()
            why = f"its process ended with code {code}"
        except Exception as error:  # whatever its client raises while nobody answers
            why = f"{type(error).__name__}: {error}".strip()
        if code is not None or time.monotonic() > deadline:
            _give_up(name, process, why)
        time.sleep(0.03)


def _give_up(name: str, process: Kept, why: str) -> NoReturn:
    said = process.said()
    if "in use" in said:
        raise _PortTaken
    where = log_of(process.home)
    raise EngineFailed(f"{name} did not become ready ({why}). {where} says:\n{said}")
