"""Files made of other files' bytes: a window onto one, and what a packed stream unpacks to."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from workflows.archives.findings import Refusal, Refused

PIECE = 64 * 1024
MOST_AT_ONCE = 256 * 1024
LZMA_MEMORY = 128 * 1024**2


class Broken(Exception):
    """The bytes are not what they should be."""


class Enough(Exception):
    """Everything that may be unpacked was unpacked."""


class Budget:
    """How much was unpacked altogether, and when that is a bomb, or enough."""

    def __init__(self, most: int, ratio: int, ratio_from: int) -> None:
        self.spent = 0
        self._most = most
        self._ratio = ratio
        self._ratio_from = ratio_from

    def spend(self, unpacked: int, of_this: int, packed: int) -> None:
        """So much came out now; of this stream so much came out of so much.

        Raises Refused, Enough.
        """
        self.spent += unpacked
        if of_this > self._ratio_from and of_this > self._ratio * max(packed, 1):
            raise Refused(Refusal.RATIO)
        if self.spent > self._most:
            raise Enough


class Window(io.RawIOBase):
    """So many bytes of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; see io.IOBase."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as there is; see io.RawIOBase."""
        length = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        got = self._file.read(length) if length else b""
        buffer[: len(got)] = got
        self._at += len(got)
        return len(got)


class Onward(io.RawIOBase):
    """A file that can only be read on, whatever it says of itself."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill some of the buffer; see io.RawIOBase."""
        got = self._read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


class Unpacker(Protocol):
    """A decompressor of the standard library that gives only as much as it is asked for."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it gives nothing more without more bytes."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""
        ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Some of what the bytes unpack to."""
        ...


class _Deflate:
    """zlib's decompressor with the manners of the others."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def raw_deflate() -> Unpacker:
    """What zip calls method 8."""
    return _Deflate(-15)


UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "gzip": lambda: _Deflate(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY),
}
BAD_BYTES = (zlib.error, OSError, lzma.LZMAError, EOFError)


class Unpacked(io.RawIOBase):
    """What a packed stream unpacks to, read from its beginning; every byte is accounted for."""

    def __init__(self, file: BinaryIO, make: Callable[[], Unpacker], budget: Budget) -> None:
        self._file = file
        self._make = make
        self._unpacker = make()
        self._budget = budget
        self._ready = b""
        self.taken = 0
        self.given = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill some of the buffer; see io.RawIOBase. Raises Refused, Enough, Broken."""
        while not self._ready:
            if not self._more():
                return 0
        got, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(got)] = got
        return len(got)

    def _more(self) -> bool:
        """Unpack a little more; False at the end."""
        try:
            return self._step()
        except BAD_BYTES as error:
            raise Broken(str(error)) from error

    def _step(self) -> bool:
        fed = b""
        if self._unpacker.eof:
            # several streams may follow each other (gzip, bzip2, xz)
            fed = self._unpacker.unused_data or self._feed()
            if not fed.strip(b"\0"):
                return False
            self._unpacker = self._make()
        elif self._unpacker.needs_input:
            fed = self._feed()
            if not fed:
                raise Broken("it ends too early")
        self._ready = self._unpacker.decompress(fed, MOST_AT_ONCE)
        self.given += len(self._ready)
        self._budget.spend(len(self._ready), self.given, self.taken)
        return True

    def _feed(self) -> bytes:
        fed = self._file.read(PIECE)
        self.taken += len(fed)
        return fed
