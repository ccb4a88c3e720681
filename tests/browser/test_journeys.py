"""One whole case in Chromium, as every one of its people, on real files and real engines."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.demo.files import Made
from app.demo.uploading import sha256_of_file
from tests.browser.story import Step
from tests.browser.visitor import Street

pytestmark = pytest.mark.browser


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


def test_what_she_opens_a_stranger_can_fetch_and_nothing_else(
    street: Street, disclosed: Step, files: Sequence[Made]
) -> None:
    stranger = disclosed.who.open(disclosed.path)
    shut = stranger.page.locator(".evidence-card", has_text=files[0].title)
    assert "Digest only" in shut.inner_text()
    # above the evidence, each outcome names what shows it and leads down to it
    opened = stranger.page.locator(".evidence-card", has_text=files[1].title)
    stranger.press(files[1].title, opened)
    with stranger.page.expect_download() as download:
        stranger.tap("Download the file")
    assert sha256_of_file(download.value.path()) == sha256_of_file(files[1].path)
    stranger.look()


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
