"""PostgreSQL killed under load, again and again: what was acknowledged is there, whole and once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psutil
import psycopg
import pytest

from app.engines import postgres
from app.engines.engine import Engine, EngineFailed
from storage import migrate
from storage.clock import SystemClock
from storage.database import Database
from storage.errors import Conflict, Unavailable
from storage.ids import CaseId, Sha256
from storage.vocabulary import CaseState, Role
from tests.fixtures.world import SIGNED, SITE, World
from workflows.access.rules import Actor
from workflows.cases import commands as cases
from workflows.cases.queries import live_case_for
from workflows.invariants import broken

pytestmark = pytest.mark.slow

LEARNERS = 8
KILLS = 3
PATIENCE = 120.0

# every case and what belongs to it, to be compared with what its state says
BELONGINGS = """
SELECT c.state,
       (SELECT count(*) FROM manifest m WHERE m.case_id = c.id),
       (SELECT count(*) FROM event e WHERE e.case_id = c.id AND e.kind = 'open_case'),
       (SELECT count(*) FROM event e WHERE e.case_id = c.id AND e.kind = 'submit_case'),
       (SELECT count(*) FROM mail m JOIN outbox o ON o.subject_id = m.id
         WHERE m.recipient = a.email AND m.body LIKE '%' || c.id || '%'),
       c.version
FROM plar_case c JOIN account a ON a.id = c.learner_id
"""
WHOLE = {("draft", 0, 1, 0, 0, 1), ("submitted", 1, 1, 1, 1, 2), ("withdrawn", 1, 1, 1, 1, 3)}


class Mortal:
    """A PostgreSQL that is killed as by a power cut, and comes back on the same data."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine: Engine = postgres.start(home)
        self.url = self.engine.settings["DATABASE_URL"]

    def kill(self) -> None:
        """SIGKILL to the server and every process of it, at once."""
        server = psutil.Process(self.engine.pid)
        for process in [server, *server.children()]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.engine.process.keeper.wait()

    def come_back(self) -> None:
        """Start again; a moment later where the dead have not let go of everything yet."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.engine = postgres.start(self.home)
            except EngineFailed:
                assert time.monotonic() < deadline
            else:
                return


@pytest.fixture
def mortal(engines_home: Path) -> Iterator[Mortal]:
    made = Mortal(engines_home / "mortal-postgres")
    yield made
    made.engine.stop()


@dataclass
class Ledger:
    """What one learner was told: cases opened, submitted with their digest, withdrawn."""

    opened: list[CaseId] = field(default_factory=list)
    submitted: dict[CaseId, Sha256] = field(default_factory=dict)
    withdrawn: list[CaseId] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


def work(world: World, learner: Actor, over: Event) -> Ledger:
    """Open, fill, submit and withdraw one case after the other, whatever happens, until it is over.

    Only what a command returned is written into the ledger.
    """
    told = Ledger()
    while not over.is_set():
        try:
            case_id = _case_in_hand(world, learner)
            if case_id is None:
                told.opened.append(cases.open_case(world.db, learner, world.definition_id))
            elif _state(world, case_id) is CaseState.DRAFT:
                world.full_evidence(case_id)
                digest = cases.submit_case(world.db, SITE, learner, case_id, SIGNED)
                told.submitted[case_id] = digest
            else:
                cases.withdraw_case(world.db, learner, case_id)
                told.withdrawn.append(case_id)
        except (Unavailable, Conflict) as error:
            told.errors.append(error)
            time.sleep(0.05)
    return told


def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(mortal: Mortal) -> None:
    migrate.upgrade(mortal.url)
    db = Database(mortal.url, SystemClock())
    world = World(db, db.clock)
    learners = [world.person(Role.LEARNER) for _ in range(LEARNERS)]
    over = Event()
    with ThreadPoolExecutor(LEARNERS) as pool:
        working = [pool.submit(work, world, learner, over) for learner in learners]
        try:
            for _ in range(KILLS):
                _let_them_work(mortal.url)
                mortal.kill()
                time.sleep(0.3)
                mortal.come_back()
            _let_them_work(mortal.url)
        finally:
            over.set()
        told = [each.result() for each in working]

    errors = [error for one in told for error in one.errors]
    assert errors, "nobody noticed that PostgreSQL was killed"
    assert {type(error) for error in errors} == {Unavailable}
    _all_is_there(mortal.url, told)
    _all_is_whole(mortal.url)
    with db.reading() as tx:
        assert list(broken(tx)) == []
    db.close()


def _all_is_there(url: str, told: list[Ledger]) -> None:
    with psycopg.connect(url) as sql:
        states = dict(sql.execute("SELECT id, state FROM plar_case").fetchall())
        digests = dict(sql.execute("SELECT case_id, digest FROM manifest").fetchall())
    for one in told:
        assert set(one.opened) <= states.keys()
        assert {case_id: digests.get(case_id) for case_id in one.submitted} == one.submitted
        assert {states[case_id] for case_id in one.withdrawn} <= {"withdrawn"}
    assert sum(len(one.submitted) for one in told) > KILLS


def _all_is_whole(url: str) -> None:
    with psycopg.connect(url) as sql:
        found = {tuple(row) for row in sql.execute(BELONGINGS)}
        doubled = sql.execute(
            "SELECT learner_id FROM plar_case WHERE state <> 'withdrawn'"
            " GROUP BY learner_id HAVING count(*) > 1"
        ).fetchall()
    assert found <= WHOLE
    assert doubled == []


def _let_them_work(url: str) -> None:
    """Return once some more cases were submitted."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as sql:
        count = "SELECT count(*) FROM manifest"
        (before,) = sql.execute(count).fetchone() or (0,)
        while (sql.execute(count).fetchone() or (0,))[0] < before + LEARNERS:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _case_in_hand(world: World, learner: Actor) -> CaseId | None:
    assert learner.account_id is not None
    with world.db.reading() as tx:
        return live_case_for(tx, learner.account_id, world.definition.code)


def _state(world: World, case_id: CaseId) -> CaseState:
    with world.db.reading() as tx:
        row = tx.session.connection().exec_driver_sql(
            "SELECT state FROM plar_case WHERE id = %s", (case_id,)
        )
        return CaseState(row.scalar_one())
