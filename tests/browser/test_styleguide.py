"""The parts every page is made of: accessible in both themes, at every width, in any colour."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from tests.browser.styleguide import styleguide_app

pytestmark = pytest.mark.browser

COLOURS = ["#0f5266", "#ffd400", "#c8102e", "#000000", "#ffffff", "#00a651", "#0000ff", "#00ffff"]

# Text and what it stands on, as tokens; each pair must keep 4.5 to 1.
PAIRS = [
    ("--on-accent", "--accent"),
    ("--on-accent", "--accent-strong"),
    ("--accent", "--surface"),
    ("--accent", "--paper"),
    ("--accent", "--sunken"),
    ("--accent", "--accent-tint"),
    ("--ink", "--accent-tint"),
    ("--ink-soft", "--accent-tint"),
    ("--on-feature", "--feature"),
    ("--feature-soft", "--feature"),
    ("--on-feature-act", "--feature-act"),
    ("--on-feature-act", "--feature-soft"),
    ("--ink-soft", "--sunken"),
    ("--ink-soft", "--paper"),
    ("--good", "--good-tint"),
    ("--warning", "--warning-tint"),
    ("--bad", "--bad-tint"),
    ("--info", "--info-tint"),
    ("--bad", "--paper"),
    ("--good", "--paper"),
]

# Paints each token on a canvas: oklch() and light-dark() come out as the bytes a screen shows.
CONTRAST = """(pairs) => {
  const probe = document.body.appendChild(document.createElement('div'));
  const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
    .getContext('2d', {willReadFrequently: true});
  const light = (token) => {
    probe.style.color = `var(${token})`;
    pen.fillStyle = getComputedStyle(probe).color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map(([text, ground]) => {
    const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
    return [text, ground, (a + 0.05) / (b + 0.05)];
  });
}"""

SMALL = """() => [...document.querySelectorAll(
    'a[href],button,select,textarea,summary,.choice,.level')]
  .filter((e) => e.checkVisibility() && !e.matches('.skip-link'))
  .filter((e) => getComputedStyle(e).display !== 'inline')
  .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 120)])
  .filter(([r]) => r.height < 24 || r.width < 24).map(([, html]) => html)"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, styleguide_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


class Opener:
    """Opens the style guide in a fresh context and closes it when the test ends."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self.contexts: list[BrowserContext] = []

    def __call__(
        self,
        *,
        width: int = 390,
        path: str = "/",
        cookies: dict[str, str] | None = None,
        **how: Any,
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 844}, reduced_motion="reduce", **how
        )
        self.contexts.append(context)
        for name, value in (cookies or {}).items():
            context.add_cookies([{"name": name, "value": value, "url": self.address}])
        page = context.new_page()
        page.goto(self.address + path)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Opener]:
    opener = Opener(chromium, address)
    yield opener
    opener.close()


@pytest.mark.parametrize("path", ["/", "/minimal"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(opened: Opener, theme: str, width: int, path: str) -> None:
    page = opened(width=width, path=path, color_scheme=theme)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_text_keeps_its_contrast_whatever_colour_the_institution_has(
    opened: Opener, theme: str, colour: str
) -> None:
    page = opened(color_scheme=theme, cookies={"colour": colour})
    measured = page.evaluate(CONTRAST, PAIRS)
    assert [pair for pair in measured if pair[2] < 4.5] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_makes_the_page_scroll_sideways(opened: Opener, width: int) -> None:
    page = opened(width=width)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_everything_to_press_is_large_enough(opened: Opener) -> None:
    assert opened().evaluate(SMALL) == []


def test_the_strict_policy_refuses_nothing_the_page_needs(opened: Opener) -> None:
    page = opened()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.reload(wait_until="networkidle")
    page.locator("#f-reason").fill("item 2 at 3:10")
    page.locator("#f-reason").blur()
    page.locator("#saved").get_by_text("Saved item 2 at 3:10").wait_for()
    assert heard == []


def test_the_chosen_theme_survives_a_reload(opened: Opener) -> None:
    page = opened(color_scheme="light")
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


def test_a_menu_closes_on_escape_and_gives_the_focus_back(opened: Opener) -> None:
    page = opened(width=1280)
    opener = page.locator("summary", has_text="Imani Okafor")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Sign out").is_visible()
    assert opener.evaluate("(element) => element === document.activeElement")


def test_a_dialog_opens_by_keyboard_and_without_script_leads_to_a_page(opened: Opener) -> None:
    page = opened()
    page.get_by_role("link", name="Decline…").press("Enter")
    assert page.get_by_role("dialog", name="Decline to attest?").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#decline").is_visible()
    plain = opened(java_script_enabled=False)
    plain.get_by_role("link", name="Decline…").click()
    assert plain.url.endswith("#decline-page")


def test_the_error_summary_takes_the_focus_and_leads_to_its_field(opened: Opener) -> None:
    page = opened()
    assert page.evaluate("document.activeElement.className") == "error-summary"
    page.locator(".error-summary").get_by_role("link", name="Say what you did yourself").click()
    assert page.evaluate("document.activeElement.id") == "f-part"


def test_every_control_is_read_with_its_hint_and_its_error(opened: Opener) -> None:
    page = opened()
    described = page.locator("#f-part").get_attribute("aria-describedby") or ""
    words = [page.locator(f"#{one}").inner_text() for one in described.split()]
    assert words[:2] == ["What did you do, and what did others do?", "Say what you did yourself"]
    assert words[2] == "557 characters left"
    assert page.locator("#f-part").get_attribute("aria-invalid") == "true"


def test_a_counter_says_when_there_is_too_much(opened: Opener) -> None:
    page = opened()
    page.locator("#f-part").fill("x" * 603)
    assert page.locator("#f-part-count").inner_text() == "3 characters too many"


def test_a_form_pressed_twice_is_sent_once(opened: Opener) -> None:
    page = opened()
    sent: list[str] = []

    def hold(route: Any) -> None:
        sent.append(route.request.url)

    page.route("**/nowhere", hold)
    page.get_by_role("button", name="Ask again").dblclick(no_wait_after=True)
    page.wait_for_timeout(200)
    assert len(sent) == 1


def test_a_digest_copies_without_its_gaps(opened: Opener) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-copy='receipt-digest']").click()
    page.locator("[data-copy='receipt-digest']", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_a_rubric_is_answered_with_arrow_keys(opened: Opener) -> None:
    page = opened()
    page.locator("#f-criterion-3").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#f-criterion-4").is_checked()
