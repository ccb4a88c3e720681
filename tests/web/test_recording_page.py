"""The page that records, the only one that browsers let near cameras, and what it lets finish."""

import pytest

from storage.vocabulary import Role
from tests.fixtures.web import Browser
from tests.fixtures.world import SIGNED, World
from workflows.access.rules import Actor
from workflows.cases import commands as cases
from workflows.evidence.announcing import claim_upload
from workflows.evidence.rules import Announcement, Limits


@pytest.fixture
def ana(world: World) -> Actor:
    """The learner."""
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def signed_in(browser: Browser, ana: Actor) -> Browser:
    """Ana's browser."""
    browser.sign_in(ana)
    return browser


def test_only_the_page_that_records_may_ask_for_camera_microphone_and_screen(
    world: World, signed_in: Browser, ana: Actor
) -> None:
    case_id = world.case(ana)
    allowed = signed_in.get(f"/cases/{case_id}/record").headers["Permissions-Policy"]
    assert allowed.startswith("camera=(self), display-capture=(self), microphone=(self)")
    elsewhere = signed_in.get(f"/cases/{case_id}").headers["Permissions-Policy"]
    assert elsewhere.startswith("camera=(), display-capture=(), microphone=()")
    for policy in (allowed, elsewhere):
        assert "geolocation=(), payment=()" in policy


def test_a_recording_that_was_not_finished_is_offered_there_and_on_the_case(
    world: World, signed_in: Browser, ana: Actor
) -> None:
    case_id = world.case(ana)
    announced = Announcement("Recording 1.webm", None, "video/webm", recorded_with="camera")
    item_id = claim_upload(world.db, ana, case_id, announced, Limits()).item_id
    page = signed_in.get(f"/cases/{case_id}/record").text
    assert f'data-begun="{item_id}"' in page and "Finish this recording" in page
    case = signed_in.get(f"/cases/{case_id}").text
    assert "was not brought to its end" in case and f"/cases/{case_id}/record" in case
    assert "2.1 GB" not in case  # the room that is held for it is not its size


def test_nothing_is_recorded_for_a_submitted_case(
    world: World, signed_in: Browser, ana: Actor
) -> None:
    case_id = world.case(ana)
    world.full_evidence(case_id)
    cases.submit_case(world.db, world.site, ana, case_id, SIGNED)
    answer = signed_in.get(f"/cases/{case_id}/record")
    assert (answer.status_code, answer.location) == (303, f"/cases/{case_id}")


@pytest.mark.parametrize("page", ["record", "next"])
def test_what_is_anothers_is_not_there(
    world: World, browser: Browser, ana: Actor, page: str
) -> None:
    case_id = world.case(ana)
    browser.sign_in(world.person(Role.LEARNER))
    assert browser.get(f"/cases/{case_id}/{page}").status_code == 404


def test_what_is_next_is_told_anew(world: World, signed_in: Browser, ana: Actor) -> None:
    case_id = world.case(ana)
    assert "Rate yourself" in signed_in.get(f"/cases/{case_id}/next").text
    world.full_evidence(case_id)
    assert "data-next" in signed_in.get(f"/cases/{case_id}/next").text
