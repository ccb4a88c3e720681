"""The pages of erasure and retention: what they say, and where they lead."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from storage.errors import Unavailable
from storage.ids import CaseId, OutboxId
from storage.outbox import receive
from storage.tables import EvidenceItem, OutboxRow
from storage.vocabulary import HoldKind
from tests.fixtures.panel import WHY
from tests.fixtures.web import Browser, People
from tests.fixtures.world import SITE, World
from workflows.canonical import content_hash
from workflows.cases.commands import withdraw_case
from workflows.evidence.describing import remove_evidence
from workflows.keeping.commands import ask_erasure, erase_case, hold_case


@pytest.fixture
def withdrawn(world: World, people: People) -> CaseId:
    """A case of the learner that is withdrawn, with its three files."""
    case_id = world.submitted(people.learner)
    withdraw_case(world.db, people.learner, case_id)
    return case_id


def promised(world: World, kind: str) -> list[OutboxRow]:
    with world.db.reading() as tx:
        rows = tx.session.exec(
            select(OutboxRow).where(OutboxRow.kind == kind, col(OutboxRow.done_at).is_(None))
        )
        return list(rows.all())


def begin(world: World) -> OutboxRow:
    """Run the erasure up to where it waits for the files to be removed."""
    (row,) = promised(world, "erase_case")
    with pytest.raises(Unavailable):
        erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))
    return row


def finish(world: World) -> None:
    """Run the erasure's jobs; of the files there were no bytes in the first place."""
    row = begin(world)
    for one in promised(world, "erase_evidence"):
        with world.db.transaction() as tx:
            receive(tx, OutboxId(one.id))
    erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))


def test_the_learner_reads_the_plan_asks_undoes_and_asks_again(
    browser: Browser, people: People, withdrawn: CaseId
) -> None:
    browser.sign_in(people.learner)
    path = f"/cases/{withdrawn}/erasure"
    assert path in browser.get(f"/cases/{withdrawn}").text
    page = browser.get(path).text
    for words in ("Video of the job", "evidence.mp4", "What stays", "Erase the evidence", "7 days"):
        assert words in page
    assert browser.post(path).status_code == 303
    page = browser.get(path).text
    assert "Will be erased on" in page
    assert "Undo" in page
    assert browser.post(f"{path}/undo").status_code == 303
    assert "Erase your evidence?" in browser.get(path).text
    assert browser.get(f"{path}/receipt.json").status_code == 404


def test_a_case_that_is_under_way_says_what_to_do_first(
    browser: Browser, people: People, world: World
) -> None:
    case_id = world.submitted(people.learner)
    browser.sign_in(people.learner)
    page = browser.get(f"/cases/{case_id}/erasure").text
    assert "Withdraw it first" in page
    assert "Keep it" not in page
    assert browser.post(f"/cases/{case_id}/erasure").status_code == 409


def test_the_receipt_is_a_page_and_a_file_with_its_own_digest(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    ask_erasure(world.db, SITE, people.learner, withdrawn)
    world.clock.advance(timedelta(days=7))
    finish(world)
    browser.sign_in(people.learner)
    page = browser.get(f"/cases/{withdrawn}/erasure").text
    assert "This is your receipt" in page
    answer = browser.get(f"/cases/{withdrawn}/erasure/receipt.json")
    body = json.loads(answer.text)
    digest = body.pop("sha256")
    assert content_hash(body) == digest
    assert digest[:4] in page
    assert "attachment" in answer.headers["Content-Disposition"]
    assert browser.get(f"/cases/{withdrawn}").status_code == 200


def test_an_old_link_says_when_its_file_was_erased_and_to_strangers_nothing(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    with world.db.reading() as tx:
        items = tx.session.exec(select(EvidenceItem.id).where(EvidenceItem.case_id == withdrawn))
        item_id = items.first()
    ask_erasure(world.db, SITE, people.learner, withdrawn)
    world.clock.advance(timedelta(days=7))
    erased_on = world.clock.now().date().isoformat()
    finish(world)
    world.clock.advance(timedelta(days=3))
    old = [f"/evidence/{item_id}/{rest}" for rest in ("view", "file", "preview/thumbnail/0")]
    browser.sign_in(people.learner)
    program = f"/api/v1/evidence/{item_id}"
    for path in (*old, f"/evidence/{item_id}", program, f"{program}/link"):
        answer = browser.get(path)
        assert (answer.status_code, path) == (410, path)
        assert f"was erased on {erased_on}" in answer.text
    for other in (people.other_learner, people.coordinator, people.auditor):
        browser.sign_in(other)
        assert {browser.get(path).status_code for path in old} <= {403, 404}


def test_a_file_that_was_taken_out_of_a_draft_says_so_at_its_old_link(
    browser: Browser, people: People, world: World
) -> None:
    item_id = world.item(world.case(people.learner))
    browser.sign_in(people.learner)
    remove_evidence(world.db, people.learner, item_id)
    answer = browser.get(f"/evidence/{item_id}/view")
    assert answer.status_code == 410
    assert f"was erased on {world.clock.now().date().isoformat()}" in answer.text


def test_while_files_are_being_removed_the_page_asks_for_itself_until_the_receipt_is_there(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    ask_erasure(world.db, SITE, people.learner, withdrawn)
    world.clock.advance(timedelta(days=7))
    browser.sign_in(people.learner)
    path = f"/cases/{withdrawn}/erasure"
    asks = f'hx-get="{path}" hx-trigger="every 3s"'
    assert asks not in browser.get(path).text
    row = begin(world)
    page = browser.get(path).text
    assert "Being erased" in page and asks in page
    for one in promised(world, "erase_evidence"):
        with world.db.transaction() as tx:
            receive(tx, OutboxId(one.id))
    erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))
    assert asks not in browser.get(path).text


def test_staff_read_what_comes_due_and_hold_a_case_with_a_reason(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    world.clock.advance(timedelta(days=100))
    browser.sign_in(people.registrar)
    assert "Withdrawn" in browser.get("/staff/keeping").text
    assert browser.get("/staff/keeping?page=9").status_code == 200
    path = f"/staff/cases/{withdrawn}/hold"
    assert path in browser.get(f"/staff/cases/{withdrawn}").text
    refused = browser.post(path, {"kind": "legal", "why": "no"})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert browser.post(path, {"kind": "legal", "why": WHY}).status_code == 303
    assert WHY in browser.get(path).text
    assert "A law or a court asks for it" in browser.get("/staff/keeping").text
    assert browser.post(f"{path}/lift", {"why": "x"}).status_code == 422
    assert browser.post(f"{path}/lift", {"why": WHY}).status_code == 303
    assert WHY not in browser.get(path).text


def test_the_learner_sees_that_a_case_is_held_and_not_the_words(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    hold_case(world.db, people.registrar, withdrawn, HoldKind.INTEGRITY, WHY)
    browser.sign_in(people.learner)
    page = browser.get(f"/cases/{withdrawn}/erasure").text
    assert "The institution holds this case" in page
    assert WHY not in page


def test_work_that_was_given_up_is_on_the_page_of_its_case_whatever_it_was(
    browser: Browser, people: People, withdrawn: CaseId, world: World
) -> None:
    ask_erasure(world.db, SITE, people.learner, withdrawn)
    with world.db.transaction() as tx:
        tx.session.execute(
            text("UPDATE outbox SET dead_at = now(), attempts = 5 WHERE kind = 'erase_case'")
        )
    browser.sign_in(people.registrar)
    assert "Erase case failed 5 times" in browser.get(f"/staff/cases/{withdrawn}").text
