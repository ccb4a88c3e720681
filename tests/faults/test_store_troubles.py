"""A store that answers 500 or 503, slowly, not at all, or after all: nothing is lost or doubled.

Everything that the way of a file asks of the store goes wrong, twice, in each of these ways. Each
act is done again as a browser or the relay does it again.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
import requests
from sqlmodel import select

from storage.ids import ItemId, Sha256, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import Event, EvidenceItem, OutboxRow, SealedObject, Upload
from storage.vault import StoreAddress, StoreAway, Vault, sealed_key
from storage.vault import plan as plan_module
from storage.vault import sealing as sealing_module
from storage.vocabulary import EvidenceState, Role, ScanVerdict
from tests.fixtures.intake import Intake, Says, noise
from tests.fixtures.invariants import clean, whatever_is_wrong
from tests.fixtures.store_line import Ask, Line, Trouble
from workflows.evidence.describing import remove_evidence
from workflows.evidence.sweeping import abort_orphan_uploads, clear_incoming
from workflows.evidence.uploading import UploadPlan, WantedPart, sign_parts
from workflows.work import Work

Answer = TypeVar("Answer")

PART = plan_module.SMALLEST_PART
BODY = noise(2 * PART + 1000)
KEY = sealed_key(sha256_of(BODY))
TWICE = 2
PATIENCE = 12


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, of uploads and of copies, as small as stores take them."""
    monkeypatch.setattr(plan_module, "PART_SIZES", (PART,))
    monkeypatch.setattr(sealing_module, "COPIED_AT_ONCE", PART)
    monkeypatch.setattr(sealing_module, "COPY_PART", PART)


@pytest.fixture
def line(intake: Intake, store_address: StoreAddress, line_to: Callable[[str], Line]) -> Line:
    """The intake's store is reached over this line, and nobody tries again by himself."""
    intake.world.clock.set(datetime.now(UTC))
    made = line_to(store_address.endpoint_url)
    intake.vault = Vault(replace(store_address, endpoint_url=made.url, tries=1))
    return made


def again(act: Callable[[], Answer]) -> Answer:
    """Do it until it succeeds, as whoever waits for it does."""
    for _ in range(PATIENCE):
        try:
            return act()
        except (StoreAway, requests.RequestException, AssertionError) as error:
            last = error
    raise last


def seal(intake: Intake, item_id: ItemId) -> None:
    """Run the job as the relay does: until it is done."""
    try:
        intake.seal(item_id)
    except AlreadyDone:
        return


def sent(intake: Intake) -> UploadPlan:
    """The whole file, part by part, whatever goes wrong."""
    plan = again(lambda: intake.announce(BODY))
    for number in range(1, plan.plan.part_count + 1):
        again(lambda number=number: intake.send(plan, BODY, [number]))  # type: ignore[misc]
    return plan


def tidied(intake: Intake) -> None:
    """The sweeper has come by, days later."""
    intake.world.clock.advance(timedelta(days=2))
    again(lambda: abort_orphan_uploads(intake.db, intake.vault))
    again(lambda: clear_incoming(intake.db, intake.vault))


def rows(intake: Intake) -> Counter[str]:
    """How many rows of each sort there are."""
    with intake.db.reading() as tx:
        events = tx.session.exec(
            select(Event.kind).where(Event.subject_type == "evidence_item")
        ).all()
        return Counter(
            {
                "items": len(tx.session.exec(select(EvidenceItem.id)).all()),
                "uploads": len(tx.session.exec(select(Upload.id)).all()),
                "promises": len(
                    tx.session.exec(
                        select(OutboxRow.id).where(OutboxRow.kind == Work.SEAL_EVIDENCE.value)
                    ).all()
                ),
                "sealed": len(tx.session.exec(select(SealedObject.sha256)).all()),
                **Counter(events),
            }
        )


@pytest.mark.parametrize("trouble", Trouble)
def test_whatever_goes_wrong_with_the_store_the_file_is_sealed_once(
    intake: Intake, line: Line, trouble: Trouble
) -> None:
    asks = {
        Ask.BEGIN,
        Ask.PART,
        Ask.PARTS,
        Ask.COMPLETE,
        Ask.HEAD,
        Ask.READ,
        Ask.COPY_PART,
        Ask.DELETE,
        Ask.UPLOADS,
        Ask.LIST,
    }
    for ask in asks:
        line.goes_wrong(trouble, ask, TWICE)
    plan = sent(intake)
    assert again(lambda: intake.complete(plan, [1, 2, 3])) is EvidenceState.STORED
    again(lambda: seal(intake, plan.item_id))
    assert intake.item(plan.item_id).sha256 == sha256_of(BODY)
    tidied(intake)
    assert {ask for _, ask in line.went_wrong} == asks
    assert rows(intake) == Counter(
        {
            "items": 1,
            "uploads": 1,
            "promises": 1,
            "sealed": 1,
            "announce_evidence": 1,
            "store_evidence": 1,
            "seal_evidence": 1,
        }
    )
    assert [one.key for one in intake.vault.list_keys("")] == [KEY]
    assert list(intake.vault.open_uploads()) == []
    clean(intake)


@pytest.mark.parametrize("trouble", Trouble)
def test_whatever_goes_wrong_with_the_store_an_erasure_comes_to_its_end(
    intake: Intake, line: Line, trouble: Trouble
) -> None:
    item_id = intake.store(BODY)
    intake.seal(item_id)
    begun = intake.announce(noise(1000), "begun.pdf")
    for one in (item_id, begun.item_id):
        remove_evidence(intake.db, intake.learner, one)
    for ask in (Ask.ABORT, Ask.DELETE):
        line.goes_wrong(trouble, ask, TWICE)
    for one in (item_id, begun.item_id):
        again(lambda one=one: intake.erase(one))  # type: ignore[misc]
    assert {ask for _, ask in line.went_wrong} == {Ask.ABORT, Ask.DELETE}
    assert list(intake.vault.list_keys("")) == []
    assert list(intake.vault.open_uploads()) == []
    clean(intake)


@pytest.mark.parametrize("trouble", [Trouble.BROKEN, Trouble.BUSY, Trouble.RESET, Trouble.LOST])
def test_a_small_copy_that_went_wrong_is_made_again_and_never_over_another(
    intake: Intake, line: Line, trouble: Trouble
) -> None:
    body = noise(1000)
    item_id = intake.store(body)
    line.goes_wrong(trouble, Ask.COPY, TWICE)
    again(lambda: seal(intake, item_id))
    assert intake.item(item_id).sha256 == sha256_of(body)
    assert [one.size for one in intake.vault.list_keys("sealed/")] == [len(body)]
    clean(intake)


@pytest.mark.parametrize("trouble", [Trouble.BUSY, Trouble.LOST])
def test_a_store_that_stumbles_once_is_asked_again_and_nobody_notices(
    intake: Intake, line: Line, trouble: Trouble
) -> None:
    intake.vault = Vault(replace(intake.vault.address, tries=3))
    body = noise(1000)
    plan = intake.announce(body)
    intake.send(plan, body)
    line.goes_wrong(trouble, Ask.COMPLETE)
    assert intake.complete(plan) is EvidenceState.STORED
    line.goes_wrong(trouble, Ask.HEAD)
    assert intake.seal(plan.item_id).sha256 == sha256_of(body)
    assert len(line.went_wrong) == 2
    clean(intake)


def test_another_file_is_taken_while_one_waits_for_the_store(intake: Intake, line: Line) -> None:
    plan = sent(intake)
    line.goes_wrong(Trouble.BUSY, Ask.COMPLETE, TWICE)
    with pytest.raises(StoreAway) as away:
        intake.complete(plan)
    assert (away.value.status, "Nothing was lost" in away.value.message) == (503, True)
    assert intake.item(plan.item_id).state == EvidenceState.UPLOADING
    other = noise(1000, "other")
    second = intake.announce(other, "other.pdf")
    intake.send(second, other)
    again(lambda: intake.complete(second))
    again(lambda: intake.complete(plan))
    digests: set[Sha256 | str | None] = {
        intake.seal(one).sha256 for one in (plan.item_id, second.item_id)
    }
    assert digests == {sha256_of(BODY), sha256_of(other)}
    clean(intake)


def test_while_the_store_is_away_for_ten_minutes_all_else_goes_on_and_then_all_of_it_converges(
    intake: Intake, line: Line
) -> None:
    waits, gone = intake.store(BODY), intake.sealed(noise(1000, "gone"), "gone.pdf")
    remove_evidence(intake.db, intake.learner, ItemId(gone.id))
    half = intake.announce(BODY, "half.pdf")
    intake.send(half, BODY, [1])

    line.down = True
    for act in (
        lambda: intake.announce(noise(1000, "new"), "new.pdf"),
        lambda: intake.announce(BODY, "half.pdf"),
        lambda: intake.complete(half),
        lambda: intake.seal(waits),
        lambda: intake.erase(ItemId(gone.id)),
        lambda: clear_incoming(intake.db, intake.vault),
    ):
        with pytest.raises(StoreAway):
            act()
    # a link is made without the store; what it is good for waits
    assert sign_parts(
        intake.db, intake.vault, intake.learner, half.item_id, [WantedPart(2, sha256_of(b"x"))]
    )
    other = intake.world.person(Role.LEARNER, name="Bo Lind")
    intake.world.submitted(other)
    intake.world.clock.advance(timedelta(minutes=10))
    assert intake.item(waits).state == EvidenceState.STORED

    line.down = False
    assert [part.number for part in intake.announce(BODY, "half.pdf").there] == [1]
    intake.send(half, BODY, [2, 3])
    intake.complete(half)
    fresh = intake.announce(noise(1000, "new"), "new.pdf")
    intake.send(fresh, noise(1000, "new"))
    intake.complete(fresh)
    for item_id in (waits, half.item_id, fresh.item_id):
        assert intake.seal(item_id).state == EvidenceState.SEALED
    intake.erase(ItemId(gone.id))
    tidied(intake)
    with intake.db.reading() as tx:
        items = tx.session.exec(
            select(EvidenceItem.state).where(EvidenceItem.case_id == intake.case_id)
        ).all()
    assert sorted(items) == ["erased", "sealed", "sealed", "sealed"]
    assert len(list(intake.vault.list_keys(""))) == 2
    assert list(intake.vault.open_uploads()) == []
    lost = {one.what for one in whatever_is_wrong(intake)}
    assert lost == {"missing"}, "nothing but the other learner's evidence, which never had files"


def test_objects_without_a_row_are_reported_and_only_uploaded_ones_removed_and_only_later(
    intake: Intake, line: Line
) -> None:
    sealed, uploaded = noise(1000, "sealed"), noise(1000, "uploaded")
    intake.vault.put_sealed(sealed)
    intake.vault.put_small("incoming/nobody", uploaded, sha256=sha256_of(uploaded))
    intake.vault.begin("incoming/begun")
    held = intake.announce(noise(1000, "held"), "held.pdf")
    intake.scanner = Says(ScanVerdict.INFECTED, "Eicar")
    quarantined = intake.sealed(noise(1000, "bad"), "bad.pdf")
    intake.scanner = Says()

    assert clear_incoming(intake.db, intake.vault) == 0
    assert abort_orphan_uploads(intake.db, intake.vault) == 0
    reported = {(one.what, one.harmless) for one in whatever_is_wrong(intake)}
    assert reported == {("no_row", True)}

    intake.world.clock.advance(timedelta(days=2))
    reported = {(one.what, one.harmless) for one in whatever_is_wrong(intake)}
    assert reported == {("no_row", True), ("left_over", True)}
    assert clear_incoming(intake.db, intake.vault) == 1
    assert abort_orphan_uploads(intake.db, intake.vault) == 1
    keys = {one.key for one in intake.vault.list_keys("")}
    assert sealed_key(sha256_of(sealed)) in keys
    assert "incoming/nobody" not in keys
    assert len(keys) == 2  # the other is in quarantine, and stays there
    assert intake.item(ItemId(quarantined.id)).state == EvidenceState.QUARANTINED
    assert [one.key for one in intake.vault.open_uploads()] == [upload_key(intake, held)]
    assert {one.what for one in whatever_is_wrong(intake)} == {"no_row"}


def upload_key(intake: Intake, plan: UploadPlan) -> str:
    """Where an upload's object will stand."""
    with intake.db.reading() as tx:
        return tx.session.exec(select(Upload.key).where(Upload.item_id == plan.item_id)).one()
