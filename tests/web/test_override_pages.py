"""The pages of overrides and late conflicts: who is led to them, both keys, errors kept."""

import re

import pytest
from flask import Flask

from storage.database import Database
from storage.vocabulary import ConflictAnswer, Role
from tests.fixtures.panel import WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from workflows.access.rules import Actor

NEAR = "We worked in <one> shop until spring."


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


@pytest.fixture
def of(app: Flask, db: Database) -> "Desk":
    return Desk(app, db)


class Desk:
    """Browsers of people."""

    def __init__(self, app: Flask, db: Database) -> None:
        self.app, self.db = app, db

    def __call__(self, who: Actor) -> Browser:
        browser = Browser(self.app, self.db)
        browser.sign_in(who)
        return browser


def test_two_people_let_an_assessor_in_and_auditors_read_it(panel: Panel, of: Desk) -> None:
    panel.allocate()
    panel.declare(panel.first, ConflictAnswer.YES, NEAR)
    case, coordinator = f"/staff/cases/{panel.case_id}", of(panel.coordinator)
    new = f"{case}/overrides/new"
    assert new in coordinator.get(case + "/allocation").text
    assert "Declared a conflict of interest" in coordinator.get(new).text
    chosen = {"assessor": str(panel.first.account_id), "why": "no"}
    refused = coordinator.post(new, chosen)
    assert refused.status_code == 422 and re.search(r'name="assessor"[^>]* checked', refused.text)
    assert coordinator.post(new, {"why": WHY}).status_code == 422
    proposed = coordinator.post(new, {**chosen, "why": WHY})
    assert proposed.status_code == 303
    path = proposed.headers["Location"].partition("?")[0]
    assert "waits for a second person" in coordinator.get(path).text
    assert coordinator.post(path, {"answer": "confirmed", "why": WHY}).status_code == 403
    registrar = of(panel.registrar)
    assert path in registrar.get("/staff/overrides").text
    kept = registrar.post(path, {"answer": "confirmed", "why": "ok"})
    assert kept.status_code == 422 and re.search(r'value="confirmed"[^>]* checked', kept.text)
    assert registrar.post(path, {"answer": "confirmed", "why": WHY}).status_code == 303
    auditor = of(panel.world.person(Role.AUDITOR))
    page = auditor.get("/staff/overrides").text
    for words in (panel.first.name, panel.coordinator.name, panel.registrar.name, WHY):
        assert words in page
    assert auditor.post(path, {"answer": "refused", "why": WHY}).status_code == 403
    assert "Override answered by a second person" in auditor.get(case + "/history").text
    assert of(panel.first).get(f"/assessor/sheets/{panel.sheet(panel.first)}").status_code == 200


def test_an_override_is_not_found_in_another_case(panel: Panel, of: Desk) -> None:
    missing = f"/staff/cases/{panel.case_id}/overrides/{panel.case_id}"
    assert of(panel.registrar).get(missing).status_code == 404
    assert of(panel.registrar).post(missing, {"answer": "refused", "why": WHY}).status_code == 404
    assert "No override yet" in of(panel.registrar).get("/staff/overrides").text
    for who in (panel.first, panel.learner, panel.decider):
        assert of(who).get("/staff/overrides").status_code == 403


def test_a_late_conflict_of_an_assessors_own(panel: Panel, of: Desk) -> None:
    panel.allocate()
    panel.declare(panel.first)
    panel.fill(panel.first)
    assessor, place = of(panel.first), panel.place(panel.first)
    sheet = f"/assessor/sheets/{panel.sheet(panel.first)}"
    assert f"/assessor/assignments/{place}" in assessor.get(sheet).text
    assert "after all" in assessor.get(f"/assessor/assignments/{place}").text
    refused = assessor.post(
        f"/assessor/assignments/{place}/late", {"answer": "possible", "detail": "us"}
    )
    assert refused.status_code == 422 and re.search(r'value="possible"[^>]* checked', refused.text)
    late = {"answer": "possible", "detail": NEAR}
    assert assessor.post(f"/assessor/assignments/{place}/late", late).status_code == 303
    assert assessor.get(sheet).status_code == 403
    coordinator = of(panel.coordinator)
    assert "Under review" in coordinator.get(f"/staff/cases/{panel.case_id}/assessment").text
    settle = f"/staff/assignments/{place}/conflict"
    page = coordinator.get(settle).text
    assert "one&gt; shop" in page and "None of them is deleted" in page
    assert coordinator.post(settle, {"verdict": "clear", "why": WHY}).status_code == 303
    assert assessor.get(sheet).status_code == 200


def test_a_late_conflict_that_the_coordinator_reports(panel: Panel, of: Desk) -> None:
    panel.allocate()
    panel.score(panel.first)
    coordinator, place = of(panel.coordinator), panel.place(panel.first)
    path = f"/staff/assignments/{place}/late"
    assert path in coordinator.get(f"/staff/cases/{panel.case_id}/assessment").text
    assert "has begun to score" in coordinator.get(path).text
    assert coordinator.post(path, {"answer": "yes", "detail": ""}).status_code == 422
    assert coordinator.post(path, {"answer": "yes", "detail": NEAR}).status_code == 303
    assert "nothing to review" in coordinator.get(path).text
    settle = coordinator.get(f"/staff/assignments/{place}/conflict").text
    assert "Propose an override" in settle and 'value="clear"' not in settle
    assert "under review" in settle
    new = re.search(r'href="([^"]*/overrides/new\?[^"]*)"', settle)
    assert new and re.search(r'name="assessor"[^>]* checked', coordinator.get(new[1]).text)
