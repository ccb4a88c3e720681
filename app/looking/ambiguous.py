"""Files that are two things at once: what else than the type it goes by could read these bytes."""

import re
import struct
from typing import BinaryIO

from app.looking.kinds import Family
from app.looking.report import Report
from app.looking.sources import head_of, tail_of

HEAD, TAIL = 256 * 1024, 66 * 1024
MARKUP = re.compile(rb"<(?:!doctype\s+html|html|script|svg|iframe|\?php)[\s>/]", re.IGNORECASE)
ZIP_END = b"PK\x05\x06"
PACKED = frozenset({Family.ZIP, Family.OFFICE})
NAMES = {
    Family.PDF: "PDF",
    Family.IMAGE: "image",
    Family.MEDIA: "audio or video",
    Family.OFFICE: "office document",
    Family.ZIP: "ZIP",
    Family.TAR: "TAR",
    Family.TEXT: "text",
    Family.OTHER: "unknown",
}
BY_HEAD = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"#!", "script"),
)
A_FEW_BYTES = 64


def look(source: BinaryIO, sort: Family, media_type: str, report: Report) -> None:
    """Say what else the bytes are, and how many stand behind the end of a picture."""
    head, tail = head_of(source, HEAD), tail_of(source, TAIL)
    others = [*_by_head(head, sort), *_pdf(head, sort), *_zip(tail, sort), *_markup(head, sort)]
    if others:
        kinds = ", ".join([_named(sort, media_type), *dict.fromkeys(others)])
        report.signal("ambiguous", kinds=kinds)
    elif sort is Family.IMAGE and (behind := _behind(source, media_type)) > A_FEW_BYTES:
        report.signal("bytes_behind", size=behind)


def _named(sort: Family, media_type: str) -> str:
    kind, _, name = media_type.partition("/")
    return name.upper() if kind in {"image", "video", "audio"} else NAMES[sort]


def _by_head(head: bytes, sort: Family) -> list[str]:
    """What the first bytes say, where they do not belong to what the file goes by."""
    if sort in {Family.IMAGE, Family.MEDIA, Family.TEXT, Family.OTHER}:
        return []
    return [name for begins, name in BY_HEAD if head.startswith(begins)]


def _pdf(head: bytes, sort: Family) -> list[str]:
    # readers of PDF look for it in the first 1024 bytes
    return ["PDF"] if sort is not Family.PDF and b"%PDF-" in head[:1024] else []


def _zip(tail: bytes, sort: Family) -> list[str]:
    """A ZIP is read from its end: a directory that lies before it, and a comment that fits."""
    if sort in PACKED:
        return []
    at = tail.rfind(ZIP_END)
    if at < 0 or len(tail) - at < 22:
        return []
    (comment,) = struct.unpack_from("<H", tail, at + 20)
    entries, size = struct.unpack_from("<HI", tail, at + 10)
    return ["ZIP"] if at + 22 + comment <= len(tail) and entries * 46 <= size else []


def _markup(head: bytes, sort: Family) -> list[str]:
    if sort in {Family.TEXT, Family.OTHER, Family.ZIP, Family.TAR}:
        return []
    found = []
    early = head[:4096] if sort is not Family.IMAGE else head
    if MARKUP.search(early):
        found.append("HTML")
    # the width of a GIF that begins a JavaScript comment
    if head[:4] in {b"GIF8"} and head[6:8] in {b"/*", b"=1"}:
        found.append("JavaScript")
    return found


def _behind(source: BinaryIO, media_type: str) -> int:
    """How many bytes stand behind the end of a PNG, GIF or JPEG; 0 where that is not known."""
    tail = tail_of(source, 1024**2)
    if media_type == "image/png":
        at = tail.find(b"IEND\xaeB`\x82")
        return len(tail) - at - 8 if at >= 0 else 0
    if media_type == "image/jpeg":
        at = tail.rfind(b"\xff\xd9")
        return len(tail.rstrip(b"\0")) - at - 2 if at >= 0 else 0
    return 0
