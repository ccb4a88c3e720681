"""An administrator's pages of endpoints: the secret once, what came back, again and away."""

import re

import pytest
from sqlmodel import select

from app.container import Container
from app.health import webhooks as examined
from storage.tables import WebhookEndpoint
from tests.fixtures.issued import run_promised
from tests.fixtures.receiver import Handler, receiving
from tests.fixtures.web import Browser, People
from tests.fixtures.world import World
from workflows.webhooks.sending import send_news
from workflows.work import Work

FORM = {"kinds": ["credential.issued", "credential.revoked"], "note": "Student records"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def admin(browser: Browser, people: People) -> Browser:
    browser.sign_in(people.administrator)
    return browser


def add(admin: Browser, url: str) -> str:
    """Add an endpoint; returns its page's address."""
    answer = admin.post("/admin/webhooks/new", FORM | {"url": url})
    assert answer.status_code == 200, answer.text
    found = re.search(r"/admin/webhooks/[0-9a-f-]{36}", answer.text)
    assert found
    return found[0]


def send(world: World, container: Container) -> None:
    """Do the promised sending, as the worker does."""
    run_promised(
        world,
        Work.SEND_NEWS,
        lambda _, promise: send_news(container.db, container.issuer, container.courier, promise),
    )


def test_the_secret_is_shown_once_and_kept_nowhere(admin: Browser) -> None:
    answer = admin.post("/admin/webhooks/new", FORM | {"url": "https://works.example/news"})
    (secret,) = set(SECRET.findall(answer.text))
    assert answer.headers["Cache-Control"] == "no-store"
    page = re.search(r"/admin/webhooks/[0-9a-f-]{36}", answer.text)
    assert page
    for path in ("/admin/webhooks", page[0], f"{page[0]}/change", f"{page[0]}/secret"):
        assert secret not in admin.get(path).text
    assert "whpk_" in answer.text and "whpk_" in admin.get(page[0]).text
    anew = admin.post(f"{page[0]}/secret", {}).text
    assert SECRET.findall(anew) and secret not in anew
    with admin.db.reading() as tx:
        kept = tx.session.exec(select(WebhookEndpoint)).one()
    assert secret.encode() not in bytes(kept.sealed_secret)


def test_a_form_that_cannot_be_used_comes_back_with_what_was_typed(admin: Browser) -> None:
    answer = admin.post("/admin/webhooks/new", FORM | {"url": "http://works.example/news"})
    assert answer.status_code == 422
    assert "The address has to begin with https://." in answer.text
    assert "http://works.example/news" in answer.text
    answer = admin.post("/admin/webhooks/new", {"url": "https://works.example/news"})
    assert answer.status_code == 422
    assert "Choose at least one kind of news." in answer.text


def test_what_came_back_is_shown_and_can_be_sent_again(
    admin: Browser, world: World, container: Container
) -> None:
    def second_time(handler: Handler, number: int) -> None:
        handler.answer(500 if number == 1 else 200, b"<script>no</script>")

    with receiving(second_time) as server:
        page = add(admin, server.url)
        assert "Nothing was sent yet" in admin.get(page).text
        assert admin.post(f"{page}/test", {}).status_code == 303
        assert 'hx-trigger="every 2s"' in admin.get(page).text
        send(world, container)
        shown = admin.get(page).text
        assert "It answered, and did not take the news." in shown
        assert "&lt;script&gt;no&lt;/script&gt;" in shown
        assert "It does not take news at present" in shown
        assert not examined(admin.db).ok
        again = re.search(rf"{page}/deliveries/[0-9a-f-]+/again", shown)
        assert again
        assert admin.post(again[0], {}).status_code == 303
        send(world, container)
        assert "Delivered" in admin.get(page).text
        assert examined(admin.db).ok
        since = {"since": f"{world.clock.now():%Y-%m-%d}"}
        assert admin.post(f"{page}/again", since).status_code == 303
        assert admin.post(f"{page}/again", {"since": "soon"}).status_code == 422
        send(world, container)
    assert len(server.got) == 3
    assert len({got.id for got in server.got}) == 1


def test_it_can_be_changed_paused_switched_on_and_removed(admin: Browser) -> None:
    page = add(admin, "https://works.example/news")
    changed = {"url": "https://works.example/other", "kinds": ["credential.endorsed"]}
    assert admin.post(f"{page}/change", changed).status_code == 303
    assert "https://works.example/other" in admin.get(f"{page}/change").text
    assert admin.post(f"{page}/change", {"url": ""}).status_code == 422
    assert admin.post(f"{page}/pause", {}).status_code == 303
    assert "It is paused" in admin.get(page).text
    assert admin.post(f"{page}/on", {}).status_code == 303
    assert "Remove this endpoint?" in admin.get(f"{page}/remove").text
    assert admin.post(f"{page}/remove", {}).status_code == 303
    assert admin.get(page).status_code == 404
    assert "No software is told yet" in admin.get("/admin/webhooks").text


def test_the_deliveries_are_asked_for_alone(admin: Browser) -> None:
    page = add(admin, "https://works.example/news")
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    part = admin.get(page, headers=headers).text
    assert part.strip().startswith('<div id="deliveries"')
    assert "<html" not in part


def test_anybody_reads_what_a_message_looks_like(browser: Browser) -> None:
    answer = browser.get("/webhooks/schema.json")
    assert answer.mimetype == "application/schema+json"
    described = answer.get_json(force=True)
    assert set(described["properties"]) == {"type", "timestamp", "data"}
    description = browser.get("/api/v1/openapi.json").get_json()
    assert "credential.issued" in description["webhooks"]
