"""A process that dies at any step of the intake: nothing is lost, nothing doubled, nothing left."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from storage.crashpoints import CRASHED
from storage.errors import Unavailable
from storage.ids import ItemId, sha256_of
from storage.reconcile import Fault, compare, rehash
from storage.tables import Event, EvidenceItem, OutboxRow, Upload
from storage.vault import StoreAddress, StoreAway, Vault, sealed_key
from storage.vocabulary import EvidenceState
from tests.faults.intake_process import BODY, NAME
from tests.fixtures.intake import Intake, noise
from tests.fixtures.proxy import Proxy
from tests.fixtures.shared import ROOT
from workflows.evidence.describing import remove_evidence
from workflows.evidence.sweeping import (
    abort_orphan_uploads,
    clear_incoming,
    finish_interrupted_uploads,
)
from workflows.work import Work

pytestmark = pytest.mark.slow

SEAL_POINTS = ["seal.read", "seal.claimed", "seal.copied", "job.before_commit"]
KEY = sealed_key(sha256_of(BODY))


@dataclass
class Dying:
    """Runs acts of the intake in processes that die where they are told to."""

    intake: Intake
    store: StoreAddress

    def act(self, name: str, item_id: ItemId | None = None, work: Work | None = None) -> "Act":
        """An act that is about to be begun."""
        outbox_id = self.intake.promised(work, item_id) if work and item_id else ""
        told = {
            "act": name,
            "database_url": self.intake.db.url,
            "account_id": str(self.intake.learner.account_id),
            "institution_id": str(self.intake.learner.institution_id),
            "case_id": str(self.intake.case_id),
            "item_id": str(item_id or ""),
            "outbox_id": str(outbox_id),
        }
        return Act(json.dumps({"told": told, "store": asdict(self.store)}))


@dataclass
class Act:
    """What a process is told to do."""

    told: str

    def dies_at(self, point: str) -> None:
        """Do it in a process that ends at this point."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.intake_process"],
            cwd=ROOT,
            input=self.told,
            text=True,
            env=os.environ | {"ASSAY_ENV": "test", "ASSAY_CRASH_AT": point},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == CRASHED, done.stderr


@pytest.fixture
def dying(intake: Intake, store_address: StoreAddress) -> Iterator[Dying]:
    """Processes that die, beside a learner; in the end rows and objects agree."""
    intake.world.clock.set(datetime.now(UTC))
    yield Dying(intake, store_address)
    intake.world.clock.advance(timedelta(days=2))
    clear_incoming(intake.db, intake.vault)
    assert list(compare(intake.db, intake.vault)) == []
    assert list(rehash(intake.db, intake.vault, 100)) == []


def items(intake: Intake) -> list[EvidenceItem]:
    with intake.db.reading() as tx:
        return list(tx.session.exec(select(EvidenceItem)).all())


@pytest.mark.parametrize("point", ["announce.claimed", "announce.begun"])
def test_an_announcement_that_died_is_taken_up_again_as_the_same_upload(
    dying: Dying, point: str
) -> None:
    intake = dying.intake
    dying.act("announce").dies_at(point)
    (item,) = items(intake)
    plan = intake.announce(BODY, NAME)
    assert plan.item_id == item.id
    intake.send(plan, BODY)
    intake.complete(plan)
    assert intake.seal(plan.item_id).sha256 == sha256_of(BODY)
    intake.world.clock.advance(timedelta(days=2))
    assert abort_orphan_uploads(intake.db, intake.vault) == (point == "announce.begun")
    assert list(intake.vault.open_uploads()) == []


def sent(intake: Intake) -> ItemId:
    plan = intake.announce(BODY, NAME)
    intake.send(plan, BODY)
    return plan.item_id


@pytest.mark.parametrize("by", ["the browser", "the sweeper"])
def test_a_completion_that_died_before_it_was_written_down_is_found(dying: Dying, by: str) -> None:
    intake = dying.intake
    item_id = sent(intake)
    dying.act("complete", item_id).dies_at("upload.completed")
    assert intake.item(item_id).state == EvidenceState.UPLOADING
    if by == "the browser":
        intake.complete(intake.announce(BODY, NAME))
    else:
        intake.world.clock.advance(timedelta(minutes=6))
        assert finish_interrupted_uploads(intake.db, intake.vault) == 1
    assert intake.seal(item_id).sha256 == sha256_of(BODY)
    with intake.db.reading() as tx:
        stored = tx.session.exec(select(Event).where(Event.kind == "store_evidence")).all()
        promised = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "seal_evidence")).all()
    assert (len(stored), len(promised)) == (1, 1)


@pytest.mark.parametrize("point", ["promise.before_commit", "promise.after_commit"])
def test_a_completion_that_died_around_its_commit_is_whole_or_done_again(
    dying: Dying, point: str
) -> None:
    intake = dying.intake
    item_id = sent(intake)
    dying.act("complete", item_id).dies_at(point)
    expected = EvidenceState.STORED if point.endswith("after_commit") else EvidenceState.UPLOADING
    assert intake.item(item_id).state == expected
    plan = intake.announce(BODY, NAME) if expected is EvidenceState.UPLOADING else None
    if plan:
        intake.complete(plan)
    assert intake.seal(item_id).sha256 == sha256_of(BODY)
    assert len(items(intake)) == 1


def test_a_form_that_died_after_its_file_was_stored_is_found(dying: Dying) -> None:
    intake = dying.intake
    dying.act("small").dies_at("small.stored")
    (item,) = items(intake)
    assert item.state == EvidenceState.ANNOUNCED
    intake.world.clock.advance(timedelta(minutes=6))
    assert finish_interrupted_uploads(intake.db, intake.vault) == 1
    assert intake.seal(ItemId(item.id)).sha256 == sha256_of(BODY)


@pytest.mark.parametrize("point", SEAL_POINTS)
def test_a_seal_that_died_is_run_again_with_one_verdict(dying: Dying, point: str) -> None:
    intake = dying.intake
    item_id = intake.store(BODY)
    dying.act("seal", item_id, Work.SEAL_EVIDENCE).dies_at(point)
    assert intake.item(item_id).state == EvidenceState.STORED
    assert intake.seal(item_id).sha256 == sha256_of(BODY)
    with intake.db.reading() as tx:
        verdicts = tx.session.exec(select(Event).where(Event.kind == "seal_evidence")).all()
    assert len(verdicts) == 1
    assert [one.key for one in intake.vault.list_keys("")] == [KEY]


@pytest.mark.parametrize("point", ["job.after_commit", "seal.recorded"])
def test_a_seal_that_died_after_its_verdict_leaves_only_what_the_sweeper_clears(
    dying: Dying, point: str
) -> None:
    intake = dying.intake
    item_id = intake.store(BODY)
    dying.act("seal", item_id, Work.SEAL_EVIDENCE).dies_at(point)
    assert intake.item(item_id).state == EvidenceState.SEALED
    assert len(list(intake.vault.list_keys("incoming/"))) == 1
    intake.world.clock.advance(timedelta(days=2))
    assert clear_incoming(intake.db, intake.vault) == 1
    assert [one.key for one in intake.vault.list_keys("")] == [KEY]


@pytest.mark.parametrize("point", ["seal.read", "seal.claimed", "job.before_commit"])
def test_bytes_that_stay_where_they_arrived_survive_a_seal_that_died(
    dying: Dying, point: str
) -> None:
    intake = dying.intake
    intake.names_digest = True
    item_id = intake.store(BODY)
    dying.act("seal", item_id, Work.SEAL_EVIDENCE).dies_at(point)
    shared = intake.sealed(BODY, "the same.pdf")
    assert intake.seal(item_id).sha256 == shared.sha256 == sha256_of(BODY)
    # what died was one transaction: nothing of it was kept, so the other one was the first
    kept = intake.arrived_at(ItemId(shared.id))
    assert [one.key for one in intake.vault.list_keys("")] == [kept]


@pytest.mark.parametrize("point", ["job.after_commit", "seal.recorded"])
def test_a_second_copy_that_a_crash_left_under_its_digest_is_cleared(
    dying: Dying, point: str
) -> None:
    intake = dying.intake
    intake.names_digest = True
    first, second = intake.sealed(BODY), intake.store(BODY, "again.pdf")
    dying.act("seal", second, Work.SEAL_EVIDENCE).dies_at(point)
    assert intake.item(second).state == EvidenceState.SEALED
    intake.world.clock.advance(timedelta(days=2))
    assert [one.fault for one in compare(intake.db, intake.vault)] == [Fault.LEFT_OVER]
    assert clear_incoming(intake.db, intake.vault) == 1
    assert [one.key for one in intake.vault.list_keys("")] == [intake.arrived_at(first.id)]


@pytest.mark.parametrize("point", SEAL_POINTS)
def test_an_item_removed_after_its_seal_died_leaves_nothing(dying: Dying, point: str) -> None:
    intake = dying.intake
    item_id = intake.store(BODY)
    dying.act("seal", item_id, Work.SEAL_EVIDENCE).dies_at(point)
    remove_evidence(intake.db, intake.learner, item_id)
    with pytest.raises(Unavailable):
        intake.erase(item_id)
    assert intake.seal(item_id).state == EvidenceState.ERASED
    intake.erase(item_id)
    assert list(intake.vault.list_keys("")) == []


@pytest.mark.parametrize("point", ["erase.claimed", "erase.erased", "job.before_commit"])
def test_an_erasure_that_died_is_run_again_and_others_bytes_stay(dying: Dying, point: str) -> None:
    intake = dying.intake
    item_id = ItemId(intake.sealed(BODY).id)
    other = intake.sealed(noise(1000, "other"), "other.pdf")
    remove_evidence(intake.db, intake.learner, item_id)
    dying.act("erase", item_id, Work.ERASE_EVIDENCE).dies_at(point)
    again = intake.store(BODY, "again.pdf")
    with pytest.raises(Unavailable, match="being erased"):
        intake.seal(again)
    intake.erase(item_id)
    assert intake.seal(again).sha256 == sha256_of(BODY)
    # a key that was erased is never used again
    assert {one.key for one in intake.vault.list_keys("sealed/")} == {
        sealed_key(sha256_of(BODY), 1),
        sealed_key(sha256_of(noise(1000, "other"))),
    }
    assert intake.item(other.id).sha256 is not None


def test_while_the_store_is_away_work_waits_and_then_converges(
    dying: Dying, proxy_to: Callable[[str], Proxy]
) -> None:
    intake = dying.intake
    whole, item_id = intake.vault, intake.store(BODY)
    gone = intake.sealed(noise(1000, "gone"), "gone.pdf")
    remove_evidence(intake.db, intake.learner, gone.id)
    proxy = proxy_to(dying.store.endpoint_url)
    intake.vault = Vault(replace(dying.store, endpoint_url=proxy.url, tries=1))
    proxy.refusing = True
    for act in (
        lambda: intake.seal(item_id),
        lambda: intake.erase(gone.id),
        lambda: clear_incoming(intake.db, intake.vault),
        lambda: finish_interrupted_uploads(intake.db, intake.vault) or intake.vault.canary(),
    ):
        with pytest.raises(StoreAway):
            act()
    proxy.refusing = False
    assert intake.seal(item_id).sha256 == sha256_of(BODY)
    intake.erase(gone.id)
    intake.vault = whole
    with intake.db.reading() as tx:
        assert tx.session.exec(select(Upload.aborted_at)).all() == [None, None]
