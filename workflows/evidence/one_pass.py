"""One pass over the bytes of a file feeds everything that wants to see them, in flat memory.

    store ──▶ reading ahead ──▶ SHA-256 and size, first and last bytes
                 (thread)   └─▶ scanner (thread)

All three run at the same time: waiting for the line, hashing and sending to the scanner let go of
the interpreter. No stage is more than a few chunks ahead of the next. A file of one chunk needs no
threads, which would take longer than it does.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

from storage.ids import Sha256, sha256_of
from storage.vault.filetypes import HEAD, file_type
from storage.vocabulary import ScanVerdict
from workflows.archives.sorts import TAIL
from workflows.evidence.file_types import TypeFinding, judge_type
from workflows.evidence.to_look_into import sort_to_look_into
from workflows.evidence.verdicts import Reading
from workflows.ports import Scan, Scanner

WAITING_CHUNKS = 2

Progress = Callable[[int], None]


class _Feed:
    """Hands chunks to the scanner in a thread of its own, never more than a few ahead."""

    def __init__(self, scanner: Scanner) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(WAITING_CHUNKS)
        self._scan = Scan(ScanVerdict.ERROR)
        self._thread = threading.Thread(target=self._run, args=(scanner,), daemon=True)
        self._thread.start()

    def put(self, chunk: bytes) -> None:
        self._chunks.put(chunk)

    def end(self) -> None:
        """No more comes. The thread ends by itself."""
        self._chunks.put(None)

    def verdict(self) -> Scan:
        """What the scanner says, once it has seen everything."""
        self._thread.join()
        return self._scan

    def _run(self, scanner: Scanner) -> None:
        rest = self._arriving()
        try:
            self._scan = scanner.scan(rest)
        finally:
            for _ in rest:  # a scanner that has had enough must not hold up the others
                pass

    def _arriving(self) -> Iterator[bytes]:
        while (chunk := self._chunks.get()) is not None:
            yield chunk


class _Ahead:
    """Reads chunks in a thread of its own, so that the next is there when this one is hashed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._ready: queue.Queue[bytes | Exception | None] = queue.Queue(WAITING_CHUNKS)
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(chunks,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        while (got := self._ready.get()) is not None:
            if isinstance(got, Exception):
                raise got
            yield got

    def stop(self) -> None:
        """Nobody wants the rest; returns when the line is closed."""
        self._unwanted.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()

    def _run(self, chunks: Iterable[bytes]) -> None:
        try:
            for chunk in chunks:
                self._ready.put(chunk)
                if self._unwanted.is_set():
                    return
        except Exception as error:
            self._ready.put(error)
        else:
            self._ready.put(None)


@contextmanager
def _ahead(chunks: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    reading = _Ahead(chunks)
    try:
        yield reading
    finally:
        reading.stop()


def read_once(
    chunks: Iterable[bytes], file_name: str, scanner: Scanner, progress: Progress
) -> Reading:
    """Digest, size, type and scan of a file; `progress` hears how many bytes were read.

    What reading raises comes through.
    """
    arriving = iter(chunks)
    first, second = next(arriving, b""), next(arriving, None)
    if second is None:
        return _read_at_once(first, file_name, scanner)
    digest, size, head, tail = hashlib.sha256(), 0, bytearray(), b""
    feed = _Feed(scanner)
    try:
        with _ahead(chain((first, second), arriving)) as ahead:
            for chunk in ahead:
                feed.put(chunk)
                digest.update(chunk)
                size += len(chunk)
                if len(head) < HEAD:
                    head += chunk[: HEAD - len(head)]
                tail = chunk[-TAIL:] if len(chunk) >= TAIL else (tail + chunk)[-TAIL:]
                progress(size)
    finally:
        feed.end()
    found, sort = _judged(file_name, bytes(head), tail)
    return Reading(Sha256(digest.hexdigest()), size, found, feed.verdict(), sort)


def _read_at_once(whole: bytes, file_name: str, scanner: Scanner) -> Reading:
    try:
        scan = scanner.scan(iter((whole,)))
    except Exception:  # as of a scanner that fails in its thread
        scan = Scan(ScanVerdict.ERROR)
    found, sort = _judged(file_name, whole[:HEAD], whole[-TAIL:])
    return Reading(sha256_of(whole), len(whole), found, scan, sort)


def _judged(file_name: str, head: bytes, tail: bytes) -> tuple[TypeFinding, str]:
    found = judge_type(file_name, file_type(head), head, tail)
    return found, sort_to_look_into(file_name, found.media_type, head, tail)
