"""Rows against objects, both ways: each way of being wrong is named, and nothing that is right."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from storage import reconcile
from storage.ids import sha256_of
from storage.reconcile import Discrepancy, Fault, compare, rehash
from storage.tables import SealedObject, Upload
from storage.vault import SEALED, sealed_key
from storage.vocabulary import EvidenceState, ScanVerdict
from tests.fixtures.intake import Intake, Says, noise
from workflows.evidence.describing import remove_evidence
from workflows.evidence.sealing import hold_sealed_object


@pytest.fixture(autouse=True)
def _today(intake: Intake) -> None:
    """The store's clock cannot be set, so ours is put beside it."""
    intake.world.clock.set(datetime.now(UTC))


def faults(found: Sequence[Discrepancy]) -> list[tuple[Fault, str]]:
    return [(one.fault, one.key) for one in found]


def compared(intake: Intake) -> list[tuple[Fault, str]]:
    return faults(list(compare(intake.db, intake.vault)))


def rehashed(intake: Intake, limit: int = 100) -> list[tuple[Fault, str]]:
    return faults(list(rehash(intake.db, intake.vault, limit)))


def key_of(body: bytes) -> str:
    return sealed_key(sha256_of(body))


def busy(intake: Intake) -> None:
    """A house in the middle of its work, with nothing wrong."""
    for number in range(5):
        intake.sealed(noise(1000, str(number)), f"{number}.pdf")
    intake.store(noise(1000, "waits"), "waits.pdf")
    intake.announce(noise(1000, "coming"), "coming.pdf")
    intake.scanner = Says(ScanVerdict.INFECTED, "x")
    intake.sealed(noise(1000, "bad"), "bad.pdf")
    intake.scanner = Says()
    gone = intake.sealed(noise(1000, "gone"), "gone.pdf")
    remove_evidence(intake.db, intake.learner, gone.id)
    intake.erase(gone.id)
    with intake.db.transaction() as tx:
        hold_sealed_object(tx, sha256_of(b"about to be stored"), 18)


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_house_at_work_has_nothing_wrong(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reconcile, "BATCH", batch)
    busy(intake)
    assert compared(intake) == []
    assert rehashed(intake) == []


@pytest.mark.parametrize("look", [compared, rehashed])
def test_a_sealed_object_that_is_gone_is_named_with_whose_it_was(
    intake: Intake, look: Callable[[Intake], list[tuple[Fault, str]]]
) -> None:
    busy(intake)
    body = noise(1000, "3")
    intake.vault.delete(key_of(body))
    assert look(intake) == [(Fault.MISSING, key_of(body))]
    (found,) = compare(intake.db, intake.vault)
    assert found.detail.startswith("items ")
    with intake.db.reading() as tx:
        missing = tx.session.exec(
            select(SealedObject.sha256).where(col(SealedObject.missing_at).is_not(None))
        ).all()
    assert missing == [sha256_of(body)]


def test_an_object_that_is_back_is_not_missing_any_more(intake: Intake) -> None:
    body = noise(1000)
    intake.sealed(body)
    intake.vault.delete(key_of(body))
    assert compared(intake) == [(Fault.MISSING, key_of(body))]
    intake.vault.put_sealed(body)
    assert compared(intake) == []
    with intake.db.reading() as tx:
        assert tx.session.exec(select(SealedObject)).one().missing_at is None


def test_an_object_that_no_row_knows_is_named_and_left_alone(intake: Intake) -> None:
    busy(intake)
    intake.vault.put_sealed(b"nobody's")
    assert compared(intake) == [(Fault.NO_ROW, key_of(b"nobody's"))]
    assert intake.vault.find(key_of(b"nobody's")) is not None


def test_bytes_that_were_changed_in_the_store_are_found_by_their_digest(intake: Intake) -> None:
    body, other = noise(1000), noise(1000, "other")
    intake.sealed(body)
    intake.vault.put_small(key_of(body), other, sha256=sha256_of(other))
    assert compared(intake) == []
    assert rehashed(intake) == [(Fault.WRONG_DIGEST, key_of(body))]


def test_bytes_of_another_size_are_found_without_reading_them(intake: Intake) -> None:
    body = noise(1000)
    intake.sealed(body)
    intake.vault.put_small(key_of(body), b"short", sha256=sha256_of(b"short"))
    assert compared(intake) == [(Fault.WRONG_SIZE, key_of(body))]


def test_the_longest_unchecked_are_read_first_and_noted(intake: Intake) -> None:
    for number in range(3):
        intake.world.clock.advance(timedelta(hours=1))
        intake.sealed(noise(1000, str(number)), f"{number}.pdf")
    intake.world.clock.advance(timedelta(hours=1))
    heard: list[str] = []
    assert list(rehash(intake.db, intake.vault, 2, heard.append)) == []
    assert heard == [key_of(noise(1000, "0")), key_of(noise(1000, "1"))]
    heard.clear()
    assert list(rehash(intake.db, intake.vault, 1, heard.append)) == []
    assert heard == [key_of(noise(1000, "2"))]


def test_an_uploaded_file_that_is_gone_before_its_seal_is_named(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    with intake.db.reading() as tx:
        key = tx.session.exec(select(Upload.key).where(Upload.item_id == item_id)).one()
    intake.vault.delete(key)
    assert compared(intake) == [(Fault.UNSEALED_MISSING, key)]
    assert intake.item(item_id).state == EvidenceState.STORED


def test_uploaded_bytes_that_nobody_needs_are_named_after_a_day(intake: Intake) -> None:
    item = intake.sealed(noise(1000))
    with intake.db.reading() as tx:
        key = tx.session.exec(select(Upload.key).where(Upload.item_id == item.id)).one()
    intake.vault.put_small(key, b"left", sha256=sha256_of(b"left"))
    intake.vault.put_small("incoming/zz-unknown", b"x", sha256=sha256_of(b"x"))
    assert compared(intake) == []
    intake.world.clock.advance(timedelta(days=2))
    assert compared(intake) == [
        (Fault.LEFT_OVER, key),
        (Fault.LEFT_OVER, "incoming/zz-unknown"),
    ]


def test_what_is_erased_while_it_is_looked_at_is_not_called_missing(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = intake.sealed(noise(1000))
    find = intake.vault.find

    def erased_meanwhile(prefix: str) -> object:
        if prefix == SEALED:
            remove_evidence(intake.db, intake.learner, item.id)
            intake.erase(item.id)
        return iter(())

    monkeypatch.setattr(intake.vault, "list_keys", erased_meanwhile)
    assert compared(intake) == []
    assert find(key_of(noise(1000))) is None
