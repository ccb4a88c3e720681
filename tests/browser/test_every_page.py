"""Every page of the house, as everyone who may see it, once the cases of the story stand.

People go where links lead them: a link that is shown leads somewhere, and to a page without faults.
"""

import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from app import create_app
from app.cli.surroundings import whole_environment
from app.container import build
from app.engines import stack
from app.settings import Settings
from tests.browser.installation import Installation
from tests.browser.story import MINA, UMA, Step
from tests.browser.visitor import ID, Street, Visitor

pytestmark = pytest.mark.browser

PEOPLE = (
    "",
    "Ana Souza",
    "Joy Adeyemi",
    "Marek Nowak",
    "Omar Haddad",
    "Tom Becker",
    "Lucia Rossi",
    "Grace Okafor",
    "Daniel Roy",
    "Helen Cho",
    "Sam Wilks",
    "Ines Duarte",
)
LINKS = """[...document.querySelectorAll('a[href]')]
  .map((one) => [one.getAttribute('href'), one.hasAttribute('download')])"""
PASSWORD = "a row of ordinary words"
OF_A_SHAPE = 2
"""How many pages of one shape each person looks at: two cases, two items, …"""

LETTER = re.compile("/mailbox/.")
"""Mails of the demo: their links are for those they were written to."""

LED_TO_BY_NOBODY = {
    "api.case": "for programs",
    "api.cases": "for programs",
    "api.item": "asked by the upload's own script, and for programs",
    "api.items": "for programs",
    "api.link": "for programs",
    "api.me": "for programs",
    "account.language": "leads back to where one was; offered where there are two languages",
    "assets.theme": "a style sheet",
    "batches.progress": "how far a batch is, once one was begun: tests/web/test_registrar_pages.py",
    "brought.document": "a file, once a program brought one: tests/web/test_openbadges_api.py",
    "brought.page": "once a program brought something: tests/web/test_openbadges_api.py",
    "credentials.card": "the picture that other sites show with a credential's address",
    "credentials.embed": "the picture for other people's pages",
    "documents.document": "the signed document; asked for by Accept too",
    "documents.institution": "a DID document",
    "documents.organisation": "a DID document",
    "documents.picture": "the badge of a version, which credentials name: tests/web",
    "documents.token_key": "a public key, named in tokens",
    "documents.status": "a signed status list",
    "evidence.row": "a line that htmx asks for while a file is checked",
    "learner.next_step": "what htmx asks for when an item has come or was checked",
    "keeping.receipt": "a file, once an erasure is done: tests/web/test_keeping_pages.py",
    "oauth.ask": "programs lead there: tests/web/test_oauth.py",
    "oauth.metadata": "for programs",
    "openbadges.credentials": "for programs",
    "openbadges.discovery": "for programs",
    "openbadges.profile": "for programs",
    "ops.healthz": "for probes",
    "ops.metrics": "for Prometheus",
    "ops.readyz": "for probes",
    "overrides.new": "there where only a conflict bars somebody: tests/web/test_override_pages.py",
    "overrides.page": "there once an override was proposed: tests/web/test_override_pages.py",
    "programs.ask_end": "once a program is connected: tests/web/test_oauth.py",
    "static": "files",
    "viewer.captions": "a track that players load: tests/web/test_viewer.py",
    "vcapi.status": "a signed status list",
    "wallets.credential_type": "for wallets: tests/web/test_wallets.py",
    "wallets.issuer": "for wallets",
    "wallets.keys": "for those who check what a wallet shows",
    "wallets.offer": "what a wallet fetches when it scans a code",
    "wallets.server": "for wallets",
    "wallets.status": "a signed status list",
    "viewer.ready": "asked by the viewer itself, while pictures are made",
    "staff.seats.late": "there while somebody scores: tests/web/test_override_pages.py",
    "staff.appeal.page": "there once a decision was appealed: tests/web/test_appeal_pages.py",
}
"""Addresses that nobody is led to, and why."""


@pytest.mark.usefixtures("endorsed", "disclosed", "stated", "waiting", "begun")
@pytest.mark.parametrize("name", PEOPLE, ids=lambda name: name or "a visitor")
def test_every_link_leads_to_a_page_without_faults(street: Street, name: str) -> None:
    person = street.person(name) if name else street.visitor()
    assert refused(person, street.watch.shown) == []


def refused(person: Visitor, shown: set[str]) -> list[str]:
    """Walk every link; returns those that led nowhere, and adds the files that came to `shown`."""
    found = []
    met: dict[str, int] = {}
    ahead = deque([("/", False), ("/start" if person.name else "/verify", False)])
    while ahead:
        address, file = ahead.popleft()
        if not fresh(address, met):
            continue
        if file:
            answer = person.context.request.get(person.site + address)
            found += [] if answer.ok else [f"{address}: {answer.status}"]
            shown.add(person.site + address)
            continue
        response = person.page.goto(person.site + address)
        if response is None or not response.ok:
            found.append(f"{address}: {response and response.status}")
        elif "html" in response.headers.get("content-type", ""):
            person.look()
            ahead.extend(links(person) if not LETTER.match(person.path) else ())
    return found


def links(person: Visitor) -> Iterator[tuple[str, bool]]:
    """Where this page leads within the house, and whether that is a file."""
    for href, download in person.page.evaluate(LINKS):
        address = urlsplit(urljoin(person.page.url, href))
        if f"{address.scheme}://{address.netloc}" == person.site:
            query = f"?{address.query}" if address.query else ""
            file = download or address.path.endswith((".json", "/file"))
            yield address.path + query, file


def fresh(address: str, met: dict[str, int]) -> bool:
    """Whether few pages of this shape were met so far; counts it in."""
    split = urlsplit(address)
    names = ",".join(sorted(name for name, _ in parse_qsl(split.query)))
    shape = f"{ID.sub('…', split.path)}?{names}"
    met[shape] = met.get(shape, 0) + 1
    return met[shape] <= OF_A_SHAPE


def test_a_supervisor_keeps_a_copy_of_what_was_stated(street: Street, attested: Step) -> None:
    link = attested.who.page.get_by_role("link", name="Download a copy")
    address = f"{attested.who.site}{link.get_attribute('href')}"
    copy = attested.who.context.request.get(address)
    assert copy.ok
    assert "Rita Marsh" in copy.text()
    street.watch.shown.add(address)


def test_a_question_that_waits_can_be_declined(street: Street, begun: Step) -> None:
    visitor = street.visitor(phone=True)
    visitor.read_mail(MINA[1], "/attest/").press("I would rather not")
    visitor.choose("Why", "I did not see this work").press("Decline")
    visitor.look()
    begun.who.open(begun.path)
    assert begun.who.says("Could not say anything this time")


@pytest.mark.usefixtures("endorsed")
def test_an_employer_can_decline(street: Street) -> None:
    visitor = street.visitor(phone=True)
    visitor.read_mail(UMA[1], "/endorse/").press("Decline")
    visitor.page.get_by_role("radio").first.check()
    visitor.press("Decline").look()


def test_a_newcomer_makes_an_account_by_mail_and_signs_in_with_it(street: Street) -> None:
    visitor = street.visitor(phone=True).open("/sign-in")
    visitor.press("I am new here and want my learning recognised")
    visitor.fill({"E-mail address": "Noor@Learner.Example"}).press("Mail me a link")
    visitor.read_mail("noor@learner.example", "/register/")
    visitor.fill({"Your full name": "Noor Ali", "Password": "short"})
    with street.watch.expecting(422):
        visitor.press("Make my account")
    assert visitor.page.evaluate("document.activeElement.className") == "error-summary"
    visitor.fill({"Password": PASSWORD}).press("Make my account")
    visitor.fill({"E-mail address": "noor@learner.example", "Password": PASSWORD}).press("Sign in")
    assert visitor.says("Hello, Noor")


def test_an_administrator_invites_someone_who_then_chooses_a_password(street: Street) -> None:
    office = street.person("Ines Duarte").press("Invite someone")
    office.fill({"Full name": "Vera Holm", "E-mail address": "vera.holm@northbridge.example"})
    office.choose("Roles", "Coordinator").press("Invite")
    assert office.says("Vera Holm")
    invited = street.visitor()
    invited.read_mail("vera.holm@northbridge.example", "/set-password/")
    invited.fill({"New password": PASSWORD}).press("Set password")
    invited.fill({"E-mail address": "vera.holm@northbridge.example", "Password": PASSWORD})
    invited.press("Sign in")
    office.open("/admin/people").press("Vera Holm").press("Take back")
    assert office.says("No role at present.")


def test_an_administrator_gives_the_house_a_logo_and_looks_at_colours(street: Street) -> None:
    office = street.person("Ines Duarte").open("/admin/appearance")
    bar = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"><path d="M0 0h9v4z"/></svg>'
    office.page.get_by_label(re.compile("logo as a file|Another logo")).set_input_files(
        {"name": "bar.svg", "mimeType": "image/svg+xml", "buffer": bar}
    )
    office.fill({"What it shows, in a few words": "A bar"}).press("Keep the logo").look()
    assert office.page.locator(".brand img").count() == 1
    with office.page.expect_response(re.compile("/admin/appearance/theme.css")):
        office.page.get_by_label("First colour", exact=True).fill("#ffee88")
    office.page.get_by_text("This is not kept yet").wait_for()
    office.look()
    office.open("/admin/appearance").press("Wear no logo")
    assert office.page.locator(".brand img").count() == 0


def test_a_learner_makes_an_access_token_and_ends_it(street: Street) -> None:
    ana = street.person("Ana Souza").open("/account").press("Your access tokens")
    ana.fill({"What will use it": "My script"})
    ana.choose("What it may do", "Read my evidence").press("Make the token").look()
    assert ana.says("This is the only time it is shown")
    ana.press("I have it").look()
    ana.press("Revoke").look()
    ana.press("Revoke it")
    assert ana.says("No program acts for you")


def test_an_administrator_has_other_software_told(street: Street) -> None:
    office = street.person("Ines Duarte").open("/admin/webhooks")
    office.press("Add an endpoint")
    office.fill({"Address": "https://works.example/news", "What it is for": "Student records"})
    office.press("Add it")
    assert office.says("This is the only time it is shown")
    office.press("I have it").press("Pause").press("Change").press("Back")
    office.press("New secret").press("Keep the present one")
    office.press("Remove").press("Remove it")
    assert office.says("No software is told yet")


def test_no_page_was_left_out(street: Street, house: Installation) -> None:
    """Every GET address was shown to somebody by one of the browser tests."""
    shown = {urlsplit(url).path for url in street.watch.shown if url.startswith(house.site)}
    left = {}
    for app in application(house):
        seen = endpoints_of(app, shown)
        left = {
            rule.endpoint: rule.rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and rule.endpoint not in seen | set(LED_TO_BY_NOBODY)
        }
    assert not left, left


def application(house: Installation) -> Iterator[Flask]:
    """The application of this installation, for its table of addresses."""
    env = {"ASSAY_HOME": str(house.home), "ASSAY_ENV": "demo", "PUBLIC_URL": house.site}
    container = build(Settings.from_env(whole_environment(env) | (stack.attach(house.home) or {})))
    yield create_app(container)
    container.close()


def endpoints_of(app: Flask, paths: set[str]) -> set[str]:
    """The endpoints that these paths belong to."""
    addresses = app.url_map.bind("")
    found = set()
    for path in paths:
        try:
            found.add(addresses.match(path)[0])
        except HTTPException:
            continue
    return found
