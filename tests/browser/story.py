"""The cases that the browser tests share. Each fixture takes a case one step further, once.

Ana's ends in a credential that an employer endorses; Marek's, walked without JavaScript, in a
statement with a plan; Joy's stays open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from app.demo.files import Made, make_files
from tests.browser import acts, keyboard
from tests.browser.visitor import Street, Visitor

CNC = "CNC Technician: set-up, program edit and inspection"
BOOKKEEPER = "Bookkeeper: fraud prevention and money-laundering red flags"
SIGNING = "Early-childhood educational assistant: American Sign Language in the classroom"
RITA = ("Rita Marsh", "rita.marsh@halton-precision.example")
PAUL = ("Paul Lindgren", "paul.lindgren@halton-precision.example")
UMA = ("Uma Field", "uma.field@halton-precision.example")
ELIF = ("Elif Kaya", "elif.kaya@ledgerline.example")
MINA = ("Mina Petrov", "mina.petrov@bright-steps.example")
PLAN = "One more month's reconciliation, with the differences followed to their cause."


@dataclass(frozen=True)
class Step:
    """Whose page shows how far the case is, and where."""

    who: Visitor
    path: str


@pytest.fixture(scope="package")
def all_files(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Made]:
    """A short video, a report, two photos and a spreadsheet, made on the spot."""
    return make_files(tmp_path_factory.mktemp("evidence"), lambda line: None, 1)


@pytest.fixture(scope="package")
def files(all_files: Sequence[Made]) -> Sequence[Made]:
    """The video and the report."""
    return all_files[:2]


@pytest.fixture(scope="package")
def opened(whole_street: Street) -> Step:
    ana = whole_street.person("Ana Souza", phone=True)
    case = acts.open_case(ana, CNC)
    acts.rate_oneself(ana, 3)
    return Step(ana, case)


@pytest.fixture(scope="package")
def described(opened: Step, files: Sequence[Made]) -> Step:
    acts.send_files(opened.who, opened.path, [made.path for made in files])
    for made in files:
        acts.describe(opened.who, opened.path, made)
    return opened


@pytest.fixture(scope="package")
def attested(whole_street: Street, described: Step) -> Step:
    acts.ask_supervisor(described.who, described.path, RITA, ["CNC2", "CNC3", "CNC5"])
    rita = whole_street.visitor(phone=True)
    acts.attest(rita, RITA, {"CNC2": 4, "CNC3": 3, "CNC5": None})
    return Step(rita, described.path)


@pytest.fixture(scope="package")
def submitted(opened: Step, attested: Step) -> Step:
    acts.submit(opened.who, attested.path)
    return opened


@pytest.fixture(scope="package")
def allocated(whole_street: Street, submitted: Step) -> Step:
    omar = whole_street.person("Omar Haddad")
    acts.screen(omar, submitted.path)
    acts.choose_assessors(omar, submitted.path, ["Priya Nair", "Tom Becker"])
    return Step(omar, submitted.path)


@pytest.fixture(scope="package")
def scored(whole_street: Street, allocated: Step) -> Step:
    """Tom scores on his phone, Priya by keyboard alone."""
    tom = whole_street.person("Tom Becker", phone=True)
    acts.declare_no_conflict(tom)
    acts.score(tom, {"CNC1.a": 4})
    acts.finalise(tom)
    priya = whole_street.person("Priya Nair")
    keyboard.declare(priya)
    keyboard.score(priya)
    return Step(priya, allocated.path)


@pytest.fixture(scope="package")
def decided(whole_street: Street, scored: Step) -> Step:
    daniel = whole_street.person("Daniel Roy")
    acts.decide(daniel, scored.path)
    return Step(daniel, scored.path)


@pytest.fixture(scope="package")
def published(whole_street: Street, decided: Step, opened: Step) -> Step:
    helen = whole_street.person("Helen Cho")
    acts.release(helen, decided.path)
    return Step(opened.who, acts.credential_of(opened.who, decided.path))


@pytest.fixture(scope="package")
def disclosed(whole_street: Street, published: Step, files: Sequence[Made]) -> Step:
    """A stranger's browser, once the report is open to everyone."""
    acts.disclose(published.who, published.path, files[1].title, "open_link")
    return Step(whole_street.visitor(), published.path)


@pytest.fixture(scope="package")
def endorsed(whole_street: Street, published: Step) -> Step:
    acts.ask_employer(published.who, published.path, PAUL, ["CNC2", "CNC4"])
    paul = whole_street.visitor(phone=True)
    acts.endorse(paul, PAUL, ["CNC2", "CNC4"])
    acts.accept_endorsement(published.who)
    acts.ask_employer(published.who, published.path, UMA, ["CNC1"])
    return Step(paul, published.path)


@pytest.fixture(scope="package")
def stated(whole_street: Street, all_files: Sequence[Made]) -> Step:
    """Two assessors differ across the standard; a moderator settles it; no credential follows."""

    def plain(name: str = "") -> Visitor:
        visitor = whole_street.visitor(name, java_script_enabled=False)
        return visitor.sign_in() if name else visitor

    papers = [
        replace(all_files[1], title="Reconciliation report", outcomes=("BF1", "BF2")),
        replace(all_files[4], title="Working papers", outcomes=("BF1", "BF4")),
    ]
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
    return Step(marek, case)


@pytest.fixture(scope="package")
def waiting(whole_street: Street, all_files: Sequence[Made]) -> Step:
    """A case with two assessors asked, one of whom has declared a possible conflict."""
    joy = whole_street.person("Joy Adeyemi")
    case = acts.open_case(joy, SIGNING)
    photo = replace(all_files[2], title="Our picture cards", outcomes=("ASL3", "ASL4"))
    acts.send_files(joy, case, [photo.path])
    acts.describe(joy, case, photo)
    acts.submit(joy, case)
    omar = whole_street.person("Omar Haddad")
    acts.screen(omar, case)
    acts.choose_assessors(omar, case, ["Tom Becker", "Lucia Rossi"])
    acts.declare_possible_conflict(whole_street.person("Lucia Rossi"), "I taught her in 2011.")
    return Step(joy, case)


@pytest.fixture(scope="package")
def begun(whole_street: Street, all_files: Sequence[Made]) -> Step:
    """A case that is still being put together: one file, one question to a supervisor."""
    joy = whole_street.person("Joy Adeyemi", phone=True)
    case = acts.open_case(joy, BOOKKEEPER)
    acts.send_files(joy, case, [all_files[3].path])
    acts.ask_supervisor(joy, case, MINA, ["BF4"])
    return Step(joy, case)
