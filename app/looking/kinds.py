"""Which tool looks into a file: by what the seal found in its bytes, and where that says little,
by its name."""

from enum import StrEnum
from pathlib import PurePath


class Family(StrEnum):
    """Files that one tool looks into."""

    PDF = "pdf"
    IMAGE = "image"
    MEDIA = "media"
    OFFICE = "office"
    ZIP = "zip"
    TAR = "tar"
    TEXT = "text"
    OTHER = "other"


EXACT = {
    "application/pdf": Family.PDF,
    "image/svg+xml": Family.TEXT,
    "image/jpeg": Family.IMAGE,
    "image/png": Family.IMAGE,
    "image/gif": Family.IMAGE,
    "image/webp": Family.IMAGE,
    "image/tiff": Family.IMAGE,
    "image/bmp": Family.IMAGE,
    "image/x-ms-bmp": Family.IMAGE,
    "image/avif": Family.IMAGE,
    "image/heic": Family.IMAGE,
    "image/heif": Family.IMAGE,
    "image/heic-sequence": Family.IMAGE,
    "application/ogg": Family.MEDIA,
    "application/mp4": Family.MEDIA,
    "application/x-tar": Family.TAR,
    "application/gzip": Family.TAR,
    "application/x-gzip": Family.TAR,
    "application/json": Family.TEXT,
    "application/xml": Family.TEXT,
    "application/x-ndjson": Family.TEXT,
    "application/javascript": Family.TEXT,
    "application/xhtml+xml": Family.TEXT,
    "message/rfc822": Family.TEXT,
    "text/rtf": Family.OTHER,
}
BEGINNINGS = (
    ("application/vnd.openxmlformats-officedocument", Family.OFFICE),
    ("application/vnd.oasis.opendocument", Family.OFFICE),
    ("application/vnd.ms-word.document.macro", Family.OFFICE),
    ("application/vnd.ms-excel.sheet.macro", Family.OFFICE),
    ("video/", Family.MEDIA),
    ("audio/", Family.MEDIA),
    ("text/", Family.TEXT),
)
OFFICE_ENDINGS = frozenset(
    ("docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods", "odp", "odg")
)
FILM_ENDINGS = frozenset(
    ("mp4", "m4v", "mov", "webm", "mkv", "avi", "mpg", "mpeg", "wmv", "3gp", "ogv", "mts", "m2ts")
)
SOUND_ENDINGS = frozenset(("mp3", "m4a", "wav", "ogg", "oga", "opus", "flac", "aac", "wma", "amr"))


def family(media_type: str, file_name: str) -> Family:
    """The family of a file of this type and name."""
    ending = PurePath(file_name).suffix.lower().lstrip(".")
    if media_type in {"application/zip", "application/x-zip"}:
        return Family.OFFICE if ending in OFFICE_ENDINGS else Family.ZIP
    if media_type in EXACT:
        return EXACT[media_type]
    for beginning, found in BEGINNINGS:
        if media_type.startswith(beginning):
            return found
    return Family.MEDIA if ending in FILM_ENDINGS | SOUND_ENDINGS else Family.OTHER
