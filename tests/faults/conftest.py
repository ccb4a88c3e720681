"""A house for fault tests: real processes on real engines, for the test to kill and to flush."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest
import redis

from app.engines import valkey
from app.engines.engine import Engine
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import OutboxId, new_id
from storage.outbox import Promised, find, promise
from storage.outbox_reports import contradictions
from tests.faults.effects import TABLES

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0


@dataclass
class House:
    """Processes of ours around a database and a Valkey of this test's own."""

    db: Database
    url: str
    folder: Path
    valkey_home: Path
    engine: Engine
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _asking: "psycopg.Connection[tuple[object, ...]] | None" = None

    @property
    def redis_url(self) -> str:
        """Where Valkey is."""
        return self.engine.settings["REDIS_URL"]

    @property
    def valkey(self) -> redis.Redis:
        """A client of Valkey."""
        return redis.Redis.from_url(self.redis_url)

    def bring_valkey_back(self) -> None:
        """Start Valkey again where it was, after `engine.stop()`."""
        self.engine = valkey.start(self.valkey_home, durable=False)

    def start(self, *words: str, crash_at: str = "") -> "subprocess.Popen[bytes]":
        """Start a part (`worker QUEUE`, `relay`, …) that ends at a crash point, if one is named."""
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "REDIS_URL": self.redis_url,
            "ASSAY_ENV": "test",
            "ASSAY_CRASH_AT": crash_at,
            "ASSAY_TEST_FOLDER": str(self.folder),
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.processes", *words],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def promise(self, kind: str = "effect", count: int = 1, **how: object) -> list[OutboxId]:
        """Promise work, each in a transaction of its own."""
        made = []
        for _ in range(count):
            with self.db.transaction() as tx:
                made.append(promise(tx, kind, new_id(), **how))
        return made

    def row(self, outbox_id: OutboxId) -> Promised:
        """A row as it stands."""
        with self.db.reading() as tx:
            found = find(tx, outbox_id)
        assert found is not None
        return found

    def ask(self, question: str, *given: object) -> list[tuple[object, ...]]:
        """Ask the database in SQL."""
        if self._asking is None or self._asking.closed:
            self._asking = psycopg.connect(self.url, autocommit=True)
        return self._asking.execute(question, given).fetchall()

    def stop_asking(self) -> None:
        """Let go of the connection on which the test asks, until it asks again."""
        if self._asking is not None:
            self._asking.close()

    def effects(self) -> list[UUID]:
        """The subjects of all effects, in the order in which they came."""
        return [row[0] for row in self.ask("SELECT subject_id FROM effect ORDER BY at")]

    def open_rows(self) -> int:
        """How many rows are neither done nor dead."""
        counted = self.ask("SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL")
        return int(str(counted[0][0]))

    def wait(self, until: Callable[[], object], what: str) -> None:
        """Return when it is so; fail the test when it does not come to be."""
        deadline = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > deadline:
                tail = (self.folder / "log").read_text(errors="replace")[-6000:]
                pytest.fail(f"waited in vain until {what}\n{tail}")
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until every row is done or dead."""
        self.wait(lambda: self.open_rows() == 0, "every row is done or dead")

    def check(self) -> None:
        """What holds after every fault: each row done, due or dead; receipts and events agree."""
        with self.db.reading() as tx:
            assert contradictions(tx) == []
        doubled = "SELECT outbox_id FROM effect GROUP BY outbox_id HAVING count(*) > 1"
        assert self.ask(doubled) == []
        stray = """SELECT e.outbox_id FROM effect e LEFT JOIN job_receipt r USING (outbox_id)
                   WHERE r.outbox_id IS NULL"""
        assert self.ask(stray) == []
        silent = """SELECT o.id FROM outbox o WHERE o.dead_at IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM event e
                    WHERE e.kind = 'give_up_work' AND e.subject_id = o.id)"""
        assert self.ask(silent) == []
        lost = """SELECT id FROM outbox WHERE done_at IS NULL AND dead_at IS NULL
                  AND available_at > now() + interval '1 minute'"""
        assert self.ask(lost) == []

    def close(self) -> None:
        """End every process that is left, and Valkey."""
        for process in self.processes:
            kill(process)
        self.engine.stop()
        self.stop_asking()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL, as a machine does that is out of memory; returns when the process is gone."""
    process.kill()
    process.wait()


def children_of(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The processes that it has forked."""
    try:
        return psutil.Process(process.pid).children()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def house(database_url: str, engines_home: Path, tmp_path: Path) -> Iterator[House]:
    """A house in which nothing runs yet, with a Valkey of its own."""
    database = Database(database_url, SystemClock())
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLES)
    home = engines_home / f"valkey-{new_id().hex}"
    engine = valkey.start(home, durable=False)
    house = House(database, database_url, tmp_path, home, engine)
    yield house
    house.close()
    database.close()
