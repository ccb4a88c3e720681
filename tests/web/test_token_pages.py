"""The pages of one's access tokens: shown once, listed by their beginnings, revoked on demand."""

import re

from flask import Flask
from sqlmodel import select

from storage.database import Database
from storage.tables import AccessToken
from storage.vocabulary import Role
from tests.fixtures.api import Program
from tests.fixtures.web import Browser, People
from workflows.people.commands import revoke_role

SHOWN = re.compile(r'<code class="token" id="token">(assay_[\w-]{43})</code>')
FORM: dict[str, object] = {
    "name": "Shop <camera>",
    "scopes": ["evidence:read", "evidence:write"],
    "days": "30",
}


def make(browser: Browser) -> str:
    """Make a token by the form; what the page shows."""
    answer = browser.post("/account/tokens", FORM)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    (token,) = SHOWN.findall(answer.text)
    return str(token)


def test_a_token_is_shown_once_and_works(app: Flask, browser: Browser, people: People) -> None:
    browser.sign_in(people.learner)
    token = make(browser)
    page = browser.get("/account/tokens").text
    assert token not in page and f"{token[:12]}…" in page
    assert "Shop &lt;camera&gt;" in page
    assert "Read my evidence, Change my evidence" in page and "never" in page
    answer = Program(app, token).call("GET", "/me")
    assert answer.json is not None and answer.json["name"] == people.learner.name
    assert "never" not in browser.get("/account/tokens").text


def test_the_form_comes_back_with_what_is_wrong(browser: Browser, people: People) -> None:
    browser.sign_in(people.learner)
    answer = browser.post("/account/tokens", {"name": "kept words", "days": "7"})
    assert answer.status_code == 422
    assert "Choose at least one thing" in answer.text and "kept words" in answer.text
    assert browser.post("/account/tokens", FORM | {"scopes": "all"}).status_code == 422


def test_revoking_is_asked_twice_and_done_at_once(
    app: Flask, browser: Browser, people: People, db: Database
) -> None:
    browser.sign_in(people.learner)
    token = make(browser)
    with db.reading() as tx:
        token_id = tx.session.exec(select(AccessToken.id)).one()
    path = f"/account/tokens/{token_id}/revoke"
    assert "never used" in browser.get(path).text
    assert Program(app, token).call("GET", "/me").status_code == 200
    assert browser.post(path).status_code == 303
    assert Program(app, token).call("GET", "/me").status_code == 401
    assert browser.get(path).status_code == 404
    assert "No program acts for you" in browser.get("/account/tokens").text


def test_anothers_token_is_not_there(
    app: Flask, browser: Browser, people: People, db: Database
) -> None:
    browser.sign_in(people.learner)
    token = make(browser)
    with db.reading() as tx:
        token_id = tx.session.exec(select(AccessToken.id)).one()
    browser.sign_in(people.administrator)
    path = f"/account/tokens/{token_id}/revoke"
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code == 404
    assert Program(app, token).call("GET", "/me").status_code == 200


def test_a_role_that_was_taken_back_is_gone_from_the_token_too(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(people.learner)
    program = Program(app, make(browser))
    before = program.call("GET", "/me")
    assert before.json is not None and before.json["roles"] == ["learner"]
    assert people.learner.account_id is not None
    revoke_role(browser.db, people.administrator, people.learner.account_id, Role.LEARNER)
    after = program.call("GET", "/me")
    assert after.json is not None and after.json["roles"] == []
    assert program.call("GET", "/cases").status_code == 403
