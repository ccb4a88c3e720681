"""The registrar's pages of credentials: what can be done to one, why, and what was done."""

import pytest

from credentials.verify import Outcome
from storage.vocabulary import Role
from tests.fixtures.issued import Issued, nothing, run_corrections, sign_lists
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import SITE
from workflows.issuance.published import verify_own
from workflows.issuance.queries import public_credential
from workflows.issuance.rules import REASONS, Reason


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def record(issued: Issued) -> str:
    return f"/staff/credentials/{issued.credential_id}"


def public(issued: Issued) -> str:
    return f"/credentials/{issued.credential_id}"


def test_a_credential_is_suspended_for_a_listed_reason_and_comes_back(
    issued: Issued, browser: Browser
) -> None:
    browser.sign_in(issued.registrar)
    assert record(issued) in browser.get(public(issued)).text
    form = {"reason": Reason.REVIEW.value, "note": "Two names in one mail: ask Omar."}
    assert browser.get(f"{record(issued)}/suspend").status_code == 200
    assert browser.post(f"{record(issued)}/suspend", {"note": "x"}).status_code == 422
    free_text = browser.post(f"{record(issued)}/suspend", {"reason": "She cheated in the exam."})
    assert free_text.status_code == 422
    assert browser.post(f"{record(issued)}/suspend", form).status_code == 303
    assert browser.post(f"{record(issued)}/suspend", form).status_code == 409
    sign_lists(issued.world)
    stranger = Browser(browser.app, browser.db)
    page = stranger.get(public(issued)).text
    assert "Suspended for a time" in page
    assert REASONS[Reason.REVIEW] in page
    assert "Omar" not in page
    own = browser.get(record(issued)).text
    assert form["note"] in own
    assert "Put back in force" in own
    assert browser.post(f"{record(issued)}/lift", {}).status_code == 303
    assert "Suspended for a time" not in stranger.get(public(issued)).text


def test_what_is_revoked_offers_nothing_more(issued: Issued, browser: Browser) -> None:
    browser.sign_in(issued.registrar)
    form = {"reason": Reason.HOLDER_ASKED.value}
    assert browser.post(f"{record(issued)}/revoke", form).status_code == 303
    assert "What can be done" not in browser.get(record(issued)).text
    assert "cannot be done" in browser.get(f"{record(issued)}/revoke").text
    assert "It does not count any more" in browser.get(public(issued)).text


def test_a_corrected_credential_and_the_old_one_lead_to_each_other(
    issued: Issued, browser: Browser
) -> None:
    browser.sign_in(issued.registrar)
    assert "Ana Souza" in browser.get(f"{record(issued)}/correct").text
    assert browser.post(f"{record(issued)}/correct", {"name": " "}).status_code == 422
    answer = browser.post(f"{record(issued)}/correct", {"name": "Ana Souza Lima"})
    assert answer.status_code == 303
    new = answer.location.partition("?")[0].rpartition("/")[2]
    assert "on its way" in browser.get(record(issued)).text
    assert browser.post(f"{record(issued)}/revoke", {"reason": "holder_asked"}).status_code == 409
    run_corrections(issued.world)
    sign_lists(issued.world)
    stranger = Browser(browser.app, browser.db)
    old_page, new_page = stranger.get(public(issued)).text, stranger.get(f"/credentials/{new}").text
    assert f"/credentials/{new}" in old_page
    assert "Replaced by a corrected credential" in old_page
    assert public(issued) in new_page
    assert "Ana Souza Lima" in new_page
    assert "Replaced by a corrected credential" in browser.get(record(issued)).text
    with issued.db.reading() as tx:
        view = public_credential(tx, SITE, issued.credential_id)
    assert verify_own(issued.db, SITE, view, nothing).outcome is Outcome.NOT_VALID


def test_only_the_registrar_has_these_pages(issued: Issued, browser: Browser) -> None:
    browser.sign_in(issued.learner)
    assert browser.get("/staff/credentials").status_code == 403
    for page in ("", "/suspend", "/revoke", "/correct"):
        assert browser.get(f"{record(issued)}{page}").status_code == 403
    browser.sign_in(issued.world.person(Role.AUDITOR))
    register = browser.get("/staff/credentials").text
    assert public(issued) in register
    assert record(issued) not in register
    browser.sign_in(issued.registrar)
    assert record(issued) in browser.get("/staff/credentials").text
