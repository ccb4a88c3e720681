"""The seal: what one pass finds, what becomes of the file, and what a repeat leaves alone."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError
from sqlmodel import col, select

from app.sandbox import ChildProcesses
from app.scanning import Clamd, NoScanner
from storage.database import Database
from storage.errors import Unavailable
from storage.ids import OutboxId, Sha256, new_id, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import Event, EvidenceItem, OutboxRow, SealedObject, Upload
from storage.vault import ObjectChanged, ObjectMissing, StoreAddress, Vault, sealed_key
from storage.vocabulary import EvidenceState, Role, ScanVerdict
from tests.fixtures.clamd import EICAR, needs_clamd
from tests.fixtures.intake import Intake, Says, noise
from tests.fixtures.proxy import Proxy
from tests.fixtures.world import World
from workflows.evidence import erasing, sealing
from workflows.evidence.describing import remove_evidence
from workflows.evidence.kept import hold_sealed_object
from workflows.evidence.sealing import Checks, evidence_failed, seal_evidence
from workflows.evidence.verdicts import SealPolicy
from workflows.ports import Scan
from workflows.work import Work, give_up_work

MIB = 1024**2


def sealed_objects(intake: Intake) -> list[SealedObject]:
    with intake.db.reading() as tx:
        return list(tx.session.exec(select(SealedObject)).all())


def test_a_good_file_is_sealed_under_its_digest_with_a_receipt(intake: Intake) -> None:
    body = noise(9 * MIB)
    item = intake.sealed(body)
    digest = sha256_of(body)
    assert item.state == EvidenceState.SEALED
    assert (item.sha256, item.size, item.media_type) == (digest, len(body), "application/pdf")
    assert (item.scan, item.flags, item.reason) == ("clean", [], "")
    assert item.sealed_at == intake.world.clock.now()
    assert b"".join(intake.vault.open_stream(sealed_key(digest))) == body
    (sealed,) = sealed_objects(intake)
    assert (sealed.key, sealed.checked_at) == (sealed_key(digest), intake.world.clock.now())


def test_bytes_that_were_kept_before_are_not_said_to_have_been_read(intake: Intake) -> None:
    body = noise(9 * MIB)
    intake.sealed(body)
    (first,) = sealed_objects(intake)
    intake.world.clock.advance(timedelta(days=1))
    assert intake.sealed(body).state == EvidenceState.SEALED
    (again,) = sealed_objects(intake)
    assert again.checked_at == first.checked_at


def test_the_scanner_sees_every_byte_and_the_incoming_copy_goes(intake: Intake) -> None:
    scanner = intake.scanner = Says()
    intake.sealed(noise(9 * MIB))
    assert scanner.seen == 9 * MIB
    assert list(intake.vault.list_keys("incoming/")) == []


def test_the_history_says_what_the_seal_found(intake: Intake) -> None:
    item = intake.sealed(noise(1000))
    with intake.db.reading() as tx:
        event = tx.session.exec(select(Event).where(Event.kind == "seal_evidence")).one()
    assert event.actor_role == Role.SYSTEM
    assert event.data["sha256"] == item.sha256
    assert event.data["scan"] == "clean"


def test_a_program_called_pdf_is_rejected_with_the_reason_and_its_bytes_go(
    intake: Intake,
) -> None:
    program = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0d\x86" + bytes(500)
    item = intake.sealed(program)
    assert item.state == EvidenceState.REJECTED
    assert "is a program" in item.reason % item.reason_params
    assert item.sha256 is None
    assert list(intake.vault.list_keys("")) == []


def test_svg_is_kept_and_flagged(intake: Intake) -> None:
    item = intake.sealed(b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "d.svg")
    assert (item.state, item.flags) == (EvidenceState.SEALED, ["active"])


def test_malware_is_quarantined_and_no_sealed_copy_is_made(intake: Intake) -> None:
    intake.scanner = Says(ScanVerdict.INFECTED, "Eicar-Test")
    item = intake.sealed(noise(1000))
    assert item.state == EvidenceState.QUARANTINED
    assert "Eicar-Test" in item.reason % item.reason_params
    assert list(intake.vault.list_keys("sealed/")) == []
    assert len(list(intake.vault.list_keys("incoming/"))) == 1


@needs_clamd
def test_clamd_itself_finds_eicar_in_an_upload(intake: Intake, clamd: Clamd) -> None:
    intake.scanner = clamd
    assert intake.sealed(EICAR, "notes.txt").state == EvidenceState.QUARANTINED
    assert intake.sealed(noise(1000), "good.pdf").scan == "clean"


@pytest.mark.parametrize("said", [ScanVerdict.NOT_SCANNED, ScanVerdict.ERROR])
def test_what_was_not_scanned_says_so_and_why(intake: Intake, said: ScanVerdict) -> None:
    intake.scanner = Says(said, "because")
    item = intake.sealed(noise(1000))
    assert (item.state, item.scan, item.scan_detail) == (EvidenceState.SEALED, said, "because")


def test_without_a_scanner_an_item_is_never_called_clean(intake: Intake) -> None:
    intake.scanner = NoScanner()
    item = intake.sealed(noise(40 * MIB))
    assert (item.state, item.scan) == (EvidenceState.SEALED, "not_scanned")


def test_where_nothing_unscanned_is_taken_a_file_waits_for_the_scanner(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    intake.scanner = Says(ScanVerdict.ERROR)
    with pytest.raises(Unavailable):
        intake.seal(item_id, SealPolicy(refuse_unscanned=True))
    assert intake.item(item_id).state == EvidenceState.STORED
    intake.scanner = Says(ScanVerdict.CLEAN)
    assert intake.seal(item_id, SealPolicy(refuse_unscanned=True)).state == EvidenceState.SEALED


def test_a_scanner_that_looks_no_further_does_not_hold_up_the_seal(intake: Intake) -> None:
    class FirstChunkOnly:
        def scan(self, chunks: Iterable[bytes]) -> Scan:
            next(iter(chunks))
            return Scan(ScanVerdict.NOT_SCANNED, "enough")

    intake.scanner = FirstChunkOnly()
    body = noise(40 * MIB)
    assert intake.sealed(body).sha256 == sha256_of(body)


def test_a_scanner_that_breaks_is_an_error_and_not_clean(intake: Intake) -> None:
    class Broken:
        def scan(self, chunks: Iterable[bytes]) -> Scan:
            raise RuntimeError("bug")

    intake.scanner = Broken()
    threading.excepthook, hook = lambda _: None, threading.excepthook
    try:
        item = intake.sealed(noise(40 * MIB))
    finally:
        threading.excepthook = hook
    assert (item.state, item.scan) == (EvidenceState.SEALED, "error")


def test_the_same_bytes_from_two_learners_are_two_items_over_one_object(
    world: World, vault: Vault, intake: Intake
) -> None:
    other = world.person(Role.LEARNER)
    second = replace(intake, learner=other, case_id=world.case(other))
    body = noise(1000)
    first_item, second_item = intake.sealed(body), second.sealed(body)
    assert first_item.sha256 == second_item.sha256
    assert len(sealed_objects(intake)) == 1
    remove_evidence(world.db, intake.learner, first_item.id)
    intake.erase(first_item.id)
    assert vault.find(sealed_key(sha256_of(body))) is not None
    remove_evidence(world.db, other, second_item.id)
    second.erase(second_item.id)
    assert list(vault.list_keys("")) == []
    assert sealed_objects(intake) == []


def test_a_second_run_of_the_same_seal_changes_nothing(intake: Intake) -> None:
    item = intake.sealed(noise(1000))
    with pytest.raises(AlreadyDone):
        intake.seal(item.id)
    assert intake.item(item.id).version == item.version


def test_two_workers_with_the_same_seal_have_one_effect(intake: Intake) -> None:
    item_id = intake.store(noise(9 * MIB))
    outbox_id = intake.promised(Work.SEAL_EVIDENCE, item_id)
    endings: list[str] = []

    def work() -> None:
        try:
            seal_evidence(
                intake.db, intake.vault, Checks(Says(), ChildProcesses()), item_id, outbox_id
            )
        except (AlreadyDone, ObjectMissing) as error:
            endings.append(type(error).__name__)
        else:
            endings.append("sealed")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endings.count("sealed") == 1
    assert intake.item(item_id).state == EvidenceState.SEALED
    with intake.db.reading() as tx:
        events = tx.session.exec(select(Event).where(Event.kind == "seal_evidence")).all()
    assert len(events) == 1


def test_bytes_that_changed_after_the_upload_are_not_sealed(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    with intake.db.reading() as tx:
        upload = tx.session.exec(select(Upload)).one()
    other = noise(1000, "other")
    intake.vault.put_small(upload.key, other, sha256=sha256_of(other))
    with pytest.raises(ObjectChanged):
        intake.seal(item_id)
    assert intake.item(item_id).state == EvidenceState.STORED
    assert sealed_objects(intake) == []


def test_bytes_of_another_size_than_announced_are_rejected(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    with intake.db.transaction() as tx:
        tx.session.get_one(EvidenceItem, item_id).declared_size = 999
    item = intake.seal(item_id)
    assert item.state == EvidenceState.REJECTED
    assert "999 bytes were announced and 1000 arrived" in item.reason % item.reason_params


def test_a_seal_that_is_given_up_says_so_to_the_learner_and_can_still_succeed(
    intake: Intake,
) -> None:
    item_id = intake.store(noise(1000))
    with intake.db.transaction() as tx:
        row = tx.session.exec(select(OutboxRow)).one()
        row.attempts, row.last_error = 99, "It broke."
    give_up_work(intake.db, {Work.SEAL_EVIDENCE: evidence_failed})
    item = intake.item(item_id)
    assert item.state == EvidenceState.STORED
    assert "could not be checked" in item.reason
    with intake.db.transaction() as tx:
        tx.session.exec(select(OutboxRow)).one().dead_at = None
        assert tx.session.exec(
            select(Event.why).where(Event.kind == "fail_to_seal_evidence")
        ).all() == ["It broke."]
    again = intake.seal(item_id)
    assert (again.state, again.reason) == (EvidenceState.SEALED, "")


def test_an_item_that_was_sealed_after_all_is_not_called_failed(intake: Intake) -> None:
    item = intake.sealed(noise(1000))
    with intake.db.transaction() as tx:
        row = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == Work.SEAL_EVIDENCE)).one()
        row.attempts, row.done_at = 99, None
    give_up_work(intake.db, {Work.SEAL_EVIDENCE: evidence_failed})
    assert intake.item(item.id).reason == ""


def test_an_item_removed_before_its_seal_is_not_read(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    remove_evidence(intake.db, intake.learner, item_id)
    with pytest.raises(Unavailable, match="waits for that"):
        intake.erase(item_id)
    assert intake.seal(item_id).state == EvidenceState.ERASED
    intake.erase(item_id)
    assert list(intake.vault.list_keys("")) == []


@pytest.mark.parametrize("moment", ["claim_digest", "_record"])
def test_an_item_removed_in_the_middle_of_its_seal_leaves_nothing_behind(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    item_id = intake.store(noise(1000))
    step = getattr(sealing, moment)

    def remove_first(*args: object, **kwargs: object) -> object:
        remove_evidence(intake.db, intake.learner, item_id)
        with suppress(Unavailable):
            intake.erase(item_id)
        return step(*args, **kwargs)

    monkeypatch.setattr(sealing, moment, remove_first)
    assert intake.seal(item_id).state == EvidenceState.ERASED
    intake.erase(item_id)
    assert list(intake.vault.list_keys("")) == []
    assert sealed_objects(intake) == []


def test_bytes_that_are_being_erased_are_not_shared_until_they_are_gone(intake: Intake) -> None:
    body = noise(1000)
    with intake.db.transaction() as tx:
        hold_sealed_object(tx, sha256_of(body), len(body)).erasing_at = tx.now
    item_id = intake.store(body)
    with pytest.raises(Unavailable, match="being erased"):
        intake.seal(item_id)
    with intake.db.transaction() as tx:
        tx.session.delete(tx.session.exec(select(SealedObject)).one())
    assert intake.seal(item_id).state == EvidenceState.SEALED


def test_a_line_that_breaks_in_the_middle_is_mended(
    intake: Intake, store_address: StoreAddress, proxy_to: Callable[[str], Proxy]
) -> None:
    body = noise(12 * MIB)
    item_id = intake.store(body)
    proxy = proxy_to(store_address.endpoint_url)
    proxy.cut_after, proxy.cuts_left = 5 * MIB, 2
    intake.vault = Vault(replace(store_address, endpoint_url=proxy.url))
    item = intake.seal(item_id)
    assert (item.state, item.sha256) == (EvidenceState.SEALED, sha256_of(body))
    assert proxy.cuts == 2


def test_the_page_hears_how_far_a_long_seal_has_come(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PROGRESS_SECONDS", 0.0)
    heard: list[int] = []

    class Listens:
        def scan(self, chunks: Iterable[bytes]) -> Scan:
            for _ in chunks:
                heard.append(intake.item(item_id).seal_bytes_read)
            return Scan(ScanVerdict.CLEAN)

    intake.scanner = Listens()
    item_id = intake.store(noise(40 * MIB))
    item = intake.seal(item_id)
    assert any(0 < size < 40 * MIB for size in heard)
    assert item.seal_bytes_read == 40 * MIB


def test_a_busy_database_does_not_make_a_pass_begin_anew(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PROGRESS_SECONDS", 0.0)
    item_id = intake.store(noise(1000))
    with intake.db.transaction() as tx:
        tx.session.get_one(EvidenceItem, item_id, with_for_update=True)
        impatient = Database(intake.db.url, intake.db.clock, statement_timeout_ms=200)
        progress = sealing._Progress(impatient, item_id)
        progress.tell(500)
        impatient.close()
    assert intake.item(item_id).seal_bytes_read == 0
    sealing._Progress(intake.db, item_id).tell(500)
    assert intake.item(item_id).seal_bytes_read == 500


def test_memory_stays_flat_whatever_the_size(intake: Intake) -> None:
    intake.sealed(noise(8 * MIB, "warm"), "warm.pdf")
    item_id = intake.store(noise(160 * MIB), "large.mp4")
    process, peak, done = psutil.Process(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    before = process.memory_info().rss
    watcher.start()
    try:
        intake.scanner = NoScanner()
        intake.seal(item_id)
    finally:
        done.set()
        watcher.join()
    assert peak - before < 64 * MIB


def test_only_what_is_stored_is_sealed(intake: Intake, tmp_path: Path) -> None:
    plan = intake.announce(noise(1000))
    with pytest.raises(AlreadyDone):
        checks = Checks(intake.scanner, ChildProcesses())
        seal_evidence(intake.db, intake.vault, checks, plan.item_id, OutboxId(new_id()))
    assert Sha256(intake.item(plan.item_id).sha256 or "") == ""
    with intake.db.reading() as tx:
        assert tx.session.exec(select(Event).where(col(Event.kind) == "seal_evidence")).all() == []


def test_an_erasure_that_stalled_never_removes_bytes_that_were_sealed_since(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = noise(1000)
    digest = sha256_of(body)
    first, second = intake.sealed(body, "one.pdf"), intake.sealed(body, "two.pdf")
    remove_evidence(intake.db, intake.learner, first.id)
    remove_evidence(intake.db, intake.learner, second.id)
    anew = []

    def meanwhile(point: str) -> None:
        """While one run stalls, another ends the erasure, and the bytes come back."""
        if point == "erase.claimed" and not anew:
            anew.append(intake.store(body, "three.pdf"))
            intake.erase(second.id)
            intake.seal(anew[0])

    monkeypatch.setattr(erasing, "crash_point", meanwhile)
    intake.erase(first.id)
    again = intake.item(anew[0])
    assert (again.state, again.sha256) == (EvidenceState.SEALED, digest)
    (sealed,) = sealed_objects(intake)
    assert sealed.key == sealed_key(digest, 1)
    assert b"".join(intake.vault.open_stream(sealed.key)) == body
    assert [one.key for one in intake.vault.list_keys("sealed/")] == [sealed.key]
    assert {intake.item(one.id).sha256 for one in (first, second)} == {None}


def test_each_erasure_that_was_begun_ends_the_use_of_its_key(intake: Intake) -> None:
    body = noise(1000)
    for generation in range(3):
        item = intake.sealed(body)
        assert [one.key for one in sealed_objects(intake)] == [
            sealed_key(sha256_of(body), generation)
        ]
        remove_evidence(intake.db, intake.learner, item.id)
        intake.erase(item.id)
    assert list(intake.vault.list_keys("")) == []


def locked_intake(intake: Intake, store_address: StoreAddress) -> Intake:
    """The same learner over a bucket with object lock."""
    vault = Vault(replace(store_address, bucket="assay-locked", object_lock=True))
    assert vault.ensure_bucket(["http://127.0.0.1:8000"]) == ()
    return replace(intake, vault=vault)


def test_where_the_store_has_object_lock_sealed_bytes_are_locked(
    intake: Intake, store_address: StoreAddress
) -> None:
    intake.world.clock.set(datetime.now(UTC))
    locked = locked_intake(intake, store_address)
    body = noise(1000, "locked")
    item = locked.sealed(body, policy=SealPolicy(lock_days=2))
    (sealed,) = sealed_objects(intake)
    assert sealed.locked_until == intake.world.clock.now() + timedelta(days=2)
    client = locked.vault._client
    version = client.head_object(Bucket="assay-locked", Key=sealed.key)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket="assay-locked", Key=sealed.key, VersionId=version)
    remove_evidence(intake.db, intake.learner, item.id)
    locked.erase(item.id)
    left = client.list_object_versions(Bucket="assay-locked")
    assert (left.get("Versions"), left.get("DeleteMarkers")) == (None, None)


def test_where_the_store_has_no_object_lock_the_seal_works_as_ever(intake: Intake) -> None:
    item = intake.sealed(noise(1000), policy=SealPolicy(lock_days=2))
    assert item.state == EvidenceState.SEALED
    assert [one.locked_until for one in sealed_objects(intake)] == [None]
