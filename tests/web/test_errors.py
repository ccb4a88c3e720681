"""How errors are told: as a page, into the page that stays, or as JSON; never with a stack."""

from collections.abc import Callable

import pytest
from flask import Flask, abort, redirect

from app.web.access import public
from storage.database import Database
from storage.errors import (
    AssayError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Problem,
    TooMany,
    Unavailable,
)
from tests.fixtures.web import ORIGIN, Browser
from tests.fixtures.world import World

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
JSON = {"Accept": "application/json"}
SECRET = "postgresql://user:secret@host"


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """Tests of this module add pages of their own."""
    return own_app


def raising(app: Flask, error: Exception, methods: tuple[str, ...] = ("GET",)) -> str:
    """A page that fails like this."""

    @public
    def fail() -> str:
        raise error

    app.add_url_rule("/fail", "fail", fail, methods=list(methods))
    return "/fail"


KNOWN = [
    (
        InvalidInput("It takes %(count)s.", {"count": 3}, [Problem("n", "Not %(n)s.", {"n": 2})]),
        422,
    ),
    (Conflict("It moved on."), 409),
    (Forbidden("Someone else does this."), 403),
    (NotFound("There is no such thing."), 404),
    (TooMany("Slower."), 429),
    (Unavailable("The store is away."), 503),
]


@pytest.mark.parametrize(("error", "status"), KNOWN)
def test_a_known_error_is_a_page_in_its_own_words(
    app: Flask, browser: Browser, world: World, error: AssayError, status: int
) -> None:
    response = browser.get(raising(app, error))
    assert response.status_code == status
    assert response.text.startswith("<!doctype html>")
    words = str(error).split("; ")
    assert all(word in response.text for word in words)


@pytest.mark.parametrize(("error", "status"), KNOWN)
def test_a_known_error_is_json_for_who_asks_for_json(
    app: Flask, browser: Browser, world: World, error: AssayError, status: int
) -> None:
    response = browser.get(raising(app, error), headers=JSON)
    assert response.status_code == status
    assert response.is_json
    assert response.json is not None
    assert response.json["error"] == str(error).split("; ")[0]


@pytest.mark.parametrize(("error", "status"), KNOWN)
def test_a_known_error_goes_into_the_messages_of_the_page_that_stays(
    app: Flask, browser: Browser, world: World, error: AssayError, status: int
) -> None:
    response = browser.client.post(
        raising(app, error, ("POST",)),
        headers={**PARTIAL, "X-CSRF-Token": browser.token()},
    )
    assert response.status_code == status
    assert response.headers["HX-Retarget"] == "#flashes"
    assert response.headers["HX-Reswap"] == "beforeend"
    assert "<html" not in response.text
    assert str(error).split("; ")[0] in response.text


def test_a_conflict_offers_to_load_the_page_again(
    app: Flask, browser: Browser, world: World
) -> None:
    path = raising(app, Conflict("It moved on."))
    response = browser.get(path, headers={"Referer": f"{ORIGIN}/account?tab=1"})
    assert 'href="/account?tab=1"' in response.text
    foreign = browser.get(path, headers={"Referer": "https://evil.example/x"})
    assert "evil" not in foreign.text


def test_whatever_else_is_refused_offers_the_way_back_to_the_form(
    app: Flask, browser: Browser, world: World
) -> None:
    path = raising(app, InvalidInput("No file arrived."))
    response = browser.get(path, headers={"Referer": f"{ORIGIN}/account?tab=1"})
    assert 'href="/account?tab=1"' in response.text and "Go back" in response.text
    for elsewhere in ("https://evil.example/x", f"{ORIGIN}//evil.example", ""):
        page = browser.get(path, headers={"Referer": elsewhere}).text
        assert "evil" not in page and "Go back" not in page


def test_what_is_away_says_when_to_come_back(app: Flask, browser: Browser, world: World) -> None:
    response = browser.get(raising(app, Unavailable("The store is away.")))
    assert response.headers["Retry-After"] == "10"


@pytest.mark.parametrize("headers", [{}, PARTIAL, JSON])
def test_the_unforeseen_tells_a_number_and_nothing_else(
    app: Flask, browser: Browser, world: World, headers: dict[str, str]
) -> None:
    path = raising(app, RuntimeError(SECRET))
    response = browser.get(path, headers={**headers, "X-Request-ID": "number-12345"})
    assert response.status_code == 500
    assert "number-12345" in response.text + response.headers["X-Request-ID"]
    for leak in ("secret", "Traceback", "RuntimeError"):
        assert leak not in response.text


def test_the_unforeseen_in_a_page_that_stays_leaves_it_standing(
    app: Flask, browser: Browser, world: World
) -> None:
    response = browser.get(raising(app, RuntimeError(SECRET)), headers=PARTIAL)
    assert response.headers["HX-Retarget"] == "#flashes"


def test_an_error_in_the_page_of_errors_still_tells_the_number(
    app: Flask, browser: Browser, world: World
) -> None:
    app.jinja_env.globals["url_for"] = None
    response = browser.get(
        raising(app, RuntimeError(SECRET)), headers={"X-Request-ID": "n-12345678"}
    )
    assert (response.status_code, response.mimetype) == (500, "text/plain")
    assert response.text.endswith("n-12345678")


def test_there_is_a_page_for_what_is_not_there(browser: Browser, world: World) -> None:
    response = browser.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert "Northbridge College" in response.text


def test_a_wrong_method_names_the_right_ones(browser: Browser, world: World) -> None:
    response = browser.client.delete("/sign-in", headers={"X-CSRF-Token": browser.token()})
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda: abort(404), 404),
        (lambda: abort(415), 415),
        (lambda: abort(418), 418),
        (lambda: abort(redirect("/account")), 302),
    ],
)
def test_what_flask_refuses_is_told_like_the_rest(
    app: Flask, browser: Browser, world: World, view: Callable[[], str], status: int
) -> None:
    app.add_url_rule("/odd", "odd", public(view))
    assert browser.get("/odd").status_code == status


def test_a_page_that_names_no_permission_is_shown_to_nobody(
    app: Flask, browser: Browser, world: World
) -> None:
    app.add_url_rule("/unmarked", "unmarked", lambda: "secret things")
    response = browser.get("/unmarked")
    assert response.status_code == 500
    assert "secret things" not in response.text


def test_forged_htmx_headers_change_the_form_of_an_answer_only(
    browser: Browser, world: World
) -> None:
    assert browser.get("/admin/people", headers=PARTIAL).status_code == 401


def test_with_the_database_away_pages_say_so(
    app: Flask, browser: Browser, db: Database, postgres_url: str
) -> None:
    import psycopg

    name = db.url.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} RENAME TO {name}_away".encode())
        try:
            kept = browser.client
            kept.set_cookie("assay_session", "x" * 43, domain="127.0.0.1")
            for path in ("/account", "/password"):
                response = kept.get(path)
                assert response.status_code in {200, 503}
            assert kept.get("/account").status_code == 503
            assert "Nothing was lost" in kept.get("/account").text
            assert kept.get("/healthz").status_code == 200
        finally:
            connection.execute(f"ALTER DATABASE {name}_away RENAME TO {name}".encode())
