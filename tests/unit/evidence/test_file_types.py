"""What files are by their bytes, against what their names say: real bytes, real libmagic."""

import io
import zipfile

import pytest
from PIL import Image

from storage.errors import Problem, Unavailable
from storage.ids import sha256_of
from storage.vault.filetypes import UNKNOWN, FileType, file_type
from storage.vocabulary import EvidenceState, ScanVerdict
from workflows.evidence.file_types import Flag, TypeFinding, judge_type
from workflows.evidence.verdicts import Reading, verdict
from workflows.ports import Scan


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def image(form: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (9, 9)).save(made, form)
    return made.getvalue()


PROGRAM = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0d\x86" + bytes(100)
ELF = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0\1" + bytes(100)
PDF = b"%PDF-1.7\n"
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
MOV = b"\0\0\0\x14ftypqt  \0\0\2\0qt  "
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
HTML = b"<!doctype html><html><script>1</script></html>"
DOCX = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")
NOISE = bytes(range(1, 32)) * 40


def judged(name: str, data: bytes) -> TypeFinding:
    return judge_type(name, file_type(data))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.pdf", PDF),
        ("REPORT.PDF", PDF),
        ("photo.jpg", image("JPEG")),
        ("photo.png", image("PNG")),
        ("film.mp4", MP4),
        ("film.mov", MOV),
        ("sheet.docx", DOCX),
        ("bundle.zip", zipped("a.txt")),
        ("notes.txt", b"hello\n"),
        ("part.nc", b"G21\nG90\nM3 S1000\n"),
        ("table.csv", b"a,b\n1,2\n3,4\n"),
        ("data.json", b'{"a": 1}'),
        ("letter.rtf", b"{\\rtf1 hi}"),
        ("no ending", PDF),
        ("strange.xyz", b"hello"),
    ],
)
def test_a_file_that_is_what_its_name_says_is_taken(name: str, data: bytes) -> None:
    finding = judged(name, data)
    assert finding.refusal is None
    assert finding.flags == frozenset()


@pytest.mark.parametrize("name", ["report.pdf", "tool.exe", "photo.jpg", "nothing", "film.mp4"])
@pytest.mark.parametrize("data", [PROGRAM, ELF], ids=["windows", "linux"])
def test_a_program_is_never_taken_whatever_it_is_called(name: str, data: bytes) -> None:
    refusal = judged(name, data).refusal
    assert refusal is not None
    assert "program" in str(refusal)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.pdf", zipped("a.txt")),
        ("report.pdf", HTML),
        ("report.pdf", NOISE),
        ("photo.jpg", SVG),
        ("photo.jpg", HTML),
        ("photo.jpg", PDF),
        ("film.mp4", HTML),
        ("sheet.docx", HTML),
        ("bundle.zip", PDF),
        ("notes.txt", PDF),
        ("drawing.svg", image("PNG")),
    ],
)
def test_a_file_of_another_sort_than_its_name_is_refused_with_the_reason(
    name: str, data: bytes
) -> None:
    refusal = judged(name, data).refusal
    assert refusal is not None
    assert f".{name.rpartition('.')[2]}”" in str(refusal)
    assert "they look like" in str(refusal)


@pytest.mark.parametrize(
    ("name", "data", "flag"),
    [
        ("drawing.svg", SVG, Flag.ACTIVE),
        ("drawing.svg", b"<!-- hi --><svg></svg>", Flag.ACTIVE),
        ("page.html", HTML, Flag.ACTIVE),
        ("page.html", b"just words", Flag.ACTIVE),
        ("page.txt", HTML, Flag.ACTIVE),
        ("no ending", HTML, Flag.ACTIVE),
        ("tool.sh", b"#!/bin/sh\necho\n", Flag.ACTIVE),
        ("photo.jpg", image("PNG"), Flag.TYPE_DIFFERS),
        ("film.mov", MP4, Flag.TYPE_DIFFERS),
        ("film.mp4", NOISE, Flag.TYPE_UNKNOWN),
    ],
)
def test_what_readers_should_know_is_flagged_and_the_file_kept(
    name: str, data: bytes, flag: Flag
) -> None:
    finding = judged(name, data)
    assert finding.refusal is None
    assert flag in finding.flags


def test_an_office_file_with_a_password_is_flagged() -> None:
    found = judge_type("sheet.xlsx", FileType("application/encrypted", "CDFV2 Encrypted"))
    assert found == TypeFinding("application/encrypted", frozenset({Flag.ENCRYPTED}))


def test_bytes_that_libmagic_chokes_on_are_of_unknown_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import magic

    def choke(*_: object) -> str:
        raise magic.MagicException("no")

    monkeypatch.setattr(magic.Magic, "from_buffer", choke)
    assert file_type(b"x") == FileType(UNKNOWN, "data")


FINE = TypeFinding("application/pdf")
CLEAN = Scan(ScanVerdict.CLEAN)


def reading(found: TypeFinding = FINE, scan: Scan = CLEAN, size: int = 10) -> Reading:
    return Reading(sha256_of(b"x"), size, found, scan)


def test_a_clean_file_of_the_right_type_and_size_is_sealed() -> None:
    flagged = TypeFinding("text/html", frozenset({Flag.ACTIVE}))
    passed = verdict(reading(flagged), 10, refuse_unscanned=True)
    assert passed.state is EvidenceState.SEALED
    assert passed.flags == (Flag.ACTIVE,)
    assert passed.reason is None


def test_malware_is_quarantined_before_anything_else_is_looked_at() -> None:
    program = TypeFinding("x", refusal=Problem("file", "A program."))
    found = verdict(
        reading(program, Scan(ScanVerdict.INFECTED, "Eicar"), size=9), 10, refuse_unscanned=False
    )
    assert found.state is EvidenceState.QUARANTINED
    assert "Eicar" in str(found.reason)


def test_a_file_that_arrived_with_another_size_is_rejected() -> None:
    found = verdict(reading(size=11), 10, refuse_unscanned=False)
    assert found.state is EvidenceState.REJECTED
    assert "10 bytes were announced and 11 arrived" in str(found.reason)


def test_a_refused_type_is_rejected_with_its_reason() -> None:
    reason = Problem("file", "A program.")
    found = verdict(reading(TypeFinding("x", refusal=reason)), 10, refuse_unscanned=False)
    assert (found.state, found.reason) == (EvidenceState.REJECTED, reason)


@pytest.mark.parametrize("said", [ScanVerdict.NOT_SCANNED, ScanVerdict.ERROR])
def test_what_was_not_scanned_is_sealed_where_the_institution_allows_it(
    said: ScanVerdict,
) -> None:
    found = verdict(reading(scan=Scan(said)), 10, refuse_unscanned=False)
    assert found.state is EvidenceState.SEALED


def test_where_nothing_unscanned_is_taken_it_waits_for_the_scanner_or_is_rejected() -> None:
    with pytest.raises(Unavailable):
        verdict(reading(scan=Scan(ScanVerdict.ERROR)), 10, refuse_unscanned=True)
    found = verdict(reading(scan=Scan(ScanVerdict.NOT_SCANNED)), 10, refuse_unscanned=True)
    assert found.state is EvidenceState.REJECTED
    assert "nothing unscanned" in str(found.reason)
