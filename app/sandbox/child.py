"""The confined process: reads one order, puts up the walls, runs one function, answers, ends."""

import errno
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.sandbox import walls
from app.sandbox.frames import read_frame, write_frame
from workflows.confining import Place

OURS = ("app.", "workflows.", "credentials.", "storage.")
AHEAD = 64 * 1024
"""Small reads are answered from so much read at once."""
LARGEST_READ = 4 * 1024**2


class FarFile(io.RawIOBase):
    """A file that the process which started us reads for us."""

    def __init__(self, ask: Callable[[int, int], bytes], size: int) -> None:
        self._ask = ask
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; see io.IOBase."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as there is; see io.RawIOBase."""
        length = max(0, min(len(buffer), self._size - self._at, LARGEST_READ))
        got = self._ask(self._at, length) if length else b""
        buffer[: len(got)] = got
        self._at += len(got)
        return len(got)


def main() -> None:
    """Speak over what were standard input and output; the task's own go nowhere."""
    walls.die_with_parent()
    hears, says = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    order = json.loads(read_frame(hears))
    try:
        function = _function(order["task"])
        folder = order["folder"]
        walls.build(**order["limits"], folder=folder)
        os.chdir(folder or "/")
        place = Place(Path(folder) if folder else None, _source(hears, says, order["size"]))
        answer = {"result": function(order["args"], place)}
        data = json.dumps(answer).encode()
    except MemoryError:
        data = b'{"failed": "memory"}'
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in {errno.EFBIG, errno.ENOMEM}
        data = json.dumps({"failed": "memory" if full else type(error).__name__}).encode()
    write_frame(says, data)
    os._exit(0)


def _function(task: str) -> Callable[..., object]:
    """The function that is named; only ours."""
    module, _, name = task.partition(":")
    if not module.startswith(OURS):
        raise ValueError("not one of our tasks")
    found: Callable[..., object] = getattr(importlib.import_module(module), name)
    return found


def _source(hears: int, says: int, size: int | None) -> io.BufferedReader | None:
    if size is None:
        return None

    def ask(offset: int, length: int) -> bytes:
        write_frame(says, json.dumps({"read": [offset, length]}).encode())
        return read_frame(hears)

    return io.BufferedReader(FarFile(ask, size), AHEAD)


if __name__ == "__main__":
    main()
    sys.exit(0)
