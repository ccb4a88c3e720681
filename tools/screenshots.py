"""Walks a whole case in Chromium and writes pictures of its pages to docs/screenshots.

Run it as `.venv/bin/python -m tools.screenshots`: it starts an installation of its own. Each page
is taken at the width of a desk and of a phone, as <page>-<width>.png.
"""

import io
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from app.demo.files import Made, make_files
from tests.browser import acts, keyboard
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.installation import installation
from tests.browser.story import BOOKKEEPER, CNC, ELIF, PAUL, RITA
from tests.browser.visitor import DESK, PHONE, Street, Visitor

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
COLOURS = 40
TALLEST = 1700


def main() -> int:
    """Make every picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        installation() as house,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        street = Street(chromium, house)
        try:
            walk(street, make_files(Path(folder), print, 2))
        finally:
            street.close()
            chromium.close()
    written = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{len(list(FOLDER.glob('*.png')))} pictures, {written / 1e6:.1f} MB, in {FOLDER}")
    return 0


def walk(street: Street, files: Sequence[Made]) -> None:
    """One case from the catalogue to the verdict, with a picture of each page worth one."""
    visitor = street.visitor()
    for name, path in (("catalogue", "/"), ("sign-in", "/sign-in")):
        picture(visitor.open(path), name)
    ana = street.person("Ana Souza")
    picture(ana.open("/").press(CNC), "definition")
    case = acts.open_case(ana, CNC)
    picture(ana, "rating")
    acts.rate_oneself(ana, 3)
    collect(street, ana, case, files)
    acts.submit(ana, case)
    assess(street, case)
    settle_another(street, files)
    decide(street, case)
    share(street, ana, case, files)
    ines = street.person("Ines Duarte")
    picture(ines, "people")
    picture(ines.open("/admin/appearance"), "appearance")


def collect(street: Street, ana: Visitor, case: str, files: Sequence[Made]) -> None:
    """Evidence, and a supervisor's word."""
    acts.send_files(ana, case, [made.path for made in files])
    for made in files:
        acts.describe(ana, case, made)
    picture(ana.open(case).press(files[0].title), "evidence")
    acts.ask_supervisor(ana, case, RITA, ["CNC2", "CNC3", "CNC5"])
    rita = street.visitor().read_mail(RITA[1], "/attest/")
    picture(rita, "attestation-question")
    rita.press("I can say something")
    picture(rita, "attestation-form")
    acts.say_what_was_seen(rita, RITA, {"CNC2": 4, "CNC3": 3, "CNC5": None})
    picture(ana.open(case), "case")
    picture(ana.open("/my"), "home")
    picture(ana.open(f"{case}/submit"), "submit")


def assess(street: Street, case: str) -> None:
    """Screening, seats, and two sheets."""
    omar = street.person("Omar Haddad")
    picture(omar, "staff")
    omar.open(f"/staff{case}").press("Begin screening").press("Begin screening")
    picture(omar, "screening")
    omar.press("Accept for assessment")
    picture(omar.open(f"/staff{case}").press("Choose assessors"), "allocation")
    acts.choose_assessors(omar, case, ["Priya Nair", "Tom Becker"])
    tom = street.person("Tom Becker")
    picture(tom, "assessor")
    picture(tom.press("Answer"), "declaration")
    tom.choose("Your answer", "None").press("Declare")
    picture(tom, "sheet")
    acts.score(tom, {"CNC1.a": 4})
    picture(tom, "sheet-check")
    acts.finalise(tom)
    priya = street.person("Priya Nair")
    keyboard.declare(priya)
    keyboard.score(priya)


def settle_another(street: Street, files: Sequence[Made]) -> None:
    """A second case, on which the assessors differ."""
    marek = street.person("Marek Nowak")
    case = acts.open_case(marek, BOOKKEEPER)
    acts.rate_oneself(marek, 2)
    paper = replace(files[4], title="Working papers", outcomes=("BF1", "BF2"))
    acts.send_files(marek, case, [paper.path])
    acts.describe(marek, case, paper)
    acts.ask_supervisor(marek, case, ELIF, ["BF4"])
    acts.submit(marek, case)
    omar = street.person("Omar Haddad")
    acts.screen(omar, case)
    acts.choose_assessors(omar, case, ["Priya Nair", "Lucia Rossi"])
    for name, levels in (("Lucia Rossi", {"BF2.a": 2}), ("Priya Nair", dict[str, int | None]())):
        assessor = street.person(name)
        acts.declare_no_conflict(assessor)
        acts.score(assessor, levels)
        acts.finalise(assessor)
    grace = street.person("Grace Okafor")
    acts.wait_for_turn(grace, case, "Moderate")
    picture(grace.press("Moderate"), "moderation")
    acts.settle(grace, case, "2")
    acts.decide(street.person("Daniel Roy"), case, {"BF2": "One more month's reconciliation."})
    acts.release(street.person("Helen Cho"), case)
    picture(marek.open(case), "statement")


def decide(street: Street, case: str) -> None:
    """The decision and the second key."""
    daniel = street.person("Daniel Roy")
    acts.wait_for_turn(daniel, case, "Decide")
    picture(daniel.press("Decide"), "decision")
    acts.decide(daniel, case)
    helen = street.person("Helen Cho").open(f"/staff{case}").press("Read and release")
    picture(helen, "release")
    acts.release(helen, case)


def share(street: Street, ana: Visitor, case: str, files: Sequence[Made]) -> None:
    """The credential, an endorsement, and a stranger who checks."""
    credential = acts.credential_of(ana, case)
    acts.ask_employer(ana, credential, PAUL, ["CNC2", "CNC4"])
    paul = street.visitor().read_mail(PAUL[1], "/endorse/").press("Choose what we endorse")
    picture(paul, "endorsement-form")
    acts.vouch(paul, PAUL, ["CNC2", "CNC4"])
    acts.accept_endorsement(ana)
    picture(ana, "my-credentials")
    stranger = street.visitor()
    picture(stranger.open(credential), "credential")
    stranger.open("/verify").fill({"Or its address, or its text": stranger.site + credential})
    stranger.press("Verify")
    stranger.page.get_by_label("Files at hand").set_input_files([made.path for made in files[:1]])
    stranger.page.locator("[data-results] .check-good").wait_for()
    picture(stranger, "verify")
    picture(stranger.open("/mailbox"), "mailbox")


def picture(visitor: Visitor, name: str) -> None:
    """The page from its top, as much as fits, in both widths."""
    page = visitor.page
    before = page.viewport_size
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
        page.evaluate("scrollTo(0, 0)")
        write(page.screenshot(animations="disabled"), FOLDER / f"{name}-{size['width']}.png")
    if before:
        page.set_viewport_size(before)
    print(name)


def write(shot: bytes, path: Path) -> None:
    """Keep a picture small: few colours are enough for text on paper."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    small = image.quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
