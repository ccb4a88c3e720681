"""Forms of other sites, other hosts, headers, sizes: what is refused before any view is asked."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.access import public
from app.web.security import MOST_BODY, MOST_FIELDS, accepts_up_to, local_path
from storage.database import Database
from storage.ids import AccountId
from storage.tables import Account
from tests.fixtures.web import ORIGIN, Browser, People

CHANGE = {"name": "Ana Changed", "employer": "", "locale": "en"}


def name_of(db: Database, account_id: AccountId | None) -> str:
    with db.reading() as tx:
        return tx.session.get_one(Account, account_id).name


@pytest.fixture
def ana(app: Flask, db: Database, people: People) -> Browser:
    browser = Browser(app, db)
    browser.sign_in(people.learner)
    return browser


def test_a_form_of_our_own_page_is_taken(ana: Browser, db: Database, people: People) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
    assert ana.post("/account", CHANGE, headers=headers).status_code == 303
    assert name_of(db, people.learner.account_id) == "Ana Changed"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"{ORIGIN}.evil.example"},
    ],
)
def test_a_form_of_another_site_changes_nothing_even_with_the_right_token(
    ana: Browser, db: Database, people: People, headers: dict[str, str]
) -> None:
    response = ana.post("/account", CHANGE, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text
    assert name_of(db, people.learner.account_id) == "Ana Souza"


@pytest.mark.parametrize("token", ["", "0" * 64, "ä" * 64])
def test_a_form_without_the_right_token_changes_nothing(
    ana: Browser, db: Database, people: People, token: str
) -> None:
    response = ana.client.post("/account", data={**CHANGE, "csrf_token": token})
    assert response.status_code == 403
    assert name_of(db, people.learner.account_id) == "Ana Souza"


def test_anothers_token_is_no_token(ana: Browser, app: Flask, db: Database, people: People) -> None:
    other = Browser(app, db)
    other.sign_in(people.other_learner)
    response = ana.client.post("/account", data={**CHANGE, "csrf_token": other.token()})
    assert response.status_code == 403
    assert name_of(db, people.learner.account_id) == "Ana Souza"


def test_the_token_of_before_signing_in_is_no_token_afterwards(
    browser: Browser, people: People
) -> None:
    before = browser.token()
    browser.sign_in(people.learner)
    response = browser.client.post("/account", data={**CHANGE, "csrf_token": before})
    assert response.status_code == 403


def test_the_token_may_come_in_a_header(ana: Browser) -> None:
    response = ana.client.post("/account", data=CHANGE, headers={"X-CSRF-Token": ana.token()})
    assert response.status_code == 303


def test_a_visitor_without_a_cookie_has_no_token(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"email": "a@b.example", "password": "x"})
    assert response.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8001", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused_and_never_repeated(client: FlaskClient, host: str) -> None:
    response = client.get("/sign-in", headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.text


def test_a_mail_asked_for_under_another_host_is_not_sent(browser: Browser, people: People) -> None:
    response = browser.post(
        "/password", {"email": people.learner.email}, headers={"Host": "evil.example"}
    )
    assert response.status_code == 400


def test_other_names_of_the_same_machine_lead_to_the_right_one(client: FlaskClient) -> None:
    response = client.get("/sign-in?next=/account", headers={"Host": "localhost:8000"})
    assert response.status_code == 302
    assert response.headers["Location"] == f"{ORIGIN}/sign-in?next=/account"


def test_health_is_answered_under_any_name(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/sign-in", "/nowhere", "/account", "/static/css/base.css", "/theme.css", "/healthz"]
)
def test_every_answer_carries_the_strict_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "base-uri 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["X-Request-ID"]


def test_the_policy_lets_pages_speak_to_the_evidence_store(client: FlaskClient) -> None:
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    assert re.search(r"connect-src 'self' http://127\.0\.0\.1:9(;|$)", policy)


def test_pages_are_not_kept_by_caches_but_hashed_files_are(client: FlaskClient) -> None:
    page = client.get("/sign-in")
    assert page.headers["Cache-Control"] == "no-store"
    found = re.search(r'href="(/static/css/base\.css\?v=[0-9a-f]+)"', page.text)
    assert found
    assert "immutable" in client.get(found[1]).headers["Cache-Control"]
    assert client.get("/static/css/base.css").headers["Cache-Control"] == "no-cache"


def test_a_form_of_endless_fields_is_refused(browser: Browser) -> None:
    fields = {f"f{number}": "1" for number in range(MOST_FIELDS + 1)}
    assert browser.post("/sign-in", fields).status_code == 413


def test_a_multipart_form_of_endless_fields_is_refused(browser: Browser) -> None:
    fields = {f"f{number}": "1" for number in range(MOST_FIELDS + 1)}
    response = browser.post("/sign-in", fields, content_type="multipart/form-data")
    assert response.status_code == 413


def test_a_form_that_cannot_be_read_reaches_no_view_and_no_limit(browser: Browser) -> None:
    fields = {f"f{number}": "1" for number in range(MOST_FIELDS + 1)}
    response = browser.client.post(
        "/sign-in",
        data=fields,
        content_type="multipart/form-data",
        headers={"X-CSRF-Token": browser.token()},
    )
    assert response.status_code == 413
    (limiter,) = browser.app.extensions["limiter"]
    assert not limiter._storage_dead


def test_a_huge_body_is_refused(browser: Browser) -> None:
    response = browser.post("/sign-in", {"email": "x" * (MOST_BODY + 1)})
    assert response.status_code == 413
    assert "too large" in response.text


def test_a_view_may_take_more_when_it_says_so(own_app: Flask, db: Database) -> None:
    browser = Browser(own_app, db)

    @public
    @accepts_up_to(MOST_BODY * 3)
    def roomy() -> str:
        from flask import request

        return str(len(request.files["file"].read()))

    own_app.add_url_rule("/roomy", "roomy", roomy, methods=["POST"])
    from io import BytesIO

    file = (BytesIO(b"x" * MOST_BODY * 2), "photo.jpg")
    response = browser.post("/roomy", {"file": file}, content_type="multipart/form-data")
    assert response.text == str(MOST_BODY * 2)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\nb",
        "/\t/evil.example",
        "javascript:alert(1)",
        "account",
        "http:/evil.example",
    ],
)
def test_one_is_sent_to_paths_of_this_site_only(address: str | None) -> None:
    assert local_path(address) is None


def test_a_path_with_a_query_is_a_place_to_be_sent_to() -> None:
    assert local_path("/cases/1?tab=evidence") == "/cases/1?tab=evidence"


class TestBehindHttps:
    """With a public address of https."""

    @pytest.fixture
    def web_env(self, web_env: dict[str, str]) -> dict[str, str]:
        return web_env | {"PUBLIC_URL": "https://assay.example"}

    def test_browsers_are_told_to_stay_with_https(self, client: FlaskClient) -> None:
        response = client.get("/sign-in")
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")

    def test_cookies_are_secure_and_bound_to_this_host(self, client: FlaskClient) -> None:
        cookie = client.get("/sign-in").headers["Set-Cookie"]
        assert cookie.startswith("__Host-assay_visitor=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
