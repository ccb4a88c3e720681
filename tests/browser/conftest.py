"""One Chromium and one running installation for all browser tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.installation import Installation, installation
from tests.browser.story import (
    all_files,
    allocated,
    attested,
    begun,
    decided,
    described,
    disclosed,
    endorsed,
    files,
    opened,
    published,
    scored,
    stated,
    submitted,
    waiting,
)
from tests.browser.visitor import Street

__all__ = [
    "all_files",
    "allocated",
    "attested",
    "begun",
    "decided",
    "described",
    "disclosed",
    "endorsed",
    "files",
    "opened",
    "published",
    "scored",
    "stated",
    "submitted",
    "waiting",
]

HERE = Path(__file__).parent
LAST = HERE / "test_every_page.py"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # a camera that shows a test picture and a microphone that beeps, allowed without asking
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the browser tests, let those of every page come last: they see what others have left."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    mine = sorted((items[place] for place in places), key=lambda item: item.path == LAST)
    for place, item in zip(places, mine, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium, or a skipped test."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house(chromium: Browser) -> Iterator[Installation]:
    """The installation, started when the first test asks for it."""
    del chromium  # asked for first: without it there is nothing to start for
    with installation() as running:
        yield running


@pytest.fixture(scope="package")
def whole_street(chromium: Browser, house: Installation) -> Iterator[Street]:
    """The browsers of people who stay signed in from test to test."""
    street = Street(chromium, house)
    yield street
    street.close()


@pytest.fixture
def street(whole_street: Street) -> Iterator[Street]:
    """The street, held to this: nothing was found wrong on any page that was shown."""
    yield whole_street
    assert whole_street.faults() == []
