"""Processes that never outlive us: each is run by a keeper, in a session of its own.

A keeper stops its process when we let go of it, and also when we are killed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.engines import keeper

LOG_KEPT_BYTES = 5_000_000


@dataclass(frozen=True)
class Command:
    """What to run: its words and folder, its user when it is not ours, how it is asked to stop.

    `grace` is how many seconds it may take to stop before it is killed.
    """

    words: Sequence[str]
    folder: str = "/"
    uid: int | None = None
    gid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 30.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Kept:
    """A process under its keeper. Its log and its record are in `home`."""

    home: Path
    command: Command
    keeper: "subprocess.Popen[bytes]"
    said_before: int

    @property
    def pid(self) -> int:
        """The process's own id, not its keeper's."""
        return int(json.loads(record_of(self.home).read_text())["pid"])

    @property
    def code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self.keeper.poll()

    def said(self, lines: int = 12) -> str:
        """The last lines that it wrote to its log."""
        with log_of(self.home).open("rb") as file:
            file.seek(self.said_before)
            text = file.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:]) or "(nothing)"

    def stop(self) -> None:
        """Ask it to stop and return when it has ended. Nothing happens the second time."""
        if self.keeper.stdin is not None:
            self.keeper.stdin.close()
        try:
            self.keeper.wait(timeout=self.command.grace + 5)
        except subprocess.TimeoutExpired:
            self.keeper.kill()
            self.keeper.wait()


def keep(home: Path, command: Command) -> Kept:
    """Run a command with its log and record in `home`, which exists."""
    _shorten(log_of(home))
    log_of(home).touch(0o600)
    said_before = log_of(home).stat().st_size
    plan: keeper.Plan = {
        "command": list(command.words),
        "folder": command.folder,
        "uid": command.uid,
        "gid": command.gid,
        "stop_signal": int(command.stop_signal),
        "grace": command.grace,
        "record": str(record_of(home)),
        "log": str(log_of(home)),
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(keeper.__file__)), json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(command.env),
        start_new_session=True,
    )
    return Kept(home, command, process, said_before)


def reap(home: Path) -> None:
    """End what an earlier run left behind in this home, and wait for its end.

    Only the very process that was recorded is touched: same pid, same birth.
    """
    try:
        record = json.loads(record_of(home).read_text())
        pid, born, stop_signal = int(record["pid"]), str(record["birth"]), int(record["signal"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if born and keeper.birth(pid) == born:
        _signal(pid, stop_signal)
    deadline = time.monotonic() + 35
    while born and keeper.birth(pid) == born:
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.05)
    record_of(home).unlink(missing_ok=True)


def record_of(home: Path) -> Path:
    """Where the keeper writes down who runs."""
    return home / "process.json"


def log_of(home: Path) -> Path:
    """Where the process's own words go."""
    return home / "log"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _shorten(path: Path) -> None:
    """Let a long log go at the start of a run, with one older kept."""
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_name("log.old"))
