"""What bytes are, by their own beginning: libmagic's answer as a media type and in words."""

import pylibmagic  # noqa: F401, I001  # must come first: it leads `magic` to a libmagic
import magic

from dataclasses import dataclass
from functools import lru_cache

HEAD = 1024**2
"""So many bytes from the beginning are enough for every type that libmagic knows."""
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class FileType:
    """A media type such as `application/pdf`, and libmagic's description of it."""

    media_type: str
    description: str


def file_type(head: bytes) -> FileType:
    """The type of a file that begins with these bytes; unknown when libmagic cannot tell."""
    by_name, in_words = _readers()
    try:
        return FileType(by_name.from_buffer(head), in_words.from_buffer(head))
    except magic.MagicException:
        return FileType(UNKNOWN, "data")


@lru_cache(maxsize=1)
def _readers() -> tuple[magic.Magic, magic.Magic]:
    return magic.Magic(mime=True), magic.Magic()
