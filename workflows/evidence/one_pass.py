"""One pass over the bytes of a file feeds everything that wants to see them, in flat memory."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from storage.ids import Sha256
from storage.vault.filetypes import HEAD, file_type
from storage.vocabulary import ScanVerdict
from workflows.evidence.file_types import judge_type
from workflows.evidence.verdicts import Reading
from workflows.ports import Scan, Scanner

WAITING_CHUNKS = 3

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


def read_once(
    chunks: Iterable[bytes], file_name: str, scanner: Scanner, progress: Progress
) -> Reading:
    """Digest, size, type and scan of a file; `progress` hears how many bytes were read.

    What reading raises comes through.
    """
    digest, size, head = hashlib.sha256(), 0, bytearray()
    feed = _Feed(scanner)
    try:
        for chunk in chunks:
            feed.put(chunk)
            digest.update(chunk)
            size += len(chunk)
            if len(head) < HEAD:
                head += chunk[: HEAD - len(head)]
            progress(size)
    finally:
        feed.end()
    found = judge_type(file_name, file_type(bytes(head)))
    return Reading(Sha256(digest.hexdigest()), size, found, feed.verdict())
