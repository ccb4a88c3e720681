"""One running engine: started under a keeper, waited for until it is ready, stopped cleanly."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from app.engines import keeper
from app.engines.state import kept_ports
from storage.errors import Unavailable

LOG_KEPT_BYTES = 5_000_000
TRIES = 3


class EngineFailed(Unavailable):
    """An engine did not start; the message ends with what its log says."""


@dataclass(frozen=True)
class Command:
    """How to run an engine: its words, its user when it is not ours, and how it is asked to stop.

    `grace` is how many seconds it may take to stop before it is killed.
    """

    words: Sequence[str]
    uid: int | None = None
    gid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 30.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Engine:
    """A running engine. `settings` are the names and values that lead the program to it."""

    name: str
    home: Path
    settings: Mapping[str, str]
    seconds: float
    grace: float
    process: "subprocess.Popen[bytes]"
    after_stop: Callable[[], object] = field(default=lambda: None)

    @property
    def pid(self) -> int:
        """The engine's own process id."""
        return int(json.loads(record_of(self.home).read_text())["pid"])

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to stop and return when its process has ended. Nothing happens the second time."""
        _release(self.process, self.grace)
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
    _shorten(log_of(home))
    for _ in range(TRIES):
        ports = kept_ports(home / "ports.json", port_count)
        plan = command(ports)
        said_before = _size(log_of(home))
        start = _Start(name, log_of(home), said_before, _spawn(home, plan), plan.grace)
        try:
            settings = start.wait(partial(ready, ports), timeout)
        except _PortTaken:
            (home / "ports.json").unlink(missing_ok=True)
            continue
        return Engine(name, home, settings, time.monotonic() - began, plan.grace, start.process)
    raise EngineFailed(f"{name} found no free port on 127.0.0.1 after {TRIES} tries.")


def reap(home: Path) -> None:
    """End what an earlier run left behind in this home, and wait for its end.

    Only the very process that was recorded is touched: same pid, same birth.
    """
    try:
        record = json.loads(record_of(home).read_text())
        pid, born, stop_signal = int(record["pid"]), str(record["birth"]), int(record["signal"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + 35
    step = stop_signal
    while born and keeper.birth(pid) == born:
        if step:
            _signal(pid, step)
        late = time.monotonic() > deadline
        step = int(signal.SIGKILL) if late else 0
        time.sleep(0.05)
    record_of(home).unlink(missing_ok=True)


def record_of(home: Path) -> Path:
    """Where the keeper writes down who runs."""
    return home / "process.json"


def log_of(home: Path) -> Path:
    """Where the engine's own words go."""
    return home / "log"


class _PortTaken(Exception):
    pass


@dataclass
class _Start:
    """An engine between its first instruction and its first answer."""

    name: str
    log: Path
    said_before: int
    process: "subprocess.Popen[bytes]"
    grace: float

    def wait(self, ready: Callable[[], Mapping[str, str]], timeout: float) -> Mapping[str, str]:
        """What `ready` gives, once it does. Stops the engine when it never does."""
        try:
            return self._poll(ready, time.monotonic() + timeout)
        except BaseException:
            _release(self.process, self.grace)
            raise

    def _poll(self, ready: Callable[[], Mapping[str, str]], deadline: float) -> Mapping[str, str]:
        while True:
            ended = self.process.poll() is not None
            try:
                if not ended:
                    return ready()
                why = f"its process ended with code {self.process.returncode}"
            except Exception as error:  # whatever its client raises while nobody answers
                why = f"{type(error).__name__}: {error}".strip()
            if ended or time.monotonic() > deadline:
                self._give_up(why)
            time.sleep(0.03)

    def _give_up(self, why: str) -> NoReturn:
        said = _tail(self.log, self.said_before)
        if "in use" in said:
            raise _PortTaken
        raise EngineFailed(f"{self.name} did not become ready ({why}). {self.log} says:\n{said}")


def _spawn(home: Path, command: Command) -> "subprocess.Popen[bytes]":
    plan: keeper.Plan = {
        "command": list(command.words),
        "uid": command.uid,
        "gid": command.gid,
        "stop_signal": int(command.stop_signal),
        "grace": command.grace,
        "record": str(record_of(home)),
        "log": str(log_of(home)),
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(keeper.__file__)), json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_plain_environment() | dict(command.env),
        start_new_session=True,
    )


def _plain_environment() -> dict[str, str]:
    """Our environment without the names by which an engine could be led elsewhere."""
    led_by = ("PG", "AWS_", "S3_", "WEED_")
    return {name: value for name, value in os.environ.items() if not name.startswith(led_by)}


def _release(process: "subprocess.Popen[bytes]", grace: float) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=grace + 5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tail(path: Path, offset: int, lines: int = 12) -> str:
    if not path.exists():
        return "(nothing)"
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"


def _shorten(path: Path) -> None:
    """Let a long log go at the start of a run, with one older kept."""
    if _size(path) > LOG_KEPT_BYTES:
        path.replace(path.with_name("log.old"))
