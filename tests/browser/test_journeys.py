"""One whole case in Chromium, as every one of its people, on real files and real engines.

Each fixture brings the case one step further and is done once; each test says what then holds.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.files import Made, make_files
from app.demo.uploading import sha256_of_file
from tests.browser import acts
from tests.browser.visitor import Street, Visitor

pytestmark = pytest.mark.browser

CNC = "CNC Technician: set-up, program edit and inspection"
RITA = ("Rita Marsh", "rita.marsh@halton-precision.example")
PAUL = ("Paul Lindgren", "paul.lindgren@halton-precision.example")


@dataclass(frozen=True)
class Step:
    """Whose page shows how far the case is, and where."""

    who: Visitor
    path: str


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Made]:
    """A short video and a report, made on the spot."""
    return make_files(tmp_path_factory.mktemp("evidence"), lambda line: None, 1)[:2]


@pytest.fixture(scope="session")
def opened(whole_street: Street) -> Step:
    ana = whole_street.person("Ana Souza", phone=True)
    case = acts.open_case(ana, CNC)
    acts.rate_oneself(ana, 3)
    return Step(ana, case)


@pytest.fixture(scope="session")
def described(opened: Step, files: Sequence[Made]) -> Step:
    acts.send_files(opened.who, opened.path, [made.path for made in files])
    for made in files:
        acts.describe(opened.who, opened.path, made)
    return opened


@pytest.fixture(scope="session")
def attested(whole_street: Street, described: Step) -> Step:
    acts.ask_supervisor(described.who, described.path, RITA, ["CNC2", "CNC3", "CNC5"])
    rita = whole_street.visitor(phone=True)
    acts.attest(rita, RITA, {"CNC2": 4, "CNC3": 3, "CNC5": None})
    return Step(rita, described.path)


@pytest.fixture(scope="session")
def submitted(opened: Step, attested: Step) -> Step:
    acts.submit(opened.who, attested.path)
    return opened


@pytest.fixture(scope="session")
def allocated(whole_street: Street, submitted: Step) -> Step:
    omar = whole_street.person("Omar Haddad")
    acts.screen(omar, submitted.path)
    acts.choose_assessors(omar, submitted.path, ["Priya Nair", "Tom Becker"])
    return Step(omar, submitted.path)


@pytest.fixture(scope="session")
def scored(whole_street: Street, allocated: Step) -> Step:
    tom = whole_street.person("Tom Becker", phone=True)
    acts.declare_no_conflict(tom)
    acts.score(tom, {"CNC1.a": 4})
    acts.finalise(tom)
    priya = whole_street.person("Priya Nair")
    declare_by_keyboard(priya)
    score_by_keyboard(priya)
    return Step(priya, allocated.path)


@pytest.fixture(scope="session")
def decided(whole_street: Street, scored: Step) -> Step:
    daniel = whole_street.person("Daniel Roy")
    acts.decide(daniel, scored.path)
    return Step(daniel, scored.path)


@pytest.fixture(scope="session")
def published(whole_street: Street, decided: Step, opened: Step) -> Step:
    helen = whole_street.person("Helen Cho")
    acts.release(helen, decided.path)
    return Step(opened.who, acts.credential_of(opened.who, decided.path))


@pytest.fixture(scope="session")
def endorsed(whole_street: Street, published: Step) -> Step:
    acts.ask_employer(published.who, published.path, PAUL, ["CNC2", "CNC4"])
    paul = whole_street.visitor(phone=True)
    acts.endorse(paul, PAUL, ["CNC2", "CNC4"])
    acts.accept_endorsement(published.who)
    return Step(paul, published.path)


def declare_by_keyboard(assessor: Visitor) -> None:
    """Say without a mouse that there is no conflict; ends on the score sheet."""
    tab_to(assessor, "Answer")
    enter(assessor)
    tab_to_field(assessor, "answer")
    assessor.page.keyboard.press("Space")
    tab_to(assessor, "Declare")
    enter(assessor)


def score_by_keyboard(assessor: Visitor) -> None:
    """Score and finalise without a mouse: Tab, digits, letters, Enter."""
    while "/check" not in assessor.path:
        for name in assessor.page.evaluate(REASONS):
            tab_to_field(assessor, name.replace(".reason", ".level"))
            assessor.page.keyboard.press("3")
            tab_to_field(assessor, name)
            assessor.page.keyboard.type(acts.REASON)
        tab_to(assessor, re.compile("^Save and (go on|check all)$"))
        assessor.look()
        enter(assessor)
    tab_to(assessor, "Make final")
    enter(assessor)


REASONS = "[...document.querySelectorAll('textarea[name$=\".reason\"]')].map((one) => one.name)"
AT = "[document.activeElement.innerText?.trim() ?? '', document.activeElement.name ?? '']"


def tab_to(visitor: Visitor, words: str | re.Pattern[str]) -> None:
    """Press Tab until what has the focus says so."""
    pattern = re.compile(rf"^{re.escape(words)}$") if isinstance(words, str) else words
    for _ in range(150):
        visitor.page.keyboard.press("Tab")
        if pattern.search(visitor.page.evaluate(AT)[0]):
            return
    raise AssertionError(f"Tab does not lead to {words!r} on {visitor.path}")


def tab_to_field(visitor: Visitor, name: str) -> None:
    """Press Tab until the field of this name has the focus."""
    for _ in range(150):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(AT)[1] == name:
            return
    raise AssertionError(f"Tab does not lead to {name!r} on {visitor.path}")


def enter(visitor: Visitor) -> None:
    """Press Enter and arrive on the next page."""
    visitor.look()
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


def test_a_learner_opens_a_case_on_her_phone_and_rates_herself(
    street: Street, opened: Step
) -> None:
    opened.who.open(opened.path)
    assert opened.who.page.locator("#rating").get_by_text("Level 3 of 4").count() == 5
    opened.who.look()


def test_her_files_get_receipts_with_the_digests_of_her_own_copies(
    street: Street, described: Step, files: Sequence[Made]
) -> None:
    for made in files:
        described.who.open(described.path)
        described.who.press(made.title)
        shown = described.who.page.locator("#receipt-digest").inner_text()
        assert "".join(shown.split()) == sha256_of_file(made.path)


def test_a_supervisor_answers_on_his_phone_without_an_account(
    street: Street, attested: Step
) -> None:
    assert attested.who.says("Thank you. Your statement is given.")
    attested.who.look()


def test_what_she_submits_is_frozen_and_has_a_digest(street: Street, submitted: Step) -> None:
    submitted.who.open(submitted.path)
    assert submitted.who.says("SHA-256 of the manifest")
    assert not submitted.who.page.locator("[data-upload-form]").count()
    submitted.who.look()


def test_the_coordinator_accepts_it_and_asks_two_assessors(street: Street, allocated: Step) -> None:
    allocated.who.open(f"/staff{allocated.path}/assessment")
    assert allocated.who.says("Tom Becker")
    assert allocated.who.says("Scores are shown when every sheet is final.")
    allocated.who.look()


def test_an_assessor_scores_and_finalises_by_keyboard_alone(street: Street, scored: Step) -> None:
    assert scored.who.path == "/assessor"
    assert scored.who.says("Final")
    scored.who.look()


def test_the_decider_reads_every_score_and_decides(street: Street, decided: Step) -> None:
    assert decided.who.says("All mandatory outcomes are recognised: the credential is earned.")
    decided.who.look()


def test_the_learner_sees_her_credential_and_that_it_verifies(
    street: Street, published: Step
) -> None:
    ana = published.who.open(published.path)
    assert ana.page.locator(".verdict-good").is_visible()
    assert ana.page.locator(".evidence-card").count() == 3
    ana.look()


def test_an_employer_endorses_and_the_learner_shows_it(street: Street, endorsed: Step) -> None:
    visitor = street.visitor().open(endorsed.path)
    assert visitor.says("We rely on her set-ups every day.")
    visitor.look()


def test_anyone_verifies_a_dropped_badge_and_its_files(
    street: Street, endorsed: Step, files: Sequence[Made], tmp_path: Path
) -> None:
    visitor = street.visitor(phone=True)
    document = visitor.context.request.get(f"{street.house.site}{endorsed.path}.json")
    badge = tmp_path / "badge.json"
    badge.write_bytes(document.body())
    visitor.open("/verify")
    visitor.page.get_by_label("A badge file").set_input_files(badge)
    visitor.press("Verify")
    assert visitor.page.locator(".verdict-good").is_visible()
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(files[1].path.read_bytes() + b" ")
    visitor.page.get_by_label("Files at hand").set_input_files([files[1].path, changed])
    results = visitor.page.locator("[data-results]")
    results.locator(".check-good", has_text=files[1].path.name).wait_for()
    results.locator(".check-bad", has_text="changed.pdf").wait_for()
    visitor.look()


def test_a_forged_badge_is_refused_with_the_reason(
    street: Street, published: Step, tmp_path: Path
) -> None:
    visitor = street.visitor()
    answer = visitor.context.request.get(f"{street.house.site}{published.path}.json")
    document = json.loads(answer.body())
    document["credentialSubject"]["achievement"]["name"] = "Doctor of everything"
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(document))
    visitor.open("/verify")
    visitor.page.get_by_label("A badge file").set_input_files(forged)
    visitor.press("Verify")
    assert visitor.page.locator(".verdict-bad").is_visible()
    visitor.look()
