"""Whether a file is what its name says, going by its own first bytes. Pure.

A program is never taken, whatever it is called. A file whose bytes are of another family than its
name is refused with the reason. What a browser could run (SVG, HTML) is kept and flagged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from storage.errors import Problem
from storage.vault.filetypes import UNKNOWN, FileType
from workflows.archives.sorts import ends_as_zip


class Flag(StrEnum):
    """What readers of a file should know of it."""

    ACTIVE = "active"
    """a browser could run it (SVG, HTML, script): it is only ever handed out as a download"""
    TYPE_DIFFERS = "type_differs"
    """of the same family as its name says, but not the same type"""
    TYPE_UNKNOWN = "type_unknown"
    """its bytes do not tell what it is"""
    ENCRYPTED = "encrypted"
    """it cannot be looked into without a password"""
    AMBIGUOUS = "ambiguous"
    """its bytes are also those of another type: what it is depends on the program"""
    UNINSPECTED = "uninspected"
    """it could not be looked into, or not into all of it"""
    REFERS = "refers"
    """it asks programs to read in something from elsewhere"""


@dataclass(frozen=True)
class TypeFinding:
    """What a file is. `refusal` says why it cannot be taken; None when it can."""

    media_type: str
    flags: frozenset[Flag] = frozenset()
    refusal: Problem | None = None


@dataclass(frozen=True)
class Family:
    """Types that may stand behind the same endings, as beginnings of media types."""

    endings: str
    media_types: tuple[str, ...]


PROGRAMS = frozenset(
    {
        "application/x-dosexec",
        "application/vnd.microsoft.portable-executable",
        "application/x-msdownload",
        "application/x-executable",
        "application/x-pie-executable",
        "application/x-sharedlib",
        "application/x-object",
        "application/x-mach-binary",
        "application/x-java-applet",
        "application/x-ms-shortcut",
        "application/x-msi",
        "application/vnd.android.package-archive",
    }
)
ACTIVE_TYPES = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "application/javascript",
        "text/javascript",
        "text/x-shellscript",
        "text/x-msdos-batch",
        "text/x-script.python",
    }
)
SHOWN = ("image/", "video/", "audio/", "application/pdf", "text/")
PAGES = (b"<script", b"<!doctype html", b"<html", b"<iframe", b"<?php")
"""What no picture, film or sound has in it, at its beginning or end, by chance."""
PAGE_WORDS = (*PAGES, b"<svg", b"gif8")
ENCRYPTED_TYPES = ("application/encrypted", "application/cdfv2-encrypted")
PACKED_OFFICE = (
    "application/vnd.openxmlformats-officedocument",
    "application/vnd.oasis.opendocument",
)

SVG = Family("svg", ("image/svg+xml", "text/", "application/xml"))
PAGE = Family("htm html xhtml mht mhtml", ("text/", "application/xhtml+xml", "message/"))
IMAGE = Family("jpg jpeg png gif webp heic heif avif tif tiff bmp", ("image/",))
TEXT = Family(
    "txt md csv tsv log json xml yaml yml srt vtt nc gcode ngc tap mpf "
    "py js mjs sql sh ps1 bat c h cpp java cs",
    (
        "text/",
        "message/",
        "application/json",
        "application/xml",
        "application/x-ndjson",
        "application/javascript",
    ),
)
FAMILIES: Mapping[str, Family] = {
    ending: family
    for family in (
        SVG,
        PAGE,
        IMAGE,
        TEXT,
        Family("pdf", ("application/pdf",)),
        Family("rtf", ("text/rtf", "application/rtf")),
        # libmagic does not know every film
        Family(
            "mp4 m4v mov webm mkv avi mpg mpeg wmv 3gp ogv mts m2ts "
            "mp3 m4a wav ogg oga opus flac aac wma amr",
            ("video/", "audio/", "application/ogg", "application/mp4", UNKNOWN),
        ),
        Family(
            "docx xlsx pptx docm xlsm odt ods odp odg doc xls ppt",
            (
                *PACKED_OFFICE,
                *ENCRYPTED_TYPES,
                "application/vnd.ms-",
                "application/msword",
                "application/cdfv2",
                "application/x-ole-storage",
                "application/zip",
                "text/rtf",
                UNKNOWN,
            ),
        ),
        Family(
            "zip 7z rar tar gz tgz",
            (
                *PACKED_OFFICE,
                "application/zip",
                "application/x-zip",
                "application/x-7z-compressed",
                "application/x-rar",
                "application/vnd.rar",
                "application/x-tar",
                "application/gzip",
                "application/x-gzip",
            ),
        ),
    )
    for ending in family.endings.split()
}
USUAL_TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
}


def judge_type(
    file_name: str, found: FileType, head: bytes = b"", tail: bytes = b""
) -> TypeFinding:
    """Whether a file of this name may be of the type that its bytes show.

    `head` and `tail` are its first and last bytes, as many as there are at hand.
    """
    media_type = found.media_type.lower()
    ending = PurePath(file_name).suffix.lower().lstrip(".")
    if media_type in PROGRAMS:
        return TypeFinding(media_type, refusal=_program(ending))
    family = FAMILIES.get(ending)
    if family is not None and not _belongs(family, media_type):
        return TypeFinding(media_type, refusal=_mismatch(ending, found))
    flags = _flags(ending, media_type)
    if is_ambiguous(media_type, head, tail):
        flags |= {Flag.AMBIGUOUS}
    if media_type == "application/pdf" and (b"/Encrypt" in head or b"/Encrypt" in tail):
        flags |= {Flag.ENCRYPTED}
    return TypeFinding(media_type, flags)


def is_ambiguous(media_type: str, head: bytes, tail: bytes) -> bool:
    """Whether the bytes would also do as another type: a zip behind a PDF, a page in a picture."""
    if media_type.startswith(SHOWN) and ends_as_zip(tail):
        return True
    if media_type == "application/pdf":
        before = head[: max(head.find(b"%PDF-"), 0)].lower()
        return head[:4] == b"PK\x03\x04" or any(word in before for word in PAGE_WORDS)
    if b"%PDF-" in head[:1024]:
        return True
    if not media_type.startswith(("image/", "video/", "audio/")) or media_type in ACTIVE_TYPES:
        return False
    as_script = head[:6] in {b"GIF87a", b"GIF89a"} and head[6:8] in {b"/*", b"=1", b"='", b'="'}
    as_script = as_script or (head[:2] == b"\xff\xd8" and head[4:6] == b"/*")
    return as_script or any(word in part for part in (head.lower(), tail.lower()) for word in PAGES)


def _belongs(family: Family, media_type: str) -> bool:
    hidden_script = media_type in ACTIVE_TYPES and family not in (SVG, PAGE, TEXT)
    return media_type.startswith(family.media_types) and not hidden_script


def _flags(ending: str, media_type: str) -> frozenset[Flag]:
    usual = USUAL_TYPES.get(ending)
    runs = media_type in ACTIVE_TYPES or FAMILIES.get(ending) in (SVG, PAGE)
    flags = {
        Flag.ACTIVE: runs,
        Flag.TYPE_DIFFERS: usual is not None and media_type not in {usual, UNKNOWN},
        Flag.TYPE_UNKNOWN: media_type == UNKNOWN,
        Flag.ENCRYPTED: media_type in ENCRYPTED_TYPES,
    }
    return frozenset(flag for flag, raised in flags.items() if raised)


def _program(ending: str) -> Problem:
    if ending:
        return Problem(
            "file",
            "The name ends in “.%(ending)s”, but the file is a program. Programs cannot be taken: "
            "show what it does in a video, or send its source as text.",
            {"ending": ending},
        )
    return Problem(
        "file",
        "The file is a program. Programs cannot be taken: show what it does in a video, or send "
        "its source as text.",
    )


def _mismatch(ending: str, found: FileType) -> Problem:
    return Problem(
        "file",
        "The name ends in “.%(ending)s”, but the bytes are not of that sort; they look like: "
        "%(found)s. Export the file again, or give it the name it should have.",
        {"ending": ending, "found": found.description[:120]},
    )
