"""Files that were made to harm: sealed, flagged, refused or locked away, by the real engines."""

import io
import resource
import socket
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator

import pytest

from app.scanning import Clamd
from storage.errors import Conflict, NotFound
from storage.ids import ItemId
from storage.tables import EvidenceItem
from storage.vocabulary import EvidenceState
from tests.fixtures.clamd import EICAR, LARGEST, MARKER, needs_clamd
from tests.fixtures.intake import Intake, noise
from tests.fixtures.invariants import clean
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.verdicts import SealPolicy

MIB = 1024**2
CONTENT_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/x"/>'
GIF = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6) + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + bytes(200)


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return body.getvalue()


def docx(document: bytes) -> bytes:
    return packed({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": document})


def words(item: EvidenceItem) -> str:
    return item.reason % item.reason_params


@pytest.fixture
def sure(intake: Intake, clamd: Clamd) -> Iterator[Intake]:
    """A learner whose files a real clamd looks at; afterwards rows and objects agree."""
    intake.scanner = clamd
    yield intake
    clean(intake)


pytestmark = needs_clamd


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (EICAR, "notes.txt"),
        (packed({"notes.txt": EICAR}), "work.zip"),
        (packed({"inner.zip": packed({"a.bin": b"x" * 50 + MARKER})}), "work.zip"),
        (docx(b"<w:document>" + MARKER + b"</w:document>"), "letter.docx"),
        (b"%PDF-1.7\n" + MARKER, "report.pdf"),
    ],
    ids=["EICAR", "EICAR in zip", "signature in zip in zip", "signature in docx", "in pdf"],
)
def test_malware_is_locked_away_and_nobody_gets_a_link(
    sure: Intake, body: bytes, name: str
) -> None:
    item = sure.sealed(body, name)
    assert (item.state, item.scan) == (EvidenceState.QUARANTINED, "infected")
    assert "malware scanner found" in words(item)
    assert list(sure.vault.list_keys("sealed/")) == []
    with pytest.raises((Conflict, NotFound)):
        link_to_evidence(sure.db, sure.vault, sure.learner, ItemId(item.id), "assess")


def test_what_clamd_has_seen_whole_is_clean(sure: Intake) -> None:
    harmless = {"a.txt": b"what I did", "b/c.csv": b"1,2\n"}
    for name, body in (
        ("a.pdf", noise(1000)),
        ("a.zip", packed(harmless)),
        ("a.docx", docx(b"<a/>")),
    ):
        item = sure.sealed(body, name)
        assert (item.state, item.scan) == (EvidenceState.SEALED, "clean"), name


def test_what_is_longer_than_clamd_takes_is_never_clean(sure: Intake) -> None:
    item = sure.sealed(noise(LARGEST + MIB), "long.pdf")
    assert (item.state, item.scan) == (EvidenceState.SEALED, "not_scanned")


def test_an_archive_that_is_larger_inside_than_clamd_looks_is_never_clean(sure: Intake) -> None:
    body = packed({str(n): noise(MIB, str(n)) for n in range(3)})
    item = sure.sealed(body, "work.zip", SealPolicy(scanned_inside=2 * MIB))
    assert (item.state, item.scan) == (EvidenceState.SEALED, "not_scanned")
    assert "larger inside" in item.scan_detail


def nested(levels: int) -> bytes:
    body = b"deep down"
    for level in range(levels):
        body = packed({f"{level}.zip": body})
    return body


def many_members() -> bytes:
    """A table of contents that says a million empty members, and has them."""
    count = 1_000_000
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *(0,) * 7, 1, *(0,) * 6)[:46] + b"a"
    entries = entry * count
    start = struct.pack("<4s5H3L2H", b"PK\3\4", 20, *(0,) * 7, 1, 0) + b"a"
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(entries), 31)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(start) + len(entries), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return start + entries + wide + locator + end


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: packed({"zeros.bin": bytes(40 * MIB)}), "hundreds of times larger"),
        (lambda: packed({"inner.zip": packed({"z": bytes(40 * MIB)})}), "hundreds of times larger"),
        (lambda: nested(6), "archives in archives"),
        (many_members, "more members"),
    ],
    ids=["ratio 1000", "ratio 1000 inside", "nested", "a million empty members"],
)
def test_bombs_are_rejected_in_bounded_memory(
    sure: Intake, make: Callable[[], bytes], says: str
) -> None:
    item_id = sure.store(make(), "work.zip")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    item = sure.seal(item_id)
    assert item.state == EvidenceState.REJECTED
    assert says in words(item)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 * 1024
    assert list(sure.vault.list_keys("")) == []


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "' + b"&x;" * 1000 + b'">'
    b'<!ENTITY z "' + b"&y;" * 1000 + b'">]><a>&z;</a>'
)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (docx(BOMB), "letter.docx"),
        (BOMB.replace(b"<a>", b"<svg>").replace(b"</a>", b"</svg>"), "drawing.svg"),
        (BOMB, "data.xml"),
    ],
    ids=["docx", "svg", "xml"],
)
def test_xml_that_multiplies_itself_is_rejected_and_never_expanded(
    sure: Intake, body: bytes, name: str
) -> None:
    item = sure.sealed(body, name)
    assert item.state == EvidenceState.REJECTED
    assert "grow without end" in words(item)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A door on this machine, and who knocked at it."""
    door, knocks = socket.create_server(("127.0.0.1", 0)), []

    def serve() -> None:
        while True:
            try:
                connection, address = door.accept()
            except OSError:
                return
            knocks.append(str(address))
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield door.getsockname()[1], knocks
    door.close()


@pytest.mark.parametrize("name", ["data.xml", "drawing.svg", "letter.docx"])
def test_xml_that_asks_for_other_files_is_flagged_and_nothing_is_fetched(
    sure: Intake, listener: tuple[int, list[str]], name: str
) -> None:
    port, knocks = listener
    document = (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/x">'
        f'<!ENTITY f SYSTEM "file:///etc/passwd">]><svg>&x;&f;</svg>'
    ).encode()
    if name == "data.xml":
        document = document.replace(b"svg", b"data")
    item = sure.sealed(docx(document) if name.endswith("docx") else document, name)
    assert item.state == EvidenceState.SEALED
    assert "refers" in item.flags
    assert knocks == []


def encrypted_zip() -> bytes:
    body = bytearray(packed({"a.txt": b"secret"}, zipfile.ZIP_STORED))
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        body[body.find(magic) + place] |= 1
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (encrypted_zip(), "work.zip"),
        (b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>\n%%EOF\n", "report.pdf"),
    ],
    ids=["zip", "pdf"],
)
def test_what_needs_a_password_is_marked_or_refused_and_never_clean(
    sure: Intake, body: bytes, name: str
) -> None:
    item = sure.sealed(body, name)
    assert (item.state, item.scan) == (EvidenceState.SEALED, "not_scanned")
    assert {"encrypted", "uninspected"} <= set(item.flags)
    assert "cannot be inspected" in item.scan_detail
    refused = sure.sealed(body + b"\n" * ("pdf" in name), name, SealPolicy(refuse_encrypted=True))
    assert refused.state == EvidenceState.REJECTED
    assert "password" in words(refused)


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\x01\0"])
def test_archives_that_nobody_here_can_read_cannot_be_inspected(sure: Intake, magic: bytes) -> None:
    item = sure.sealed(magic + bytes(200), "work.7z" if magic[0] == 55 else "work.rar")
    assert (item.state, item.scan) == (EvidenceState.SEALED, "not_scanned")
    assert "uninspected" in item.flags


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (GIF[:6] + b"/*" + GIF[8:] + b"*/=1;alert(1)", "picture.gif"),
        (JPEG + b"<!DOCTYPE html><script>alert(1)</script>\xff\xd9", "photo.jpg"),
        (noise(2000) + packed({"evil.class": b"\xca\xfe"}), "report.pdf"),
    ],
    ids=["GIF+JS", "JPEG+HTML", "PDF+ZIP"],
)
def test_two_types_in_one_file_are_marked_ambiguous(sure: Intake, body: bytes, name: str) -> None:
    item = sure.sealed(body, name)
    assert item.state == EvidenceState.SEALED
    assert "ambiguous" in item.flags


def test_a_bomb_behind_a_pdf_is_found(sure: Intake) -> None:
    item = sure.sealed(noise(2000) + packed({"z": bytes(20 * MIB)}), "report.pdf")
    assert item.state == EvidenceState.REJECTED


@pytest.mark.parametrize("files", [{"../../evil": b"x"}, {"/etc/cron.d/evil": b"x"}])
def test_archives_that_lead_out_of_their_folder_are_rejected(
    sure: Intake, files: dict[str, bytes]
) -> None:
    item = sure.sealed(packed(files), "work.zip")
    assert item.state == EvidenceState.REJECTED
    assert "outside of its folder" in words(item)


@pytest.mark.parametrize(
    "program",
    [
        b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0d\x86" + bytes(500),
        b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(500),
    ],
    ids=["Windows", "Linux"],
)
def test_a_pdf_that_is_a_program_is_rejected_with_the_reason(sure: Intake, program: bytes) -> None:
    item = sure.sealed(program, "report.pdf")
    assert item.state == EvidenceState.REJECTED
    assert "is a program" in words(item)
    assert list(sure.vault.list_keys("")) == []
