"""A whole case without JavaScript: the plain form for files, every page by links and buttons."""

import pytest

from tests.browser.story import PLAN, Step
from tests.browser.visitor import Street

pytestmark = pytest.mark.browser


def test_a_whole_case_works_without_javascript(street: Street, stated: Step) -> None:
    marek, case = stated.who, stated.path
    marek.open(case)
    assert marek.says("What was decided")
    assert marek.page.locator("#result .badge", has_text="Recognised").count() == 3


def test_what_is_met_is_stated_and_the_rest_comes_with_a_plan(street: Street, stated: Step) -> None:
    marek, case = stated.who, stated.path
    marek.open(case)
    assert marek.says(PLAN)
    marek.open("/my/credentials")
    assert marek.says("Statement of recognition: Bookkeeper")


def test_a_badge_is_verified_without_javascript(street: Street) -> None:
    visitor = street.visitor(java_script_enabled=False).open("/verify")
    visitor.fill({"Or its address, or its text": "{}"})
    with street.watch.expecting(422):
        visitor.press("Verify")
    assert visitor.page.locator(".verdict, .error-summary").count()
