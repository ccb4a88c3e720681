"""The registrar's pages of credentials: what can be done to one, why, and what was done."""

import pytest

from credentials.verify import Outcome
from storage.vocabulary import Role
from tests.fixtures.issued import (
    ISSUER,
    Issued,
    nothing,
    run_corrections,
    run_promised,
    sign_lists,
)
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import SITE, World
from workflows.issuance.published import verify_own
from workflows.issuance.queries import public_credential
from workflows.issuance.releasing import release_slice
from workflows.issuance.rules import REASONS, Reason
from workflows.work import Work


@pytest.fixture
def web_env(web_env: dict[str, str]) -> dict[str, str]:
    """The pages make keys under the secret of those who run the promised work."""
    return {**web_env, "KEY_ENCRYPTION_SECRET": ISSUER.key_secret}


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


class TestMany:
    @pytest.fixture
    def panel(self, recall: Recall) -> Panel:
        return recall(decided_panel)

    def test_decided_cases_are_released_from_the_page_and_it_says_how_far_it_is(
        self, panel: Panel, browser: Browser
    ) -> None:
        browser.sign_in(panel.registrar)
        page = browser.get("/staff/batches").text
        assert "Ana Souza" in page
        assert browser.post("/staff/batches", {}).status_code == 422
        answer = browser.post("/staff/batches", {"cases": str(panel.case_id)})
        assert answer.status_code == 303
        progress = answer.location.partition("?")[0]
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
        part = browser.get(progress, headers=headers).text
        assert ('hx-trigger="every 2s"' in part, "<html" in part) == (True, False)
        assert browser.post(f"{progress}/stop", {}).status_code == 303
        assert "It is stopped" in browser.get(progress).text
        assert browser.post(f"{progress}/go-on", {}).status_code == 303
        assert browser.post(f"{progress}/go-on", {}).status_code == 409
        run_releases(panel.world)
        done = browser.get(progress).text
        assert "It is done" in done
        assert "hx-trigger" not in done
        assert "Nothing waits" in browser.get("/staff/batches").text

    def test_all_of_a_kind_are_released_by_one_button(self, panel: Panel, browser: Browser) -> None:
        browser.sign_in(panel.registrar)
        answer = browser.post("/staff/batches", {"definition": str(panel.case().definition_id)})
        assert answer.status_code == 303
        assert run_releases(panel.world) == 1
        assert "/credentials/" in browser.get("/staff/credentials").text

    def test_nobody_else_releases_many(self, panel: Panel, browser: Browser) -> None:
        for actor in (panel.decider, panel.coordinator, panel.learner):
            browser.sign_in(actor)
            assert browser.get("/staff/batches").status_code == 403
            assert browser.post("/staff/batches", {}).status_code == 403


def test_an_administrator_makes_a_new_key_and_has_everything_signed_anew(
    issued: Issued, browser: Browser
) -> None:
    browser.sign_in(issued.registrar)
    assert browser.get("/admin/keys").status_code == 403
    browser.sign_in(issued.world.person(Role.ADMINISTRATOR))
    assert "key-1" in browser.get("/admin/keys").text
    assert browser.post("/admin/keys/sign-anew", {}).status_code == 409
    assert browser.post("/admin/keys/rotate", {}).status_code == 303
    page = browser.get("/admin/keys").text
    assert "key-2" in page
    assert "One credential in force is signed with an earlier key" in page
    answer = browser.post("/admin/keys/sign-anew", {})
    assert answer.status_code == 303
    assert "key-2" in browser.get(answer.location.partition("?")[0]).text


def decided_panel(world: World) -> Panel:
    panel = Panel(world)
    panel.scored()
    panel.decide()
    return panel


def run_releases(world: World) -> int:
    return run_promised(
        world,
        Work.RELEASE_SLICE,
        lambda subject, outbox_id: release_slice(world.db, ISSUER, subject, outbox_id),
    )
