"""The malware scanner: a small client of clamd's INSTREAM, and what says that there is none.

A file is clean only when clamd itself said so of all of its bytes; everything else is "not
scanned" or an error, with the reason. clamd answers OK for what lies beyond its own MaxFileSize:
set its StreamMaxLength no higher than MaxFileSize and MaxScanSize, and `AlertExceedsMax yes`.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from storage.vocabulary import ScanVerdict
from workflows.ports import Scan, Scanner
from workflows.words import marked

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 180.0
PIECE = 256 * 1024
LONGEST_ANSWER = 4096
LARGEST_SCANNED = 2 * 1024**3 - 1
"""clamd itself cannot look into larger files, whatever it answers."""

NONE_HERE = marked("There is no malware scanner here.")
TOO_LARGE = marked("The file is larger than the malware scanner takes.")
NO_ANSWER = marked("The malware scanner did not answer.")
BROKE_OFF = marked("The malware scanner broke off in the middle of the file.")
NOT_UNDERSTOOD = marked("The malware scanner answered something that is not a verdict.")
LIMITS = "Heuristics.Limits.Exceeded"


class NoScanner:
    """Stands where no scanner is set up: everything is "not scanned", and says so."""

    def scan(self, chunks: Iterable[bytes]) -> Scan:
        """Not scanned. The bytes are not looked at."""
        del chunks
        return Scan(ScanVerdict.NOT_SCANNED, NONE_HERE)


@dataclass(frozen=True)
class Clamd:
    """A running clamd at `host:port`, or at the path of its socket."""

    address: str
    connect_seconds: float = CONNECT_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    largest: int = LARGEST_SCANNED

    def scan(self, chunks: Iterable[bytes]) -> Scan:
        """What clamd says of these bytes. Never raises; never clean unless clamd said so."""
        try:
            connection = self._connect()
        except (OSError, ValueError):
            return Scan(ScanVerdict.ERROR, NO_ANSWER)
        with connection:
            return self._ask(connection, chunks)

    def _connect(self) -> socket.socket:
        if "/" in self.address:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(self.connect_seconds)
            connection.connect(self.address)
        else:
            host, _, port = self.address.rpartition(":")
            connection = socket.create_connection((host, int(port)), self.connect_seconds)
        connection.settimeout(self.answer_seconds)
        return connection

    def _ask(self, connection: socket.socket, chunks: Iterable[bytes]) -> Scan:
        sent, broke_off = 0, False
        try:
            connection.sendall(b"zINSTREAM\0")
            for chunk in chunks:
                sent += len(chunk)
                if sent > self.largest:
                    return Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE)
                _send(connection, chunk)
            connection.sendall(b"\0\0\0\0")
        except OSError:
            broke_off = True  # clamd closes when it has had enough: it may have said why
        return _verdict(_answer(connection), broke_off)


def scanner_for(clamd_address: str) -> Scanner:
    """The scanner that the setting names; without an address, none."""
    return Clamd(clamd_address) if clamd_address else NoScanner()


def _send(connection: socket.socket, chunk: bytes) -> None:
    view = memoryview(chunk)
    for start in range(0, len(view), PIECE):
        piece = view[start : start + PIECE]
        connection.sendall(len(piece).to_bytes(4, "big"))
        connection.sendall(piece)


def _answer(connection: socket.socket) -> str:
    """What clamd says until it ends its line; '' when it says nothing."""
    said = b""
    with suppress(OSError):
        while b"\0" not in said and len(said) < LONGEST_ANSWER:
            more = connection.recv(LONGEST_ANSWER)
            if not more:
                break
            said += more
    line, end, _ = said.partition(b"\0")
    return line.decode("utf-8", "replace").strip() if end else ""


def _verdict(answer: str, broke_off: bool) -> Scan:
    if "size limit exceeded" in answer:
        return Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE)
    found = answer.removeprefix("stream: ").removesuffix(" FOUND")
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        if found.startswith(LIMITS):
            return Scan(ScanVerdict.NOT_SCANNED, TOO_LARGE)
        return Scan(ScanVerdict.INFECTED, found)
    if broke_off:
        return Scan(ScanVerdict.ERROR, BROKE_OFF)
    if answer == "stream: OK":
        return Scan(ScanVerdict.CLEAN)
    return Scan(ScanVerdict.ERROR, NOT_UNDERSTOOD if answer else BROKE_OFF)
