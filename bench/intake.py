"""How long a file takes from its announcement to its seal, against the same bytes by plain means.

Ours: the REST API of a running installation, with a client that sends four parts at a time, until
the item says "sealed"; the client names the file's digest, and a row says how long it takes to
have it beforehand. Reference: boto3's own multipart upload of the same file with four threads to
the same store, and one streaming GET with SHA-256. Both in the same run, one after the other.

4 GB is sent when the disk has room for it (three copies are kept for a moment);
ASSAY_BENCH_LARGEST_MB names another largest size.
"""

import hashlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import boto3
import psutil
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from sqlmodel import col, func, select

from app.scanning import NoScanner
from bench.intake_memory import Memory, make_file, watched
from bench.measure import Result, compared
from bench.sending import PARALLEL, PATIENCE_SECONDS, send, wait_until_sealed
from bench.site import Site, site
from storage.database import Database
from storage.ids import Sha256
from storage.tables import EvidenceItem, SealedObject
from storage.vocabulary import EvidenceState
from tests.browser.installation import Installation
from tests.fixtures.shared import ROOT
from workflows.evidence.one_pass import read_once

MB = 1_000_000
SIZES_MB = (1, 64, 1000, 4000)
TIMES = {1: 7, 64: 7, 1000: 3}
COPIED_TOO = {64, 1000}
SMALL_FILES, SMALL_SIZE, SEAL_WORKERS = 1000, 100_000, 2
ROOM_NEEDED = 4
GOAL, GOAL_SEAL, GOAL_RATE, GOAL_MEMORY_MB = 1.25, 1.15, 60, 64


@dataclass
class Taken:
    """What one file took: seconds on the clock, and processor seconds of everything."""

    wall: float
    cpu: float


@contextmanager
def taking(house: Installation) -> Iterator[Taken]:
    """Measure a block: this process, the installation's, and their children."""
    taken = Taken(0, 0)
    before, began = _cpu(house), time.perf_counter()
    yield taken
    taken.wall, taken.cpu = time.perf_counter() - began, _cpu(house) - before


def _cpu(house: Installation) -> float:
    total = sum(os.times()[:4])
    for process in psutil.process_iter(["cmdline", "environ"]):
        try:
            told = process.info["environ"] or {}
            words = " ".join(process.info["cmdline"] or ())
            if told.get("ASSAY_HOME") == str(house.home) or str(house.home) in words:
                total += sum(process.cpu_times()[:4])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def plainly(at: Site, path: Path, key: str) -> str:
    """The same bytes by boto3's own upload in parts, and read back with SHA-256."""
    address = at.vault.address
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint_url,
        region_name=address.region,
        aws_access_key_id=address.access_key_id,
        aws_secret_access_key=address.secret_access_key,
        config=Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
        ),
    )
    how = TransferConfig(
        multipart_threshold=8 * MB, multipart_chunksize=8 * 1024**2, max_concurrency=PARALLEL
    )
    client.upload_file(str(path), address.bucket, key, Config=how)
    return read_back(client, address.bucket, key)


def read_back(client: Any, bucket: str, key: str) -> str:
    """One streaming GET with SHA-256."""
    digest = hashlib.sha256()
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    while chunk := body.read(1024**2):
        digest.update(chunk)
    return digest.hexdigest()


def one_size(at: Site, path: Path, size_mb: int) -> list[Result]:
    """Ours against plain means, for a file of one size, several times unless it is large."""
    ours, theirs, copied, beforehand = [], [], [], []
    make_file(path, size_mb * MB)
    for number in range(TIMES.get(size_mb, 1)):
        began = time.perf_counter()
        digest = _another(path, number)
        beforehand.append(time.perf_counter() - began)
        theirs.append(_plain(at, path, digest))
        ours.append(_taken(at, path, digest, f"film {size_mb} {number}.mp4", digest))
        if size_mb in COPIED_TOO:
            digest = _another(path, number + 1000)
            copied.append(_taken(at, path, digest, f"copied {size_mb} {number}.mp4", ""))
    label = f"{size_mb} MB" if size_mb < 1000 else f"{size_mb // 1000} GB"
    goal = GOAL if size_mb >= 64 else None
    plain = "boto3 + sha256 read-back"
    rows = [
        _less(f"intake {label}", _wall(ours), plain, _wall(theirs), goal),
        _less(f"intake {label}, cpu", _cpus(ours), plain, _cpus(theirs)),
        _less(f"its digest beforehand, {label}", _median(beforehand), plain, _wall(theirs)),
    ]
    if copied:
        rows.append(_less(f"intake {label}, no digest", _wall(copied), plain, _wall(theirs)))
    return rows


def _plain(at: Site, path: Path, digest: str) -> Taken:
    key = f"bench/{digest}"
    with taking(at.house) as taken:
        if plainly(at, path, key) != digest:
            raise RuntimeError("the store gave other bytes back")
    at.vault.delete(key)
    return taken


def _taken(at: Site, path: Path, digest: str, name: str, said: str) -> Taken:
    """Send it and wait for its seal; `said` is the digest that is announced, '' for none."""
    with taking(at.house) as taken:
        item_id = send(at, path, at.cases[0], name, sha256=said)
        wait_until_sealed(at, item_id)
    if at.call("GET", f"/evidence/{item_id}")["sha256"] != digest:
        raise RuntimeError("sealed with another digest")
    return taken


def _another(path: Path, number: int) -> str:
    """Change the file a little, so that it is another one; its SHA-256."""
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(number.to_bytes(8, "big"))
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(MB):
            digest.update(block)
    return digest.hexdigest()


def _wall(taken: Sequence[Taken]) -> float:
    return _median(one.wall for one in taken)


def _cpus(taken: Sequence[Taken]) -> float:
    return _median(one.cpu for one in taken)


def _median(seconds: Iterable[float]) -> float:
    return statistics.median(seconds)


def _less(
    name: str, value: float, than: str, reference: float, goal: float | None = None
) -> Result:
    """A row whose ratio is to stay below the goal."""
    made = compared(name, "s", value, than, reference)
    met = None if goal is None else made.ratio <= goal
    return Result(name, round(value, 3), "s", than, round(reference, 3), made.ratio, goal, met)


class _Mute:
    def scan(self, chunks: Any) -> Any:
        """Nothing is scanned here: the pass itself is measured."""
        return NoScanner().scan(chunks)


def sealing_alone(at: Site, size_mb: int, path: Path) -> list[Result]:
    """Our pass over a stored file, and with its copy, against a streaming GET with SHA-256."""
    make_file(path, size_mb * MB)
    key = "incoming/bench-seal"
    address, client = at.vault.address, at.vault._client
    client.upload_file(str(path), address.bucket, key)
    facts = at.vault.facts(key)
    reads: list[float] = []
    passes: list[float] = []
    digest = Sha256("")
    for _ in range(5):
        reads.append(_seconds(lambda: read_back(client, address.bucket, key)))
        began = time.perf_counter()
        chunks = at.vault.open_stream(key, facts.etag, size=facts.size)
        digest = read_once(chunks, "film.mp4", _Mute(), lambda _: None).sha256
        passes.append(time.perf_counter() - began)
    copy = _seconds(lambda: at.vault.seal_copy(facts, digest, f"{key}-sealed"))
    at.vault.delete(key)
    at.vault.delete(f"{key}-sealed")
    read, passed = statistics.median(reads), statistics.median(passes)
    plain = "streaming GET with sha256"
    return [
        _less(f"one pass {size_mb} MB", passed, plain, read, GOAL_SEAL),
        _less(f"pass and copy {size_mb} MB", passed + copy, plain, read),
    ]


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def many_small(at: Site, folder: Path) -> list[Result]:
    """A thousand small files: sent by four threads, then sealed by two workers."""
    names = [folder / f"{number}.bin" for number in range(SMALL_FILES)]
    sealing = psutil.Process(_pid(at, "worker-seal"))
    sealing.suspend()
    sent = _seconds(lambda: _send_all(at, names))
    sealing.resume()
    with _another_worker(at):
        sealed = _seconds(lambda: _wait_for_all(at))
    rates = [SMALL_FILES / seconds for seconds in (sealed, sent, sent + sealed)]
    return [
        compared("small files sealed", "files/s", rates[0], "goal", GOAL_RATE, goal=1.0),
        compared("small files sent, API", "files/s", rates[1], "goal", GOAL_RATE),
        compared("small files, sent then sealed", "files/s", rates[2], "goal", GOAL_RATE),
    ]


def _send_all(at: Site, paths: Sequence[Path]) -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda path: _send_small(at, path), paths))


def _wait_for_all(at: Site) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS / 6
    while (done := _sealed(at.db)) < SMALL_FILES:
        if time.monotonic() > ends_at:
            raise RuntimeError(f"only {done} are sealed")
        time.sleep(0.1)


def _send_small(at: Site, path: Path) -> None:
    number = int(path.stem)
    body = b"%PDF-1.7\n" + os.urandom(SMALL_SIZE - 9)
    path.write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    send(at, path, at.cases[1 + number % 2], f"small {number}.pdf", sha256=digest)
    path.unlink()


def _sealed(db: Database) -> int:
    with db.reading() as tx:
        return tx.session.exec(
            select(func.count())
            .select_from(EvidenceItem)
            .join(SealedObject, col(SealedObject.sha256) == col(EvidenceItem.sha256))
            .where(
                EvidenceItem.state == EvidenceState.SEALED.value,
                col(EvidenceItem.file_name).like("small %"),
            )
        ).one()


@contextmanager
def _another_worker(at: Site) -> Iterator[None]:
    """A second worker on the seal queue."""
    env = psutil.Process(_pid(at, "worker-seal")).environ()
    words = [sys.executable, "-m", "app.cli", "worker", "seal"]
    worker = Popen(words, cwd=ROOT, env=env, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


def _pid(at: Site, part: str) -> int:
    return Memory(at.house.home / "parts" / part).process.pid


def flat(small: dict[str, float], large: dict[str, float]) -> list[Result]:
    """By how much more memory the largest file took than the smallest."""
    rows = []
    for part, peak in large.items():
        base = small[part]
        met = peak - base <= GOAL_MEMORY_MB
        rows.append(
            Result(
                f"memory of {part}, largest file",
                round(peak, 1),
                "MB",
                "the same, smallest file",
                round(base, 1),
                round(peak / base, 4),
                None,
                met,
            )
        )
    return rows


def results() -> Iterator[Result]:
    """Every row, as it is measured."""
    folder = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    path = folder / "film.mp4"
    largest = int(os.environ.get("ASSAY_BENCH_LARGEST_MB", "4000"))
    room = shutil.disk_usage(folder).free // (ROOM_NEEDED * MB)
    sizes = [size for size in SIZES_MB if size <= min(largest, room)]
    try:
        with site() as at:
            yield from sealing_alone(at, 512, path)
            peaks = []
            for size in sizes:
                with _peak(at) as peak:
                    yield from one_size(at, path, size)
                peaks.append(peak)
            yield from flat(peaks[0], peaks[-1])
            # last, because pictures of them are made for a while afterwards
            yield from many_small(at, folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _peak(at: Site) -> Iterator[dict[str, float]]:
    """The most resident memory of web and sealing worker, with what they fork."""
    found: dict[str, float] = {}
    with watched(at.house) as parts:
        yield found
    for name, part in parts.items():
        found[name] = max(part.peak.values()) / MB


def main() -> None:
    """Only this benchmark, printed."""
    from bench.__main__ import line

    for result in results():
        print(line(result), flush=True)


if __name__ == "__main__":
    main()
