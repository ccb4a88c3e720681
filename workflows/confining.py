"""Looking into bytes that strangers made: what workflows ask of the confined process.

The look itself is a function that runs in a process of its own with nothing to lose: no secrets,
no network, little memory and time. `app.sandbox` starts it; here stand the request, its limits and
the ways in which it can end badly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.errors import AssayError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]

MIB = 1024**2


class Confined(AssayError):
    """The look came to no result. The file is to blame, or it is too much for us."""


class TooSlow(Confined):
    """It used up its processor time or its time on the clock."""


class TooLarge(Confined):
    """It wanted more memory than it was given, or wrote more."""


class Crashed(Confined):
    """It ended without a result: killed, broken, or an error that nobody expected."""


@dataclass(frozen=True)
class Limits:
    """What a confined process may use.

    `file_bytes` is the largest file that it may write; `processes` how many others it may start
    (0: none, threads included in none of it).
    """

    cpu_seconds: int = 20
    wall_seconds: float = 60.0
    memory_bytes: int = 512 * MIB
    file_bytes: int = 64 * MIB
    open_files: int = 64
    processes: int = 0


LIMITS = Limits()


@dataclass(frozen=True)
class Source:
    """A file elsewhere that the confined process may read by ranges, through us.

    `read(offset, length)` gives exactly those bytes, fewer only at the end of the file.
    """

    size: int
    read: Callable[[int, int], bytes]


@dataclass(frozen=True)
class Place:
    """What a confined task has: a folder to read from and write to, and a file to read."""

    folder: Path | None = None
    source: BinaryIO | None = None


Task = Callable[[Mapping[str, "Json"], Place], JsonObject]
"""What can be run: `def look(args, place) -> JSON object`, named as `module:function`."""


class Confinement(Protocol):
    """Runs tasks where they can do no harm."""

    def run(
        self,
        task: str,
        args: Mapping[str, "Json"],
        *,
        folder: Path | None = None,
        source: Source | None = None,
        limits: Limits = LIMITS,
    ) -> JsonObject:
        """The task's result.

        `task` is `module:function` of ours. `folder` is all of the disk that it may write to.
        Raises TooSlow, TooLarge, Crashed; what `source.read` raises comes through.
        """
        ...
