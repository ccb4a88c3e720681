"""A process that dies at any step of a case's erasure: all of it comes to the same end, once."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import col, func, select

from storage.crashpoints import CRASHED
from storage.database import Database
from storage.outbox import AlreadyDone
from storage.tables import ErasurePlan, Event, EvidenceItem, JobReceipt, Mail, OutboxRow
from storage.vault import Vault
from storage.vocabulary import CaseState, EvidenceState, Role
from tests.fixtures.keeping import (
    WEEK,
    everything_kept,
    items_of,
    panel_parts,
    promised,
    run_erasure,
    run_files,
    with_bytes,
    withdrawn,
)
from tests.fixtures.panel import REASON, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.shared import ROOT
from tests.fixtures.world import SITE
from workflows.canonical import content_hash
from workflows.keeping.commands import ask_erasure, plan_if_due
from workflows.work import Work

pytestmark = pytest.mark.slow

WORDS = ("Video of the job", "evidence.mp4", "I did all of it.", "I moved to another town.", REASON)
HAPPENED = ("erase_case", "expire_case")


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


def due(panel: Panel, vault: Vault) -> Panel:
    """A withdrawn case with one of two sheets done, whose erasure has come due."""
    with_bytes(panel, vault)
    panel.allocate()
    panel.score(panel.first)
    withdrawn(panel)
    ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
    panel.world.clock.advance(WEEK)
    return panel


def begin(panel: Panel, crash_at: str = "") -> "subprocess.Popen[str]":
    """The promised erasure, begun in a process that ends at this point."""
    (row,) = promised(panel, Work.ERASE_CASE)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.erasure_process"],
        cwd=ROOT,
        env=os.environ | {"ASSAY_ENV": "test", "ASSAY_CRASH_AT": crash_at},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    json.dump(
        {
            "database_url": panel.db.url,
            "now": panel.world.clock.now().isoformat(),
            "plan_id": str(row.subject_id),
            "outbox_id": str(row.id),
        },
        process.stdin,
    )
    process.stdin.close()
    return process


def crashed(panel: Panel, point: str) -> None:
    process = begin(panel, point)
    code = process.wait(timeout=120)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert code == CRASHED, said


def finish(panel: Panel, vault: Vault) -> None:
    """Hand out what is promised until nothing is left, as the relay does."""
    for _ in range(4):
        try:
            run_erasure(panel)
        except AlreadyDone:
            break
        except Exception as error:
            assert "receipt follows" in str(error)
        run_files(panel, vault)
    assert promised(panel, Work.ERASE_CASE) == promised(panel, Work.ERASE_EVIDENCE) == []


def ended(panel: Panel, vault: Vault, clean: Callable[..., None]) -> None:
    """The one end that there is: nothing of it is missing and nothing of it happened twice."""
    files = len(items_of(panel))
    with panel.db.reading() as tx:
        (plan,) = tx.session.exec(select(ErasurePlan)).all()
        kinds = Counter(tx.session.exec(select(Event.kind)).all())
        letters = tx.session.exec(
            select(Mail.id).where(col(Mail.subject).startswith("Receipt"))
        ).all()
        done = Counter(
            tx.session.exec(
                select(OutboxRow.kind).join(
                    JobReceipt, col(JobReceipt.outbox_id) == col(OutboxRow.id)
                )
            ).all()
        )
        left = tx.session.exec(
            select(func.count()).where(EvidenceItem.state != EvidenceState.ERASED.value)
        ).one()
    assert (kinds["erase_case"], left, len(letters)) == (1, 0, 1)
    assert (done["erase_case"], done["erase_evidence"]) == (1, files)
    receipt = dict(plan.receipt)
    assert [one["bytes"] for one in receipt["gone"]["files"]] == ["removed"] * files  # type: ignore[index]
    assert receipt.pop("sha256") == content_hash(receipt)
    kept = everything_kept(panel)
    assert [word for word in WORDS if word in kept] == []
    assert list(vault.list_keys("sealed/")) == []
    clean(panel_parts(panel, vault))


@pytest.mark.parametrize(
    "point",
    ["promise.before_commit", "promise.after_commit", "erase_case.begun"],
)
def test_an_erasure_that_died_as_it_began_comes_to_the_same_end(
    panel: Panel, vault: Vault, clean: Callable[..., None], point: str
) -> None:
    crashed(due(panel, vault), point)
    begun = point != "promise.before_commit"
    states = {item.state for item in items_of(panel)}
    assert states == {EvidenceState.ERASED if begun else EvidenceState.SEALED}
    assert ("I did all of it." in everything_kept(panel)) is not begun
    finish(panel, vault)
    ended(panel, vault, clean)


@pytest.mark.parametrize("point", ["job.before_commit", "job.after_commit"])
def test_an_erasure_that_died_around_its_receipt_writes_one(
    panel: Panel, vault: Vault, clean: Callable[..., None], point: str
) -> None:
    crashed(due(panel, vault), "erase_case.begun")
    run_files(panel, vault)
    crashed(panel, point)
    open_still = len(promised(panel, Work.ERASE_CASE))
    assert open_still == (1 if point == "job.before_commit" else 0)
    finish(panel, vault)
    ended(panel, vault, clean)


def test_an_erasure_killed_in_the_middle_of_taking_words_out_has_taken_none(
    panel: Panel, vault: Vault, clean: Callable[..., None]
) -> None:
    due(panel, vault)
    before = everything_kept(panel)
    with panel.db.engine.connect() as other:
        other.exec_driver_sql("SELECT 1 FROM manifest FOR UPDATE")
        process = begin(panel)
        wait_until_stopped_by_a_lock(panel.db)
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
    assert everything_kept(panel) == before
    finish(panel, vault)
    ended(panel, vault, clean)


def test_a_draft_whose_erasure_died_expires_once(
    panel: Panel, vault: Vault, clean: Callable[..., None]
) -> None:
    world = panel.world
    panel.learner = world.person(Role.LEARNER)
    panel.case_id = world.case(panel.learner)
    world.full_evidence(panel.case_id)
    with_bytes(panel, vault)
    world.clock.advance(WEEK * 52)
    assert plan_if_due(panel.db, SITE, panel.case_id)
    world.clock.advance(WEEK * 5)
    crashed(panel, "promise.before_commit")
    assert panel.state() is CaseState.DRAFT
    crashed(panel, "erase_case.begun")
    assert panel.state() is CaseState.EXPIRED
    finish(panel, vault)
    with panel.db.reading() as tx:
        kinds = Counter(tx.session.exec(select(Event.kind)).all())
    assert [kinds[kind] for kind in HAPPENED] == [1, 1]
    assert panel.case().version == 2


def wait_until_stopped_by_a_lock(db: Database) -> None:
    """Return when a process waits for a row that somebody else holds."""
    deadline = time.monotonic() + 60
    question = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    while True:
        with db.engine.connect() as connection:
            if connection.exec_driver_sql(question).scalar_one():
                return
        assert time.monotonic() < deadline, "the process never came to the lock"
        time.sleep(0.05)
