"""Files that are announced with their digest: they arrive where they stay, and nobody is fooled."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import event
from sqlmodel import select

from storage.errors import InvalidInput
from storage.ids import ItemId, sha256_of
from storage.reconcile import Fault, compare
from storage.tables import SealedObject
from storage.vault import AlreadyThere, KeptPart, UploadGone, sealed_key
from storage.vocabulary import EvidenceState, ScanVerdict
from tests.fixtures.intake import Intake, Says, fingerprint, noise
from workflows.evidence.describing import remove_evidence
from workflows.evidence.rules import Announcement, Limits, fit_to_announce
from workflows.evidence.sweeping import clear_incoming
from workflows.evidence.uploading import WantedPart, announce_evidence, sign_parts

BODY = noise(9 * 1024**2, "named")


@pytest.fixture
def naming(intake: Intake) -> Intake:
    """A browser that says what the digest of its files is."""
    intake.names_digest = True
    intake.world.clock.set(datetime.now(UTC))
    return intake


def keys(intake: Intake) -> list[str]:
    return [one.key for one in intake.vault.list_keys("")]


def kept_at(intake: Intake) -> str:
    with intake.db.reading() as tx:
        return tx.session.exec(select(SealedObject.key)).one()


def test_they_stay_where_they_arrived_and_are_not_copied(naming: Intake) -> None:
    item_id = naming.store(BODY)
    arrived = naming.arrived_at(item_id)
    before = naming.vault.facts(arrived)
    assert naming.seal(item_id).sha256 == sha256_of(BODY)
    assert kept_at(naming) == arrived
    assert arrived.startswith(sealed_key(sha256_of(BODY)))
    assert keys(naming) == [arrived]
    assert naming.vault.facts(arrived) == before


def test_other_bytes_than_were_announced_are_refused_in_words_and_removed(naming: Intake) -> None:
    other = noise(len(BODY), "other")
    said = Announcement("film.pdf", len(BODY), "", fingerprint(other), sha256=sha256_of(BODY))
    plan = announce_evidence(
        naming.db, naming.vault, naming.learner, naming.case_id, said, limits=Limits()
    )
    naming.send(plan, other)
    naming.complete(plan)
    item = naming.seal(plan.item_id)
    assert item.state == EvidenceState.REJECTED
    assert "not the file that was announced" in item.reason
    assert keys(naming) == []


def test_who_announces_the_digest_of_others_bytes_touches_nothing_of_theirs(
    naming: Intake,
) -> None:
    mine = naming.sealed(BODY)
    other = noise(len(BODY), "other")
    said = Announcement("theirs.pdf", len(BODY), "", fingerprint(other), sha256=sha256_of(BODY))
    plan = announce_evidence(
        naming.db, naming.vault, naming.learner, naming.case_id, said, limits=Limits()
    )
    naming.send(plan, other)
    naming.complete(plan)
    assert naming.seal(plan.item_id).state == EvidenceState.REJECTED
    assert keys(naming) == [naming.arrived_at(ItemId(mine.id))]
    kept = b"".join(naming.vault.open_stream(kept_at(naming)))
    assert sha256_of(kept) == sha256_of(BODY)


@pytest.mark.parametrize("first_names_it", [True, False])
def test_the_same_bytes_twice_are_kept_once_until_both_are_erased(
    naming: Intake, first_names_it: bool
) -> None:
    naming.names_digest = first_names_it
    first = naming.sealed(BODY)
    naming.names_digest = True
    second = naming.sealed(BODY, "again.pdf")
    (kept,) = keys(naming)
    assert kept == kept_at(naming)
    remove_evidence(naming.db, naming.learner, ItemId(first.id))
    naming.erase(ItemId(first.id))
    assert keys(naming) == [kept]
    remove_evidence(naming.db, naming.learner, ItemId(second.id))
    naming.erase(ItemId(second.id))
    assert keys(naming) == []


def test_sent_anew_after_an_erasure_they_have_another_key(naming: Intake) -> None:
    first = naming.sealed(BODY)
    before = kept_at(naming)
    remove_evidence(naming.db, naming.learner, ItemId(first.id))
    naming.erase(ItemId(first.id))
    naming.sealed(BODY, "again.pdf")
    assert kept_at(naming) != before


def test_a_link_that_is_still_good_changes_nothing_once_the_file_is_whole(naming: Intake) -> None:
    plan = naming.announce(BODY)
    naming.send(plan, BODY)
    piece = BODY[: plan.plan.part_size]
    wanted = [WantedPart(1, sha256_of(piece))]
    (link,) = sign_parts(naming.db, naming.vault, naming.learner, plan.item_id, wanted)
    naming.complete(plan)
    naming.seal(plan.item_id)
    before = naming.vault.facts(kept_at(naming))
    late = requests.put(link.url, data=piece, headers=dict(link.headers), timeout=60)
    assert late.status_code == 404
    assert naming.vault.facts(kept_at(naming)) == before


def test_the_store_puts_nothing_over_what_is_there(naming: Intake) -> None:
    item_id = naming.store(BODY)
    key = naming.arrived_at(item_id)
    naming.seal(item_id)
    before = naming.vault.facts(key)
    begun = naming.vault.begin(key)
    with pytest.raises((AlreadyThere, UploadGone)):
        naming.vault.complete(key, begun, _one_part(naming, key, begun))
    naming.vault.abort(key, begun)
    assert naming.vault.facts(key) == before


def _one_part(intake: Intake, key: str, begun: str) -> tuple[KeptPart, ...]:
    piece = noise(1000, "late")
    link = intake.vault.presign_part(key, begun, 1, sha256=sha256_of(piece), size=len(piece))
    sent = requests.put(link.url, data=piece, headers=dict(link.headers), timeout=60)
    assert sent.status_code == 200
    (part,) = intake.vault.list_parts(key, begun)
    return (replace(part, sha256=sha256_of(piece)),)


def test_what_waits_for_its_seal_is_in_order_and_what_is_infected_is_kept_apart(
    naming: Intake,
) -> None:
    item_id = naming.store(BODY)
    assert list(compare(naming.db, naming.vault)) == []
    naming.scanner = Says(ScanVerdict.INFECTED, "Eicar")
    assert naming.seal(item_id).state == EvidenceState.QUARANTINED
    naming.world.clock.advance(timedelta(days=2))
    assert list(compare(naming.db, naming.vault)) == []
    assert clear_incoming(naming.db, naming.vault) == 0
    assert naming.vault.find(naming.arrived_at(item_id)) is not None
    with naming.db.reading() as tx:
        assert tx.session.exec(select(SealedObject)).all() == []


def test_a_file_that_waits_and_is_gone_is_named(naming: Intake) -> None:
    item_id = naming.store(BODY)
    naming.vault.delete(naming.arrived_at(item_id))
    assert [one.fault for one in compare(naming.db, naming.vault)] == [Fault.UNSEALED_MISSING]


def test_the_same_ends_with_another_digest_are_another_file(naming: Intake) -> None:
    plan = naming.announce(BODY)
    ends = fingerprint(BODY)
    said = Announcement("cut.pdf", len(BODY), "", ends, sha256=sha256_of(b"another middle"))
    other = announce_evidence(
        naming.db, naming.vault, naming.learner, naming.case_id, said, limits=Limits()
    )
    assert other.item_id != plan.item_id
    unsaid = Announcement("phone.pdf", len(BODY), "", ends)
    again = announce_evidence(
        naming.db, naming.vault, naming.learner, naming.case_id, unsaid, limits=Limits()
    )
    assert again.item_id == plan.item_id


def test_a_small_file_takes_few_statements_and_few_requests_to_the_store(naming: Intake) -> None:
    body, asked = noise(100_000, "small"), Counter[str]()
    steps = ["announce"]

    def noted(**_: object) -> None:
        asked[f"{steps[-1]}, store"] += 1

    def counted(*_: object) -> None:
        asked[steps[-1]] += 1

    naming.vault._client.meta.events.register("before-call.s3", noted)
    event.listen(naming.db.engine, "before_cursor_execute", counted)
    plan = naming.announce(body)
    steps.append("send")
    naming.send(plan, body)
    steps.append("complete")
    naming.complete(plan)
    steps.append("seal")
    assert naming.seal(plan.item_id).state == EvidenceState.SEALED
    event.remove(naming.db.engine, "before_cursor_execute", counted)
    assert asked["announce"] <= 8 and asked["announce, store"] == 1
    assert asked["complete"] <= 9 and asked["complete, store"] == 2
    # the fixture's own look at the promise and at the item are two of them
    assert asked["seal"] <= 9 and asked["seal, store"] == 1


@pytest.mark.parametrize(
    ("sha256", "size"), [("A" * 64, 5), ("0" * 63, 5), ("0" * 64 + "\n", 5), ("0" * 64, None)]
)
def test_what_is_no_digest_of_a_file_is_refused(sha256: str, size: int | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        fit_to_announce(Announcement("a.pdf", size, sha256=sha256), Limits())
    assert {problem.field for problem in refused.value.problems} == {"sha256"}
