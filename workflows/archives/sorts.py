"""Which bytes are an archive, by their own beginning or end. Pure."""

from typing import Final

HEAD: Final = 512
TAIL: Final = 65_557
"""The end record of a zip, with the longest comment that there can be."""
END_RECORD: Final = b"PK\x05\x06"
XML_ENDINGS: Final = (".xml", ".svg", ".rels", ".xhtml", ".vml")


def sort_of(head: bytes) -> str:
    """zip, gzip, bzip2, xz, tar, 7z, rar, cab or ''; by the first bytes."""
    if head.startswith((b"PK\x03\x04", END_RECORD, b"PK\x07\x08")):
        return "zip"
    for magic, name in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (b"MSCF\0\0\0\0", "cab"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ):
        if head.startswith(magic):
            return name
    return "tar" if head[257:262] == b"ustar" else ""


def ends_as_zip(tail: bytes) -> bool:
    """Whether the last bytes of a file are the end of a zip that has members."""
    at = tail.rfind(END_RECORD)
    if at < 0 or len(tail) - at < 22:
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    return count > 0 and at + 22 + comment <= len(tail)


def is_xml(name: str) -> bool:
    """Whether a name says that the file is XML."""
    return name.lower().endswith(XML_ENDINGS)
