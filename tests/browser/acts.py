"""What people do on a case, page by page, with and without JavaScript."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Locator

from app.demo.files import Made
from tests.browser.visitor import Visitor

SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
REASON = "Seen in the evidence from its first page on; the measured values agree."


def open_case(learner: Visitor, title: str) -> str:
    """Choose a credential from the catalogue and open a case; returns the case's path."""
    learner.open("/").press(title).press("Open a case")
    return learner.path.removesuffix("/rating")


def rate_oneself(learner: Visitor, level: int) -> None:
    """Answer every question of the self-assessment with one level."""
    for scale in learner.page.locator("fieldset.scale").all():
        scale.get_by_role("radio").nth(level - 1).check()
    learner.press("Keep my answers")


def send_files(learner: Visitor, case: str, paths: Sequence[Path]) -> None:
    """Choose files on the case's page, and wait until all have their receipts."""
    if learner.scripted:
        chosen(learner, case).set_input_files(paths)
    else:
        for path in paths:
            chosen(learner, case).set_input_files(path)
            learner.press("Send the file")
        learner.open(case)
    sealed = learner.page.locator("[data-item-list] .badge", has_text="Sealed")
    reload = not learner.scripted
    learner.wait_until(lambda: sealed.count() >= len(paths), "the files are sealed", reload=reload)


def chosen(learner: Visitor, case: str) -> Locator:
    """The field for files on the case's page."""
    return learner.open(case).page.locator("[data-upload-form] input[type=file]")


def describe(learner: Visitor, case: str, made: Made) -> None:
    """Say what a file shows, and what one did oneself."""
    learner.open(case).press(re.compile(rf"^Describe “{re.escape(made.path.stem)}"))
    learner.fill({"Title": made.title, "What did you do yourself?": made.own_part})
    learner.field("What kind of evidence is it?").select_option(made.kind)
    learner.fill({"When was the work done? From": made.worked, "Until": made.worked})
    for outcome in made.outcomes:
        learner.choose("Which outcomes does it show?", outcome)
    learner.choose("Can other people be seen or heard in it?", "No, nobody but me")
    learner.choose("Did AI tools have a part in it?", "Nothing in it was written")
    learner.press("Keep")


def ask_supervisor(learner: Visitor, case: str, who: tuple[str, str], about: Sequence[str]) -> None:
    """Ask somebody for what they saw."""
    learner.open(case).press("Ask a supervisor")
    learner.fill({"Their name": who[0], "Their e-mail address": who[1]})
    for outcome in about:
        learner.choose("What did they see you do?", outcome)
    learner.fill({"A few words from you": "We worked the same shift until last year."})
    learner.press("Send the question")


def attest(witness: Visitor, who: tuple[str, str], levels: Mapping[str, int | None]) -> None:
    """Follow the mailed link and say what one saw; a level of none is "not observed"."""
    witness.read_mail(who[1], "/attest/").press("I can say something")
    say_what_was_seen(witness, who, levels)


def say_what_was_seen(
    witness: Visitor, who: tuple[str, str], levels: Mapping[str, int | None]
) -> None:
    """Fill in the form, read the preview, sign with the mailed code."""
    name, email = who
    witness.choose("What are, or were, you to them?", re.compile("supervis", re.IGNORECASE))
    witness.fill({"Your own work at the time": "Shift lead, machining"})
    witness.fill({"Where you saw them work": "Halton Precision Ltd", "From": "2021-05"})
    witness.choose("How often did you see them at work?", re.compile("da(y|ily)", re.IGNORECASE))
    scales = witness.page.locator("fieldset.scale").all()
    for scale, level in zip(scales, levels.values(), strict=True):
        scale.get_by_role("radio").nth(-1 if level is None else level - 1).check()
    witness.fill(
        {
            "One example for the highest": "She proved out the housing program alone and taught "
            "the night shift to single-block the first part.",
            "One example for the lowest": "She edits at the control and logs each revision.",
        }
    )
    witness.page.get_by_label("My name and role may stand beside").check()
    witness.press("Preview").press("Mail me the code")
    back = witness.page.url
    code = mailed_code(witness, email)
    witness.open(back).fill({"Your full name": name, "The code from the mail": code})
    witness.press("Sign and give the statement")


def mailed_code(reader: Visitor, email: str) -> str:
    """The six digits of the newest mail that has some."""
    reader.open_mail(email, "is your code")
    found = SIX_DIGITS.search(reader.main())
    assert found
    return found[0]


def submit(learner: Visitor, case: str) -> None:
    """Read everything once more, sign, submit."""
    learner.open(case)
    checked = learner.page.locator("[data-item-list] .badge", has_text="Being checked")
    learner.wait_until(lambda: checked.count() == 0, "everything is sealed")
    learner.press("Review and submit")
    learner.page.get_by_label("I have read this and it is true").check()
    with_gaps = learner.page.get_by_label("I submit with these gaps")
    if with_gaps.count():
        with_gaps.check()
    learner.fill({"Your full name, as your signature": learner.name}).press("Sign and submit")


def screen(coordinator: Visitor, case: str) -> None:
    """Take a case in hand and accept it."""
    coordinator.open(f"/staff{case}").press("Begin screening").press("Begin screening")
    coordinator.press("Accept for assessment")


def choose_assessors(coordinator: Visitor, case: str, names: Sequence[str]) -> None:
    """Ask assessors."""
    coordinator.open(f"/staff{case}").press("Choose assessors")
    for name in names:
        coordinator.choose("Assessors", name)
    coordinator.press("Ask them")


def declare_no_conflict(assessor: Visitor) -> None:
    """Open the case one was asked for and declare; ends on the score sheet."""
    assessor.open("/start").press("Answer")
    assessor.choose("Your answer", "None").press("Declare")


def declare_possible_conflict(assessor: Visitor, what: str) -> None:
    """Declare something that the coordinator must look at."""
    assessor.open("/start").press("Answer")
    assessor.choose("Your answer", "Possibly")
    assessor.fill({"What it is": what}).press("Declare")


def score(assessor: Visitor, levels: Mapping[str, int | None], usual: int = 3) -> None:
    """Score every criterion, from the sheet's first page to the last look."""
    going_on: str | re.Pattern[str] = re.compile("^Save and (go on|check all)$")
    while "/check" not in assessor.path:
        for card in assessor.page.locator("[data-criterion]").all():
            level = levels.get(card.get_attribute("data-criterion") or "", usual)
            card.get_by_role("radio").nth(-1 if level is None else level - 1).check()
            card.get_by_label("Why this level?").fill(REASON)
        if assessor.scripted:
            assessor.says("Saved at")
        assessor.press(going_on)


def finalise(assessor: Visitor) -> None:
    """Make the sheet final."""
    assessor.press("Make final")


def settle(moderator: Visitor, case: str, answer: str) -> None:
    """Settle what the assessors differ in on one answer, and sign."""
    wait_for_turn(moderator, case, "Moderate")
    moderator.press("Moderate")
    button = moderator.page.get_by_role("button", name="Settle", exact=True)
    while button.count():
        card = moderator.page.locator("form", has=button).first
        card.get_by_label(answer).first.check()
        card.get_by_label("Why").fill("Both read the same page; the lower reading has it right.")
        moderator.press("Settle", card)
    moderator.press("Sign and send to decision")


def decide(decider: Visitor, case: str, not_yet: Mapping[str, str] | None = None) -> None:
    """Decide as was agreed; `not_yet` says of outcomes what would show them."""
    wait_for_turn(decider, case, "Decide")
    decider.press("Decide")
    for code, gap in (not_yet or {}).items():
        decider.choose(f"Decision on {code}", "Not yet")
        place = decider.page.locator("section", has=decider.page.get_by_role("group", name=code))
        place.get_by_label("Why", exact=True).fill("The evidence stops short of the standard here.")
        gap_field = place.get_by_label(f"What would show {code}")
        if not gap_field.is_visible():
            place.get_by_text("What would show it (the plan)").click()
        gap_field.fill(gap)
    decider.fill({"Summary": "Direct and recent evidence, and a witness who saw the work."})
    decider.press("Decide")


def release(registrar: Visitor, case: str) -> None:
    """Turn the second key."""
    registrar.open(f"/staff{case}").press("Read and release").press("Release")


def wait_for_turn(person: Visitor, case: str, act: str) -> None:
    """Look at the case until it is this person's turn."""
    person.open(f"/staff{case}")
    turn = person.page.locator(".next-act", has_text=act)
    person.wait_until(lambda: turn.count() > 0, f"the turn to {act}")


def credential_of(learner: Visitor, case: str) -> str:
    """Wait until the case's page leads to the credential; returns the credential's path."""
    learner.open(case)
    link = learner.page.get_by_role("link", name="See your credential")
    learner.wait_until(lambda: link.count() > 0, "the credential is published")
    learner.press("See your credential")
    return learner.path


def disclose(learner: Visitor, credential: str, title: str, choice: str) -> None:
    """Choose what others may have of one piece of evidence, and wait until that is kept."""
    item = learner.open(credential).page.locator(".evidence-card", has_text=title)
    with learner.page.expect_response(re.compile("/disclosure$")):
        item.get_by_label("What others may have of this file").select_option(choice)
    item.locator(".disclosure-kept", has_text=re.compile(".")).wait_for()


def ask_employer(
    learner: Visitor, credential: str, who: tuple[str, str], about: Sequence[str]
) -> None:
    """Ask an organisation that staff have checked."""
    learner.open(credential).press("Ask an employer")
    learner.pick("Organisation", "Halton Precision")
    learner.fill({"Who speaks for them": who[0], "Their address there": who[1]})
    for outcome in about:
        learner.choose("Which outcomes do you ask them about?", outcome)
    learner.press("Send the question")


def endorse(employer: Visitor, who: tuple[str, str], outcomes: Sequence[str]) -> None:
    """Follow the mailed link and sign for the organisation."""
    employer.read_mail(who[1], "/endorse/").press("Choose what we endorse")
    vouch(employer, who, outcomes)


def vouch(employer: Visitor, who: tuple[str, str], outcomes: Sequence[str]) -> None:
    """Choose outcomes, read the preview, sign with the mailed code."""
    name, email = who
    for outcome in outcomes:
        employer.choose("Which outcomes can you vouch for?", outcome)
    employer.choose("What are, or were, you to them?", re.compile("employ", re.IGNORECASE))
    employer.fill({"Your role in the organisation": "Plant manager"})
    employer.fill({"You know their work from": "2017-03"})
    employer.fill({"In your words": "We rely on her set-ups every day."})
    employer.choose("Who may see it?", re.compile("count", re.IGNORECASE))
    employer.press("Preview").press("Mail me the code")
    back = employer.page.url
    code = mailed_code(employer, email)
    employer.open(back).fill({"Your full name": name, "The code from the mail": code})
    employer.press("Sign and endorse")


def accept_endorsement(learner: Visitor) -> None:
    """Show what an employer said, once it is signed."""
    learner.open("/my/credentials")
    show = learner.page.get_by_role("button", name="Show it on my credential")
    learner.wait_until(lambda: show.count() > 0, "the endorsement is signed")
    learner.press("Show it on my credential")
