"""Looking at evidence in Chromium: it plays, it is marked, it goes on; nothing uploaded runs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Route
from sqlmodel import select

from storage.ids import ItemId, SheetId
from storage.tables import ScoreSheet
from storage.vocabulary import CaptionKind, ConflictAnswer
from tests.browser.acts import chosen
from tests.browser.evidence import Things, actor_named, at_hand, gathered, picture
from tests.browser.installation import Installation
from tests.browser.visitor import Street, Visitor, blemishes
from workflows.assessment.commands import allocate_assessors, declare_conflict
from workflows.cases.commands import accept_for_assessment, begin_screening, submit_case
from workflows.cases.rules import Declaration
from workflows.evidence.captions import attach_words
from workflows.evidence.describing import remove_evidence
from workflows.evidence.marks import mark_evidence, read_mark

COOK = "Cook (toward Red Seal)"
STATE = "(() => { const v = document.querySelector('video'); return [v.currentTime, v.paused]; })()"
JOY, LUCIA, PRIYA = "Joy Adeyemi", "Lucia Rossi", "Priya Nair"


@pytest.fixture(scope="module")
def things(house: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    """A learner's case with a film, a picture, and files that a browser would run."""
    parts = at_hand(house)
    folder: Path = tmp_path_factory.mktemp("looking")
    yield gathered(parts, actor_named(parts, JOY), COOK, folder)
    parts.close()


@pytest.fixture(scope="module")
def sheet_id(things: Things) -> SheetId:
    """The first assessor's sheet, once the case was submitted with a mark."""
    parts, case_id = things.parts, things.case_id
    film = things.items["service.webm"]
    mark_evidence(parts.db, things.learner, film, read_mark("0:06", "0:08", "Skims", "CK1"))
    signed = Declaration(agreed=True, signed_name=JOY, with_gaps=True)
    submit_case(parts.db, parts.site, things.learner, case_id, signed)
    omar = actor_named(parts, "Omar Haddad")
    begin_screening(parts.db, omar, case_id)
    accept_for_assessment(parts.db, omar, case_id)
    assessors = [actor_named(parts, LUCIA), actor_named(parts, PRIYA)]
    asked = [one.account_id for one in assessors if one.account_id]
    places = allocate_assessors(parts.db, parts.site, omar, case_id, asked)
    for assessor, place in zip(assessors, places, strict=True):
        declare_conflict(parts.db, parts.site, assessor, place, ConflictAnswer.NONE, detail="")
    with parts.db.reading() as tx:
        found = tx.session.exec(
            select(ScoreSheet.id).where(
                ScoreSheet.case_id == case_id, ScoreSheet.assessor_id == asked[0]
            )
        ).one()
    return SheetId(found)


def at(visitor: Visitor, things: Things, name: str) -> Visitor:
    """At the viewer of an item."""
    return visitor.open(f"/evidence/{things.items[name]}/view")


def place(visitor: Visitor) -> float:
    """Where the film is."""
    return float(visitor.page.evaluate(STATE)[0])


def paused(visitor: Visitor) -> bool:
    """Whether the film stands still."""
    return bool(visitor.page.evaluate(STATE)[1])


def ready(visitor: Visitor) -> None:
    """Wait until the film can be played."""
    wait(visitor, lambda: shown(visitor), "the film can be played")


def shown(visitor: Visitor) -> bool:
    """Whether the film shows the picture of its place."""
    return bool(visitor.page.evaluate("document.querySelector('video').readyState >= 2"))


def wait(visitor: Visitor, happened: Callable[[], bool], what: str) -> None:
    """Wait on the page as it stands; from here, as its policy lets nothing be evaluated in it."""
    visitor.wait_until(happened, what, reload=False)


def test_nothing_that_was_uploaded_runs(street: Street, things: Things) -> None:
    joy = street.person(JOY)
    for name in ("plan.svg", "menu.html"):
        at(joy, things, name)
        assert joy.page.evaluate("window.ran") is None and "it ran" not in joy.page.title()
        assert joy.page.locator("iframe, object, embed").count() == 0
        with joy.page.expect_download() as downloaded:
            joy.control("Download the file").click()
        assert downloaded.value.suggested_filename == name
        assert joy.page.evaluate("window.ran") is None


def test_a_film_is_played_and_stepped_through_by_keys(street: Street, things: Things) -> None:
    joy = at(street.person(JOY), things, "service.webm")
    ready(joy)
    joy.page.locator("video").focus()
    joy.page.keyboard.press("ArrowRight")
    assert place(joy) == pytest.approx(5, abs=0.5)
    joy.page.keyboard.press(".")
    assert place(joy) == pytest.approx(5.04, abs=0.5) and paused(joy)
    joy.page.keyboard.press(" ")
    wait(joy, lambda: not paused(joy), "the film plays")
    joy.page.keyboard.press("k")
    wait(joy, lambda: paused(joy), "the film stands still")
    joy.page.locator("[data-speed]").select_option("2")
    assert joy.page.evaluate("document.querySelector('video').playbackRate") == 2
    assert blemishes(joy.page) == []


def test_a_stretch_is_marked_at_the_player_and_plays_to_its_end(
    street: Street, things: Things
) -> None:
    joy = at(street.person(JOY), things, "service.webm")
    ready(joy)
    joy.page.evaluate("document.querySelector('video').currentTime = 10")
    joy.tap("From here")
    joy.fill({"To": "0:11", "What it shows": "<b>Plates</b> the soup"})
    joy.tap("Keep the mark")
    mark = joy.page.locator(".mark-line", has_text="<b>Plates</b>").locator(".mark-time")
    assert "0:10–0:11" in mark.inner_text()
    mark.click()
    wait(joy, lambda: place(joy) >= 11 and paused(joy), "the stretch has been played")
    assert place(joy) < 13
    joy.page.get_by_role("button", name="Remove 0:10–0:11").click()
    mark.wait_for(state="detached")


def test_when_the_link_has_run_out_it_asks_anew_and_keeps_the_place(
    street: Street, things: Things
) -> None:
    joy = at(street.person(JOY), things, "service.webm")
    ready(joy)
    joy.page.evaluate("document.querySelector('video').currentTime = 7")
    asked: list[str] = []

    def refuse_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=403, body="expired")
        else:
            route.continue_()

    joy.page.route(re.compile(r"/stream\?again="), refuse_once)
    with street.watch.expecting(403):
        joy.page.evaluate("document.querySelector('video').dispatchEvent(new Event('error'))")
        # until it has asked twice the film is still the old one, at the right place
        wait(joy, lambda: len(asked) >= 2, "it has asked anew after a refusal")
        wait(joy, lambda: shown(joy) and abs(place(joy) - 7) < 1, "it is at the same place")
    joy.page.unroute_all(behavior="wait")


def test_a_picture_is_zoomed_by_keys(street: Street, things: Things) -> None:
    joy = at(street.person(JOY), things, "plate.jpg")
    joy.page.locator(".picture-image").wait_for()
    joy.page.locator("[data-zoomable]").focus()
    joy.page.keyboard.press("+")
    assert joy.page.locator("[data-zoom-shown]").inner_text() == "125 %"
    joy.page.keyboard.press("0")
    assert joy.page.locator("[data-zoom-shown]").inner_text() == "100 %"
    assert blemishes(joy.page) == []


def test_what_is_said_in_a_sound_is_written_under_it_and_marked_beside_it(
    street: Street, things: Things
) -> None:
    attach_words(
        things.parts.db,
        things.learner,
        things.items["talk.ogg"],
        kind=CaptionKind.CAPTIONS,
        language="en",
        label="English",
        text="WEBVTT\n\n00:01.000 --> 00:03.000\nFirst stock & salt.\n\n"
        "00:04.000 --> 00:06.000\nThen <b>the roux</b>.\n",
    )
    page = at(street.person(JOY), things, "talk.ogg").page
    said = page.locator("[data-caption]")
    page.evaluate("document.querySelector('audio').currentTime = 1.5")
    said.get_by_text("First stock & salt.", exact=True).wait_for()
    page.evaluate("document.querySelector('audio').currentTime = 4.5")
    said.get_by_text("Then the roux.").wait_for()
    assert "Then the roux." in page.locator(".cue-list [aria-current]").inner_text()
    page.locator("[data-caption-choice]").select_option("Off")
    said.wait_for(state="hidden")
    assert blemishes(page) == []


def test_the_small_picture_and_what_is_next_come_without_a_reload(
    street: Street, things: Things
) -> None:
    joy = street.person(JOY)
    asked: list[str] = []
    joy.page.on("response", lambda answer: asked.append(answer.url))
    plate = {"name": "second plate.jpg", "mimeType": "image/jpeg", "buffer": picture() + b" "}
    chosen(joy, f"/cases/{things.case_id}").set_input_files([plate])
    line = joy.page.locator("[data-item]", has_text="second plate")
    line.locator(".thumb-picture").wait_for()
    arrived_and_sealed = 2
    nexts = [url for url in asked if url.endswith("/next")]
    assert len(nexts) >= arrived_and_sealed
    item_id = str(line.get_attribute("data-item"))
    remove_evidence(things.parts.db, things.learner, ItemId(UUID(item_id)))


def test_the_rubric_leads_to_the_moment_and_a_note_is_kept_beside_it(
    street: Street, things: Things, sheet_id: SheetId
) -> None:
    lucia = street.person(LUCIA).open(f"/assessor/sheets/{sheet_id}?outcome=CK1")
    lucia.page.locator(".moments .mark-time").first.click()
    wait(lucia, lambda: place(lucia) >= 6, "the film is at the moment")
    lucia.page.get_by_text("Note what you see at a place").first.click()
    lucia.tap("From here")
    lucia.fill({"What you see there": "Skims and does not stir"})
    lucia.tap("Keep the note")
    lucia.page.locator(".mark-line-note", has_text="does not stir").wait_for()
    assert blemishes(lucia.page) == []
    priya = at(street.person(PRIYA), things, "service.webm")
    assert "does not stir" not in priya.main()


def test_without_scripts_marks_still_lead_to_their_place(
    street: Street, things: Things, sheet_id: SheetId
) -> None:
    lucia = street.person(LUCIA, java_script_enabled=False)
    lucia.open(f"/assessor/sheets/{sheet_id}?outcome=CK1")
    lucia.page.locator(".moments .mark-time").first.click()
    lucia.page.wait_for_url(re.compile(r"t=6(,|%2C)8"))
    assert (lucia.page.locator("video").get_attribute("src") or "").endswith("#t=6,8")
