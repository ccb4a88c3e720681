"""What files are by their bytes, against what their names say: real bytes, real libmagic."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from storage.errors import Problem, Unavailable
from storage.ids import sha256_of
from storage.vault.filetypes import UNKNOWN, FileType, file_type
from storage.vocabulary import EvidenceState, ScanVerdict
from workflows.archives.findings import Findings, Refusal, Unseen
from workflows.evidence.file_types import Flag, TypeFinding, is_ambiguous, judge_type
from workflows.evidence.verdicts import NOT_STRICT, Reading, SealPolicy, verdict
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


ZIP_END = b"PK\x05\x06" + bytes(4) + b"\1\0\1\0" + bytes(10)
FINE = TypeFinding("application/pdf")
CLEAN = Scan(ScanVerdict.CLEAN)


def reading(found: TypeFinding = FINE, scan: Scan = CLEAN, size: int = 10) -> Reading:
    return Reading(sha256_of(b"x"), size, found, scan)


def test_a_clean_file_of_the_right_type_and_size_is_sealed() -> None:
    flagged = TypeFinding("text/html", frozenset({Flag.ACTIVE}))
    passed = verdict(reading(flagged), 10, SealPolicy(refuse_unscanned=True))
    assert passed.state is EvidenceState.SEALED
    assert passed.flags == (Flag.ACTIVE,)
    assert passed.reason is None


def test_malware_is_quarantined_before_anything_else_is_looked_at() -> None:
    program = TypeFinding("x", refusal=Problem("file", "A program."))
    found = verdict(reading(program, Scan(ScanVerdict.INFECTED, "Eicar"), size=9), 10, NOT_STRICT)
    assert found.state is EvidenceState.QUARANTINED
    assert "Eicar" in str(found.reason)


def test_a_file_that_arrived_with_another_size_is_rejected() -> None:
    found = verdict(reading(size=11), 10, NOT_STRICT)
    assert found.state is EvidenceState.REJECTED
    assert "10 bytes were announced and 11 arrived" in str(found.reason)


def test_a_refused_type_is_rejected_with_its_reason() -> None:
    reason = Problem("file", "A program.")
    found = verdict(reading(TypeFinding("x", refusal=reason)), 10, NOT_STRICT)
    assert (found.state, found.reason) == (EvidenceState.REJECTED, reason)


@pytest.mark.parametrize("said", [ScanVerdict.NOT_SCANNED, ScanVerdict.ERROR])
def test_what_was_not_scanned_is_sealed_where_the_institution_allows_it(
    said: ScanVerdict,
) -> None:
    found = verdict(reading(scan=Scan(said)), 10, NOT_STRICT)
    assert found.state is EvidenceState.SEALED


def test_where_nothing_unscanned_is_taken_it_waits_for_the_scanner_or_is_rejected() -> None:
    with pytest.raises(Unavailable):
        verdict(reading(scan=Scan(ScanVerdict.ERROR)), 10, SealPolicy(refuse_unscanned=True))
    found = verdict(
        reading(scan=Scan(ScanVerdict.NOT_SCANNED)), 10, SealPolicy(refuse_unscanned=True)
    )
    assert found.state is EvidenceState.REJECTED
    assert "nothing unscanned" in str(found.reason)


@pytest.mark.parametrize(
    ("media_type", "head", "tail"),
    [
        ("application/pdf", b"%PDF-1.7", b"x" * 30 + ZIP_END),
        ("application/pdf", b"<html>%PDF-1.7", b""),
        ("image/gif", b"GIF89a/*junk*/=1;alert(1)", b""),
        ("image/gif", b"GIF89a=1;alert(1)", b""),
        ("image/jpeg", b"\xff\xd8\xff\xe0/*", b""),
        ("image/jpeg", b"\xff\xd8\xff\xe0JFIF", b"<!DOCTYPE html><script>"),
        ("image/png", b"\x89PNG", b"x" * 30 + ZIP_END),
        ("image/png", b"\x89PNG ... %PDF-1.4", b""),
        ("application/zip", b"PK\x03\x04 .... %PDF-1.4", b""),
        ("video/mp4", b"ftyp <SCRIPT>", b""),
    ],
)
def test_bytes_that_would_also_do_as_another_type_are_flagged(
    media_type: str, head: bytes, tail: bytes
) -> None:
    finding = judge_type("x", FileType(media_type, ""), head, tail)
    assert Flag.AMBIGUOUS in finding.flags


@pytest.mark.parametrize(
    ("media_type", "head", "tail"),
    [
        ("application/pdf", b"%PDF-1.7", b"%%EOF"),
        ("application/zip", b"PK\x03\x04", ZIP_END),
        ("text/html", b"<html><script>", b"</html>"),
        ("image/svg+xml", b"<svg><script/></svg>", b"</svg>"),
        ("image/jpeg", b"\xff\xd8\xff\xe0JFIF", b"\xff\xd9"),
    ],
)
def test_bytes_of_one_type_are_not_called_ambiguous(
    media_type: str, head: bytes, tail: bytes
) -> None:
    assert not is_ambiguous(media_type, head, tail)


def test_a_pdf_with_a_password_is_flagged() -> None:
    found = FileType("application/pdf", "PDF document")
    assert judge_type("a.pdf", found, b"%PDF-1.7", b"/Encrypt 5 0 R").flags == {Flag.ENCRYPTED}
    assert judge_type("a.pdf", found, b"%PDF-1.7", b"trailer").flags == frozenset()


@pytest.mark.parametrize("why", Unseen)
def test_clean_is_not_believed_of_what_nobody_could_look_into(why: Unseen) -> None:
    found = verdict(replace(reading(), inside=Findings(unseen=why)), 10, NOT_STRICT)
    assert found.state is EvidenceState.SEALED
    assert found.scan.verdict is ScanVerdict.NOT_SCANNED
    assert "cannot be inspected" in found.scan.detail
    assert Flag.UNINSPECTED in found.flags


def test_clean_is_not_believed_of_what_is_larger_inside_than_the_scanner_looks() -> None:
    large = replace(reading(), inside=Findings(expanded=11))
    assert verdict(large, 10, SealPolicy(scanned_inside=10)).scan.verdict == "not_scanned"
    assert verdict(large, 10, SealPolicy(scanned_inside=11)).scan.verdict == "clean"


def test_infected_is_believed_of_everything() -> None:
    bomb = replace(
        reading(scan=Scan(ScanVerdict.INFECTED, "x")), inside=Findings(refusal=Refusal.RATIO)
    )
    assert verdict(bomb, 10, NOT_STRICT).state is EvidenceState.QUARANTINED


@pytest.mark.parametrize("why", Refusal)
def test_every_sort_of_hostile_archive_is_rejected_in_words(why: Refusal) -> None:
    inside = Findings(refusal=why, name="a.txt")
    found = verdict(replace(reading(), inside=inside), 10, NOT_STRICT)
    assert found.state is EvidenceState.REJECTED
    assert len(str(found.reason)) > 40
    assert "%(" not in str(found.reason)


def test_what_needs_a_password_is_taken_or_refused_by_policy() -> None:
    for locked in (
        reading(TypeFinding("application/pdf", frozenset({Flag.ENCRYPTED}))),
        replace(reading(), inside=Findings(unseen=Unseen.ENCRYPTED)),
    ):
        taken = verdict(locked, 10, NOT_STRICT)
        assert (taken.state, taken.scan.verdict) == (EvidenceState.SEALED, "not_scanned")
        assert {Flag.ENCRYPTED, Flag.UNINSPECTED} <= set(taken.flags)
        refused = verdict(locked, 10, SealPolicy(refuse_encrypted=True))
        assert refused.state is EvidenceState.REJECTED
        assert "password" in str(refused.reason)


def test_a_file_that_refers_to_others_is_flagged() -> None:
    found = verdict(replace(reading(), inside=Findings(external_entities=True)), 10, NOT_STRICT)
    assert found.flags == (Flag.REFERS,)
