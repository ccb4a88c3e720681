"""How much memory web and worker need while a browser sends one large file, and how long it takes.

    .venv/bin/python -m bench.intake_memory [GIGABYTES]

Starts a whole installation of its own, chooses the file in Chromium, and watches the resident
memory of the web process and of the sealing worker, with every process that they fork.
"""

import hashlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from tests.browser.acts import open_case
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.installation import Installation, installation
from tests.browser.visitor import Street, Visitor

MB = 1_000_000
WATCHED = {"web": "web", "sealing worker": "worker-seal"}
CREDENTIAL = "Bookkeeper: fraud prevention and money-laundering red flags"
GOAL_MB = 100
PATIENCE_SECONDS = 1800
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


class Memory:
    """The resident memory of a part's processes: those it had, and those it forks meanwhile."""

    def __init__(self, home: Path) -> None:
        record = json.loads((home / "process.json").read_text())
        self.process = psutil.Process(int(record["pid"]))
        self.before = dict(self._sizes())
        self.peak = dict(self.before)

    def look(self) -> None:
        """Measure once more."""
        for pid, size in self._sizes():
            self.peak[pid] = max(size, self.peak.get(pid, 0))

    @property
    def growth(self) -> float:
        """By how many MB the one that grew most has grown; a fork is measured by its parent."""
        parent = self.before[self.process.pid]
        return max(size - self.before.get(pid, parent) for pid, size in self.peak.items()) / MB

    def _sizes(self) -> Iterator[tuple[int, int]]:
        for each in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                yield each.pid, each.memory_info().rss


@contextmanager
def watched(house: Installation) -> Iterator[dict[str, Memory]]:
    """The memory of the parts, looked at twenty times a second for the length of a block."""
    parts = {name: Memory(house.home / "parts" / place) for name, place in WATCHED.items()}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for part in parts.values():
                part.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield parts
    finally:
        over.set()
        thread.join()


def make_file(path: Path, size: int) -> str:
    """A file of this size with bytes that do not repeat soon; returns its SHA-256."""
    digest = hashlib.sha256()
    block = hashlib.shake_256(b"evidence").digest(MB)
    with path.open("wb") as file:
        for number in range(size // MB):
            piece = (MP4 if number == 0 else number.to_bytes(8, "big")) + block
            file.write(piece[:MB])
            digest.update(piece[:MB])
    return digest.hexdigest()


def send(learner: Visitor, path: Path, digest: str) -> tuple[float, float]:
    """Choose the file, and wait; seconds until it has arrived, and until it is sealed."""
    page = learner.page
    began = time.monotonic()
    page.locator("[data-upload-form] input[type=file]").set_input_files(path)
    line = page.locator("[data-item]", has_text=path.stem).filter(visible=True)
    line.wait_for(timeout=PATIENCE_SECONDS * 1000)
    arrived = time.monotonic() - began
    line.get_by_text(digest[:8]).wait_for(timeout=PATIENCE_SECONDS * 1000)
    return arrived, time.monotonic() - began


def main(gigabytes: float = 2.0) -> int:
    """Measure and print; 0 when every part stayed below the goal."""
    folder = Path(tempfile.mkdtemp(prefix="assay-memory-"))
    path = folder / "film of the job.mp4"
    try:
        digest = make_file(path, int(gigabytes * 1000) * MB)
        with sync_playwright() as playwright, installation() as house:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            street = Street(chromium, house)
            learner = street.person("Marek Nowak")
            learner.open(open_case(learner, CREDENTIAL))
            with watched(house) as parts:
                arrived, sealed = send(learner, path, digest)
            street.close()
            chromium.close()
    finally:
        path.unlink(missing_ok=True)
        folder.rmdir()
    print(f"{gigabytes} GB: arrived after {arrived:.0f} s, sealed after {sealed:.0f} s")
    for name, part in parts.items():
        before, peak = max(part.before.values()) / MB, max(part.peak.values()) / MB
        print(
            f"{name}: {before:.0f} MB before, {peak:.0f} MB at most, grew by {part.growth:.1f} MB"
        )
    return 0 if all(part.growth < GOAL_MB for part in parts.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
