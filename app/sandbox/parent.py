"""Starting a confined process, answering its reads, and ending it in time."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from app.sandbox.frames import LARGEST_FRAME, LENGTH
from workflows.confining import (
    LIMITS,
    Crashed,
    Json,
    JsonObject,
    Limits,
    Source,
    TooLarge,
    TooSlow,
)

CHILD = [sys.executable, "-I", "-B", "-m", "app.sandbox.child"]
LARGEST_READ = 4 * 1024**2
SLOW = "Looking into the file took too long."
LARGE = "Looking into the file needed more memory than it is worth."
BROKE = "The file could not be looked into: the program that tried broke off."


@dataclass(frozen=True)
class ChildProcesses:
    """Confinement in a process for each task."""

    def run(
        self,
        task: str,
        args: Mapping[str, Json],
        *,
        folder: Path | None = None,
        source: Source | None = None,
        limits: Limits = LIMITS,
    ) -> JsonObject:
        """See `workflows.confining.Confinement.run`."""
        return run_confined(task, args, folder=folder, source=source, limits=limits)


def run_confined(
    task: str,
    args: Mapping[str, Json],
    *,
    folder: Path | None = None,
    source: Source | None = None,
    limits: Limits = LIMITS,
) -> JsonObject:
    """Run `module:function` confined, with these arguments; its JSON object.

    Raises TooSlow, TooLarge, Crashed; what `source.read` raises comes through.
    """
    order = {
        "task": task,
        "args": dict(args),
        "folder": str(folder.resolve()) if folder else None,
        "size": source.size if source else None,
        "limits": asdict(limits),
    }
    ends_at = time.monotonic() + limits.wall_seconds
    with _started(folder) as process:
        try:
            answer = _converse(process, json.dumps(order).encode(), source, ends_at)
        except (EOFError, BrokenPipeError):
            raise _how_it_ended(process, ends_at) from None
    return _result(answer)


@contextmanager
def _started(folder: Path | None) -> "Iterator[subprocess.Popen[bytes]]":
    """The process in a session of its own; it and all it started are gone after the block."""
    process = subprocess.Popen(
        CHILD,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(folder),
        start_new_session=True,
        close_fds=True,
        bufsize=0,
    )
    try:
        # a new session is a new group where Linux shares processors out: it stands back as we do
        with suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text(str(os.nice(0)))
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _environment(folder: Path | None) -> dict[str, str]:
    """Nothing of ours: no secret, no address, no search path but the system's."""
    here = str(folder.resolve()) if folder else "/nonexistent"
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": here,
        "TMPDIR": here,
        "OMP_NUM_THREADS": "1",
    }


def _converse(
    process: "subprocess.Popen[bytes]", order: bytes, source: Source | None, ends_at: float
) -> JsonObject:
    """Give the order, answer reads, until the child says how it went."""
    assert process.stdin is not None
    assert process.stdout is not None
    _send_in_time(process.stdin.fileno(), order, ends_at)
    while True:
        said = _understood(_frame_in_time(process.stdout.fileno(), ends_at))
        if "read" not in said:
            return said
        offset, length = _wanted(said["read"], source)
        assert source is not None
        _send_in_time(process.stdin.fileno(), source.read(offset, length), ends_at)


def _understood(frame: bytes) -> JsonObject:
    """What a child said. Raises EOFError for nonsense: whatever took it over may say anything."""
    try:
        said = json.loads(frame)
    except (ValueError, RecursionError):
        raise EOFError from None
    if not isinstance(said, dict):
        raise EOFError
    return said


def _wanted(said: Json, source: Source | None) -> tuple[int, int]:
    """Where a child would like to read, and how much. Raises EOFError when it may not."""
    if source is None or not isinstance(said, list) or len(said) != 2:
        raise EOFError
    offset, length = said
    if type(offset) is not int or type(length) is not int:
        raise EOFError
    if not (0 <= offset <= source.size and 0 <= length <= LARGEST_READ):
        raise EOFError
    return offset, length


def _send_in_time(fd: int, data: bytes, ends_at: float) -> None:
    """Write one frame. Raises TooSlow when the child does not take it, BrokenPipeError."""
    os.set_blocking(fd, False)
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    view = memoryview(len(data).to_bytes(LENGTH, "big") + data)
    while view:
        left = ends_at - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TooSlow(SLOW)
        with suppress(BlockingIOError):
            view = view[os.write(fd, view) :]


def _frame_in_time(fd: int, ends_at: float) -> bytes:
    """The next frame. Raises TooSlow, and EOFError when the child ended or said too much."""
    length = int.from_bytes(_in_time(fd, LENGTH, ends_at), "big")
    if length > LARGEST_FRAME:
        raise EOFError
    return _in_time(fd, length, ends_at)


def _in_time(fd: int, length: int, ends_at: float) -> bytes:
    got = bytearray()
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while len(got) < length:
        left = ends_at - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TooSlow(SLOW)
        more = os.read(fd, min(length - len(got), 1024**2))
        if not more:
            raise EOFError
        got += more
    return bytes(got)


def _how_it_ended(process: "subprocess.Popen[bytes]", ends_at: float) -> Exception:
    """Why a child that said nothing more has ended."""
    try:
        code = process.wait(max(0.1, ends_at - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Crashed(BROKE)
    if code in {-signal.SIGXCPU, -signal.SIGALRM}:
        return TooSlow(SLOW)
    if code == -signal.SIGXFSZ:
        return TooLarge(LARGE)
    return Crashed(BROKE)


def _result(answer: JsonObject) -> JsonObject:
    failed, result = answer.get("failed"), answer.get("result")
    if failed == "memory":
        raise TooLarge(LARGE)
    if failed is not None or not isinstance(result, dict):
        raise Crashed(BROKE)
    return result
