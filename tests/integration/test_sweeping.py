"""What the sweeper does about uploads that nobody finishes and what crashes leave behind."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from storage.ids import ItemId, sha256_of
from storage.tables import EvidenceItem, Upload
from storage.vault import INCOMING, SMALLEST_PART, StoreAddress
from storage.vault.bucket import ABANDONED_AFTER_DAYS
from storage.vault.client import connect
from storage.vocabulary import EvidenceState, ScanVerdict
from tests.fixtures.intake import Intake, Says, noise
from workflows.evidence.describing import remove_evidence
from workflows.evidence.sweeping import (
    ABANDONED_DAYS,
    abandon_uploads,
    abort_orphan_uploads,
    clear_incoming,
    finish_interrupted_uploads,
)

THREE_PARTS = 2 * SMALLEST_PART + 1000


@pytest.fixture(autouse=True)
def _today(intake: Intake) -> None:
    """The store's clock cannot be set, so ours is put beside it."""
    intake.world.clock.set(datetime.now(UTC))


def assembled_only(intake: Intake, body: bytes) -> ItemId:
    """A file that is whole in the store, of which no row says so."""
    plan = intake.announce(body)
    intake.send(plan, body)
    intake.assemble_unseen(plan, body)
    return plan.item_id


def test_a_completion_that_nobody_wrote_down_is_written_down(intake: Intake) -> None:
    item_id = assembled_only(intake, noise(1000))
    assert finish_interrupted_uploads(intake.db, intake.vault) == 0  # it may be under way
    intake.world.clock.advance(timedelta(minutes=6))
    assert finish_interrupted_uploads(intake.db, intake.vault) == 1
    assert finish_interrupted_uploads(intake.db, intake.vault) == 0
    assert intake.seal(item_id).state == EvidenceState.SEALED


def test_an_upload_that_pauses_is_left_alone(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    intake.world.clock.advance(timedelta(days=6))
    assert finish_interrupted_uploads(intake.db, intake.vault) == 0
    assert abandon_uploads(intake.db, intake.vault) == 0
    assert abort_orphan_uploads(intake.db, intake.vault) == 0
    intake.send(plan, body, [2, 3])
    assert intake.complete(plan) is EvidenceState.STORED


def test_an_upload_that_is_silent_for_a_week_is_given_up_and_says_so(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    intake.world.clock.advance(timedelta(days=8))
    assert abandon_uploads(intake.db, intake.vault) == 1
    assert abandon_uploads(intake.db, intake.vault) == 0
    item = intake.item(plan.item_id)
    assert item.state == EvidenceState.REJECTED
    assert "not finished within 7 days" in item.reason % item.reason_params
    assert list(intake.vault.open_uploads()) == []
    assert intake.announce(body).item_id != plan.item_id


def test_a_file_that_turns_out_to_be_whole_is_not_given_up(intake: Intake) -> None:
    item_id = assembled_only(intake, noise(1000))
    intake.world.clock.advance(timedelta(days=8))
    assert abandon_uploads(intake.db, intake.vault) == 0
    assert intake.item(item_id).state == EvidenceState.STORED


def test_an_announcement_that_never_reached_the_store_is_given_up_too(intake: Intake) -> None:
    plan = intake.announce(noise(1000))
    with intake.db.transaction() as tx:
        upload = tx.session.exec(select(Upload)).one()
        intake.vault.abort(upload.key, upload.store_upload_id)
        upload.store_upload_id = ""
    intake.world.clock.advance(timedelta(days=8))
    assert abandon_uploads(intake.db, intake.vault) == 1
    assert intake.item(plan.item_id).state == EvidenceState.REJECTED


def test_uploads_in_the_store_that_no_row_knows_are_aborted_after_a_grace(intake: Intake) -> None:
    plan = intake.announce(noise(1000))
    intake.vault.begin("incoming/begun-by-a-process-that-died")
    intake.vault.begin("sealed/aa/copying-by-a-process-that-died")
    assert abort_orphan_uploads(intake.db, intake.vault) == 0
    intake.world.clock.advance(timedelta(days=2))
    assert abort_orphan_uploads(intake.db, intake.vault) == 2
    assert len(list(intake.vault.open_uploads())) == 1
    intake.send(plan, noise(1000))


def test_uploaded_bytes_that_nothing_needs_go_after_a_grace(intake: Intake) -> None:
    waiting = intake.store(noise(1000, "waits"), "waits.pdf")
    intake.scanner = Says(ScanVerdict.INFECTED, "x")
    infected = intake.sealed(noise(1000, "bad"), "bad.pdf")
    intake.vault.put_small(
        "incoming/no-row",
        b"x",
        sha256=sha256_of(b"x"),  # type: ignore[arg-type]
    )
    removed = intake.store(noise(1000, "gone"), "gone.pdf")
    remove_evidence(intake.db, intake.learner, removed)
    assert clear_incoming(intake.db, intake.vault) == 0
    intake.world.clock.advance(timedelta(days=2))
    assert clear_incoming(intake.db, intake.vault) == 2
    with intake.db.reading() as tx:
        kept = set(
            tx.session.exec(
                select(Upload.key).where(col(Upload.item_id).in_([waiting, infected.id]))
            )
        )
    assert {one.key for one in intake.vault.list_keys(INCOMING)} == kept


def test_sealed_objects_are_never_cleared(intake: Intake) -> None:
    intake.sealed(noise(1000))
    intake.vault.put_sealed(b"an object that no row knows")
    intake.world.clock.advance(timedelta(days=400))
    assert clear_incoming(intake.db, intake.vault) == 0
    assert len(list(intake.vault.list_keys("sealed/"))) == 2


def test_what_came_alive_again_meanwhile_is_not_given_up(intake: Intake) -> None:
    from workflows.evidence import sweeping

    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.world.clock.advance(timedelta(days=8))
    (one,) = sweeping._idle(intake.db, timedelta(days=7))
    intake.send(plan, body, [1])
    assert not sweeping._give_up(intake.db, one, 7)
    assert intake.item(plan.item_id).state == EvidenceState.UPLOADING
    with intake.db.reading() as tx:
        assert tx.session.exec(select(EvidenceItem)).one().reason == ""


def test_the_bucket_itself_aborts_what_nobody_finishes(store_address: StoreAddress) -> None:
    held = connect(store_address).get_bucket_lifecycle_configuration(Bucket=store_address.bucket)
    (rule,) = held["Rules"]
    assert rule["Status"] == "Enabled"
    aborted = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    assert aborted == ABANDONED_AFTER_DAYS > ABANDONED_DAYS  # the sweeper, which says so, is first
