"""What becomes of a file after our pass over its bytes: sealed, rejected or quarantined. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.errors import Problem, Unavailable
from storage.ids import Sha256
from storage.vocabulary import EvidenceState, ScanVerdict
from workflows.archives.findings import Findings, Refusal, Unseen
from workflows.evidence.file_types import Flag, TypeFinding
from workflows.ports import Scan
from workflows.words import marked

MIB = 1024**2
UNSEEN: Mapping[Unseen, str] = {
    Unseen.ENCRYPTED: marked("It cannot be inspected: a password is needed to open it."),
    Unseen.FORMAT: marked("It cannot be inspected: its way of packing is one we cannot look into."),
    Unseen.BROKEN: marked("It cannot be inspected: it is damaged, or ends too early."),
    Unseen.TOO_MUCH: marked("It cannot be inspected whole: there is too much in it."),
}
LARGER_INSIDE = marked("It is larger inside than the malware scanner looks.")
REFUSED: Mapping[Refusal, str] = {
    Refusal.RATIO: marked(
        "This archive is hundreds of times larger inside than outside, which files from work are "
        "not. Upload the files themselves."
    ),
    Refusal.TOO_MANY: marked(
        "This archive has more members than anybody could look at. Upload only the files that "
        "show what you can do."
    ),
    Refusal.TOO_LARGE: marked(
        "This archive is larger inside than what can be taken. Upload the files themselves."
    ),
    Refusal.NESTED: marked(
        "There are archives in archives in archives here. Upload the files themselves."
    ),
    Refusal.DUPLICATES: marked(
        "Two members of this archive have the same name, “%(name)s”: programs would show "
        "different ones. Pack it anew, or upload the files themselves."
    ),
    Refusal.MISMATCH: marked(
        "This archive's table of contents does not agree with what is in it. Pack it anew, or "
        "upload the files themselves."
    ),
    Refusal.OVERLAP: marked(
        "Members of this archive share the same bytes, as no usual program packs them. Pack it "
        "anew, or upload the files themselves."
    ),
    Refusal.OUTSIDE: marked(
        "The member “%(name)s” of this archive would be unpacked outside of its folder. Pack it "
        "anew, or upload the files themselves."
    ),
    Refusal.XML_BOMB: marked(
        "A document in this file is made to grow without end when it is opened. Save it anew, or "
        "export it as PDF."
    ),
}


@dataclass(frozen=True)
class SealPolicy:
    """How strict the institution is.

    `scanned_inside`: how much of an archive the scanner looks into; what is larger inside is not
    called clean. `lock_days`: for how long the store itself refuses to remove sealed bytes.
    """

    refuse_unscanned: bool = False
    refuse_encrypted: bool = False
    scanned_inside: int = 400 * MIB
    lock_days: int = 0


NOT_STRICT = SealPolicy()


@dataclass(frozen=True)
class Reading:
    """What one pass over the bytes found.

    `sort` is what there is to look into, and `inside` what that look found, where there was one.
    """

    sha256: Sha256
    size: int
    type: TypeFinding
    scan: Scan
    sort: str = ""
    inside: Findings | None = None

    @property
    def encrypted(self) -> bool:
        """Whether a password is needed to see it, or a part of it."""
        hidden = self.inside is not None and self.inside.unseen is Unseen.ENCRYPTED
        return hidden or Flag.ENCRYPTED in self.type.flags


@dataclass(frozen=True)
class Verdict:
    """Where the item goes. `reason` says why it is not sealed; None when it is.

    `scan` is the scanner's word as far as it can be believed.
    """

    state: EvidenceState
    scan: Scan
    flags: tuple[Flag, ...] = ()
    reason: Problem | None = None


def verdict(
    reading: Reading, declared_size: int, policy: SealPolicy, declared_sha256: str = ""
) -> Verdict:
    """What becomes of the file. `declared_sha256`: what the sender said of it; '' for nothing.

    Raises Unavailable when the institution takes nothing unscanned and the scanner is away: then
    the item waits.
    """
    scan, flags = believed(reading, policy), _flags(reading)
    if scan.verdict is ScanVerdict.INFECTED:
        return Verdict(EvidenceState.QUARANTINED, scan, flags, _infected(scan))
    refused = _not_what_was_sent(reading, declared_size, declared_sha256)
    refused = refused or _refused(reading, policy)
    if refused is not None:
        return Verdict(EvidenceState.REJECTED, scan, flags, refused)
    if policy.refuse_unscanned and scan.verdict is ScanVerdict.ERROR:
        raise Unavailable("The malware scanner is away; the file waits for it.")
    if policy.refuse_unscanned and scan.verdict is ScanVerdict.NOT_SCANNED:
        return Verdict(EvidenceState.REJECTED, scan, flags, _unscanned())
    return Verdict(EvidenceState.SEALED, scan, flags)


def believed(reading: Reading, policy: SealPolicy) -> Scan:
    """The scanner's word. "Clean" counts only for what it could have seen."""
    inside = reading.inside
    if reading.scan.verdict is not ScanVerdict.CLEAN:
        return reading.scan
    if reading.encrypted:
        return Scan(ScanVerdict.NOT_SCANNED, UNSEEN[Unseen.ENCRYPTED])
    if inside is not None and inside.unseen is not None:
        return Scan(ScanVerdict.NOT_SCANNED, UNSEEN[inside.unseen])
    if inside is not None and inside.expanded > policy.scanned_inside:
        return Scan(ScanVerdict.NOT_SCANNED, LARGER_INSIDE)
    return reading.scan


def _flags(reading: Reading) -> tuple[Flag, ...]:
    inside, flags = reading.inside, set(reading.type.flags)
    if reading.encrypted:
        flags |= {Flag.ENCRYPTED, Flag.UNINSPECTED}
    if inside is not None and inside.unseen is not None:
        flags.add(Flag.UNINSPECTED)
    if inside is not None and inside.external_entities:
        flags.add(Flag.REFERS)
    return tuple(sorted(flags))


def _not_what_was_sent(reading: Reading, size: int, sha256: str) -> Problem | None:
    if reading.size != size:
        return _other_size(reading.size, size)
    return _other_bytes() if sha256 not in {"", reading.sha256} else None


def _refused(reading: Reading, policy: SealPolicy) -> Problem | None:
    """Why the file cannot be taken, whatever the scanner says; None when it can."""
    inside = reading.inside
    if reading.type.refusal is not None:
        return reading.type.refusal
    if inside is not None and inside.refusal is not None:
        return Problem("file", REFUSED[inside.refusal], {"name": inside.name})
    if policy.refuse_encrypted and reading.encrypted:
        return _encrypted()
    return None


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


def _other_bytes() -> Problem:
    return Problem(
        "file",
        "What arrived is not the file that was announced: it was changed while it was sent, or on "
        "the way. Please upload it again.",
    )


def _encrypted() -> Problem:
    return Problem(
        "file",
        "A password is needed to open this file, so nobody could assess it. Save it without one "
        "and upload it again.",
    )


def _unscanned() -> Problem:
    return Problem(
        "file",
        "The malware scanner cannot look into this file, and this institution takes nothing "
        "unscanned. Ask staff, or send a smaller file.",
    )
