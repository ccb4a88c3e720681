"""A whole case without JavaScript: the plain form for files, every page by links and buttons.

Two assessors differ across the standard, a moderator settles it, and the case ends in a statement
with a plan and not in a credential.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.demo.files import Made, make_files
from tests.browser import acts
from tests.browser.visitor import Street, Visitor

pytestmark = pytest.mark.browser

BOOKKEEPER = "Bookkeeper: fraud prevention and money-laundering red flags"
ELIF = ("Elif Kaya", "elif.kaya@ledgerline.example")
PLAN = "One more month's reconciliation, with the differences followed to their cause."


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Made]:
    """A report and a spreadsheet."""
    made = make_files(tmp_path_factory.mktemp("papers"), lambda line: None, 1)
    return [
        replace(made[1], title="Reconciliation report", outcomes=("BF1", "BF2")),
        replace(made[4], title="Working papers", outcomes=("BF1", "BF4")),
    ]


@pytest.fixture(scope="session")
def stated(whole_street: Street, papers: Sequence[Made]) -> tuple[Visitor, str]:
    """Marek, and his case from the first click to the statement."""

    def plain(name: str = "") -> Visitor:
        visitor = whole_street.visitor(name, java_script_enabled=False)
        return visitor.sign_in() if name else visitor

    marek = plain("Marek Nowak")
    case = acts.open_case(marek, BOOKKEEPER)
    acts.rate_oneself(marek, 2)
    acts.send_files(marek, case, [made.path for made in papers])
    for made in papers:
        acts.describe(marek, case, made)
    acts.ask_supervisor(marek, case, ELIF, ["BF4"])
    acts.attest(plain(), ELIF, {"BF4": 3})
    acts.submit(marek, case)
    omar = plain("Omar Haddad")
    acts.screen(omar, case)
    acts.choose_assessors(omar, case, ["Priya Nair", "Lucia Rossi"])
    for name, levels in (("Lucia Rossi", {"BF2.a": 2}), ("Priya Nair", dict[str, int | None]())):
        assessor = plain(name)
        acts.declare_no_conflict(assessor)
        acts.score(assessor, levels)
        acts.finalise(assessor)
    acts.settle(plain("Grace Okafor"), case, "2")
    acts.decide(plain("Daniel Roy"), case, {"BF2": PLAN})
    acts.release(plain("Helen Cho"), case)
    return marek, case


def test_a_whole_case_works_without_javascript(street: Street, stated: tuple[Visitor, str]) -> None:
    marek, case = stated
    marek.open(case)
    assert marek.says("What was decided")
    assert marek.page.locator("#result .badge", has_text="Recognised").count() == 3


def test_what_is_not_met_comes_with_a_plan_and_no_credential(
    street: Street, stated: tuple[Visitor, str]
) -> None:
    marek, case = stated
    marek.open(case)
    assert marek.says(PLAN)
    marek.open("/my/credentials")
    assert marek.says("No credential yet")


def test_a_badge_is_verified_without_javascript(street: Street) -> None:
    visitor = street.visitor(java_script_enabled=False).open("/verify")
    visitor.fill({"Or its address, or its text": "{}"})
    with street.watch.expecting(422):
        visitor.press("Verify")
    assert visitor.page.locator(".verdict, .error-summary").count()
