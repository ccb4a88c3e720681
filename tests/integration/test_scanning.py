"""The scanner's client: a real clamd, and things that only look like one."""

import io
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator

import pytest

from app.scanning import (
    BROKE_OFF,
    NO_ANSWER,
    NONE_HERE,
    NOT_UNDERSTOOD,
    TOO_LARGE,
    Clamd,
    NoScanner,
    scanner_for,
)
from storage.vocabulary import ScanVerdict
from tests.fixtures.clamd import EICAR, LARGEST, MARKER, needs_clamd
from workflows.ports import Scan


@needs_clamd
def test_harmless_bytes_are_clean(clamd: Clamd) -> None:
    assert clamd.scan([b"harmless ", b"bytes"]) == Scan(ScanVerdict.CLEAN)


@needs_clamd
def test_eicar_is_found_by_its_name(clamd: Clamd) -> None:
    assert clamd.scan([EICAR]) == Scan(ScanVerdict.INFECTED, "Assay.Test.Eicar.UNOFFICIAL")


@needs_clamd
def test_a_signature_is_found_inside_an_archive_in_an_archive(clamd: Clamd) -> None:
    data = zipped("inner.docx", zipped("word/document.xml", b"<a>" + MARKER + b"</a>"))
    found = clamd.scan([data])
    assert found.verdict is ScanVerdict.INFECTED
    assert "Marker" in found.detail


@needs_clamd
def test_a_signature_across_two_chunks_is_found(clamd: Clamd) -> None:
    cut = len(MARKER) // 2
    assert clamd.scan([MARKER[:cut], MARKER[cut:]]).verdict is ScanVerdict.INFECTED


@needs_clamd
def test_more_than_the_scanner_takes_is_not_scanned(clamd: Clamd) -> None:
    megabyte = bytes(1024**2)
    found = clamd.scan(megabyte for _ in range(LARGEST // len(megabyte) + 8))
    assert found == Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE)


def test_without_a_scanner_nothing_is_clean_and_it_says_so() -> None:
    assert isinstance(scanner_for(""), NoScanner)
    assert scanner_for("").scan([b"x"]) == Scan(ScanVerdict.NOT_SCANNED, NONE_HERE)
    assert scanner_for("127.0.0.1:3310") == Clamd("127.0.0.1:3310")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.ctl", "no-port", "host:port"])
def test_a_scanner_that_is_not_there_is_an_error_not_a_pass(address: str) -> None:
    assert Clamd(address, connect_seconds=1).scan([b"x"]) == Scan(ScanVerdict.ERROR, NO_ANSWER)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"stream: OK\0", Scan(ScanVerdict.CLEAN)),
        (b"stream: Win.Test FOUND\0", Scan(ScanVerdict.INFECTED, "Win.Test")),
        (b"stream: OK", Scan(ScanVerdict.ERROR, BROKE_OFF)),
        (b"", Scan(ScanVerdict.ERROR, BROKE_OFF)),
        (b"OK\0", Scan(ScanVerdict.ERROR, NOT_UNDERSTOOD)),
        (b"stream: OK FOUND OK\0", Scan(ScanVerdict.ERROR, NOT_UNDERSTOOD)),
        (b"HTTP/1.1 200 OK\r\n\r\n\0", Scan(ScanVerdict.ERROR, NOT_UNDERSTOOD)),
        (b"x" * 10_000, Scan(ScanVerdict.ERROR, BROKE_OFF)),
        (b"stream: memory error ERROR\0", Scan(ScanVerdict.ERROR, NOT_UNDERSTOOD)),
        (
            b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
            Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE),
        ),
    ],
)
def test_only_the_scanners_own_words_make_a_file_clean(
    liar: Callable[[bytes], str], said: bytes, verdict: Scan
) -> None:
    assert Clamd(liar(said), answer_seconds=5).scan([b"x" * 1000]) == verdict


def test_a_scanner_that_never_answers_is_an_error(liar: Callable[[bytes | None], str]) -> None:
    found = Clamd(liar(None), answer_seconds=0.2).scan([b"x"])
    assert found == Scan(ScanVerdict.ERROR, BROKE_OFF)


def test_a_scanner_that_dies_in_the_middle_is_an_error(dying: str) -> None:
    found = Clamd(dying, answer_seconds=5).scan(bytes(1024**2) for _ in range(64))
    assert found == Scan(ScanVerdict.ERROR, BROKE_OFF)


def test_what_clamd_cannot_look_into_is_not_scanned(liar: Callable[[bytes], str]) -> None:
    scanner = Clamd(liar(b"stream: OK\0"), largest=10)
    assert scanner.scan([b"x" * 11]) == Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE)


def zipped(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


@pytest.fixture
def liar() -> Iterator[Callable[[bytes | None], str]]:
    """Makes servers that read one INSTREAM whole and say what they are told (None: nothing)."""
    doors = []

    def serve(door: socket.socket, said: bytes | None) -> None:
        connection, _ = door.accept()
        with connection:
            read = b""
            while not read.endswith(b"\0\0\0\0") and (more := connection.recv(65536)):
                read += more
            if said is None:
                connection.recv(1)
            else:
                connection.sendall(said)

    def make(said: bytes | None) -> str:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)
        threading.Thread(target=serve, args=(door, said), daemon=True).start()
        return f"127.0.0.1:{door.getsockname()[1]}"

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def dying() -> Iterator[str]:
    """A server that closes the line after the first bytes."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = door.accept()
        connection.recv(4096)
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"127.0.0.1:{door.getsockname()[1]}"
    door.close()
