"""How long a file takes from its announcement to its seal, against the same bytes by plain means.

Ours: the REST API of a running installation, with a client that sends four parts at a time, until
the item says "sealed". Reference: boto3's own multipart upload of the same file with four threads
to the same store, and one streaming GET with SHA-256. Both in the same run, one after the other.

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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any
from uuid import UUID

import boto3
import psutil
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from sqlmodel import col, func, select

from app.engines import stack
from bench.intake_memory import Memory, make_file
from bench.measure import Result, compared
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import AccountId, CaseId, DefinitionId, InstitutionId
from storage.tables import Account, DefinitionVersion, EvidenceItem, RoleGrant, SealedObject
from storage.vault import StoreAddress, Vault
from storage.vocabulary import EvidenceState, Role
from tests.browser.installation import Installation, installation
from tests.fixtures.shared import ROOT
from workflows.access.rules import Actor
from workflows.cases.commands import open_case
from workflows.evidence.one_pass import read_once
from workflows.people.tokens import TokenScope, make_token

MB = 1_000_000
SIZES_MB = (1, 64, 1000, 4000)
PARALLEL = 4
SMALL_FILES, SMALL_SIZE, SEAL_WORKERS = 1000, 100_000, 2
ROOM_NEEDED = 4
PATIENCE_SECONDS = 1800
GOAL, GOAL_SEAL, GOAL_RATE, GOAL_MEMORY_MB = 1.25, 1.15, 60, 64
LEARNER = "marek.nowak@learner.example"


@dataclass
class Site:
    """A running installation, a learner's token, and the store behind it."""

    house: Installation
    db: Database
    vault: Vault
    token: str
    cases: tuple[CaseId, ...]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call of the API."""
        answer = _session().request(
            method,
            f"{self.house.site}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=120,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


_sessions: dict[int, requests.Session] = {}


def _session() -> requests.Session:
    """One for each thread, so that lines are used again."""
    import threading

    return _sessions.setdefault(threading.get_ident(), requests.Session())


@contextmanager
def site() -> Iterator[Site]:
    """An installation of its own, removed at the end."""
    with installation() as house:
        addresses = stack.attach(house.home) or {}
        db = Database(addresses["DATABASE_URL"], SystemClock())
        vault = Vault(
            StoreAddress(
                endpoint_url=addresses["S3_ENDPOINT_URL"],
                region=addresses["S3_REGION"],
                bucket="assay-evidence",
                access_key_id=addresses["S3_ACCESS_KEY_ID"],
                secret_access_key=addresses["S3_SECRET_ACCESS_KEY"],
            )
        )
        learner = _learner(db)
        cases = _cases(db, learner, 3)
        token = make_token(db, learner, "bench", tuple(TokenScope), 30).token
        try:
            yield Site(house, db, vault, token, cases)
        finally:
            db.close()


def _learner(db: Database) -> Actor:
    with db.reading() as tx:
        account_id, institution_id = tx.session.exec(
            select(RoleGrant.account_id, RoleGrant.institution_id)
            .join(Account, col(Account.id) == col(RoleGrant.account_id))
            .where(Account.email == LEARNER, RoleGrant.role == Role.LEARNER.value)
        ).one()
        learner = frozenset({Role.LEARNER})
        return Actor(AccountId(account_id), InstitutionId(institution_id), learner)


def _cases(db: Database, learner: Actor, count: int) -> tuple[CaseId, ...]:
    """New cases of a learner, each for another credential."""
    opened: list[CaseId] = []
    with db.reading() as tx:
        offered = tx.session.exec(
            select(DefinitionVersion.id).where(
                col(DefinitionVersion.published_at).is_not(None),
                col(DefinitionVersion.retired_at).is_(None),
            )
        ).all()
    for definition_id in offered:
        if len(opened) < count:
            try:
                opened.append(open_case(db, learner, DefinitionId(definition_id)))
            except Exception as error:
                print(f"(no case here: {error})", file=sys.stderr)
    return tuple(opened)


def send(at: Site, path: Path, size: int, case_id: CaseId, name: str) -> UUID:
    """Announce, sign, send and complete a file, four parts at a time; returns the item."""
    ends = _ends(path, size)
    said = {"file_name": name, "size": size, "media_type": "video/mp4", "fingerprint": ends}
    item = at.call("POST", f"/cases/{case_id}/evidence", said)
    plan = item["upload"]
    numbers = range(1, plan["part_count"] + 1)

    def one(number: int) -> None:
        _send_part(at, item["id"], path, number, plan["part_size"])

    if len(numbers) == 1:
        one(1)
    else:
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(one, numbers))
    at.call("POST", f"/evidence/{item['id']}/complete", {})
    return UUID(item["id"])


def _send_part(at: Site, item_id: str, path: Path, number: int, part_size: int) -> None:
    with path.open("rb") as file:
        file.seek((number - 1) * part_size)
        piece = file.read(part_size)
    part = {"number": number, "sha256": hashlib.sha256(piece).hexdigest()}
    (link,) = at.call("POST", f"/evidence/{item_id}/parts", {"parts": [part]})["parts"]
    put = _session().put(link["url"], data=piece, headers=link["headers"], timeout=120)
    put.raise_for_status()
    taken = {**part, "etag": put.headers["ETag"]}
    at.call("PUT", f"/evidence/{item_id}/parts", {"parts": [taken]})


def _ends(path: Path, size: int) -> str:
    """The fingerprint: digests of the first and the last MiB."""
    with path.open("rb") as file:
        first = file.read(min(size, 1024**2))
        file.seek(max(0, size - 1024**2))
        last = file.read()
    return f"{hashlib.sha256(first).hexdigest()}:{hashlib.sha256(last).hexdigest()}"


def wait_until_sealed(at: Site, item_id: UUID) -> None:
    """Ask the API until the item is sealed."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while (state := at.call("GET", f"/evidence/{item_id}")["state"]) != EvidenceState.SEALED.value:
        if state != EvidenceState.STORED.value or time.monotonic() > ends_at:
            raise RuntimeError(f"the item is {state}")
        time.sleep(0.05)


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


def one_size(at: Site, path: Path, size_mb: int, case_id: CaseId) -> list[Result]:
    """Ours against plain means, for a file of one size; small ones several times."""
    digest = make_file(path, size_mb * MB)
    ours, theirs = [], []
    for number in range(5 if size_mb < 100 else 1):
        if number:
            digest = _another(path, number)
        with taking(at.house) as plain:
            key = f"bench/{size_mb}-{number}"
            if plainly(at, path, key) != digest:
                raise RuntimeError("the store gave other bytes back")
        at.vault.delete(key)
        with taking(at.house) as taken:
            name = f"film {size_mb} {number}.mp4"
            item_id = send(at, path, size_mb * MB, case_id, name)
            wait_until_sealed(at, item_id)
        if at.call("GET", f"/evidence/{item_id}")["sha256"] != digest:
            raise RuntimeError("sealed with another digest")
        ours.append(taken)
        theirs.append(plain)
    label = f"{size_mb} MB" if size_mb < 1000 else f"{size_mb // 1000} GB"
    goal = GOAL if size_mb >= 64 else None
    return [
        _less(f"intake {label}", _wall(ours), "boto3 + sha256 read-back", _wall(theirs), goal),
        _less(f"intake {label}, cpu", _cpus(ours), "boto3 + sha256 read-back", _cpus(theirs)),
    ]


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
    return statistics.median(one.wall for one in taken)


def _cpus(taken: Sequence[Taken]) -> float:
    return statistics.median(one.cpu for one in taken)


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
        from app.scanning import NoScanner

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
    digest = ""
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
    """A thousand small files, sent by four threads and sealed meanwhile by two workers."""
    names = [folder / f"{number}.bin" for number in range(SMALL_FILES)]
    with _another_worker(at):
        began = time.perf_counter()
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda path: _send_small(at, path), names))
        sent = time.perf_counter() - began
        while (done := _sealed(at.db)) < SMALL_FILES:
            if time.perf_counter() - began > PATIENCE_SECONDS / 6:
                raise RuntimeError(f"only {done} are sealed")
            time.sleep(0.1)
        took = time.perf_counter() - began
    rate = SMALL_FILES / took
    return [
        compared("small files, announced to sealed", "files/s", rate, "goal", GOAL_RATE, goal=1.0),
        compared("small files sent, API", "files/s", SMALL_FILES / sent, "goal", GOAL_RATE),
    ]


def _send_small(at: Site, path: Path) -> None:
    number = int(path.stem)
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(SMALL_SIZE - 9))
    send(at, path, SMALL_SIZE, at.cases[1 + number % 2], f"small {number}.pdf")
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
            yield from many_small(at, folder)
            peaks = []
            for size in sizes:
                with _peak(at) as peak:
                    yield from one_size(at, path, size, at.cases[0])
                peaks.append(peak)
            yield from flat(peaks[0], peaks[-1])
    finally:
        shutil.rmtree(folder)


@contextmanager
def _peak(at: Site) -> Iterator[dict[str, float]]:
    """The most resident memory of web and sealing worker, with what they fork."""
    from bench.intake_memory import watched

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
