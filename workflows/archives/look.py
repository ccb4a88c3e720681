"""The look into one archive and those inside it. Runs in the confined process only.

Nothing is unpacked to a disk and no name of a member is ever used as a path.
"""

import io
import tarfile
from collections.abc import Mapping
from typing import BinaryIO, cast

from workflows.archives import zips
from workflows.archives.findings import Bounds, Findings, Refusal, Refused, Unseen
from workflows.archives.sorts import HEAD, is_xml, sort_of
from workflows.archives.streams import (
    UNPACKERS,
    Broken,
    Budget,
    Enough,
    Onward,
    Unpacked,
    Window,
    raw_deflate,
)
from workflows.archives.xml import declared_in
from workflows.confining import Json, JsonObject, Place

NO_READER = ("7z", "rar", "cab", "zstd")
METHODS = {zips.DEFLATED: raw_deflate, 12: UNPACKERS["bzip2"]}
STEP = 1024**2
BUFFER = 64 * 1024


def look(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Look into the source. `sort` says what it is when its first bytes do not."""
    if place.source is None:
        raise ValueError("nothing to look into")
    return look_into(place.source, str(args.get("sort", ""))).as_json()


def look_into(file: BinaryIO, sort: str = "", bounds: Bounds | None = None) -> Findings:
    """What an archive or an XML document holds, as far as it could be seen."""
    looker = _Look(bounds or Bounds())
    try:
        if sort == "xml":
            looker.xml(file, "")
        else:
            looker.archive(file, sort or _sort(file), 0)
    except Refused as refused:
        looker.found.refusal, looker.found.name = refused.refusal, refused.name
    except Enough:
        looker.unseen(Unseen.TOO_MUCH)
    except (Broken, EOFError):
        looker.unseen(Unseen.BROKEN)
    return looker.found


class _Look:
    """What was found so far, over all archives inside each other."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.found = Findings()
        self.budget = Budget(bounds.looked_into, bounds.ratio, bounds.ratio_from)

    def unseen(self, why: Unseen) -> None:
        """Something could not be looked into; the first reason stays."""
        self.found.unseen = self.found.unseen or why

    def archive(self, file: BinaryIO, sort: str, depth: int) -> None:
        """Look into an archive that is `depth` archives deep."""
        if depth > self.bounds.depth:
            raise Refused(Refusal.NESTED)
        self.found.depth = max(self.found.depth, depth)
        self.found.formats.append(sort)
        if sort == "zip":
            self.zip(file, depth)
        elif sort == "tar":
            self.tar(file, depth)
        elif sort in UNPACKERS:
            self.packed(file, sort, depth)
        elif sort in NO_READER:
            self.unseen(Unseen.FORMAT)

    def zip(self, file: BinaryIO, depth: int) -> None:
        """Every member by the directory and by its own header, then what is inside."""
        names: set[bytes] = set()
        members = []
        for member in zips.members_of(file, zips.directory_of(file), self.bounds):
            self.count(member.shown, member.size, member.packed)
            if member.name in names:
                raise Refused(Refusal.DUPLICATES, member.shown)
            names.add(member.name)
            members.append(member)
        whole = sum(member.packed for member in members)
        self.expected(sum(member.size for member in members), whole)
        ends = 0
        for member in sorted(members, key=lambda one: one.start):
            if member.start < ends:
                raise Refused(Refusal.OVERLAP, member.shown)
            data = zips.data_of(file, member)
            ends = data + member.packed
            self.zipped(file, member, data, depth)

    def zipped(self, file: BinaryIO, member: zips.Member, data: int, depth: int) -> None:
        """One member's own bytes."""
        if member.encrypted:
            self.unseen(Unseen.ENCRYPTED)
            return
        packed = Window(file, data, member.packed)
        if member.method == zips.STORED:
            if member.packed != member.size:
                raise Refused(Refusal.MISMATCH, member.shown)
            if not member.folder:
                self.inside(_buffered(packed), member.shown, depth)
            return
        make = METHODS.get(member.method)
        if make is None:
            self.unseen(Unseen.FORMAT)
            return
        stream = Unpacked(_buffered(packed), make, self.budget)
        self.inside(_buffered(stream), member.shown, depth, member.size)
        if stream.given > member.size:
            raise Refused(Refusal.MISMATCH, member.shown)

    def tar(self, file: BinaryIO, depth: int) -> None:
        """Every header of a tar, in the order of the file."""
        names: set[str] = set()
        far = file.seekable()
        try:
            with tarfile.open(fileobj=file, mode="r:" if far else "r|") as tar:
                while (member := tar.next()) is not None:
                    tar.__dict__["members"] = []  # it would keep them all
                    self.tarred(member, names)
                    content = tar.extractfile(member) if _plain(member) else None
                    if content is not None:
                        body = cast(BinaryIO, content) if far else _buffered(Onward(content.read))
                        self.inside(body, member.name, depth)
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise Broken(str(error)) from error

    def tarred(self, member: tarfile.TarInfo, names: set[str]) -> None:
        """Count a member, and refuse what an archive of files has no use for."""
        sparse = getattr(member, "sparse", None)
        packed = sum(length for _, length in sparse) if sparse else member.size
        self.count(member.name, member.size, packed)
        leads_out = (member.issym() or member.islnk()) and _outside(member.linkname)
        if leads_out or member.isdev():
            raise Refused(Refusal.OUTSIDE, member.name[:200])
        if member.name in names and not member.isdir():
            raise Refused(Refusal.DUPLICATES, member.name[:200])
        names.add(member.name)

    def packed(self, file: BinaryIO, sort: str, depth: int) -> None:
        """One packed stream: a tar, or a single file."""
        unpacked = Unpacked(file, UNPACKERS[sort], self.budget)
        stream = _buffered(unpacked)
        if sort_of(stream.peek(HEAD)[:HEAD]) == "tar":
            self.archive(stream, "tar", depth)
            return
        self.found.members += 1
        self.inside(stream, "", depth)
        self.found.expanded += unpacked.given

    def inside(self, file: BinaryIO, name: str, depth: int, size: int | None = None) -> None:
        """A member's own bytes: an archive again, XML, or only to be counted to their end.

        `size` is what the directory promised of a packed member: no more than that is unpacked.
        """
        head = file.read(HEAD)
        sort = sort_of(head)
        if not sort and is_xml(name):
            self.xml(_again(head, file), name)
        if file.seekable():
            if sort:
                file.seek(0)
                self.archive(file, sort, depth + 1)
            return
        if sort:
            kept = self.kept(head, file)
            if kept is None:
                self.unseen(Unseen.TOO_MUCH)
            else:
                self.archive(kept, sort, depth + 1)
        _rest(file, size)

    def kept(self, head: bytes, file: BinaryIO) -> BinaryIO | None:
        """A packed archive, unpacked into memory; None when it is too large for that."""
        body = io.BytesIO()
        body.write(head)
        while piece := file.read(STEP):
            body.write(piece)
            if body.tell() > self.bounds.nested_size:
                return None
        body.seek(0)
        return body

    def xml(self, file: BinaryIO, name: str) -> None:
        """What an XML document declares."""
        declared = declared_in(file)
        if declared.bomb:
            raise Refused(Refusal.XML_BOMB, name)
        self.found.external_entities = self.found.external_entities or declared.external

    def count(self, name: str, size: int, packed: int) -> None:
        """One more member. Raises Refused."""
        self.found.members += 1
        if self.found.members > self.bounds.members:
            raise Refused(Refusal.TOO_MANY)
        if _outside(name):
            raise Refused(Refusal.OUTSIDE, name[:200])
        self.expected(size, packed)
        self.found.expanded += size
        if self.found.expanded > self.bounds.expanded:
            raise Refused(Refusal.TOO_LARGE)

    def expected(self, size: int, packed: int) -> None:
        """Refuse what is to become hundreds of times larger."""
        if size > self.bounds.ratio_from and size > self.bounds.ratio * max(packed, 1):
            raise Refused(Refusal.RATIO)


def _sort(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return sort_of(head)


def _outside(name: str) -> bool:
    """Whether a path leads out of the folder it is unpacked in, on any system."""
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    return "\0" in name or name.startswith(("/", "\\")) or drive or ".." in parts


def _buffered(file: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(file, BUFFER)


def _again(head: bytes, file: BinaryIO) -> BinaryIO:
    """The whole of a document of which the head was read."""
    return io.BytesIO(head + file.read(4 * STEP))


def _plain(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file whose bytes all stand in the archive."""
    return member.isreg() and not member.issparse()


def _rest(file: BinaryIO, most: int | None) -> None:
    """Read to the end, or a little beyond what was promised, so that every byte is counted."""
    total = 0
    while (most is None or total <= most) and (piece := file.read(STEP)):
        total += len(piece)
