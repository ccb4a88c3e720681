"""An assessor's pages: own things only, names before the declaration, nothing typed is lost."""

import re

import pytest
from flask import Flask
from sqlmodel import select

from storage.database import Database
from storage.tables import Assignment, Score, ScoreSheet
from storage.vocabulary import ConflictAnswer
from tests.fixtures.panel import REASON, WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def asked(world: World) -> Panel:
    made = Panel(world)
    made.allocate()
    return made


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(asked)


@pytest.fixture
def ines(app: Flask, db: Database, panel: Panel) -> Browser:
    return signed_in(app, db, panel.first)


def signed_in(app: Flask, db: Database, who: Actor) -> Browser:
    browser = Browser(app, db)
    browser.sign_in(who)
    return browser


def place(panel: Panel, who: Actor) -> str:
    return f"/assessor/assignments/{panel.place(who)}"


def sheet(panel: Panel, who: Actor) -> str:
    return f"/assessor/sheets/{panel.sheet(who)}"


def scores(panel: Panel) -> dict[str, Score]:
    with panel.db.reading() as tx:
        return {row.criterion_code: row for row in tx.session.exec(select(Score)).all()}


def state(panel: Panel, who: Actor) -> str:
    with panel.db.reading() as tx:
        return tx.session.get_one(Assignment, panel.place(who)).state


class TestHome:
    def test_it_says_in_one_line_what_is_next(self, panel: Panel, ines: Browser) -> None:
        assert "Say first whether you have a conflict" in ines.get("/assessor").text
        panel.declare(panel.first)
        assert "score each criterion with a reason" in ines.get("/assessor").text
        panel.fill(panel.first)
        page = ines.get("/assessor").text
        assert "Read it once more and make it final" in page
        assert f"{len(panel.codes)} of {len(panel.codes)}" in page

    def test_without_any_place_it_says_so(self, app: Flask, panel: Panel) -> None:
        browser = signed_in(app, panel.db, panel.third)
        assert "You were not asked yet" in browser.get("/assessor").text

    def test_what_is_done_stays_readable(self, panel: Panel, ines: Browser) -> None:
        panel.score(panel.first)
        page = ines.get("/assessor").text
        assert "Nothing waits for you" in page and "Final" in page
        assert sheet(panel, panel.first) in page


class TestDeclaration:
    def test_it_shows_names_and_nothing_else(self, panel: Panel, ines: Browser) -> None:
        page = ines.get(place(panel, panel.first)).text
        main = page[page.index("<main") : page.index("</main>")]
        assert "Ana Souza" in main and panel.world.definition.title in main
        for hidden in ("Video of the job", "Marked drawing", "CNC1", "Noah"):
            assert hidden not in main

    def test_none_opens_the_sheet(self, panel: Panel, ines: Browser) -> None:
        answer = ines.post(place(panel, panel.first) + "/declare", {"answer": "none"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == sheet(panel, panel.first)

    def test_possible_needs_words_and_keeps_what_was_chosen(
        self, panel: Panel, ines: Browser
    ) -> None:
        path = place(panel, panel.first) + "/declare"
        refused = ines.post(path, {"answer": "possible", "detail": "taught <her>"})
        assert refused.status_code == 422
        assert "taught &lt;her&gt;" in refused.text
        assert re.search(r'value="possible"[^>]* checked', refused.text)
        ines.post(path, {"answer": "possible", "detail": "I taught her a course in 2011."})
        assert state(panel, panel.first) == "declared"
        assert (
            "The coordinator looks at what you declared" in ines.get(place(panel, panel.first)).text
        )

    def test_no_answer_is_asked_for(self, panel: Panel, ines: Browser) -> None:
        refused = ines.post(place(panel, panel.first) + "/declare", {})
        assert refused.status_code == 422 and "Please answer this" in refused.text

    def test_yes_gives_the_case_away(self, panel: Panel, ines: Browser) -> None:
        answer = ines.post(place(panel, panel.first) + "/declare", {"answer": "yes"})
        assert answer.headers["Location"] == "/assessor"
        assert state(panel, panel.first) == "excluded"
        assert ines.get(place(panel, panel.first)).status_code == 404

    def test_declining_needs_a_reason(self, panel: Panel, ines: Browser) -> None:
        path = place(panel, panel.first) + "/decline"
        assert ines.post(path, {"reason": "no"}).status_code == 422
        assert ines.post(path, {"reason": WHY}).status_code == 303
        assert state(panel, panel.first) == "declined"

    def test_a_cleared_place_leads_to_its_sheet(self, panel: Panel, ines: Browser) -> None:
        panel.declare(panel.first)
        assert sheet(panel, panel.first) in ines.get(place(panel, panel.first)).text

    def test_another_assessors_place_is_not_there(self, panel: Panel, ines: Browser) -> None:
        other = place(panel, panel.second)
        assert ines.get(other).status_code == 404
        assert ines.post(other + "/declare", {"answer": "none"}).status_code == 404
        assert ines.post(other + "/decline", {"reason": WHY}).status_code == 404
        assert state(panel, panel.second) == "offered"


class TestSheet:
    @pytest.fixture(autouse=True)
    def cleared(self, panel: Panel) -> None:
        panel.declare(panel.first)

    def test_evidence_stands_beside_the_rubric_one_outcome_at_a_time(
        self, panel: Panel, ines: Browser
    ) -> None:
        page = ines.get(sheet(panel, panel.first)).text
        for shown in ("Video of the job", "Drawing interpretation", "Misreads datums", "I did all"):
            assert shown in page
        assert "Offset setting" not in page
        assert "Offset setting" in ines.get(sheet(panel, panel.first) + "?outcome=CNC2").text
        assert f"0 of {len(panel.codes)} criteria" in page
        assert "/evidence/" in page and "Ines" not in page.partition("<main")[2]

    def test_the_outcomes_are_drawn_by_what_counts_for_them(
        self, panel: Panel, ines: Browser
    ) -> None:
        page = ines.get(sheet(panel, panel.first) + "?outcome=CNC1").text
        drawn = page.split('<table class="matrix">')[1].split("</table>")[0]
        rows = re.findall(r"<tr class=.*?</tr>", drawn, re.DOTALL)
        assert "counts, shows the work itself" in rows[0] and 'aria-current="true"' in rows[0]
        assert f'href="{sheet(panel, panel.first)}?outcome=CNC2"' in rows[1]
        assert re.search(r'<li><a href="/evidence/[^"]+/view">Video of the job</a>', page)
        assert '<table class="matrix">' in ines.get(sheet(panel, panel.first) + "/check").text

    def test_a_save_by_itself_keeps_half_a_score_and_says_so(
        self, panel: Panel, ines: Browser
    ) -> None:
        path = sheet(panel, panel.first) + "?outcome=CNC1"
        answer = ines.post(path, {"CNC1.a.reason": "Reads the"}, headers=PARTIAL)
        assert answer.status_code == 200 and "Saved at" in answer.text
        assert 'hx-swap-oob="true"' in answer.text and "<html" not in answer.text
        row = scores(panel)["CNC1.a"]
        assert (row.decided, row.level, row.reason) == (False, None, "Reads the")
        ines.post(path, {"CNC1.a.level": "3", "CNC1.a.reason": REASON}, headers=PARTIAL)
        row = scores(panel)["CNC1.a"]
        assert (row.decided, row.level, row.reason) == (True, 3, REASON)
        page = ines.get(path).text
        assert re.search(r'name="CNC1.a.level" value="3"[^>]* checked', page)
        assert f"1 of {len(panel.codes)} criteria" in page

    def test_without_scripts_the_button_saves_and_goes_on(
        self, panel: Panel, ines: Browser
    ) -> None:
        path = sheet(panel, panel.first)
        form = {"CNC1.a.level": "not_assessed", "CNC1.a.reason": REASON}
        answer = ines.post(path + "?outcome=CNC1", form)
        assert answer.headers["Location"] == path + "?outcome=CNC2"
        assert (scores(panel)["CNC1.a"].decided, scores(panel)["CNC1.a"].level) == (True, None)
        stayed = ines.post(path + "?outcome=CNC1", {**form, "then": "stay"})
        assert stayed.headers["Location"] == path + "?outcome=CNC1"
        last = panel.world.definition.outcomes[-1].code
        assert ines.post(f"{path}?outcome={last}", {}).headers["Location"] == path + "/check"

    def test_what_cannot_be_kept_stays_typed_with_the_reason(
        self, panel: Panel, ines: Browser
    ) -> None:
        path = sheet(panel, panel.first) + "?outcome=CNC1"
        form = {"CNC1.a.level": "9", "CNC1.a.reason": "Typed & kept"}
        refused = ines.post(path, form)
        assert refused.status_code == 422
        assert "Typed &amp; kept" in refused.text and "Choose one of the levels" in refused.text
        by_itself = ines.post(path, form, headers=PARTIAL)
        assert by_itself.status_code == 422
        assert "Not saved" in by_itself.text and "<html" not in by_itself.text
        assert scores(panel) == {}
        assert ines.post(path, {"CNC1.a.level": "x"}).status_code == 422

    def test_a_criterion_that_was_not_asked_for_is_not_there(
        self, panel: Panel, ines: Browser
    ) -> None:
        answer = ines.post(sheet(panel, panel.first), {"OTHER.level": "3"})
        assert answer.status_code == 404

    def test_the_check_page_shows_what_is_open_and_final_is_refused(
        self, panel: Panel, ines: Browser
    ) -> None:
        path = sheet(panel, panel.first)
        page = ines.get(path + "/check").text
        assert f"0 of {len(panel.codes)} criteria are scored" in page
        assert "Some criteria are still open." in page
        refused = ines.post(path + "/final", {})
        assert refused.status_code == 422 and "Choose a level" in refused.text

    def test_final_is_final(self, panel: Panel, ines: Browser) -> None:
        panel.fill(panel.first)
        path = sheet(panel, panel.first)
        version = re.search(r'name="version" value="(\d+)"', ines.get(path + "/check").text)
        assert version
        assert ines.post(path + "/final", {"version": "1"}).status_code == 409
        assert ines.post(path + "/final", {"version": version[1]}).status_code == 303
        page = ines.get(path).text
        assert "This sheet is final since" in page and 'type="radio"' not in page
        assert REASON in page
        assert ines.post(path, {"CNC1.a.level": "1"}).status_code == 409
        assert "Make final" not in ines.get(path + "/check").text

    def test_another_assessors_sheet_is_not_there(self, panel: Panel, ines: Browser) -> None:
        panel.declare(panel.second)
        other = sheet(panel, panel.second)
        for path in (other, other + "/check"):
            assert ines.get(path).status_code == 404
        for path in (other, other + "/final"):
            assert ines.post(path, {"CNC1.a.level": "1"}).status_code == 404
        with panel.db.reading() as tx:
            assert set(tx.session.exec(select(ScoreSheet.state)).all()) == {"open"}


def test_a_possible_conflict_reads_nothing_while_it_waits(panel: Panel, ines: Browser) -> None:
    panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
    assert "Ana Souza" in ines.get("/assessor").text
    assert "The coordinator looks at what you declared" in ines.get("/assessor").text


def test_nobody_else_has_these_pages(app: Flask, panel: Panel) -> None:
    panel.declare(panel.first)
    for who in (panel.learner, panel.coordinator, panel.third):
        browser = signed_in(app, panel.db, who)
        assert browser.get(sheet(panel, panel.first)).status_code in {403, 404}
        assert browser.get(place(panel, panel.first)).status_code in {403, 404}
