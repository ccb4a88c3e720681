"""How parent and child speak: a length of four bytes, then so many bytes. Never pickle."""

import os

LARGEST_FRAME = 16 * 1024**2
LENGTH = 4


def write_frame(fd: int, data: bytes) -> None:
    """Write one frame whole. Raises OSError when nobody reads."""
    view = memoryview(len(data).to_bytes(LENGTH, "big") + data)
    while view:
        view = view[os.write(fd, view) :]


def read_frame(fd: int) -> bytes:
    """Read one frame whole. Raises EOFError when the other side has ended."""
    return _exactly(fd, int.from_bytes(_exactly(fd, LENGTH), "big"))


def _exactly(fd: int, length: int) -> bytes:
    got = bytearray()
    while len(got) < length:
        more = os.read(fd, min(length - len(got), 1024**2))
        if not more:
            raise EOFError
        got += more
    return bytes(got)
