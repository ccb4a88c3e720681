"""A person at a browser: goes to pages, fills them in by what they say, and looks at each.

Every page a person leaves is looked at once in each of its states: axe finds nothing on it, in
light and in dark, on a desk and on a phone, and it does not scroll sideways.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize

from tests.browser.installation import Installation
from tests.browser.watching import Watch

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[A-Za-z0-9_-]{20,}")
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
STATE = """[...document.querySelectorAll('.page-head .badge, .error-summary h2, .empty-title')]
  .map((one) => one.innerText.trim()).join()"""
RULES = {"rules": {"target-size": {"enabled": True}}}
PATIENCE_MS = 30_000

Picture = Callable[["Visitor", str], None]


@dataclass
class Looks:
    """Which pages were looked at already, and what was wrong with them."""

    seen: set[tuple[str, ...]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """What was wrong since the last time."""
        found, self.wrong = self.wrong, []
        return found


class Visitor:
    """One browser of one person."""

    def __init__(self, context: BrowserContext, site: str, name: str, looks: Looks | None) -> None:
        self.context = context
        self.site = site
        self.name = name
        self.looks = looks
        self.scripted = looks is not None
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)

    @property
    def frame(self) -> Locator:
        """The whole page, with what stands around the main part."""
        return self.page.locator("body")

    @property
    def path(self) -> str:
        """Where the browser is."""
        return urlsplit(self.page.url).path

    def open(self, path: str) -> "Visitor":
        """Go to a page."""
        self.look()
        answer = self.page.goto(path if "://" in path else self.site + path)
        assert answer is None or answer.status < 500, f"{path}: {self.main()}"
        return self

    def sign_in(self) -> "Visitor":
        """Choose oneself on the demo's sign-in page."""
        self.open("/sign-in")
        self.press(self.name)
        return self

    def press(self, name: str | re.Pattern[str], within: Locator | None = None) -> "Visitor":
        """Press the button or link of this name, and arrive on the page behind it."""
        self.look()
        with self.arriving():
            self.control(name, within).click()
        return self

    def arriving(self) -> AbstractContextManager[object]:
        """A block in which the browser goes to a new page, until that has loaded."""
        return self.page.expect_event("load")

    def tap(self, name: str | re.Pattern[str], within: Locator | None = None) -> "Visitor":
        """Press what changes the page and stays on it."""
        self.control(name, within).click()
        return self

    def control(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        """The first button or link of this name that can be seen; in the main part unless told."""
        place = within or self.page.locator("main")
        exact = isinstance(name, str)
        button = place.get_by_role("button", name=name, exact=exact)
        link = place.get_by_role("link", name=name, exact=exact)
        return button.or_(link).filter(visible=True).first

    def fill(self, answers: Mapping[str, str], within: Locator | None = None) -> "Visitor":
        """Type into the fields with these labels."""
        for label, text in answers.items():
            self.field(label, within).fill(text)
        return self

    def field(self, label: str, within: Locator | None = None) -> Locator:
        """The field whose label begins so."""
        beginning = re.compile(rf"^{re.escape(label)}")
        return (within or self.page.locator("main")).get_by_label(beginning).first

    def pick(self, label: str, option: str) -> "Visitor":
        """Choose the option with these words from the list of this label."""
        menu = self.field(label)
        found = menu.locator("option", has_text=option).first.get_attribute("value")
        menu.select_option(value=found)
        return self

    def wait_until(self, happened: Callable[[], bool], what: str, *, reload: bool = True) -> None:
        """Wait for what others do, loading the page again in between unless told not to."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not happened():
            assert time.monotonic() < deadline, f"waited in vain until {what}: {self.main()[:500]}"
            self.page.wait_for_timeout(250)
            if reload:
                self.page.reload()

    def choose(
        self, group: str, answer: str | re.Pattern[str], within: Locator | None = None
    ) -> "Visitor":
        """Choose one answer of the group whose legend begins so."""
        place = within or self.page.locator("main")
        named = re.compile(rf"^{re.escape(group)}")
        place.get_by_role("group", name=named).get_by_label(answer).first.check()
        return self

    def read_mail(self, to: str, address: str, subject: str = "") -> "Visitor":
        """Open the newest mail to someone with such an address in it, and follow that."""
        self.open_mail(to, subject)
        link = self.page.locator(f'.mail-body a[href*="{address}"]').first.get_attribute("href")
        assert link
        return self.open(link)

    def open_mail(self, to: str, subject: str = "") -> "Visitor":
        """Open the newest mail to someone, waiting until it is there."""
        mail = self.page.locator("main table a", has_text=subject).first
        self.open(f"/mailbox?to={quote(to)}")
        self.wait_until(lambda: mail.count() > 0, f"there is a mail to {to} {subject}")
        self.look()
        with self.arriving():
            mail.click()
        return self

    def main(self) -> str:
        """The words of the page's main part."""
        return str(self.page.locator("main").inner_text())

    def says(self, words: str) -> bool:
        """Whether the page says so, in a moment at the latest."""
        self.page.locator("main").get_by_text(words).first.wait_for()
        return True

    def look(self) -> None:
        """Look at this page unless one like it was looked at before."""
        if self.looks is None or not self.page.url.startswith(self.site):
            return
        kind = self._kind()
        if kind in self.looks.seen:
            return
        self.looks.seen.add(kind)
        self.looks.wrong += [f"{ID.sub('…', self.path)}: {each}" for each in blemishes(self.page)]

    def _kind(self) -> tuple[str, ...]:
        shape = ID.sub("…", self.path)
        heading = self.page.locator("h1").first.inner_text()
        state = str(self.page.evaluate(STATE))
        return (shape, heading if "…" not in shape else "", state)


def blemishes(page: Page) -> list[str]:
    """What is wrong with a page as it stands.

    Axe looks at it twice: as it is, and in the other colours at the other width. On a phone it
    must not scroll sideways.
    """
    here = page.viewport_size or DESK
    there = PHONE if here["width"] > PHONE["width"] else DESK
    found = [*violations(page), *scrolling(page)]
    page.set_viewport_size(there)
    page.emulate_media(color_scheme="dark")
    found += [f"at {there['width']} in the dark: {each}" for each in violations(page)]
    found += scrolling(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(here)
    return found


def scrolling(page: Page) -> list[str]:
    """Whether the page is wider than its window."""
    over = page.evaluate(SIDEWAYS)
    return [f"scrolls {over} px sideways"] if over > 0 else []


def violations(page: Page) -> list[str]:
    """What axe has to say."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:300]}" for one in found for node in one["nodes"]]


class Street:
    """Gives every person a browser of their own, and closes them all at the end."""

    def __init__(self, chromium: Browser, house: Installation) -> None:
        self.chromium = chromium
        self.house = house
        self.watch = Watch(frozenset({house.site, house.store}))
        self.looks = Looks()
        self.contexts: list[BrowserContext] = []

    def visitor(self, name: str = "", *, phone: bool = False, **how: Any) -> Visitor:
        """A fresh browser, at a desk or on a phone; `how` is for Playwright's new_context.

        Where scripts do not run, axe cannot either: those pages are only watched.
        """
        size = PHONE if phone else DESK
        context = self.chromium.new_context(viewport=size, reduced_motion="reduce", **how)
        self.watch.attach(context)
        self.contexts.append(context)
        looks = self.looks if how.get("java_script_enabled", True) else None
        return Visitor(context, self.house.site, name, looks)

    def person(self, name: str, *, phone: bool = False, **how: Any) -> Visitor:
        """One of the demo's people, signed in."""
        return self.visitor(name, phone=phone, **how).sign_in()

    def faults(self) -> list[str]:
        """Everything found wrong since the last time."""
        return [*self.watch.taken(), *self.looks.taken()]

    def close(self) -> None:
        """Close every browser."""
        for context in self.contexts:
            context.close()
