"""What becomes of a file after our pass over its bytes: sealed, rejected or quarantined. Pure."""

from dataclasses import dataclass

from storage.errors import Problem, Unavailable
from storage.ids import Sha256
from storage.vocabulary import EvidenceState, ScanVerdict
from workflows.evidence.file_types import Flag, TypeFinding
from workflows.ports import Scan


@dataclass(frozen=True)
class Reading:
    """What one pass over the bytes found."""

    sha256: Sha256
    size: int
    type: TypeFinding
    scan: Scan


@dataclass(frozen=True)
class Verdict:
    """Where the item goes. `reason` says why it is not sealed; None when it is."""

    state: EvidenceState
    flags: tuple[Flag, ...] = ()
    reason: Problem | None = None


def verdict(reading: Reading, declared_size: int, *, refuse_unscanned: bool) -> Verdict:
    """What becomes of the file.

    Raises Unavailable when the institution takes nothing unscanned and the scanner is away: then
    the item waits.
    """
    flags = tuple(sorted(reading.type.flags))
    if reading.scan.verdict is ScanVerdict.INFECTED:
        return Verdict(EvidenceState.QUARANTINED, flags, _infected(reading.scan))
    if reading.size != declared_size:
        return Verdict(EvidenceState.REJECTED, flags, _other_size(reading.size, declared_size))
    if reading.type.refusal is not None:
        return Verdict(EvidenceState.REJECTED, flags, reading.type.refusal)
    if refuse_unscanned and reading.scan.verdict is ScanVerdict.ERROR:
        raise Unavailable("The malware scanner is away; the file waits for it.")
    if refuse_unscanned and reading.scan.verdict is ScanVerdict.NOT_SCANNED:
        return Verdict(EvidenceState.REJECTED, flags, _unscanned(reading.scan))
    return Verdict(EvidenceState.SEALED, flags)


def _infected(scan: Scan) -> Problem:
    return Problem(
        "file",
        "The malware scanner found “%(name)s” in this file. It is locked away and nobody can open "
        "it. Check your computer, then upload a clean copy.",
        {"name": scan.detail},
    )


def _other_size(size: int, declared: int) -> Problem:
    return Problem(
        "file",
        "%(declared)s bytes were announced and %(size)s arrived. Please upload the file again.",
        {"declared": declared, "size": size},
    )


def _unscanned(scan: Scan) -> Problem:
    del scan
    return Problem(
        "file",
        "The malware scanner cannot look into this file, and this institution takes nothing "
        "unscanned. Ask staff, or send a smaller file.",
    )
