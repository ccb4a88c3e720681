"""Two acts on one case in the same moment, and a house restored from days that do not match."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

from sqlmodel import select

from storage.errors import AssayError, Conflict
from storage.ids import ItemId, sha256_of
from storage.tables import Case, EvidenceItem, Manifest
from storage.vault import SEALED, StoreAddress, Vault, sealed_key
from storage.vocabulary import CaseState, EvidenceState, Role
from tests.fixtures.intake import Intake, noise
from tests.fixtures.invariants import whatever_is_wrong
from tests.fixtures.vault import ORIGIN
from tests.fixtures.world import SIGNED, SITE, World
from workflows.cases.commands import submit_case
from workflows.evidence.describing import remove_evidence
from workflows.invariants import broken

ROUNDS = 6


def at_once(*acts: Callable[[], object]) -> list[AssayError | None]:
    """Do these in the same moment; how each was refused."""
    gate = Barrier(len(acts))

    def do(act: Callable[[], object]) -> AssayError | None:
        gate.wait()
        try:
            act()
        except AssayError as refused:
            return refused
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def test_of_a_submission_and_the_removal_of_its_item_at_once_one_wins(world: World) -> None:
    winners = set()
    for number in range(ROUNDS):
        learner = world.person(Role.LEARNER, name=f"Learner {number}")
        case_id = world.case(learner)
        item_id = world.full_evidence(case_id)[0]
        submitted, removed = at_once(
            lambda learner=learner, case_id=case_id: submit_case(  # type: ignore[misc]
                world.db, SITE, learner, case_id, SIGNED
            ),
            lambda learner=learner, item_id=item_id: remove_evidence(  # type: ignore[misc]
                world.db, learner, item_id
            ),
        )
        with world.db.reading() as tx:
            case = tx.session.get_one(Case, case_id)
            item = tx.session.get_one(EvidenceItem, item_id)
            manifest = tx.session.exec(select(Manifest).where(Manifest.case_id == case_id)).first()
        if removed is None:
            winners.add("removal")
            assert item.state == EvidenceState.ERASED
            assert manifest is None or str(item_id) not in str(manifest.body)
        else:
            winners.add("submission")
            assert isinstance(removed, Conflict)
            assert submitted is None and manifest is not None
            assert (case.state, item.state) == (CaseState.SUBMITTED, EvidenceState.SEALED)
            assert str(item_id) in str(manifest.body)
    assert winners
    with world.db.reading() as tx:
        assert list(broken(tx)) == []


def test_with_objects_of_an_older_day_fsck_names_exactly_what_is_missing(
    intake: Intake, store_address: StoreAddress
) -> None:
    intake.world.clock.set(datetime.now(UTC))
    bodies = [noise(1000, str(number)) for number in range(4)]
    for number, body in enumerate(bodies[:2]):
        intake.sealed(body, f"{number}.pdf")
    elsewhere = Vault(replace(store_address, bucket="assay-elsewhere"))
    elsewhere.ensure_bucket([ORIGIN])
    for one in elsewhere.list_keys(""):
        elsewhere.delete(one.key)
    for one in intake.vault.list_keys(SEALED):
        elsewhere.put_sealed(b"".join(intake.vault.open_stream(one.key)))
    later = [intake.sealed(body, f"{number + 2}.pdf") for number, body in enumerate(bodies[2:])]
    waits = intake.store(noise(1000, "waits"), "waits.pdf")

    restored = replace(intake, vault=elsewhere)
    found = whatever_is_wrong(restored)
    assert {(one.what, one.harmless) for one in found} == {
        ("missing", False),
        ("unsealed_missing", False),
    }
    missing = {one.where: one.detail for one in found if one.what == "missing"}
    assert missing == {
        sealed_key(sha256_of(body)): f"items {item.id}"
        for body, item in zip(bodies[2:], later, strict=True)
    }
    (unsealed,) = [one for one in found if one.what == "unsealed_missing"]
    assert unsealed.where.startswith("incoming/")
    assert intake.item(ItemId(waits)).state == EvidenceState.STORED
