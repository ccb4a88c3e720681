"""Staff's pages: each role's turn, every act with and without errors, nobody else's business."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlmodel import select

from storage.database import Database
from storage.ids import CaseId
from storage.tables import Assignment, OutcomeDecision
from storage.vocabulary import CaseState, ConflictAnswer, Role
from tests.fixtures.panel import REASON, WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from workflows.access.rules import Actor
from workflows.cases import commands as cases
from workflows.cases.queries import case_view

A = "CNC1.a"


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


class Desk:
    """Browsers of a case's people, and where its pages are."""

    def __init__(self, app: Flask, db: Database, panel: Panel) -> None:
        self.app, self.db, self.panel = app, db, panel

    def of(self, who: Actor) -> Browser:
        browser = Browser(self.app, self.db)
        browser.sign_in(who)
        return browser

    def page(self, who: Actor, path: str = "") -> str:
        answer = self.of(who).get(self.case + path)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.text)

    @property
    def case(self) -> str:
        return f"/staff/cases/{self.panel.case_id}"

    def place(self, who: Actor) -> str:
        return f"/staff/assignments/{self.panel.place(who)}"


@pytest.fixture
def desk(app: Flask, db: Database, panel: Panel) -> Desk:
    return Desk(app, db, panel)


def state_of(panel: Panel, case_id: CaseId) -> CaseState:
    with panel.db.reading() as tx:
        return case_view(tx, case_id).state


def seated(panel: Panel) -> dict[str, str]:
    with panel.db.reading() as tx:
        rows = tx.session.exec(select(Assignment)).all()
    return {str(row.assessor_id): row.state for row in rows}


class TestHome:
    def test_each_role_reads_in_one_line_what_is_next(self, desk: Desk) -> None:
        panel = desk.panel
        assert "Ask two assessors." in desk.of(panel.coordinator).get("/staff").text
        assert "Nothing waits for you now." in desk.of(panel.decider).get("/staff").text
        panel.scored()
        page = desk.of(panel.decider).get("/staff").text
        assert "decide outcome by outcome" in page and f"{desk.case}/decision" in page
        panel.decide()
        assert f"{desk.case}/release" in desk.of(panel.registrar).get("/staff").text

    def test_late_cases_are_listed_and_named_late(self, desk: Desk) -> None:
        desk.panel.world.clock.advance(timedelta(days=60))
        page = desk.of(desk.panel.registrar).get("/staff").text
        assert "Late cases" in page and "60 days so far" in page

    def test_the_list_narrows_by_state_and_bears_nonsense(self, desk: Desk) -> None:
        browser = desk.of(desk.panel.coordinator)
        assert desk.case in browser.get("/staff/cases").text
        assert desk.case in browser.get("/staff/cases?state=assessment&page=7").text
        assert "No case here" in browser.get("/staff/cases?state=closed").text
        assert browser.get("/staff/cases?state=nowhere&page=-3").status_code == 200

    def test_learners_and_assessors_have_no_such_lists(self, desk: Desk) -> None:
        for who in (desk.panel.learner, desk.panel.first):
            assert desk.of(who).get("/staff").status_code == 403
            assert desk.of(who).get("/staff/cases").status_code == 403


class TestCasePages:
    def test_every_tab_shows_the_case(self, desk: Desk) -> None:
        desk.panel.allocate()
        who = desk.panel.coordinator
        assert "The assessors are at it." in desk.page(who)
        assert "Marked drawing" in desk.page(who, "/evidence")
        assert "Ines Duarte" in desk.page(who, "/assessment")
        history = desk.page(who, "/history")
        assert "Assessor asked" in history and "Accepted for assessment" in history

    def test_the_history_is_for_those_who_look_after_the_case(self, desk: Desk) -> None:
        assert desk.of(desk.panel.decider).get(desk.case + "/history").status_code == 403
        assert "/history" not in desk.page(desk.panel.decider)

    def test_assessors_learners_and_strangers_see_none_of_it(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        panel.declare(panel.first)
        elsewhere = panel.world.person(Role.ASSESSOR)
        for path in ("", "/evidence", "/assessment", "/history", "/allocation", "/decision"):
            for who in (panel.first, panel.learner):
                assert desk.of(who).get(desk.case + path).status_code == 403, path
            assert desk.of(elsewhere).get(desk.case + path).status_code == 404, path

    def test_scores_stay_hidden_until_every_sheet_is_final(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        panel.score(panel.first)
        assert REASON not in desk.page(panel.coordinator, "/assessment")
        panel.score(panel.second)
        panel.settle()
        assert REASON in desk.page(panel.coordinator, "/assessment")


class TestScreening:
    @pytest.fixture
    def submitted(self, desk: Desk) -> CaseId:
        panel = desk.panel
        panel.case_id = panel.world.submitted(panel.world.person(Role.LEARNER))
        return panel.case_id

    def test_begin_then_accept_leads_to_the_assessors(self, desk: Desk, submitted: CaseId) -> None:
        browser = desk.of(desk.panel.coordinator)
        page = browser.get(desk.case + "/screening").text
        assert "Begin screening" in page and "Accept for assessment" not in page
        browser.post(desk.case + "/screening/begin", {"version": "2"})
        assert state_of(desk.panel, submitted) is CaseState.SCREENING
        answer = browser.post(desk.case + "/screening/accept", {"version": "3"})
        assert answer.headers["Location"] == desk.case + "/allocation"
        assert state_of(desk.panel, submitted) is CaseState.ASSESSMENT
        assert "not being screened" in browser.get(desk.case + "/screening").text

    def test_a_return_needs_a_note_and_keeps_what_was_typed(
        self, desk: Desk, submitted: CaseId
    ) -> None:
        cases.begin_screening(desk.db, desk.panel.coordinator, submitted)
        browser = desk.of(desk.panel.coordinator)
        refused = browser.post(desk.case + "/screening/return", {"note": "More <b>"})
        assert refused.status_code == 422 and "More &lt;b&gt;" in refused.text
        browser.post(desk.case + "/screening/return", {"note": WHY, "version": "3"})
        assert state_of(desk.panel, submitted) is CaseState.RETURNED

    def test_a_page_of_an_older_version_is_told_so(self, desk: Desk, submitted: CaseId) -> None:
        browser = desk.of(desk.panel.coordinator)
        answer = browser.post(desk.case + "/screening/begin", {"version": "1"})
        assert answer.status_code == 409 and "moved on" in answer.text

    def test_only_coordinators_screen(self, desk: Desk, submitted: CaseId) -> None:
        for who in (desk.panel.registrar, desk.panel.decider):
            assert desk.of(who).get(desk.case + "/screening").status_code == 403
            assert desk.of(who).post(desk.case + "/screening/begin").status_code == 403


class TestSeats:
    def test_two_are_asked_and_those_who_cannot_be_are_named_with_the_reason(
        self, desk: Desk
    ) -> None:
        panel = desk.panel
        near = panel.world.person(Role.ASSESSOR, name="Nia Near", employer="Halden Works")
        page = desk.page(panel.coordinator, "/allocation")
        assert "Nia Near" in page and "Works for the learner" in page
        browser = desk.of(panel.coordinator)
        for chosen in ([], [near.account_id], ["not-an-id"]):
            refused = browser.post(desk.case + "/allocation", {"assessors": chosen})
            assert refused.status_code == 422
        both = [panel.first.account_id, panel.second.account_id]
        answer = browser.post(desk.case + "/allocation", {"assessors": both})
        assert answer.headers["Location"] == desk.case + "/assessment"
        assert set(seated(panel).values()) == {"offered"}
        assert "No seat is free now." in desk.page(panel.coordinator, "/allocation")

    def test_what_was_chosen_stays_chosen_after_an_error(self, desk: Desk) -> None:
        panel = desk.panel
        three = [panel.first.account_id, panel.second.account_id, panel.third.account_id]
        refused = desk.of(panel.coordinator).post(desk.case + "/allocation", {"assessors": three})
        assert refused.status_code == 422
        assert len(re.findall(r'name="assessors"[^>]* checked', refused.text)) == 3

    def test_a_possible_conflict_is_settled_with_a_reason(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "I taught her <once>.")
        browser = desk.of(panel.coordinator)
        path = desk.place(panel.first) + "/conflict"
        assert "I taught her &lt;once&gt;." in browser.get(path).text
        assert browser.post(path, {"why": WHY}).status_code == 422
        refused = browser.post(path, {"verdict": "clear", "why": "ok"})
        assert refused.status_code == 422
        assert re.search(r'value="clear"[^>]* checked', refused.text)
        assert browser.post(path, {"verdict": "clear", "why": WHY}).status_code == 303
        assert seated(panel)[str(panel.first.account_id)] == "cleared"
        assert "nothing to settle" in browser.get(path).text

    def test_it_can_stand_in_the_way(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
        path = desk.place(panel.first) + "/conflict"
        desk.of(panel.coordinator).post(path, {"verdict": "exclude", "why": WHY})
        assert seated(panel)[str(panel.first.account_id)] == "excluded"
        assert "Choose 1 assessor" in desk.page(panel.coordinator, "/allocation")

    def test_a_place_is_given_to_someone_else(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        browser = desk.of(panel.coordinator)
        path = desk.place(panel.first) + "/replace"
        assert "Replace Ines Duarte" in browser.get(path).text
        assert browser.post(path, {"why": WHY}).status_code == 422
        third = panel.third.account_id
        refused = browser.post(path, {"assessors": third, "why": ""})
        assert refused.status_code == 422
        assert re.search(rf'value="{third}"[^>]* checked', refused.text)
        answer = browser.post(path, {"assessors": third, "why": WHY})
        assert answer.headers["Location"] == desk.case + "/assessment"
        assert seated(panel)[str(third)] == "offered"
        assert "cannot be given to someone else" in browser.get(path).text

    def test_a_third_is_asked_when_scores_stand_too_far_apart(self, desk: Desk) -> None:
        panel = desk.panel
        panel.scored({A: 1}, {A: 4})
        browser = desk.of(panel.coordinator)
        page = browser.get(desk.case + "/allocation").text
        assert "Choose a third assessor" in page and "Drawing interpretation" in page
        assert browser.post(desk.case + "/third", {}).status_code == 422
        answer = browser.post(desk.case + "/third", {"assessors": panel.third.account_id})
        assert answer.status_code == 303
        assert "Third" in desk.page(panel.coordinator, "/assessment")

    def test_only_coordinators_choose(self, desk: Desk) -> None:
        panel = desk.panel
        panel.allocate()
        for who in (panel.registrar, panel.moderator, panel.first):
            browser = desk.of(who)
            assert browser.post(desk.case + "/allocation").status_code == 403
            assert browser.post(desk.place(panel.second) + "/replace").status_code == 403
            assert browser.post(desk.place(panel.second) + "/conflict").status_code == 403


class TestModeration:
    @pytest.fixture
    def discussed(self, desk: Desk) -> Desk:
        desk.panel.scored({A: 2}, {A: 3})
        return desk

    def test_old_scores_stay_in_view_and_the_moderator_signs(self, discussed: Desk) -> None:
        panel, browser = discussed.panel, discussed.of(discussed.panel.moderator)
        page = browser.get(discussed.case + "/moderation").text
        assert "Ines Duarte" in page and "Noah Lindqvist" in page and REASON in page
        assert "Some criteria are still open." in page
        path = f"{discussed.case}/moderation/criteria/{A}"
        refused = browser.post(path, {"level": "3", "why": "so & so"})
        assert refused.status_code == 422 and "so &amp; so" in refused.text
        assert re.search(r'name="level" value="3"[^>]* checked', refused.text)
        assert browser.post(path, {"why": WHY}).status_code == 422
        assert browser.post(path, {"level": "3", "why": WHY}).status_code == 303
        page = browser.get(discussed.case + "/moderation").text
        assert f"Ruth Adeyemi: {WHY}" in page
        version = str(panel.case().version)
        browser.post(discussed.case + "/moderation/conclude", {"version": version})
        assert panel.state() is CaseState.DECISION
        assert "not in moderation" in browser.get(discussed.case + "/moderation").text

    def test_not_assessed_can_be_chosen_where_someone_said_so(self, desk: Desk) -> None:
        panel = desk.panel
        panel.scored({A: None}, {A: 3})
        browser = desk.of(panel.moderator)
        path = f"{desk.case}/moderation/criteria/{A}"
        assert browser.post(path, {"level": "not_assessed", "why": WHY}).status_code == 303
        assert "Settled: Not assessed" in browser.get(desk.case + "/moderation").text

    def test_what_cannot_be_settled_goes_to_a_third(self, discussed: Desk) -> None:
        browser = discussed.of(discussed.panel.moderator)
        path = discussed.case + "/moderation/third"
        refused = browser.post(path, {"criteria": A, "why": ""})
        assert refused.status_code == 422
        assert re.search(rf'value="{A}"[^>]* checked', refused.text)
        assert browser.post(path, {"why": WHY}).status_code == 422
        assert browser.post(path, {"criteria": A, "why": WHY}).status_code == 303
        assert discussed.panel.state() is CaseState.ASSESSMENT

    def test_nobody_else_moderates(self, discussed: Desk) -> None:
        panel = discussed.panel
        for who in (panel.coordinator, panel.decider, panel.first):
            assert discussed.of(who).get(discussed.case + "/moderation").status_code == 403
            answer = discussed.of(who).post(discussed.case + "/moderation/conclude")
            assert answer.status_code == 403


class TestDecision:
    @pytest.fixture
    def partial(self, desk: Desk) -> Desk:
        desk.panel.scored({A: 2}, {A: 2})
        return desk

    def form(self, desk: Desk) -> dict[str, str]:
        """Every outcome as suggested, with all words."""
        codes = [outcome.code for outcome in desk.panel.world.definition.outcomes]
        rest = {f"{code}.result": "recognised" for code in codes if code != "CNC1"}
        return {
            **rest,
            "CNC1.result": "not_yet",
            "CNC1.reason": WHY,
            "CNC1.gap": "A marked drawing of your own.",
            "CNC1.option1": "Challenge exam",
            "CNC1.price1": "120 CAD",
            "summary": "Four of five outcomes are met.",
            "version": str(desk.panel.case().version),
        }

    def test_the_page_holds_what_the_decision_rests_on(self, partial: Desk) -> None:
        page = partial.page(partial.panel.decider, "/decision")
        for shown in ("Drawing interpretation", "Same level", REASON, "Covered", "not all mand"):
            assert shown in page, shown
        assert re.search(r'name="CNC1.result" value="not_yet"[^>]* checked', page)
        assert not re.search(r'name="CNC1.result" value="recognised"', page)

    def test_a_decision_is_kept_whole(self, partial: Desk) -> None:
        answer = partial.of(partial.panel.decider).post(
            partial.case + "/decision", self.form(partial)
        )
        assert answer.headers["Location"] == partial.case
        with partial.db.reading() as tx:
            rows = {row.outcome_code: row for row in tx.session.exec(select(OutcomeDecision))}
        assert (rows["CNC1"].result, rows["CNC2"].level) == ("not_yet", 3)
        page = partial.page(partial.panel.registrar)
        assert "120 CAD" in page and "Challenge exam" in page

    def test_errors_keep_every_word(self, partial: Desk) -> None:
        typed = self.form(partial) | {"summary": "Brief <&>", "CNC1.reason": "short"}
        refused = partial.of(partial.panel.decider).post(partial.case + "/decision", typed)
        assert refused.status_code == 422
        for kept in ("Brief &lt;&amp;&gt;", "short", "A marked drawing", "Challenge exam", "120"):
            assert kept in refused.text, kept
        assert re.search(r'name="CNC1.result" value="not_yet"[^>]* checked', refused.text)
        assert partial.panel.state() is CaseState.DECISION

    def test_a_plan_typed_before_the_outcome_was_recognised_after_all_is_left_out(
        self, desk: Desk
    ) -> None:
        desk.panel.scored()
        typed = self.form(desk) | {"CNC1.result": "recognised"}
        answer = desk.of(desk.panel.decider).post(desk.case + "/decision", typed)
        assert answer.status_code == 303
        assert "A marked drawing of your own" not in desk.page(desk.panel.registrar)

    def test_a_forged_choice_is_refused(self, partial: Desk) -> None:
        browser = partial.of(partial.panel.decider)
        for forged in ("recognised", "sure", ""):
            typed = self.form(partial) | {"CNC1.result": forged}
            assert browser.post(partial.case + "/decision", typed).status_code == 422
        stale = self.form(partial) | {"version": "1"}
        assert browser.post(partial.case + "/decision", stale).status_code == 409

    def test_nobody_else_decides(self, partial: Desk) -> None:
        panel = partial.panel
        for who in (panel.coordinator, panel.registrar, panel.first):
            answer = partial.of(who).post(partial.case + "/decision", self.form(partial))
            assert answer.status_code == 403


class TestRelease:
    def test_the_registrar_reads_what_goes_out_and_releases_it(self, desk: Desk) -> None:
        panel = desk.panel
        panel.scored()
        panel.decide()
        page = desk.page(panel.registrar, "/release")
        assert "What the credential will say" in page and "Digest only" in page
        browser = desk.of(panel.registrar)
        answer = browser.post(desk.case + "/release", {"version": str(panel.case().version)})
        assert answer.headers["Location"] == desk.case
        assert panel.state() is CaseState.RELEASED
        assert "does not wait for its release" in desk.page(panel.registrar, "/release")
        assert browser.post(desk.case + "/release", {}).status_code == 409

    def test_without_a_credential_it_says_so(self, desk: Desk) -> None:
        panel = desk.panel
        panel.scored({A: 1}, {A: 1})
        panel.decide()
        assert "No credential is issued" in desk.page(panel.registrar, "/release")
        desk.of(panel.registrar).post(desk.case + "/release", {})
        assert panel.state() is CaseState.CLOSED

    def test_who_decided_does_not_turn_the_second_key(self, desk: Desk) -> None:
        panel = desk.panel
        panel.scored()
        panel.decider = panel.world.person(Role.DECIDER, Role.REGISTRAR)
        panel.decide()
        answer = desk.of(panel.decider).post(desk.case + "/release", {})
        assert answer.status_code == 403 and "second key" in answer.text
        assert panel.state() is CaseState.DECIDED
