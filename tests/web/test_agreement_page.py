"""How well assessors agree, as staff read it: figures without names, and only of decided cases."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from storage.database import Database
from storage.ids import new_id
from storage.vocabulary import Role
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.assessment.figures import agreement_of
from workflows.assessment.statistics import FEWEST

PAGE = "/staff/agreement"


def decided(world: World) -> Panel:
    panel = Panel(world)
    first, *others = panel.codes
    panel.scored({first: 3, **dict.fromkeys(others, 3)}, {first: 4, **dict.fromkeys(others, 3)})
    panel.decide()
    return panel


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(decided)


def repeat(panel: Panel, times: int) -> None:
    """The same case so many times more, as far as the figures look at it."""
    with panel.db.transaction() as tx:
        tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        for number in range(times):
            ids = {"case": new_id(), "first": new_id(), "second": new_id(), "old": panel.case_id}
            tx.session.execute(
                text(
                    "INSERT INTO plar_case SELECT (jsonb_populate_record(c, jsonb_build_object("
                    "'id', CAST(:case AS text), 'number', 9000 + :number))).*"
                    " FROM plar_case c WHERE id = :old"
                ),
                {**ids, "number": number},
            )
            for seat, sheet in ((1, ids["first"]), (2, ids["second"])):
                told = {**ids, "seat": seat, "sheet": sheet, "place": new_id()}
                tx.session.execute(
                    text(
                        "INSERT INTO score_sheet SELECT (jsonb_populate_record(s,"
                        " jsonb_build_object('id', CAST(:sheet AS text), 'case_id',"
                        " CAST(:case AS text), 'assignment_id', CAST(:place AS text)))).*"
                        " FROM score_sheet s WHERE case_id = :old AND seat = :seat"
                    ),
                    told,
                )
                tx.session.execute(
                    text(
                        "INSERT INTO score SELECT (jsonb_populate_record(o, jsonb_build_object("
                        "'sheet_id', CAST(:sheet AS text)))).* FROM score o JOIN score_sheet s"
                        " ON s.id = o.sheet_id WHERE s.case_id = :old AND s.seat = :seat"
                    ),
                    told,
                )


def as_(browser: Browser, panel: Panel, *roles: Role) -> str:
    browser.sign_in(panel.world.person(*roles))
    answer = browser.get(PAGE)
    assert answer.status_code == 200
    return answer.text


def test_figures_are_of_the_first_two_scores_and_hidden_where_they_are_few(
    panel: Panel, browser: Browser
) -> None:
    page = as_(browser, panel, Role.COORDINATOR)
    assert "too few to say" in page
    assert "%" not in page.partition("How to read this")[0].partition("<h1>")[2]
    repeat(panel, FEWEST - 1)
    page = as_(browser, panel, Role.MODERATOR)
    assert "100%" in page and "0%" in page
    assert "from 20 pairs on" in page
    assert f"level 3: {FEWEST}, level 4: {FEWEST}" in page
    for person in (panel.learner, panel.first, panel.second):
        assert person.name not in page
    repeat_more = 20 - FEWEST
    with panel.db.transaction() as tx:
        tx.session.execute(text("UPDATE plar_case SET number = number - 5000 WHERE number >= 9000"))
    repeat(panel, repeat_more)
    with panel.db.reading() as tx:
        (found,) = agreement_of(tx, panel.world.institution_id)
    first, second, *_ = found.criteria
    assert (first.figures.n, first.figures.exact, first.figures.within_one) == (20, 0.0, 1.0)
    assert (first.figures.kappa, second.figures.kappa) == (0.0, None)
    page = as_(browser, panel, Role.AUDITOR)
    assert "0.00" in page and "not defined: everybody gave the same level" in page


def test_nothing_is_told_of_cases_that_are_not_decided_or_are_judged_anew(
    panel: Panel, browser: Browser
) -> None:
    repeat(panel, FEWEST)
    for state in ("assessment", "moderation", "decision", "appeal", "withdrawn"):
        with panel.db.transaction() as tx:
            tx.session.execute(text("SET LOCAL session_replication_role = replica"))
            tx.session.execute(text("UPDATE plar_case SET state = :state"), {"state": state})
        assert "Nothing to count yet" in as_(browser, panel, Role.ADMINISTRATOR), state


def test_a_period_counts_what_was_scored_in_it(panel: Panel, browser: Browser) -> None:
    repeat(panel, FEWEST)
    panel.world.clock.advance(timedelta(days=200))
    browser.sign_in(panel.world.person(Role.COORDINATOR))
    assert "100%" in browser.get(f"{PAGE}?period=365").text
    assert "Nothing to count yet" in browser.get(f"{PAGE}?period=90").text
    for odd in ("-1", "1e9", "' OR 1=1"):
        assert "100%" in browser.get(f"{PAGE}?period={odd}").text


def test_it_is_for_staff_and_no_assessor_reads_it(app: Flask, db: Database, panel: Panel) -> None:
    for person in (panel.learner, panel.first, panel.decider, panel.registrar):
        browser = Browser(app, db)
        browser.sign_in(person)
        assert browser.get(PAGE).status_code in {403, 404}
        assert PAGE not in browser.get("/").text
