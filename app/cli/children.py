"""The parts of Assay as child processes: started, started again when they crash, ended together."""

import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.surroundings import ROOT, Say
from app.engines.processes import Command, Kept, keep, log_of, reap
from app.engines.state import make_folder

GRACE_SECONDS = 15.0
LONGEST_WAIT = 30.0
STEADY_SECONDS = 60.0


@dataclass
class Child:
    """One part: the words of its `assay` command, and how it has been doing."""

    name: str
    words: tuple[str, ...]
    home: Path
    env: Mapping[str, str]
    kept: Kept | None = None
    crashes: int = 0
    started: float = 0.0
    again_at: float = 0.0

    def start(self) -> None:
        """Start it, with what an earlier run left of it ended first."""
        make_folder(self.home)
        reap(self.home)
        command = Command(self.command(), str(ROOT), grace=GRACE_SECONDS, env=self.env)
        self.kept = keep(self.home, command)
        self.started = time.monotonic()

    def command(self) -> tuple[str, ...]:
        """The whole command, run by this same Python."""
        return (sys.executable, "-m", "app.cli", *self.words)

    @property
    def running(self) -> bool:
        """Whether it runs at this moment."""
        return self.kept is not None and self.kept.code is None

    def watch(self, tell: Say) -> None:
        """Start it again when it ended by itself, after a wait that grows with each crash."""
        now = time.monotonic()
        if self.kept is not None and self.kept.code is not None:
            self._plan_again(self.kept, now, tell)
            self.kept = None
        if self.kept is None and now >= self.again_at:
            self.start()

    def stop(self) -> None:
        """End it and wait for its end."""
        if self.kept is not None:
            self.kept.stop()

    def _plan_again(self, ended: Kept, now: float, tell: Say) -> None:
        self.crashes = 1 if now - self.started > STEADY_SECONDS else self.crashes + 1
        wait = min(2.0 ** (self.crashes - 1), LONGEST_WAIT)
        self.again_at = now + wait
        tell(
            f"{self.name} ended with code {ended.code}; it starts again in {wait:.0f} s. "
            f"{log_of(self.home)} ends with:\n{ended.said(4)}"
        )


@dataclass
class Children:
    """All parts of one installation."""

    home: Path
    env: Mapping[str, str]
    parts: list[Child] = field(default_factory=list)

    def start(self, name: str, *words: str) -> None:
        """Start a part and watch over it from now on."""
        child = Child(name, words, self.home / name, self.env)
        self.parts.append(child)
        child.start()

    def watch(self, tell: Say) -> None:
        """Look after every part once."""
        for child in self.parts:
            child.watch(tell)

    def down(self) -> list[str]:
        """The names of the parts that do not run at this moment."""
        return [child.name for child in self.parts if not child.running]

    def stop(self) -> None:
        """End all of them, side by side, and wait for their end."""
        if self.parts:
            with ThreadPoolExecutor(len(self.parts)) as pool:
                list(pool.map(Child.stop, self.parts))
