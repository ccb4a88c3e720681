"""Archives: what they say is inside. Nothing is unpacked to disk."""

import tarfile
import zipfile
import zlib
from typing import BinaryIO, Literal

from app.looking.report import DAMAGED, TOO_LARGE, Report
from app.looking.sources import size_of, tail_of

MOST_MEMBERS = 500
MOST_ENTRIES = 20_000
MOST_DIRECTORY = 32 * 1024**2
MOST_UNPACKED = 512 * 1024**2
ENCRYPTED = 0x1
ZIP_END = b"PK\x05\x06"


def listing(source: BinaryIO, report: Report, *, packed: bool) -> None:
    """Names and sizes of what is inside, the first few hundred of them."""
    try:
        if packed:
            _zip(source, report)
        else:
            _tar(source, report)
    except tarfile.ReadError:
        pass  # one packed file, and no archive
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError, zlib.error):
        report.trouble = report.trouble or DAMAGED


def opened_zip(source: BinaryIO) -> zipfile.ZipFile | None:
    """The archive; None when its table of contents alone would be too much."""
    tail = tail_of(source, 66 * 1024)
    at = tail.rfind(ZIP_END)
    if at >= 0 and len(tail) - at >= 16:
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        if MOST_DIRECTORY < size < 0xFFFFFFFF:
            return None
    return zipfile.ZipFile(source)


def _zip(source: BinaryIO, report: Report) -> None:
    archive = opened_zip(source)
    if archive is None:
        report.trouble = TOO_LARGE
        return
    with archive:
        members = archive.infolist()
        locked = any(one.flag_bits & ENCRYPTED for one in members)
        for one in members[:MOST_MEMBERS]:
            _list(report, one.filename, one.file_size, one.compress_size, one.flag_bits & ENCRYPTED)
        unpacked = sum(one.file_size for one in members)
        report.know(members=len(members), unpacked=unpacked, encrypted=locked)
        if locked:
            report.signal("encrypted")


def _tar(source: BinaryIO, report: Report) -> None:
    """Goes through it as far as is bearable; what it says of sizes is believed, not unpacked."""
    count = unpacked = 0
    mode: Literal["r:", "r|*"] = "r:" if _seeks(source) else "r|*"
    with tarfile.open(fileobj=source, mode=mode) as archive:
        for one in archive:
            count += 1
            unpacked += one.size
            if count <= MOST_MEMBERS:
                _list(report, one.name, one.size, 0, 0)
            if count >= MOST_ENTRIES or unpacked > MOST_UNPACKED:
                break
    report.know(members=count, unpacked=unpacked)


def _seeks(source: BinaryIO) -> bool:
    """Whether it is a plain TAR, in which the next member can be gone to."""
    source.seek(0)
    packed = source.read(2) in {b"\x1f\x8b", b"BZ"}
    source.seek(0)
    return not packed and size_of(source) > 0


def _list(report: Report, name: str, size: int, packed: int, encrypted: int) -> None:
    report.listing.append(
        {
            "name": name[:200].encode("utf-8", "replace").decode(),
            "size": size,
            "packed": packed,
            "encrypted": bool(encrypted),
        }
    )
