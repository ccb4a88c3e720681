"""Characters that nothing can keep: refused in words wherever they stand, and never a crash."""

import re

import pytest
from flask import Flask

from storage.database import Database
from storage.tables import Account
from tests.fixtures.web import Browser, People

ODD = ["\x00", "\x1b[31m", "\x0c", "\ufffe"]
NAMES = ["NUL", "escape", "form feed", "no character"]
GOOD = {"name": "Ana Changed", "employer": "", "locale": "en"}


@pytest.fixture
def ana(app: Flask, db: Database, people: People) -> Browser:
    browser = Browser(app, db)
    browser.sign_in(people.learner)
    return browser


def name_of(db: Database, people: People) -> str:
    with db.reading() as tx:
        return tx.session.get_one(Account, people.learner.account_id).name


@pytest.mark.parametrize("odd", ODD, ids=NAMES)
def test_a_form_with_such_a_character_is_refused_in_words_and_nothing_is_kept(
    ana: Browser, db: Database, people: People, odd: str
) -> None:
    response = ana.post("/account", {**GOOD, "name": f"Ana{odd}Changed"})
    assert response.status_code == 422
    assert "invisible control character" in response.text
    assert name_of(db, people) == "Ana Souza"


def test_the_field_is_named_to_programs(ana: Browser) -> None:
    sent = {**GOOD, "employer": "Halden\x00Works"}
    response = ana.post("/account", sent, headers={"Accept": "application/json"})
    assert set(response.get_json()["problems"]) == {"employer"}


def test_every_script_is_text(ana: Browser, db: Database, people: People) -> None:
    name = "Ana Соуза 小林 🙂 é"
    assert ana.post("/account", {**GOOD, "name": name}).status_code == 303
    assert name_of(db, people) == name


def test_half_a_character_in_a_form_is_read_as_a_mark_and_harms_nothing(ana: Browser) -> None:
    body = f"csrf_token={ana.token()}&name=Ana%ED%A0%80&locale=en"
    kind = "application/x-www-form-urlencoded"
    assert ana.client.post("/account", data=body, content_type=kind).status_code == 303


def test_no_address_crashes_on_them(app: Flask, ana: Browser) -> None:
    tried = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        path = re.sub("<[^>]+>", "a%00b", rule.rule)
        for address in (path, f"{path}?q=%00&to=%00&next=%00"):
            assert ana.get(address).status_code != 500, address
            tried += 1
    assert tried > 50
