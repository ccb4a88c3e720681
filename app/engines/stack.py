"""All engines together: those whose address is not given are started, side by side.

One stack runs per state folder. While it runs, its addresses stand in a private file there, so
that another command of the same person on the same folder finds them.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.engines import postgres, seaweed, valkey
from app.engines.engine import Engine, EngineFailed
from app.engines.state import make_folder, write_private

Start = Callable[[Path], Engine]
STARTS: Mapping[str, tuple[str, Start]] = {
    "DATABASE_URL": ("postgres", postgres.start),
    "REDIS_URL": ("valkey", valkey.start),
    "S3_ENDPOINT_URL": ("seaweed", seaweed.start),
}


@dataclass
class Stack:
    """The engines that were started, and the settings that lead to them."""

    home: Path
    lock: IO[str]
    engines: dict[str, Engine] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def addresses(self) -> dict[str, str]:
        """The names and values that lead a program to these engines."""
        return {
            name: value
            for engine in self.engines.values()
            for name, value in engine.settings.items()
        }

    def revive(self, say: Callable[[str], None]) -> None:
        """Start again what ended by itself; it comes back at the same address."""
        for name, engine in self.engines.items():
            if not engine.running:
                say(f"{engine.name} ended by itself; starting it again")
                self.engines[name] = _start(self.home, name)

    def stop(self) -> None:
        """Stop all of them, side by side, and return when all have ended."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Engine.stop, self.engines.values()))
        _addresses_of(self.home).unlink(missing_ok=True)
        self.lock.close()


def start(home: Path, given: Mapping[str, str], say: Callable[[str], None]) -> Stack:
    """Start every engine whose setting is not in `given`; `say` hears of each that is ready.

    Raises EngineFailed, with nothing left running, when one of them does not come up or another
    program has this state folder.
    """
    began = time.monotonic()
    make_folder(home, 0o711)
    stack = Stack(home, _lock(home))
    wanted = [name for name in STARTS if not given.get(name)]

    def begin(name: str) -> None:
        engine = stack.engines[name] = _start(home, name)
        say(f"{engine.name} is ready ({engine.seconds:.1f} s)")

    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(begin, wanted))
        write_private(_addresses_of(home), json.dumps(stack.addresses))
    except BaseException:
        stack.stop()
        raise
    stack.seconds = time.monotonic() - began
    return stack


def attach(home: Path) -> dict[str, str] | None:
    """The addresses of the stack that runs on this state folder now, or None."""
    try:
        held = _is_held(home / "lock")
        addresses = json.loads(_addresses_of(home).read_text()) if held else None
    except (OSError, ValueError):
        return None
    return addresses


@contextmanager
def at_hand(
    home: Path, given: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """The addresses of the engines for the length of a block: running ones, else started ones."""
    if all(given.get(name) for name in STARTS):
        yield {}
        return
    running = attach(home)
    if running is not None:
        yield {name: value for name, value in running.items() if not given.get(name)}
        return
    stack = start(home, given, say)
    try:
        yield stack.addresses
    finally:
        stack.stop()


def _start(home: Path, name: str) -> Engine:
    folder, begin = STARTS[name]
    return begin(home.absolute() / folder)


def _addresses_of(home: Path) -> Path:
    return home / "addresses.json"


def _lock(home: Path) -> IO[str]:
    lock = (home / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "?"
        lock.close()
        raise EngineFailed(
            f"Assay runs already with the state folder {home} (process {owner}). Stop that one, or "
            "give this one a folder of its own with ASSAY_HOME."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _is_held(path: Path) -> bool:
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
