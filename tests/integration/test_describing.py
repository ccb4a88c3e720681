"""Describing, removing, small files and links: who may, when, and what is left of it."""

import io
from dataclasses import replace
from datetime import date

import pytest
import requests
from sqlmodel import col, select

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import CaseId, ItemId, OutcomeCode, new_id, sha256_of
from storage.tables import (
    Event,
    EvidenceAccess,
    EvidenceItem,
    EvidenceMapping,
    SealedObject,
    Upload,
)
from storage.vault import ObjectMissing, Vault, sealed_key
from storage.vocabulary import AiUse, Disclosure, EvidenceKind, EvidenceState, Role
from tests.fixtures.intake import Intake, noise
from tests.fixtures.world import SIGNED, World
from workflows.access.rules import Actor
from workflows.cases.commands import begin_screening, return_case, submit_case, withdraw_case
from workflows.evidence.describing import describe_evidence, remove_evidence
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.queries import case_items, item_row
from workflows.evidence.rules import Announcement, Description, Limits
from workflows.evidence.small_files import SMALL_FILE, upload_small

SAID = Description(
    title=" Vice job ",
    kind=EvidenceKind.WORK_PRODUCT,
    own_part="Set up, ran and inspected it.",
    ai=AiUse.USED,
    ai_use="Wording of the report.",
    ai_tool="A chat assistant",
    work_from=date(2026, 1, 5),
    work_to=date(2026, 1, 9),
    outcomes=frozenset({OutcomeCode("CNC1"), OutcomeCode("CNC2")}),
    disclosure=Disclosure.ON_REQUEST,
)


def put_small(intake: Intake, body: bytes, name: str = "small.pdf") -> ItemId:
    return upload_small(
        intake.db,
        intake.vault,
        intake.learner,
        intake.case_id,
        io.BytesIO(body),
        announced=Announcement(name, 0),
        limits=Limits(),
    )


def test_what_a_learner_says_of_an_item_is_kept(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    describe_evidence(intake.db, intake.learner, item_id, SAID)
    with intake.db.reading() as tx:
        row = item_row(tx, item_id)
    assert (row.title, row.kind, row.own_part) == ("Vice job", SAID.kind, SAID.own_part)
    assert (row.work_from, row.work_to) == (SAID.work_from, SAID.work_to)
    assert row.outcomes == ("CNC1", "CNC2")
    assert row.disclosure is Disclosure.ON_REQUEST
    assert row.described
    assert row.direct


def test_a_new_description_replaces_the_old_one_whole(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    describe_evidence(intake.db, intake.learner, item_id, SAID)
    shorter = Description("Other", EvidenceKind.PHOTO, outcomes=frozenset({OutcomeCode("CNC3")}))
    describe_evidence(intake.db, intake.learner, item_id, shorter)
    with intake.db.reading() as tx:
        row = item_row(tx, item_id)
    assert (row.outcomes, row.own_part, row.work_to) == (("CNC3",), "", None)
    assert not row.described


def test_a_description_made_of_an_older_page_is_refused(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    version = intake.item(item_id).version
    describe_evidence(intake.db, intake.learner, item_id, SAID, expected_version=version)
    with pytest.raises(Conflict, match="changed meanwhile"):
        describe_evidence(intake.db, intake.learner, item_id, SAID, expected_version=version)


def test_outcomes_of_another_credential_are_refused(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    other = replace(SAID, outcomes=frozenset({OutcomeCode("NOPE")}))
    with pytest.raises(InvalidInput, match="Choose among the outcomes"):
        describe_evidence(intake.db, intake.learner, item_id, other)
    with intake.db.reading() as tx:
        assert tx.session.exec(select(EvidenceMapping)).all() == []


def test_of_an_attestation_only_the_disclosure_is_the_learners(intake: Intake) -> None:
    item_id = intake.world.item(
        intake.case_id, "CNC1", kind=EvidenceKind.ATTESTATION, title="Statement"
    )
    describe_evidence(intake.db, intake.learner, item_id, SAID)
    with intake.db.reading() as tx:
        row = item_row(tx, item_id)
    assert (row.kind, row.title, row.outcomes) == ("attestation", "Statement", ("CNC1",))
    assert row.disclosure is Disclosure.ON_REQUEST


def test_only_the_learner_describes_and_removes(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    for role in (Role.LEARNER, Role.COORDINATOR, Role.ADMINISTRATOR):
        stranger = intake.world.person(role)
        with pytest.raises((NotFound, Forbidden)):
            describe_evidence(intake.db, stranger, item_id, SAID)
        with pytest.raises((NotFound, Forbidden)):
            remove_evidence(intake.db, stranger, item_id)
    with pytest.raises(NotFound):
        remove_evidence(intake.db, intake.learner, ItemId(new_id()))


def test_a_draft_that_was_withdrawn_is_not_said_to_have_been_submitted(intake: Intake) -> None:
    item_id = intake.announce(noise(1000)).item_id
    withdraw_case(intake.db, intake.learner, intake.case_id)
    with pytest.raises(Conflict, match="has ended"):
        remove_evidence(intake.db, intake.learner, item_id)


def returned(intake: Intake) -> ItemId:
    """A case that was submitted and came back, with an item of its first round."""
    item_id = intake.world.full_evidence(intake.case_id)[0]
    coordinator = intake.world.person(Role.COORDINATOR)
    submit_case(intake.db, intake.world.site, intake.learner, intake.case_id, SIGNED)
    with pytest.raises(Conflict, match="was submitted"):
        describe_evidence(intake.db, intake.learner, item_id, SAID)
    with pytest.raises(Conflict, match="was submitted"):
        remove_evidence(intake.db, intake.learner, item_id)
    begin_screening(intake.db, coordinator, intake.case_id)
    return_case(intake.db, intake.world.site, coordinator, intake.case_id, "Please add a date.")
    return item_id


def test_what_was_submitted_can_be_described_anew_but_not_removed_in_the_next_round(
    intake: Intake,
) -> None:
    item_id = returned(intake)
    describe_evidence(intake.db, intake.learner, item_id, SAID)
    with pytest.raises(Conflict, match="earlier round"):
        remove_evidence(intake.db, intake.learner, item_id)
    new = intake.announce(noise(1000)).item_id
    assert intake.item(new).round == 2
    remove_evidence(intake.db, intake.learner, new)


def test_what_was_rejected_in_an_earlier_round_stands_in_no_manifest_and_can_go(
    intake: Intake,
) -> None:
    refused = intake.store(b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0d\x86" + bytes(500))
    assert intake.seal(refused).state == EvidenceState.REJECTED
    returned(intake)
    remove_evidence(intake.db, intake.learner, refused)
    assert intake.item(refused).state == EvidenceState.ERASED


def test_a_removed_item_is_forgotten_in_words_and_in_bytes(intake: Intake) -> None:
    item = intake.sealed(noise(1000), "Medical report of my client.pdf")
    describe_evidence(intake.db, intake.learner, item.id, SAID)
    assert remove_evidence(intake.db, intake.learner, item.id) == intake.case_id
    assert remove_evidence(intake.db, intake.learner, item.id) == intake.case_id
    kept = intake.item(item.id)
    assert kept.state == EvidenceState.ERASED
    assert (kept.title, kept.file_name, kept.own_part, kept.work_to) == ("", "", "", None)
    intake.erase(item.id)
    assert intake.item(item.id).sha256 is None
    assert list(intake.vault.list_keys("")) == []
    with intake.db.reading() as tx:
        assert case_items(tx, intake.case_id) == []
        with pytest.raises(NotFound):
            item_row(tx, item.id)
    with pytest.raises(Conflict, match="was removed"):
        describe_evidence(intake.db, intake.learner, item.id, SAID)


def test_removing_an_upload_on_its_way_ends_it_in_the_store(intake: Intake) -> None:
    body = noise(16 * 1024**2 + 5)
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    remove_evidence(intake.db, intake.learner, plan.item_id)
    intake.erase(plan.item_id)
    assert list(intake.vault.open_uploads()) == []
    with intake.db.reading() as tx:
        assert tx.session.exec(select(Upload)).one().aborted_at is not None
    intake.announce(body)


def test_erasing_what_is_not_erased_touches_nothing(intake: Intake) -> None:
    from workflows.evidence.describing import promise_erasure

    item = intake.sealed(noise(1000))
    with intake.db.transaction() as tx:
        promise_erasure(tx, ItemId(item.id))
    intake.erase(item.id)
    assert intake.item(item.id).sha256 == item.sha256
    assert intake.vault.find(sealed_key(sha256_of(noise(1000)))) is not None


def test_a_small_file_from_a_plain_form_is_stored(intake: Intake) -> None:
    body = noise(200_000)
    item_id = put_small(intake, body)
    assert intake.item(item_id).state == EvidenceState.STORED
    assert intake.seal(item_id).sha256 == sha256_of(body)


def test_a_small_file_ends_the_upload_in_parts_that_was_begun_for_it(intake: Intake) -> None:
    body = noise(200_000)
    plan = intake.announce(body, "small.pdf")
    assert put_small(intake, body) == plan.item_id
    assert list(intake.vault.open_uploads()) == []
    assert intake.seal(plan.item_id).sha256 == sha256_of(body)


@pytest.mark.parametrize(("size", "said"), [(0, "is empty"), (SMALL_FILE + 1, "JavaScript")])
def test_a_form_takes_neither_nothing_nor_too_much(intake: Intake, size: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        put_small(intake, bytes(size))
    with intake.db.reading() as tx:
        assert tx.session.exec(select(EvidenceItem)).all() == []


def test_the_learner_reads_their_own_sealed_file_and_it_is_written_down(intake: Intake) -> None:
    body = noise(1000)
    item = intake.sealed(body, "Übung.pdf")
    link = link_to_evidence(intake.db, intake.vault, intake.learner, item.id, "download")
    answer = requests.get(link, timeout=10)
    assert answer.content == body
    assert "%C3%9Cbung.pdf" in answer.headers["Content-Disposition"]
    with intake.db.reading() as tx:
        access = tx.session.exec(select(EvidenceAccess)).one()
        event = tx.session.exec(select(Event).where(Event.kind == "open_evidence")).one()
    assert (access.account_id, access.purpose) == (intake.learner.account_id, "download")
    assert event.actor_id == intake.learner.account_id


def assert_no_link(intake: Intake, actor: Actor, item_id: ItemId) -> None:
    with pytest.raises((NotFound, Forbidden, Conflict)):
        link_to_evidence(intake.db, intake.vault, actor, item_id, "download")
    with intake.db.reading() as tx:
        assert tx.session.exec(select(EvidenceAccess)).all() == []


def test_what_is_not_sealed_is_handed_to_nobody(intake: Intake) -> None:
    assert_no_link(intake, intake.learner, intake.store(noise(1000)))
    assert_no_link(intake, intake.learner, ItemId(new_id()))


@pytest.mark.parametrize(
    "role", [Role.LEARNER, Role.ASSESSOR, Role.COORDINATOR, Role.AUDITOR, Role.ADMINISTRATOR]
)
def test_a_draft_is_the_learners_alone(intake: Intake, role: Role) -> None:
    item = intake.sealed(noise(1000))
    assert_no_link(intake, intake.world.person(role), item.id)


def submitted(intake: Intake) -> ItemId:
    """An item, stored and sealed, of a case that was submitted."""
    item_id = ItemId(intake.sealed(noise(1000)).id)
    describe_evidence(intake.db, intake.learner, item_id, SAID)
    intake.world.full_evidence(intake.case_id)
    submit_case(intake.db, intake.world.site, intake.learner, intake.case_id, SIGNED)
    return item_id


def test_staff_read_what_was_submitted_and_assessors_only_when_cleared(intake: Intake) -> None:
    item_id = submitted(intake)
    assert_no_link(intake, intake.world.person(Role.ASSESSOR), item_id)
    assert_no_link(intake, intake.world.person(Role.ADMINISTRATOR), item_id)
    coordinator = intake.world.person(Role.COORDINATOR)
    link = link_to_evidence(intake.db, intake.vault, coordinator, item_id, "screening")
    assert requests.get(link, timeout=10).status_code == 200


def test_what_is_added_to_a_returned_case_is_the_learners_until_it_is_submitted(
    intake: Intake,
) -> None:
    returned(intake)
    new = intake.sealed(noise(2000), "for the second round.pdf")
    assert_no_link(intake, intake.world.person(Role.COORDINATOR), new.id)


def test_a_file_that_the_store_has_lost_is_said_to_be_lost_and_pages_show_it(
    intake: Intake,
) -> None:
    item = intake.sealed(noise(1000))
    intake.vault.delete(sealed_key(sha256_of(noise(1000))))
    for _ in range(2):
        with pytest.raises(ObjectMissing, match="not in the store any more"):
            link_to_evidence(intake.db, intake.vault, intake.learner, item.id, "download")
    with intake.db.reading() as tx:
        assert tx.session.exec(select(SealedObject)).one().missing_at is not None
        assert item_row(tx, item.id).missing
        events = tx.session.exec(select(Event).where(Event.kind == "miss_evidence")).all()
    assert [event.case_id for event in events] == [intake.case_id]


def test_pages_show_how_far_an_upload_has_come(intake: Intake) -> None:
    body = noise(16 * 1024**2 + 5)
    plan = intake.announce(body, "film.mp4")
    intake.send(plan, body, [1, 3])
    with intake.db.reading() as tx:
        (row,) = case_items(tx, intake.case_id)
    assert (row.upload.part_count, row.upload.parts_there, row.size) == (4, 2, len(body))
    assert row.upload.bytes_there == 2 * plan.plan.part_size
    assert row.unfinished
    assert not row.on_its_way
    assert not row.described
    intake.send(plan, body, [2, 4])
    intake.complete(plan)
    with intake.db.reading() as tx:
        (row,) = case_items(tx, intake.case_id)
    assert row.on_its_way
    assert not row.unfinished


def test_pages_need_a_constant_number_of_statements(intake: Intake) -> None:
    from sqlalchemy import event

    statements: list[str] = []

    def count(*args: object) -> None:
        statements.append(str(args[2]))

    for number in range(3):
        intake.world.item(intake.case_id, "CNC1", title=str(number))
    event.listen(intake.db.engine, "before_cursor_execute", count)
    with intake.db.reading() as tx:
        statements.clear()
        case_items(tx, intake.case_id)
        few = len(statements)
    for number in range(20):
        intake.world.item(intake.case_id, "CNC1", "CNC2", title=str(number))
    with intake.db.reading() as tx:
        statements.clear()
        assert len(case_items(tx, intake.case_id)) == 23
        assert len(statements) == few
    event.remove(intake.db.engine, "before_cursor_execute", count)


def test_items_of_other_cases_are_not_shown(intake: Intake, vault: Vault, world: World) -> None:
    other = world.person(Role.LEARNER)
    world.item(world.case(other), "CNC1")
    with intake.db.reading() as tx:
        assert case_items(tx, intake.case_id) == []
        assert case_items(tx, CaseId(new_id())) == []


def test_the_history_of_an_item_reads_in_order(intake: Intake) -> None:
    item = intake.sealed(noise(1000))
    describe_evidence(intake.db, intake.learner, item.id, SAID)
    remove_evidence(intake.db, intake.learner, item.id)
    with intake.db.reading() as tx:
        kinds = tx.session.exec(
            select(Event.kind).where(Event.subject_id == item.id).order_by(col(Event.id))
        ).all()
    assert kinds == [
        "announce_evidence",
        "store_evidence",
        "seal_evidence",
        "describe_evidence",
        "remove_evidence",
    ]
