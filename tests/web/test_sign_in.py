"""Signing in and out: uniform words, fresh sessions, ends that act at once, limits."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.test import TestResponse

from app.container import Container
from app.web.access import SESSION_COOKIE
from storage.clock import SetClock
from storage.database import Database
from storage.tables import Account, Event, WebSession
from storage.vocabulary import Role
from tests.fixtures.web import Browser, People
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.people import commands, own_account
from workflows.people.passwords import hash_password
from workflows.people.sessions import IDLE

PASSWORD = "seven quiet lathes turning"


@pytest.fixture
def ana(db: Database, people: People) -> Actor:
    """A learner with a password."""
    with db.transaction() as tx:
        account = tx.session.get_one(Account, people.learner.account_id)
        account.password_hash = hash_password(PASSWORD)
    return people.learner


def enter(browser: Browser, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post("/sign-in", {"email": email, "password": password, **more})


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def kinds(db: Database) -> list[str]:
    with db.reading() as tx:
        return list(tx.session.exec(select(Event.kind).order_by(Event.at)).all())


def test_who_knows_the_password_is_let_in_and_led_to_their_start(
    browser: Browser, ana: Actor
) -> None:
    response = enter(browser, ana.email.upper() + " ")
    assert (response.status_code, response.headers["Location"]) == (303, "/start")
    assert is_in(browser)


def test_after_signing_in_one_comes_back_to_where_one_was(browser: Browser, ana: Actor) -> None:
    asked = browser.get("/account")
    assert asked.headers["Location"] == "/sign-in?next=/account"
    assert enter(browser, ana.email, next="/account").headers["Location"] == "/account"


@pytest.mark.parametrize("there", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_one_is_never_led_to_another_site(browser: Browser, ana: Actor, there: str) -> None:
    assert enter(browser, ana.email, next=there).headers["Location"] == "/start"
    assert "evil" not in Browser(browser.app, browser.db).get(f"/sign-in?next={there}").text


def test_wrong_and_unknown_are_told_in_the_same_words(browser: Browser, ana: Actor) -> None:
    def shown(email: str, password: str) -> tuple[int, str]:
        response = enter(browser, email, password)
        return response.status_code, response.text.replace(email, "")

    wrong = shown(ana.email, "not this one, surely")
    unknown = shown("nobody@people.example", "not this one, surely")
    assert wrong == unknown
    assert wrong[0] == 422
    assert not is_in(browser)


def test_who_has_no_password_or_is_disabled_is_not_let_in(
    browser: Browser, db: Database, ana: Actor, people: People
) -> None:
    assert enter(browser, people.other_learner.email, "").status_code == 422
    commands.disable_person(db, people.administrator, ana.account_id)  # type: ignore[arg-type]
    assert enter(browser, ana.email).status_code == 422


def test_acts_at_the_door_are_events_without_addresses(
    browser: Browser, db: Database, ana: Actor
) -> None:
    enter(browser, ana.email, "wrong wrong wrong")
    enter(browser, "nobody@people.example", "wrong wrong wrong")
    enter(browser, ana.email)
    browser.post("/sign-out")
    at_the_door = [kind for kind in kinds(db) if kind.startswith("sign_")]
    assert at_the_door == ["sign_in_refused", "sign_in_refused", "sign_in", "sign_out"]
    with db.reading() as tx:
        refused = tx.session.exec(select(Event).where(Event.kind == "sign_in_refused")).all()
        assert {(one.actor_id, one.actor_label) for one in refused} == {(None, "")}
        assert "@" not in repr([one.model_dump() for one in refused])


def test_a_session_planted_before_signing_in_is_not_the_one_afterwards(
    browser: Browser, ana: Actor
) -> None:
    browser.keep("planted")
    enter(browser, ana.email)
    cookie = browser.client.get_cookie(SESSION_COOKIE, domain="127.0.0.1")
    assert cookie is not None
    assert cookie.value != "planted"
    assert len(cookie.value) == 43
    assert is_in(browser)


def test_signing_in_again_ends_the_session_before(
    app: Flask, browser: Browser, db: Database, ana: Actor, people: People
) -> None:
    before = browser.sign_in(people.other_learner)
    enter(browser, ana.email)
    other = Browser(app, db)
    other.keep(before)
    assert not is_in(other)


def test_the_token_of_a_session_is_kept_nowhere(browser: Browser, db: Database, ana: Actor) -> None:
    token = browser.sign_in(ana)
    with db.reading() as tx:
        assert token not in repr([one.model_dump() for one in tx.session.exec(select(WebSession))])


def test_after_signing_out_the_session_opens_nothing(
    app: Flask, browser: Browser, db: Database, ana: Actor
) -> None:
    token = browser.sign_in(ana)
    assert browser.post("/sign-out").headers["Location"] == "/sign-in"
    assert not is_in(browser)
    thief = Browser(app, db)
    thief.keep(token)
    assert not is_in(thief)


def test_changing_the_password_ends_every_other_browser(
    app: Flask, browser: Browser, db: Database, ana: Actor
) -> None:
    elsewhere = Browser(app, db)
    elsewhere.sign_in(ana)
    before = browser.sign_in(ana)
    form = {"old": PASSWORD, "password": "nine loud lathes resting"}
    assert browser.post("/account/password", form).status_code == 303
    assert is_in(browser)
    assert not is_in(elsewhere)
    elsewhere.keep(before)
    assert not is_in(elsewhere)


def test_a_wrong_present_password_changes_nothing(
    browser: Browser, ana: Actor, people: People
) -> None:
    browser.sign_in(ana)
    form = {"old": "not my password", "password": "nine loud lathes resting"}
    response = browser.post("/account/password", form)
    assert response.status_code == 422
    assert "not your present password" in response.text
    assert enter(Browser(browser.app, browser.db), ana.email).status_code == 303


def test_setting_the_password_by_link_ends_every_browser(
    app: Flask, browser: Browser, db: Database, ana: Actor
) -> None:
    browser.sign_in(ana)
    links: list[str] = []
    own_account.ask_password_link(db, ana.email, lambda token: links.append(token) or token)
    own_account.set_password(db, links[0], "nine loud lathes resting")
    assert not is_in(browser)


def test_a_disabled_person_is_out_at_the_next_click(
    browser: Browser, db: Database, ana: Actor, people: People
) -> None:
    browser.sign_in(ana)
    assert is_in(browser)
    commands.disable_person(db, people.administrator, ana.account_id)  # type: ignore[arg-type]
    assert not is_in(browser)
    commands.enable_person(db, people.administrator, ana.account_id)  # type: ignore[arg-type]
    assert not is_in(browser)


def test_a_role_that_is_taken_back_is_gone_at_the_next_click(
    browser: Browser, db: Database, people: People, world: World
) -> None:
    second = world.person(Role.ADMINISTRATOR)
    browser.sign_in(second)
    assert browser.get("/admin/people").status_code == 200
    commands.revoke_role(
        db,
        people.administrator,
        second.account_id,  # type: ignore[arg-type]
        Role.ADMINISTRATOR,
    )
    assert browser.get("/admin/people").status_code == 403
    polled = browser.get(
        "/admin/people", headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert (polled.status_code, polled.headers["HX-Refresh"], polled.text) == (403, "true", "")


def test_a_session_ends_when_nobody_was_there_and_lives_on_when_somebody_was(
    browser: Browser, ana: Actor, clock: SetClock
) -> None:
    browser.sign_in(ana)
    for _ in range(3):
        clock.advance(IDLE - timedelta(minutes=1))
        assert is_in(browser)
    clock.advance(IDLE)
    assert not is_in(browser)


def test_a_session_ends_after_its_hours_however_busy(
    browser: Browser, ana: Actor, clock: SetClock, container: Container
) -> None:
    enter(browser, ana.email)
    ends = clock.now() + container.session_lifetime
    while clock.now() < ends - IDLE:
        clock.advance(timedelta(hours=1))
        assert is_in(browser)
    clock.set(ends)
    assert not is_in(browser)


def test_guessing_is_slowed_for_the_account(browser: Browser, ana: Actor) -> None:
    answers = [enter(browser, ana.email, "wrong wrong wrong").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert enter(browser, ana.email).status_code == 429
    assert enter(browser, "another@people.example", "wrong").status_code == 422


def test_who_is_signed_in_needs_no_sign_in_page(browser: Browser, ana: Actor) -> None:
    browser.sign_in(ana)
    assert browser.get("/sign-in").headers["Location"] == "/start"


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(browser: Browser) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Current-URL": "http://127.0.0.1:8000/account?x=1",
    }
    response = browser.get("/account", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/sign-in?next=/account?x%3D1"
    headers["HX-Current-URL"] = "https://evil.example/account"
    assert browser.get("/account", headers=headers).headers["HX-Redirect"] == "/sign-in"


def test_machines_are_told_in_json(browser: Browser) -> None:
    response = browser.get("/account", headers={"Accept": "application/json"})
    assert (response.status_code, response.json["error"]) == (401, "Please sign in first.")  # type: ignore[index]


class TestOutsideTheDemo:
    """There is no choosing of people."""

    def test_nobody_is_offered(self, browser: Browser, ana: Actor) -> None:
        assert "demo" not in browser.get("/sign-in").text

    def test_a_demo_person_cannot_be_entered(
        self, browser: Browser, db: Database, ana: Actor
    ) -> None:
        _of_the_demo(db, ana)
        response = browser.post("/sign-in/demo", {"account_id": ana.account_id})
        assert response.status_code == 404
        assert not is_in(browser)

    def test_there_is_no_mailbox(self, browser: Browser) -> None:
        assert browser.get("/mailbox").status_code == 404


class TestInTheDemo:
    """Its people can be chosen by role, and nobody else."""

    @pytest.fixture
    def web_env(self, web_env: dict[str, str]) -> dict[str, str]:
        return web_env | {"ASSAY_DEMO": "on"}

    def test_its_people_are_offered_by_role(
        self, browser: Browser, db: Database, ana: Actor, people: People
    ) -> None:
        _of_the_demo(db, ana)
        page = browser.get("/sign-in").text
        assert ana.name in page
        assert "Learner" in page
        assert people.registrar.name not in page

    def test_a_demo_person_is_entered_with_one_click(
        self, browser: Browser, db: Database, ana: Actor
    ) -> None:
        _of_the_demo(db, ana)
        assert browser.post("/sign-in/demo", {"account_id": ana.account_id}).status_code == 303
        assert is_in(browser)

    def test_real_people_are_not(self, browser: Browser, people: People) -> None:
        person = people.administrator.account_id
        assert browser.post("/sign-in/demo", {"account_id": person}).status_code == 404
        assert browser.post("/sign-in/demo", {"account_id": "nonsense"}).status_code == 422
        assert not is_in(browser)

    def test_a_click_on_another_site_enters_nobody(
        self, browser: Browser, db: Database, ana: Actor
    ) -> None:
        _of_the_demo(db, ana)
        response = browser.client.post("/sign-in/demo", data={"account_id": ana.account_id})
        assert response.status_code == 403
        assert not is_in(browser)


def _of_the_demo(db: Database, actor: Actor) -> None:
    with db.transaction() as tx:
        tx.session.get_one(Account, actor.account_id).is_demo = True


class TestWithValkeyAway:
    """Limits are counted in the process; people come in."""

    @pytest.fixture
    def web_env(self, web_env: dict[str, str]) -> dict[str, str]:
        return web_env | {"REDIS_URL": "redis://127.0.0.1:9"}

    def test_signing_in_works(self, browser: Browser, ana: Actor) -> None:
        assert enter(browser, ana.email).status_code == 303
        assert is_in(browser)

    def test_guessing_is_slowed_all_the_same(self, browser: Browser, ana: Actor) -> None:
        answers = {enter(browser, ana.email, "wrong wrong wrong").status_code for _ in range(12)}
        assert answers == {422, 429}
