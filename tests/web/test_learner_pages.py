"""The catalogue and the learner's pages: what they say, what their forms do, what they refuse."""

import re

import pytest

from storage.ids import CaseId
from storage.vocabulary import CaseState, EvidenceState, Role
from tests.fixtures.panel import Panel
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.cases import commands as cases
from workflows.cases import queries


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def signed_in(browser: Browser, ana: Actor) -> Browser:
    browser.sign_in(ana)
    return browser


def state_of(world: World, case_id: CaseId) -> CaseState:
    with world.db.reading() as tx:
        return queries.case_view(tx, case_id).state


class TestCatalogue:
    def test_a_visitor_reads_what_is_offered_and_is_asked_to_sign_in(
        self, world: World, browser: Browser
    ) -> None:
        assert world.definition.title in browser.get("/").text
        page = browser.get(f"/catalogue/{world.definition.code}").text
        assert world.definition.outcomes[0].statement in page
        assert world.definition.outcomes[0].criteria[0].levels[0].descriptor in page
        assert "Sign in to open a case" in page

    def test_a_learner_opens_a_case_from_its_page_and_is_led_back_to_it(
        self, world: World, signed_in: Browser
    ) -> None:
        page = signed_in.get(f"/catalogue/{world.definition.code}").text
        assert f"/cases/open/{world.definition_id}" in page
        opened = signed_in.post(f"/cases/open/{world.definition_id}")
        assert opened.status_code == 303 and opened.location.endswith("/rating")
        assert "You have an open case" in signed_in.get(f"/catalogue/{world.definition.code}").text
        assert "is open" in signed_in.get("/").text
        again = signed_in.post(f"/cases/open/{world.definition_id}")
        assert again.status_code == 409 and "open case for this credential" in again.text

    def test_what_is_not_offered_is_not_there(self, world: World, browser: Browser) -> None:
        assert browser.get("/catalogue/NOPE").status_code == 404

    def test_an_installation_without_anything_says_so(self, browser: Browser) -> None:
        assert "Nothing is offered yet" in browser.get("/").text


class TestHome:
    def test_without_a_case_it_offers_the_catalogue(self, world: World, signed_in: Browser) -> None:
        page = signed_in.get("/my").text
        assert "Hello, Ana" in page and "You have no case yet" in page

    def test_each_case_says_what_is_next(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        world.case(ana)
        assert "Rate yourself on each outcome" in signed_in.get("/my").text


class TestCase:
    def test_it_shows_coverage_in_words_and_the_history(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        page = signed_in.get(f"/cases/{case_id}").text
        assert "2 more items of an accepted kind are needed" in page
        assert "Case opened" in page and "Withdraw this case" in page

    def test_a_returned_case_shows_what_is_asked(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        omar = world.person(Role.COORDINATOR)
        case_id = world.submitted(ana)
        cases.begin_screening(world.db, omar, case_id)
        cases.return_case(world.db, world.site, omar, case_id, "Please add the second sheet.")
        assert "Please add the second sheet." in signed_in.get(f"/cases/{case_id}").text

    def test_a_result_is_read_only_from_its_release_on(
        self, world: World, browser: Browser
    ) -> None:
        panel = Panel(world)
        panel.scored()
        panel.decide()
        browser.sign_in(panel.learner)
        address = f"/cases/{panel.case_id}"
        before = browser.get(address).text
        assert "What was decided" not in before and "registrar checks it" in before
        panel.release()
        after = browser.get(address).text
        assert "What was decided" in after and "Agreed level" in after

    @pytest.mark.parametrize("page", ["", "/rating", "/submit", "/withdraw"])
    def test_somebody_elses_is_not_there(
        self, world: World, browser: Browser, ana: Actor, page: str
    ) -> None:
        case_id = world.case(ana)
        browser.sign_in(world.person(Role.LEARNER))
        assert browser.get(f"/cases/{case_id}{page}").status_code == 404


class TestSelfAssessment:
    def test_answers_are_kept_and_shown_again(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        answers = {"rating-CNC1": "3", "rating-CNC2": "", "csrf": "x"}
        assert signed_in.post(f"/cases/{case_id}/rating", answers).status_code == 303
        with world.db.reading() as tx:
            assert dict(queries.self_ratings(tx, case_id)) == {"CNC1": 3}
        assert "checked" in signed_in.get(f"/cases/{case_id}/rating").text

    @pytest.mark.parametrize("level", ["9", "-1", "{{7*7}}", "²", "3" * 5000])
    def test_a_level_that_does_not_exist_is_refused(
        self, world: World, signed_in: Browser, ana: Actor, level: str
    ) -> None:
        case_id = world.case(ana)
        refused = signed_in.post(f"/cases/{case_id}/rating", {"rating-CNC1": level})
        assert refused.status_code == 422 and "Choose one of the levels" in refused.text


class TestSubmission:
    def test_a_form_that_comes_back_keeps_what_was_typed_and_says_what_is_missing(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        world.item(case_id, "CNC1", state=EvidenceState.STORED, title="The long video")
        refused = signed_in.post(f"/cases/{case_id}/submit", {"signed_name": "Ana Maria Souza"})
        assert refused.status_code == 422
        assert "“The long video” is not checked yet" in refused.text
        assert "tick the box" in refused.text and "Ana Maria Souza" in refused.text
        assert state_of(world, case_id) is CaseState.DRAFT

    def test_signing_submits_and_shows_the_receipt(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        world.full_evidence(case_id)
        assert "Marked drawing" in signed_in.get(f"/cases/{case_id}/submit").text
        signed = {"agreed": "yes", "signed_name": "Ana Souza", "version": "1"}
        assert signed_in.post(f"/cases/{case_id}/submit", signed).status_code == 303
        page = signed_in.get(f"/cases/{case_id}").text
        with world.db.reading() as tx:
            manifest = queries.manifest_of(tx, case_id, 1)
        shown = re.sub(r"<[^>]*>|\s", "", page)
        assert manifest is not None and manifest.digest in shown

    def test_a_stale_page_is_told_that_the_case_moved_on(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.submitted(ana)
        signed = {"agreed": "yes", "signed_name": "Ana Souza", "version": "1"}
        refused = signed_in.post(f"/cases/{case_id}/submit", signed)
        assert refused.status_code == 409 and "moved on" in refused.text


class TestWithdrawal:
    def test_it_is_asked_once_more_and_then_done(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        assert "Withdraw your case?" in signed_in.get(f"/cases/{case_id}/withdraw").text
        signed_in.post(f"/cases/{case_id}/withdraw", {"why": "Moving away", "version": "1"})
        assert state_of(world, case_id) is CaseState.WITHDRAWN
        assert "Withdraw this case" not in signed_in.get(f"/cases/{case_id}").text
