"""The request to state one's part, and the institution's own forms, as pages."""

import pytest
from flask import Flask

from storage.database import Database
from storage.ids import ItemId, sha256_of
from storage.vocabulary import Role
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.looking.queries import same_bytes_of
from workflows.looking.same_bytes import note_same_bytes

BODY = b"the same report"
DIGEST = sha256_of(BODY)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def item_id(world: World, ana: Actor, db: Database) -> ItemId:
    """Ana's item, whose bytes Ben has sent too."""
    ben = world.person(Role.LEARNER, name="Ben Okoro")
    world.item(world.case(ben), content=BODY)
    item_id = world.item(world.case(ana), content=BODY)
    with db.transaction() as tx:
        note_same_bytes(tx, DIGEST)
    return item_id


def test_the_learner_is_asked_answers_and_can_answer_anew(
    browser: Browser, db: Database, ana: Actor, item_id: ItemId
) -> None:
    browser.sign_in(ana)
    page = browser.get(f"/evidence/{item_id}").text
    assert "also in another case" in page
    assert "Ben" not in page
    answer = browser.post(f"/evidence/{item_id}/part", {"statement": "The tables are mine."})
    assert answer.status_code == 303
    assert "The tables are mine." in browser.get(f"/evidence/{item_id}").text
    with db.reading() as tx:
        assert same_bytes_of(tx, [item_id])[item_id].statement == "The tables are mine."


def test_an_empty_answer_is_asked_for_again(browser: Browser, ana: Actor, item_id: ItemId) -> None:
    browser.sign_in(ana)
    answer = browser.post(f"/evidence/{item_id}/part", {"statement": " "})
    assert answer.status_code == 422
    assert "Please say what your part was" in answer.text


@pytest.fixture
def staff(app: Flask, db: Database) -> Browser:
    """A second browser."""
    return Browser(app, db)


def test_nobody_is_asked_about_a_form_of_the_institution(
    browser: Browser, staff: Browser, world: World, ana: Actor, item_id: ItemId
) -> None:
    staff.sign_in(world.person(Role.COORDINATOR))
    assert "none yet" in staff.get("/admin/forms").text
    added = staff.post("/admin/forms", {"sha256": DIGEST, "name": "Observation form"})
    assert added.status_code == 303
    assert "Observation form" in staff.get("/admin/forms").text
    browser.sign_in(ana)
    assert "also in another case" not in browser.get(f"/evidence/{item_id}").text
    assert staff.post(f"/admin/forms/{DIGEST}/remove", {}).status_code == 303
    assert "also in another case" in browser.get(f"/evidence/{item_id}").text


def test_a_form_needs_a_name_and_a_digest(browser: Browser, world: World) -> None:
    browser.sign_in(world.person(Role.ADMINISTRATOR))
    answer = browser.post("/admin/forms", {"sha256": "not one", "name": ""})
    assert answer.status_code == 422
    assert "64 characters" in answer.text
    assert "give the form a name" in answer.text
