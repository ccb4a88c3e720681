"""Making an account, setting a password by a mailed link, one's own data, languages."""

import re

import pytest
from flask import Flask
from sqlmodel import select

from storage.clock import SetClock
from storage.database import Database
from storage.tables import Account, Mail
from storage.vocabulary import Role
from tests.fixtures.web import ORIGIN, Browser, People
from tests.fixtures.world import World
from workflows.people.accounts import INVITATION_LIFETIME, PASSWORD_LINK_LIFETIME
from workflows.people.queries import live_roles

NEW = "nine loud lathes resting"
LINK = re.compile(rf"{ORIGIN}(/\S+)")


def mails(db: Database) -> list[Mail]:
    with db.reading() as tx:
        return list(tx.session.exec(select(Mail).order_by(Mail.id)).all())


def newest_link(db: Database) -> str:
    found = LINK.search(mails(db)[-1].body)
    assert found
    return found[1]


def ask(browser: Browser, email: str) -> str:
    response = browser.post("/password", {"email": email})
    assert response.status_code == 200
    return response.text.replace(email, "")


def test_a_link_by_mail_sets_the_password_and_one_signs_in_with_it(
    browser: Browser, db: Database, people: People
) -> None:
    ask(browser, people.learner.email)
    link = newest_link(db)
    assert people.learner.email in browser.get(link).text
    assert browser.post(link, {"password": NEW}).headers["Location"] == "/sign-in"
    form = {"email": people.learner.email, "password": NEW}
    assert browser.post("/sign-in", form).headers["Location"] == "/start"


def test_a_link_opens_once(browser: Browser, db: Database, people: People) -> None:
    ask(browser, people.learner.email)
    link = newest_link(db)
    browser.post(link, {"password": NEW})
    for response in (browser.get(link), browser.post(link, {"password": "another one, longer"})):
        assert response.status_code == 404
        assert "opens once" in response.text
    form = {"email": people.learner.email, "password": "another one, longer"}
    assert browser.post("/sign-in", form).status_code == 422


def test_a_newer_link_ends_the_older(browser: Browser, db: Database, people: People) -> None:
    ask(browser, people.learner.email)
    older = newest_link(db)
    ask(browser, people.learner.email)
    assert "replaced" in browser.get(older).text
    assert browser.get(newest_link(db)).status_code == 200


def test_a_link_ends_with_its_time(
    browser: Browser, db: Database, people: People, clock: SetClock
) -> None:
    ask(browser, people.learner.email)
    clock.advance(PASSWORD_LINK_LIFETIME)
    response = browser.get(newest_link(db))
    assert response.status_code == 404
    assert "too old" in response.text


def test_a_made_up_link_opens_nothing(browser: Browser, people: People) -> None:
    response = browser.get("/set-password/made-up")
    assert response.status_code == 404
    assert "opens nothing" in response.text


def test_a_weak_password_is_told_what_would_do_and_spends_no_link(
    browser: Browser, db: Database, people: People
) -> None:
    ask(browser, people.learner.email)
    link = newest_link(db)
    response = browser.post(link, {"password": "short"})
    assert response.status_code == 422
    assert "at least 12 characters" in response.text
    assert browser.post(link, {"password": NEW}).status_code == 303


def test_asking_tells_nobody_who_has_an_account(
    browser: Browser, db: Database, people: People
) -> None:
    assert ask(browser, people.learner.email) == ask(browser, "nobody@people.example")
    assert len(mails(db)) == 1


def test_asking_endlessly_is_slowed(browser: Browser, db: Database, people: People) -> None:
    answers = [
        browser.post("/password", {"email": people.learner.email}).status_code for _ in range(6)
    ]
    assert answers == [200] * 5 + [429]
    assert len(mails(db)) == 5


def test_mailed_addresses_are_under_our_own_name(
    browser: Browser, db: Database, people: People
) -> None:
    ask(browser, people.learner.email)
    assert f"{ORIGIN}/set-password/" in mails(db)[-1].body


def test_a_learner_makes_an_account_by_mail(browser: Browser, db: Database, world: World) -> None:
    asked = browser.post("/register", {"email": "new@people.example"})
    assert asked.status_code == 200
    with db.reading() as tx:
        assert tx.session.exec(select(Account)).all() == []
    link = newest_link(db)
    assert "new@people.example" in browser.get(link).text
    made = browser.post(link, {"name": "  Nia   New ", "password": NEW})
    assert made.headers["Location"] == "/sign-in"
    form = {"email": "new@people.example", "password": NEW}
    assert browser.post("/sign-in", form).status_code == 303
    with db.reading() as tx:
        account = tx.session.exec(select(Account)).one()
        assert account.name == "Nia New"
        assert live_roles(tx, account.id, world.institution_id) == {Role.LEARNER}


def test_registering_with_a_known_address_mails_its_holder_a_password_link(
    browser: Browser, db: Database, people: People
) -> None:
    known = browser.post("/register", {"email": people.learner.email})
    assert newest_link(db).startswith("/set-password/")
    unknown = browser.post("/register", {"email": "new@people.example"})
    assert known.text.replace(people.learner.email, "") == unknown.text.replace(
        "new@people.example", ""
    )


def test_a_registration_link_makes_one_account(
    browser: Browser, db: Database, world: World
) -> None:
    browser.post("/register", {"email": "new@people.example"})
    link = newest_link(db)
    answer = {"name": "Nia", "password": NEW}
    browser.post(link, answer)
    assert browser.post(link, answer).status_code == 404
    assert browser.get(link).status_code == 404


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"name": "", "password": NEW}, "Please answer this"),
        ({"name": "Nia", "password": "new@people"}, "at least 12"),
        ({"name": "Nia", "password": "new@people.example"}, "your own address"),
    ],
)
def test_what_is_wrong_with_a_registration_is_said(
    browser: Browser, db: Database, world: World, answer: dict[str, str], words: str
) -> None:
    browser.post("/register", {"email": "new@people.example"})
    response = browser.post(newest_link(db), answer)
    assert response.status_code == 422
    assert words in response.text


@pytest.mark.parametrize("path", ["/password", "/register"])
def test_an_address_is_asked_for(browser: Browser, world: World, path: str) -> None:
    assert browser.post(path, {"email": " "}).status_code == 422
    assert browser.get(path).status_code == 200


def test_an_impossible_address_is_not_registered(browser: Browser, world: World) -> None:
    response = browser.post("/register", {"email": "not an address"})
    assert response.status_code == 422
    assert "whole e-mail address" in response.text
    assert 'value="not an address"' in response.text


def test_a_registration_link_ends_with_its_time(
    browser: Browser, db: Database, world: World, clock: SetClock
) -> None:
    browser.post("/register", {"email": "new@people.example"})
    clock.advance(INVITATION_LIFETIME)
    assert "too old" in browser.get(newest_link(db)).text


def test_one_changes_ones_own_data(browser: Browser, db: Database, people: People) -> None:
    browser.sign_in(people.learner)
    assert "Ana Souza" in browser.get("/account").text
    form = {"name": "Ana de Souza", "employer": "Lakeside Works", "locale": "en"}
    assert browser.post("/account", form).headers["Location"] == "/account"
    page = browser.get("/account").text
    assert "Ana de Souza" in page
    assert "Lakeside Works" in page
    assert "Saved." in page


def test_what_was_typed_stays_when_something_is_wrong(browser: Browser, people: People) -> None:
    browser.sign_in(people.learner)
    response = browser.post("/account", {"name": "", "employer": "Typed Works", "locale": "xx"})
    assert response.status_code == 422
    assert "Typed Works" in response.text
    assert "Please answer this" in response.text
    wrong = browser.post("/account", {"name": "Ana", "locale": "xx"})
    assert "Choose one of the answers" in wrong.text


def test_markup_in_a_name_is_shown_as_text(browser: Browser, people: People) -> None:
    browser.sign_in(people.learner)
    browser.post("/account", {"name": "<script>alert(1)</script>", "locale": "en"})
    page = browser.get("/account").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_language_is_chosen_by_a_link_that_leads_back(browser: Browser, people: People) -> None:
    response = browser.get("/language/en?next=/sign-in")
    assert response.headers["Location"] == "/sign-in"
    assert "assay_locale=en" in response.headers["Set-Cookie"]
    assert browser.get("/language/en?next=//evil.example").headers["Location"] == "/"
    assert browser.get("/language/xx").status_code == 404


def test_the_chosen_colours_are_shown(app: Flask, browser: Browser, people: People) -> None:
    assert "data-theme" not in browser.get("/sign-in").text.partition("<head>")[0]
    browser.client.set_cookie("assay_theme", "dark", domain="127.0.0.1")
    assert 'data-theme="dark"' in browser.get("/sign-in").text
    browser.client.set_cookie("assay_theme", '"><script>', domain="127.0.0.1")
    assert "><script>" not in browser.get("/sign-in").text.partition("<head>")[0]


def test_the_institutions_colour_is_a_colour(browser: Browser, db: Database, world: World) -> None:
    from storage.tables import Institution

    def shown(colour: str) -> str:
        with db.transaction() as tx:
            institution = tx.session.get_one(Institution, world.institution_id)
            institution.profile = {"colour": colour}
        return browser.get("/theme.css").text

    assert "#336699" in shown("#336699")
    assert "evil" not in shown("red; } body { background: url(https://evil.example)")


class TestInTheDemo:
    """The mailbox shows what would have been mailed."""

    @pytest.fixture
    def web_env(self, web_env: dict[str, str]) -> dict[str, str]:
        return web_env | {"ASSAY_DEMO": "on"}

    def test_mails_are_read_and_their_links_followed(
        self, browser: Browser, db: Database, people: People
    ) -> None:
        ask(browser, people.learner.email)
        listed = browser.get(f"/mailbox?to={people.learner.email}")
        assert "Set your password" in listed.text
        assert "Set your password" not in browser.get("/mailbox?to=other@people.example").text
        found = re.search(r'href="(/mailbox/[0-9a-f-]+)"', listed.text)
        assert found
        page = browser.get(found[1]).text
        assert f'<a href="{ORIGIN}{newest_link(db)}">' in page

    def test_a_mail_that_is_not_there_is_not_there(self, browser: Browser, world: World) -> None:
        assert browser.get("/mailbox/0199c0de-0000-7000-8000-000000000000").status_code == 404
