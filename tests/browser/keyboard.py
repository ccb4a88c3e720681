"""Going through pages without a mouse: Tab, digits, letters, Enter."""

import re

from tests.browser import acts
from tests.browser.visitor import Visitor

MOST_TABS = 150
AT = "[document.activeElement.innerText?.trim() ?? '', document.activeElement.name ?? '']"
REASONS = "[...document.querySelectorAll('textarea[name$=\".reason\"]')].map((one) => one.name)"


def tab_to(visitor: Visitor, words: str | re.Pattern[str]) -> None:
    """Press Tab until what has the focus says so."""
    pattern = re.compile(rf"^{re.escape(words)}$") if isinstance(words, str) else words
    for _ in range(MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if pattern.search(visitor.page.evaluate(AT)[0]):
            return
    raise AssertionError(f"Tab does not lead to {words!r} on {visitor.path}")


def tab_to_field(visitor: Visitor, name: str) -> None:
    """Press Tab until the field of this name has the focus."""
    for _ in range(MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(AT)[1] == name:
            return
    raise AssertionError(f"Tab does not lead to {name!r} on {visitor.path}")


def enter(visitor: Visitor) -> None:
    """Press Enter and arrive on the next page."""
    with visitor.arriving():
        visitor.page.keyboard.press("Enter")


def declare(assessor: Visitor) -> None:
    """Say that there is no conflict; ends on the score sheet."""
    tab_to(assessor, "Answer")
    enter(assessor)
    tab_to_field(assessor, "answer")
    assessor.page.keyboard.press("Space")
    tab_to(assessor, "Declare")
    enter(assessor)


def score(assessor: Visitor) -> None:
    """Score every criterion at level 3 and make the sheet final."""
    while "/check" not in assessor.path:
        for name in assessor.page.evaluate(REASONS):
            tab_to_field(assessor, name.replace(".reason", ".level"))
            assessor.page.keyboard.press("3")
            tab_to_field(assessor, name)
            assessor.page.keyboard.type(acts.REASON)
        tab_to(assessor, re.compile("^Save and (go on|check all)$"))
        enter(assessor)
    tab_to(assessor, "Make final")
    enter(assessor)
