"""Which files are looked into before a scanner's word counts, and the look itself."""

from workflows.archives.findings import Findings, Unseen, from_json
from workflows.archives.sorts import ends_as_zip, is_xml, sort_of
from workflows.confining import Confined, Confinement, Limits, Source

LOOK = "workflows.archives.look:look"
MIB = 1024**2
LIMITS = Limits(cpu_seconds=60, wall_seconds=120, memory_bytes=768 * MIB, file_bytes=0)
XML_TYPES = ("image/svg+xml", "application/xml", "text/xml", "application/xhtml+xml")
PIECE, STRIDE = 64 * 1024, MIB


def sort_to_look_into(file_name: str, media_type: str, head: bytes, tail: bytes) -> str:
    """The sort of archive that a file is or carries, `xml`, or '' when there is nothing inside."""
    if sort := sort_of(head):
        return sort
    if ends_as_zip(tail):
        return "zip"
    declares = b"<!DOCTYPE" in head or b"<!ENTITY" in head or head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return "xml" if declares and (is_xml(file_name) or media_type in XML_TYPES) else ""


def look_inside(confinement: Confinement, sort: str, source: Source) -> Findings:
    """What the file holds. What makes the look itself give up is "unseen" and never good."""
    try:
        told = confinement.run(
            LOOK, {"sort": sort}, source=Source(source.size, _Ahead(source)), limits=LIMITS
        )
        return from_json(told)
    except (Confined, ValueError):
        return Findings(unseen=Unseen.TOO_MUCH)


class _Ahead:
    """Reads on in larger pieces where the reader goes straight on, in small ones where it jumps."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start = 0
        self._held = b""

    def __call__(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; see `Source`."""
        ends = self._start + len(self._held)
        if not (self._start <= offset and offset + length <= ends):
            straight_on = self._start <= offset <= ends
            wanted = max(length, STRIDE if straight_on else PIECE)
            wanted = min(wanted, self._source.size - offset)
            self._held = self._source.read(offset, wanted)
            self._start = offset
        begins = offset - self._start
        return self._held[begins : begins + length]
