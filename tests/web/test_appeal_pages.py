"""The pages of an appeal: a learner makes one, staff appoint and answer it."""

import pytest
from flask import Flask

from storage.vocabulary import CaseState
from tests.fixtures.appealed import SAID, Appealed
from tests.fixtures.panel import WHY
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from workflows.access.rules import Actor


@pytest.fixture
def panel(recall: Recall) -> Appealed:
    return recall(Appealed)


def signed_in(app: Flask, panel: Appealed, who: Actor) -> Browser:
    browser = Browser(app, panel.db)
    browser.sign_in(who)
    return browser


def test_a_learner_appeals_and_takes_it_back(app: Flask, panel: Appealed) -> None:
    browser = signed_in(app, panel, panel.learner)
    case = f"/cases/{panel.case_id}"
    assert "Appeal the decision" in browser.get(case).text
    form = browser.get(f"{case}/appeal").text
    assert "Evidence was overlooked" in form and "There is new evidence" not in form
    ground = f"ground-{panel.outcome}"
    short = browser.post(f"{case}/appeal", {ground: "bias", "reason": "Unfair."})
    assert short.status_code == 422 and "Say what was wrong" in short.text
    assert '<option value="bias" selected>' in short.text, "what was chosen is kept"
    none = browser.post(f"{case}/appeal", {"reason": SAID})
    assert none.status_code == 422 and "Choose at least one outcome" in none.text
    odd = browser.post(f"{case}/appeal", {ground: "weather", "reason": SAID})
    assert odd.status_code == 422 and "from the list" in odd.text
    asked = browser.post(f"{case}/appeal", {ground: "rubric", "reason": SAID})
    assert asked.status_code in {302, 303}
    shown = browser.get(f"{case}/appeal").text
    assert "It waits to be received" in shown and "Answer due" in shown
    assert "had no part in the decision" in browser.get(case).text
    browser.post(f"{case}/appeal/back", {})
    assert panel.state() is CaseState.CLOSED


def test_staff_appoint_and_answer(app: Flask, panel: Appealed) -> None:
    panel.appeal()
    page = f"/staff/cases/{panel.case_id}/appeal"
    coordinator = signed_in(app, panel, panel.coordinator)
    assert page in coordinator.get("/staff").text
    shown = coordinator.get(page).text
    assert SAID in shown and panel.reviewer.name in shown and panel.decider.name not in shown
    assert coordinator.post(page, {"result": "confirmed", "answer": WHY}).status_code == 403
    assert coordinator.post(f"{page}/reviewer", {}).status_code == 422
    appointed = {"reviewer": str(panel.reviewer.account_id)}
    coordinator.post(f"{page}/reviewer", appointed)

    reviewer = signed_in(app, panel, panel.reviewer)
    assert page in reviewer.get("/staff").text
    assert "What was shown meets the standard." in reviewer.get(page).text
    refused = reviewer.post(page, {"result": "confirmed", "answer": "No."})
    assert refused.status_code == 422 and "in words that the learner can follow" in refused.text
    assert " checked" not in reviewer.get(page).text, "nothing is chosen for them"
    early = reviewer.post(page, {"answer": WHY})
    assert early.status_code == 422 and "Choose what follows." in early.text
    assert panel.state() is CaseState.APPEAL
    reviewer.post(page, {"result": "reassessed", "answer": WHY})
    assert panel.state() is CaseState.ASSESSMENT
    learner = signed_in(app, panel, panel.learner)
    assert WHY in learner.get(f"/cases/{panel.case_id}/appeal").text
    assert signed_in(app, panel, panel.decider).get(page).status_code == 403
    assert "Appoint" not in signed_in(app, panel, panel.registrar).get(page).text
