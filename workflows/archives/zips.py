"""The table of contents of a zip, read by hand: what libraries forgive is what is looked for.

APPNOTE.TXT (PKWARE) 6.3: section 4.3.6 the whole, 4.3.7 local headers, 4.3.12 the central
directory, 4.3.14 to 4.3.16 its end.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from workflows.archives.findings import Bounds, Refusal, Refused
from workflows.archives.sorts import END_RECORD, TAIL
from workflows.archives.streams import Broken

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED, SIZES_FOLLOW, CENTRAL_ENCRYPTED = 0x1, 0x8, 0x2000
STORED, DEFLATED, AES = 0, 8, 99


@dataclass(frozen=True)
class Member:
    """An entry of the central directory; `start` is where its local header stands."""

    name: bytes
    flags: int
    method: int
    packed: int
    size: int
    start: int

    @property
    def encrypted(self) -> bool:
        """Whether it cannot be read without a password."""
        return bool(self.flags & (ENCRYPTED | CENTRAL_ENCRYPTED)) or self.method == AES

    @property
    def folder(self) -> bool:
        """Whether it only names a folder."""
        return self.name.endswith(b"/") and self.size == 0

    @property
    def shown(self) -> str:
        """Its name, for people."""
        return self.name.decode("utf-8", "replace")[:200]


@dataclass(frozen=True)
class Directory:
    """Where the central directory stands, and by how much everything was pushed back."""

    start: int
    size: int
    count: int
    shift: int


def directory_of(file: BinaryIO) -> Directory:
    """Find the central directory from the end of the file. Raises Broken."""
    size = file.seek(0, 2)
    begins = max(0, size - TAIL)
    file.seek(begins)
    tail = file.read()
    at = tail.rfind(END_RECORD)
    if at < 0 or len(tail) - at < END.size:
        raise Broken("no end record")
    _, _, _, _, count, length, start, _ = END.unpack_from(tail, at)
    ends = begins + at
    if count == FULL16 or FULL32 in (length, start):
        count, length, start, ends = _wide(file, ends, (count, length, start))
    shift = ends - length - start
    if shift < 0:
        raise Broken("the table of contents lies beyond the end")
    return Directory(start + shift, length, count, shift)


def _wide(file: BinaryIO, ends: int, narrow: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The numbers of a zip64, when there is one."""
    if ends < LOCATOR.size:
        return (*narrow, ends)
    file.seek(ends - LOCATOR.size)
    magic, _, _, _ = LOCATOR.unpack(_exactly(file, LOCATOR.size))
    if magic != b"PK\x06\x07":
        return (*narrow, ends)
    at = ends - LOCATOR.size - END64.size
    file.seek(max(0, at))
    magic, _, _, _, _, _, _, count, length, start = END64.unpack(_exactly(file, END64.size))
    if magic != b"PK\x06\x06":
        raise Broken("no zip64 end record")
    return count, length, start, at


def members_of(file: BinaryIO, where: Directory, bounds: Bounds) -> Iterator[Member]:
    """Each entry of the central directory. Raises Broken, Refused (too many)."""
    if where.count > bounds.members or where.size > bounds.members * 2048:
        raise Refused(Refusal.TOO_MANY)
    at, ends, seen = where.start, where.start + where.size, 0
    while at + CENTRAL.size <= ends:
        file.seek(at)
        fields = CENTRAL.unpack(_exactly(file, CENTRAL.size))
        if fields[0] != b"PK\x01\x02":
            break
        names, extras, comment = fields[10], fields[11], fields[12]
        name, extra = _exactly(file, names), _exactly(file, extras)
        packed, size, start = _sizes(extra, fields[8], fields[9], fields[16])
        seen += 1
        if seen > bounds.members:
            raise Refused(Refusal.TOO_MANY)
        yield Member(name, fields[3], fields[4], packed, size, start + where.shift)
        at += CENTRAL.size + names + extras + comment
    if seen != where.count:
        raise Refused(Refusal.MISMATCH)


def _sizes(extra: bytes, packed: int, size: int, start: int) -> tuple[int, int, int]:
    """The sizes and the place, from the zip64 field where the short ones are full."""
    if FULL32 not in (packed, size, start):
        return packed, size, start
    wide = iter(_wide_numbers(extra))
    try:
        size = next(wide) if size == FULL32 else size
        packed = next(wide) if packed == FULL32 else packed
        start = next(wide) if start == FULL32 else start
    except StopIteration:
        raise Broken("a zip64 number is missing") from None
    return packed, size, start


def _wide_numbers(extra: bytes) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        sort, length = struct.unpack_from("<2H", extra, at)
        if sort == 1:
            body = extra[at + 4 : at + 4 + length]
            return struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8])
        at += 4 + length
    return ()


def data_of(file: BinaryIO, member: Member) -> int:
    """Where a member's bytes begin, after its local header was compared with the directory.

    Raises Refused (mismatch), Broken.
    """
    file.seek(member.start)
    fields = LOCAL.unpack(_exactly(file, LOCAL.size))
    if fields[0] != b"PK\x03\x04":
        raise Refused(Refusal.MISMATCH, member.shown)
    flags, method, packed, size = fields[2], fields[3], fields[7], fields[8]
    name, extra = _exactly(file, fields[9]), _exactly(file, fields[10])
    same = name == member.name and method == member.method
    if not flags & SIZES_FOLLOW:
        packed, size, _ = _sizes(extra, packed, size, 0)
        same = same and (packed, size) == (member.packed, member.size)
    if not same or bool(flags & ENCRYPTED) != bool(member.flags & ENCRYPTED):
        raise Refused(Refusal.MISMATCH, member.shown)
    return member.start + LOCAL.size + len(name) + len(extra)


def _exactly(file: BinaryIO, length: int) -> bytes:
    got = file.read(length)
    if len(got) != length:
        raise Broken("it ends too early")
    return got
