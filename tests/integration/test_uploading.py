"""Announce, send, resume, complete: against a real store and a real database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from sqlmodel import col, select

from storage.errors import Conflict, InvalidInput, NotFound, TooMany
from storage.ids import CaseId, ItemId, Sha256, new_id, sha256_of
from storage.tables import EvidenceItem, Institution, OutboxRow, Upload, UploadPart
from storage.vault import SMALLEST_PART, StoreAddress, StoreAway, Vault
from storage.vocabulary import EvidenceKind, EvidenceState, Role
from tests.fixtures.intake import Intake, noise, piece_of
from tests.fixtures.proxy import Proxy
from tests.fixtures.world import SIGNED, World
from workflows.cases.commands import submit_case
from workflows.evidence.rules import Announcement, Limits
from workflows.evidence.uploading import (
    SentPart,
    WantedPart,
    announce_evidence,
    complete_upload,
    record_parts,
    sign_parts,
    upload_plan,
)

MIB = 1024**2
THREE_PARTS = 2 * SMALLEST_PART + 1000


def uploads(intake: Intake) -> list[Upload]:
    with intake.db.reading() as tx:
        return list(tx.session.exec(select(Upload)).all())


def test_a_file_in_three_parts_is_stored_and_its_seal_promised(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body, "Film of the job.mp4")
    assert plan.plan.sizes() == (SMALLEST_PART, SMALLEST_PART, 1000)
    assert plan.state is EvidenceState.ANNOUNCED
    intake.send(plan, body)
    assert intake.item(plan.item_id).state == EvidenceState.UPLOADING
    assert intake.complete(plan, [1, 2, 3]) is EvidenceState.STORED
    item = intake.item(plan.item_id)
    assert (item.state, item.title, item.stored_at) == ("stored", "Film of the job", item.stored_at)
    (upload,) = uploads(intake)
    assert b"".join(intake.vault.open_stream(upload.key, upload.etag)) == body
    with intake.db.reading() as tx:
        (promised,) = tx.session.exec(
            select(OutboxRow).where(OutboxRow.kind == "seal_evidence")
        ).all()
    assert (promised.subject_id, promised.queue) == (plan.item_id, "seal")


def test_completing_twice_is_completing_once(intake: Intake) -> None:
    body = noise(1000)
    plan = intake.announce(body)
    intake.send(plan, body)
    assert intake.complete(plan) is EvidenceState.STORED
    assert intake.complete(plan) is EvidenceState.STORED
    with intake.db.reading() as tx:
        rows = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "seal_evidence")).all()
    assert len(rows) == 1


def test_a_file_announced_again_is_the_same_upload_with_what_is_there(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    first = intake.announce(body)
    intake.send(first, body, [2])
    again = intake.announce(body)
    assert again.item_id == first.item_id
    assert [part.number for part in again.there] == [2]
    assert again.there[0].sha256 == sha256_of(piece_of(first, body, 2))
    intake.send(again, body, [1, 3])
    assert intake.complete(again) is EvidenceState.STORED


def test_the_same_file_under_another_name_goes_on_where_it_was(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    first = intake.announce(body, "IMG_0007.mov")
    intake.send(first, body, [1, 3])
    again = intake.announce(body, "Film (copied).mov")
    assert (again.item_id, again.file_name) == (first.item_id, "IMG_0007.mov")
    assert [part.number for part in again.there] == [1, 3]


def test_two_unfinished_files_of_one_size_stay_two(intake: Intake) -> None:
    one, two = noise(1000, "one"), noise(1000, "two")
    first, second = intake.announce(one, "one.pdf"), intake.announce(two, "two.pdf")
    assert first.item_id != second.item_id
    assert intake.announce(two, "renamed.pdf").item_id == second.item_id
    assert intake.announce(one, "renamed.pdf").item_id == first.item_id


def test_without_a_fingerprint_a_file_is_known_by_its_name_and_size(intake: Intake) -> None:
    def announce(name: str) -> ItemId:
        announced = Announcement(name, 10)
        return announce_evidence(
            intake.db, intake.vault, intake.learner, intake.case_id, announced, limits=Limits()
        ).item_id

    assert announce("a.txt") == announce("a.txt") != announce("b.txt")


def test_another_file_of_the_same_name_and_size_is_refused_in_words(intake: Intake) -> None:
    intake.announce(noise(1000, "one"))
    with pytest.raises(Conflict, match="This is not the file that was begun"):
        intake.announce(noise(1000, "two"))


def test_the_same_name_and_size_may_come_again_when_the_first_is_stored(intake: Intake) -> None:
    first = intake.store(noise(1000, "one"))
    assert intake.announce(noise(1000, "two")).item_id != first


def test_a_part_recorded_with_other_bytes_is_another_file(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    other = WantedPart(1, sha256_of(b"other"))
    with pytest.raises(Conflict, match="not the file that was begun"):
        sign_parts(intake.db, intake.vault, intake.learner, plan.item_id, [other])
    with pytest.raises(Conflict, match="not the file that was begun"):
        record_parts(intake.db, intake.learner, plan.item_id, [SentPart(1, other.sha256, "etag")])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([WantedPart(0, Sha256("a" * 64))], "Part 0 is not planned"),
        ([WantedPart(4, Sha256("a" * 64))], "Part 4 is not planned"),
        ([WantedPart(1, Sha256("A" * 64))], "64 lower-case hex"),
        ([WantedPart(1, Sha256(""))], "64 lower-case hex"),
        ([], "Between 1 and 32"),
        ([WantedPart(1, Sha256("a" * 64))] * 33, "Between 1 and 32"),
    ],
)
def test_only_planned_parts_are_signed(intake: Intake, wanted: list[WantedPart], said: str) -> None:
    plan = intake.announce(noise(THREE_PARTS))
    with pytest.raises(InvalidInput, match=said):
        sign_parts(intake.db, intake.vault, intake.learner, plan.item_id, wanted)


def test_a_part_that_the_store_refused_is_not_there(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    piece = piece_of(plan, body, 1)
    (signed,) = sign_parts(
        intake.db, intake.vault, intake.learner, plan.item_id, [WantedPart(1, sha256_of(piece))]
    )
    flipped = bytes([piece[0] ^ 1]) + piece[1:]
    assert (
        requests.put(signed.url, data=flipped, headers=dict(signed.headers), timeout=30).status_code
        == 400
    )
    assert intake.announce(body).there == ()
    intake.send(plan, body)
    assert intake.complete(plan) is EvidenceState.STORED


def test_a_part_that_was_only_claimed_to_be_sent_is_asked_for_again(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1, 2])
    digest = sha256_of(piece_of(plan, body, 3))
    record_parts(intake.db, intake.learner, plan.item_id, [SentPart(3, digest, "made-up")])
    assert [part.number for part in intake.announce(body).there] == [1, 2]
    with pytest.raises(Conflict, match="Parts missing: 3"):
        intake.complete(plan)
    intake.send(plan, body, [3])
    assert intake.complete(plan) is EvidenceState.STORED


def test_a_part_reported_with_anothers_digest_is_sent_anew_and_the_upload_goes_on(
    intake: Intake,
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body)
    with intake.db.transaction() as tx:
        sent = tx.session.exec(select(UploadPart).where(UploadPart.number == 2)).one()
        sent.sha256 = sha256_of(b"another part's")
    with pytest.raises(Conflict, match="other bytes than were reported"):
        intake.complete(plan)
    again = intake.announce(body)
    assert (again.item_id, again.there) == (plan.item_id, ())
    intake.send(again, body)
    assert intake.complete(again) is EvidenceState.STORED


def test_an_upload_with_a_part_left_out_is_refused_and_nothing_is_made_of_it(
    intake: Intake,
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1, 3])
    with pytest.raises(Conflict, match="Parts missing: 2"):
        intake.complete(plan)
    with pytest.raises(Conflict, match="Parts left out: 2"):
        intake.complete(plan, [1, 3])
    (upload,) = uploads(intake)
    assert intake.vault.find(upload.key) is None
    assert intake.item(plan.item_id).state == EvidenceState.UPLOADING


def test_before_anything_was_sent_nothing_can_be_completed(intake: Intake) -> None:
    plan = intake.announce(noise(1000))
    with pytest.raises(Conflict, match="Parts missing: 1"):
        intake.complete(plan)


def test_an_upload_that_the_store_let_go_of_begins_anew(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1, 2])
    (upload,) = uploads(intake)
    intake.vault.abort(upload.key, upload.store_upload_id)
    with pytest.raises(Conflict, match="let go of this upload"):
        intake.complete(plan)
    assert upload_plan(intake.db, intake.vault, intake.learner, plan.item_id).there == ()
    intake.send(plan, body)
    assert intake.complete(plan) is EvidenceState.STORED


def test_a_file_whose_completion_was_not_written_down_is_found_whole(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body)
    intake.assemble_unseen(plan, body)
    assert (
        upload_plan(intake.db, intake.vault, intake.learner, plan.item_id).state
        is EvidenceState.STORED
    )
    assert intake.item(plan.item_id).state == EvidenceState.STORED


def test_completing_what_was_completed_but_not_written_down_succeeds(intake: Intake) -> None:
    body = noise(1000)
    plan = intake.announce(body)
    intake.send(plan, body)
    intake.assemble_unseen(plan, body)
    assert intake.complete(plan) is EvidenceState.STORED


def test_two_plans_at_once_leave_one_upload_in_the_store(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = noise(1000)
    begin = intake.vault.begin
    plan = intake.announce(body)
    with intake.db.transaction() as tx:
        tx.session.exec(select(Upload)).one().store_upload_id = ""

    def begin_late(key: str) -> str:
        begun = begin(key)
        with intake.db.transaction() as tx:
            upload = tx.session.exec(select(Upload)).one()
            upload.store_upload_id = upload.store_upload_id or begin(key)
        return begun

    monkeypatch.setattr(intake.vault, "begin", begin_late)
    upload_plan(intake.db, intake.vault, intake.learner, plan.item_id)
    (upload,) = uploads(intake)
    live = [one.store_upload_id for one in intake.vault.open_uploads()]
    assert upload.store_upload_id in live
    assert len(live) == 2  # the one that the first announcement began, and the winner


def test_parts_cannot_be_signed_before_the_upload_has_begun(intake: Intake) -> None:
    plan = intake.announce(noise(1000))
    with intake.db.transaction() as tx:
        tx.session.exec(select(Upload)).one().store_upload_id = ""
    with pytest.raises(Conflict, match="has not begun yet"):
        sign_parts(
            intake.db,
            intake.vault,
            intake.learner,
            plan.item_id,
            [WantedPart(1, Sha256("a" * 64))],
        )
    with pytest.raises(Conflict, match="Parts missing: 1"):
        intake.complete(plan)


def test_another_learner_gets_nothing_of_my_upload(intake: Intake) -> None:
    plan = intake.announce(noise(1000))
    stranger = intake.world.person(Role.LEARNER)
    wanted, sent = WantedPart(1, Sha256("a" * 64)), SentPart(1, Sha256("a" * 64), "e")
    for act in (
        lambda: sign_parts(intake.db, intake.vault, stranger, plan.item_id, [wanted]),
        lambda: record_parts(intake.db, stranger, plan.item_id, [sent]),
        lambda: complete_upload(intake.db, intake.vault, stranger, plan.item_id),
        lambda: upload_plan(intake.db, intake.vault, stranger, plan.item_id),
    ):
        with pytest.raises(NotFound):
            act()
    with intake.db.reading() as tx:
        assert tx.session.exec(select(UploadPart)).all() == []


def test_what_does_not_exist_looks_like_what_is_not_yours(intake: Intake) -> None:
    nowhere = ItemId(new_id())
    with pytest.raises(NotFound):
        upload_plan(intake.db, intake.vault, intake.learner, nowhere)
    with pytest.raises(NotFound):
        replace(intake, case_id=CaseId(new_id())).announce(b"x")


def test_a_submitted_case_takes_no_files(world: World, vault: Vault) -> None:
    learner = world.person(Role.LEARNER)
    intake = Intake(world, vault, learner, world.case(learner))
    world.full_evidence(intake.case_id)
    submit_case(world.db, world.site, learner, intake.case_id, SIGNED)
    with pytest.raises(Conflict, match="was submitted"):
        intake.announce(b"x")


def test_a_file_that_cannot_be_taken_makes_no_row(intake: Intake) -> None:
    with pytest.raises(InvalidInput):
        intake.announce(b"")
    assert uploads(intake) == []


def test_the_quota_is_never_passed_by_announcements_at_once(intake: Intake) -> None:
    intake.limits = Limits(file_bytes=1000, case_bytes=5000, case_items=50)

    def announce(number: int) -> str:
        try:
            intake.announce(noise(1000, str(number)), f"{number}.pdf")
        except TooMany as refused:
            return str(refused)
        return "taken"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(announce, range(20)))
    assert answers.count("taken") == 5
    assert sum("has room for 0 bytes more" in answer for answer in answers) == 15
    with intake.db.reading() as tx:
        sizes = tx.session.exec(select(EvidenceItem.declared_size)).all()
    assert sum(sizes) == 5000


def test_the_quota_of_an_institution_is_never_passed_by_many_cases_at_once(
    intake: Intake,
) -> None:
    world = intake.world
    with world.db.transaction() as tx:
        tx.session.get_one(Institution, world.institution_id).vault_quota_bytes = 7500
    learners = [world.person(Role.LEARNER) for _ in range(20)]
    intakes = [Intake(world, intake.vault, one, world.case(one)) for one in learners]

    def announce(one: Intake) -> str:
        try:
            one.announce(noise(1000))
        except TooMany as refused:
            return str(refused)
        return "taken"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(announce, intakes))
    assert answers.count("taken") == 7
    assert sum("room for 500 bytes more" in answer for answer in answers) == 13


def test_an_institution_without_a_quota_of_its_own_has_that_of_the_installation(
    intake: Intake,
) -> None:
    intake.limits = Limits(institution_bytes=1500)
    intake.announce(noise(1000))
    with pytest.raises(TooMany, match="institution has room for 500 bytes more"):
        intake.announce(noise(1000, "second"), "second.pdf")


def test_rejected_and_erased_items_give_their_room_back(intake: Intake) -> None:
    intake.limits = Limits(file_bytes=1000, case_bytes=1000, case_items=50)
    for name, state in (
        ("first.pdf", EvidenceState.REJECTED),
        ("second.pdf", EvidenceState.ERASED),
    ):
        plan = intake.announce(noise(1000, name), name)
        with pytest.raises(TooMany):
            intake.announce(noise(1000, "one more"), "one more.pdf")
        with intake.db.transaction() as tx:
            tx.session.get_one(EvidenceItem, plan.item_id).state = state.value
    assert intake.announce(noise(1000, "third"), "third.pdf").there == ()


def test_a_kind_that_was_chosen_is_kept_and_else_guessed(intake: Intake) -> None:
    chosen = Announcement("a.mp4", 10, "video/mp4", kind=EvidenceKind.DEMONSTRATION)
    guessed = Announcement("b.mp4", 10, "video/mp4")
    kinds = [
        intake.item(
            announce_evidence(
                intake.db, intake.vault, intake.learner, intake.case_id, one, limits=Limits()
            ).item_id
        ).kind
        for one in (chosen, guessed)
    ]
    assert kinds == ["demonstration", "video"]


def test_while_the_store_is_away_an_announcement_waits_and_then_goes_on(
    intake: Intake, store_address: StoreAddress, proxy_to: Callable[[str], Proxy]
) -> None:
    body = noise(1000)
    proxy = proxy_to(store_address.endpoint_url)
    proxy.refusing = True
    intake.vault = Vault(replace(store_address, endpoint_url=proxy.url, tries=1))
    with pytest.raises(StoreAway):
        intake.announce(body)
    with pytest.raises(StoreAway):
        intake.announce(body)
    assert len(uploads(intake)) == 1
    proxy.refusing = False
    plan = intake.announce(body)
    intake.vault = Vault(store_address)
    intake.send(plan, body)
    assert intake.complete(plan) is EvidenceState.STORED


def test_an_upload_that_was_signed_for_counts_as_alive(intake: Intake) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.world.clock.advance(timedelta(hours=3))
    intake.send(plan, body, [1])
    (upload,) = uploads(intake)
    assert upload.active_at == intake.world.clock.now()


def test_an_upload_that_ended_says_so(intake: Intake) -> None:
    item_id = intake.store(noise(1000))
    plan = upload_plan(intake.db, intake.vault, intake.learner, item_id)
    assert plan.state is EvidenceState.STORED
    with pytest.raises(Conflict, match="ended already"):
        sign_parts(
            intake.db, intake.vault, intake.learner, item_id, [WantedPart(1, Sha256("a" * 64))]
        )
    with intake.db.transaction() as tx:
        tx.session.get_one(EvidenceItem, item_id).state = EvidenceState.ERASED.value
    with pytest.raises(Conflict, match="ended already"):
        upload_plan(intake.db, intake.vault, intake.learner, item_id)


def test_every_step_of_an_upload_is_in_the_history(intake: Intake) -> None:
    from storage.tables import Event

    intake.store(noise(1000))
    with intake.db.reading() as tx:
        kinds = tx.session.exec(
            select(Event.kind).where(Event.subject_type == "evidence_item").order_by(col(Event.id))
        ).all()
    assert kinds == ["announce_evidence", "store_evidence"]
