"""OAuth 2.0 for programs of others: registering, deciding, tokens, and every way to be refused."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from flask import Flask
from sqlmodel import select

from storage.clock import SetClock
from storage.database import Database
from storage.tables import Account, Event, Mail, OAuthClient, OAuthGrant, OAuthToken
from tests.fixtures.programs import (
    BACK,
    EVERYTHING,
    HOME,
    VERIFIER,
    WalletProgram,
    came_back,
    challenge,
    register,
    registered,
)
from tests.fixtures.web import ORIGIN, Browser, People
from workflows.people.commands import disable_person
from workflows.people.own_account import change_password
from workflows.people.passwords import hash_password
from workflows.programs.commands import (
    Minted,
    forget_unused_programs,
    new_access_token,
    redeem_code,
)
from workflows.programs.queries import allowed_by_code
from workflows.programs.rules import (
    ACCESS_LIVES,
    CODE_LIVES,
    LEFT_FOR,
    MOST_OF_ONE_PROGRAM,
    REFRESH_LIVES,
    UNUSED_FOR,
    ProgramScope,
)

READ = ProgramScope.READ_CREDENTIALS.value


@pytest.fixture
def wallet(app: Flask) -> WalletProgram:
    return registered(app)


@pytest.fixture
def learner(browser: Browser, people: People) -> Browser:
    browser.sign_in(people.learner)
    return browser


def works(program: WalletProgram) -> bool:
    status = program.call("GET", "/profile").status_code
    assert status in {200, 401}
    return status == 200


def error_of(answer: object) -> str:
    return str(answer.get_json()["error"])  # type: ignore[attr-defined]


class TestRegistering:
    def test_what_was_sent_comes_back_with_a_name_and_a_secret_told_once(
        self, app: Flask, db: Database
    ) -> None:
        answer = register(app)
        assert answer.status_code == 201 and "no-store" in answer.headers["Cache-Control"]
        said = answer.get_json()
        assert said["client_name"] == "Badge <Wallet>" and said["scope"] == EVERYTHING
        assert said["client_secret_expires_at"] == 0
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(OAuthClient)).all()
            (event,) = tx.session.exec(select(Event).where(Event.kind == "register_program")).all()
        assert said["client_secret"] not in repr(kept) + repr(event)
        assert event.data == {"program": "Badge <Wallet>"}

    def test_a_public_program_gets_no_secret(self, app: Flask) -> None:
        said = register(app, token_endpoint_auth_method="none").get_json()
        assert "client_secret" not in said and said["token_endpoint_auth_method"] == "none"

    def test_what_cannot_be_registered_is_refused_by_its_field(self, app: Flask) -> None:
        wrong: list[tuple[dict[str, object], str, str]] = [
            ({"client_name": None}, "invalid_client_metadata", "client_name"),
            ({"client_name": "Wal\u202elet"}, "invalid_client_metadata", "client_name"),
            ({"logo_uri": None}, "invalid_client_metadata", "logo_uri"),
            ({"policy_uri": "http://wallet.example/p"}, "invalid_client_metadata", "policy_uri"),
            ({"redirect_uris": []}, "invalid_redirect_uri", "redirect_uris"),
            ({"redirect_uris": BACK}, "invalid_redirect_uri", "redirect_uris"),
            ({"redirect_uris": [f"{BACK}#a"]}, "invalid_redirect_uri", "redirect_uris"),
            ({"redirect_uris": ["https://b.example"]}, "invalid_redirect_uri", "one and the same"),
            ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "https://"),
            ({"scope": "everything"}, "invalid_client_metadata", "scope"),
            ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
            ({"response_types": ["token"]}, "invalid_client_metadata", "response_types"),
            (
                {"token_endpoint_auth_method": "client_secret_post"},
                "invalid_client_metadata",
                "token_endpoint_auth_method",
            ),
        ]
        for changes, error, field in wrong:
            answer = register(app, **changes)
            assert answer.status_code == 400, changes
            assert error_of(answer) == error and field in answer.get_json()["error_description"]

    def test_what_is_no_json_is_refused(self, app: Flask) -> None:
        client = app.test_client()
        assert client.post("/oauth/register", data="x=1").status_code == 415
        broken = client.post("/oauth/register", data="{", content_type="application/json")
        assert broken.status_code == 400 and error_of(broken) == "invalid_client_metadata"
        assert "This is not JSON." in broken.get_json()["error_description"]
        assert client.get("/oauth/register").status_code == 405
        assert error_of(client.get("/oauth/register")) == "invalid_request"

    def test_not_too_often(self, app: Flask) -> None:
        statuses = [register(app).status_code for _ in range(21)]
        assert statuses == [201] * 20 + [429]

    def test_the_server_says_what_it_can(self, app: Flask) -> None:
        said = app.test_client().get("/.well-known/oauth-authorization-server").get_json()
        assert said["issuer"] == ORIGIN and said["code_challenge_methods_supported"] == ["S256"]
        https = {
            key: value.replace(ORIGIN, "https://assay.example") if isinstance(value, str) else value
            for key, value in said.items()
        }
        AuthorizationServerMetadata(https).validate()


class TestDeciding:
    def test_who_is_not_signed_in_signs_in_first_and_comes_back(
        self, browser: Browser, wallet: WalletProgram
    ) -> None:
        answer = browser.get("/oauth/authorize", query_string=wallet.asks())
        assert answer.status_code in {302, 303}
        assert answer.headers["Location"].startswith("/sign-in?next=/oauth/authorize?")

    def test_the_page_says_who_asks_and_for_what(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        answer = learner.get("/oauth/authorize", query_string=wallet.asks())
        assert answer.status_code == 200
        for words in (
            "Badge &lt;Wallet&gt;",
            "wallet.example",
            "See your credentials",
            "Add credentials to yours",
            "Change your name",
            "until it has not been used for 90 days",
            f'href="{HOME}/privacy"',
        ):
            assert words in answer.text
        assert "logo.png" not in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert f"form-action 'self' {HOME};" in policy and "img-src 'self' http" in policy

    def test_only_what_is_asked_is_told(self, app: Flask, learner: Browser) -> None:
        modest = registered(app, scope=READ, grant_types=["authorization_code"])
        page = learner.get("/oauth/authorize", query_string=modest.asks(scope=READ)).text
        assert "See your credentials" in page and "Change your name" not in page
        assert "connected for an hour" in page
        more = learner.get("/oauth/authorize", query_string=modest.asks())
        assert "See your credentials" in more.text and "Change your name" not in more.text

    def test_who_is_no_learner_is_refused(
        self, browser: Browser, people: People, wallet: WalletProgram
    ) -> None:
        browser.sign_in(people.registrar)
        assert browser.get("/oauth/authorize", query_string=wallet.asks()).status_code == 403
        form = {**wallet.asks(), "decision": "allow"}
        assert browser.post("/oauth/authorize", form).status_code == 403

    def test_yes_leads_back_with_a_code_the_scopes_the_state_and_who_answers(
        self, learner: Browser, wallet: WalletProgram, db: Database, people: People
    ) -> None:
        said = wallet.allowed_by(learner)
        assert said["state"] == "xyz" and said["iss"] == ORIGIN and said["scope"] == EVERYTHING
        with db.reading() as tx:
            (grant,) = tx.session.exec(select(OAuthGrant)).all()
            (event,) = tx.session.exec(select(Event).where(Event.kind == "allow_program")).all()
            mail = tx.session.exec(select(Mail).where(Mail.recipient == people.learner.email)).one()
        assert said["code"] not in repr(grant) + repr(event) + mail.body
        assert event.data["program"] == "Badge <Wallet>" and event.actor_id == grant.account_id
        assert "Badge <Wallet>" in mail.body and "wallet.example" in mail.body

    def test_no_leads_back_without_one(
        self, learner: Browser, wallet: WalletProgram, db: Database
    ) -> None:
        answer = learner.post("/oauth/authorize", {**wallet.asks(), "decision": "deny"})
        said = came_back(answer)
        assert said["error"] == "access_denied" and said["state"] == "xyz"
        with db.reading() as tx:
            assert tx.session.exec(select(OAuthGrant)).first() is None

    def test_another_sites_form_decides_nothing(
        self, learner: Browser, wallet: WalletProgram, db: Database
    ) -> None:
        form = {**wallet.asks(), "decision": "allow"}
        assert learner.client.post("/oauth/authorize", data=form).status_code == 403
        with db.reading() as tx:
            assert tx.session.exec(select(OAuthGrant)).first() is None

    def test_nobody_unknown_is_sent_on_by_a_request_that_is_wrong(
        self, browser: Browser, wallet: WalletProgram
    ) -> None:
        asked = wallet.asks(scope="everything")
        answer = browser.get("/oauth/authorize", query_string=asked)
        assert answer.status_code == 400 and "Location" not in answer.headers
        assert "invalid_scope" in answer.text and BACK not in answer.text

    def test_a_request_that_is_wrong_goes_back_to_its_program(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        wrong: list[tuple[dict[str, str | None], str]] = [
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"state": None}, "invalid_request"),
            ({"scope": None}, "invalid_request"),
            ({"scope": "everything"}, "invalid_scope"),
            ({"response_type": "token"}, "unsupported_response_type"),
        ]
        for changes, error in wrong:
            answer = learner.get("/oauth/authorize", query_string=wallet.asks(**changes))
            said = came_back(answer)
            assert said["error"] == error and said["iss"] == ORIGIN
            assert said.get("state") == ("xyz" if "state" not in changes else None)

    def test_nobody_is_sent_where_it_is_not_sure_whose_place_it_is(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        unsure: list[dict[str, str | None]] = [
            {"redirect_uri": "https://evil.example/back"},
            {"redirect_uri": f"{BACK}/"},
            {"redirect_uri": f'{BACK}"é'},
            {"redirect_uri": None},
            {"client_id": "nobody"},
            {"client_id": None},
            {"response_type": "tök\\en", "redirect_uri": "https://evil.example"},
        ]
        for changes in unsure:
            asked = wallet.asks(**changes)
            answer = learner.get("/oauth/authorize", query_string=asked)
            assert answer.status_code == 400 and "Location" not in answer.headers
            assert "Nothing was allowed" in " ".join(answer.text.split())
            decided = learner.post("/oauth/authorize", {**asked, "decision": "allow"})
            assert decided.status_code == 400

    def test_a_parameter_said_twice_is_refused(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        asked = [*wallet.asks().items(), ("scope", READ)]
        answer = learner.get("/oauth/authorize", query_string=asked)
        assert answer.status_code == 400


class TestTokens:
    def test_a_code_becomes_tokens_once_and_a_second_use_ends_them(
        self, learner: Browser, wallet: WalletProgram, db: Database
    ) -> None:
        code = wallet.allowed_by(learner)["code"]
        answer = wallet.token(grant_type="authorization_code", code=code)
        said = wallet.tokens = answer.get_json()
        assert said["token_type"] == "Bearer" and said["expires_in"] == 3600
        assert said["scope"] == EVERYTHING and "no-store" in answer.headers["Cache-Control"]
        assert works(wallet)
        with db.reading() as tx:
            kept = repr(tx.session.exec(select(OAuthToken)).all())
        assert said["access_token"] not in kept and said["refresh_token"] not in kept
        # whoever shows it again need not know the verifier
        again = wallet.token(VERIFIER[::-1], grant_type="authorization_code", code=code)
        assert again.status_code == 400 and error_of(again) == "invalid_grant"
        assert not works(wallet) and wallet.refresh().status_code == 400
        with db.reading() as tx:
            (event,) = tx.session.exec(select(Event).where(Event.kind == "end_program")).all()
        assert event.data["why"] == "shown_twice" and event.data["program"] == "Badge <Wallet>"

    def test_of_two_who_show_a_code_at_once_one_gets_tokens_that_are_ended(
        self, learner: Browser, wallet: WalletProgram, db: Database
    ) -> None:
        code = wallet.allowed_by(learner)["code"]
        with db.reading() as tx:
            found = allowed_by_code(tx, code)
        assert found is not None and found.live and not found.spent
        minted = [Minted(new_access_token(), None, [READ]) for _ in range(2)]
        with ThreadPoolExecutor(2) as both:
            kept = list(both.map(lambda one: redeem_code(db, found.grant_id, one), minted))
        assert sorted(kept) == [False, True]
        for one in minted:
            wallet.tokens = {"access_token": one.access}
            assert not works(wallet)

    def test_a_code_needs_its_verifier_its_address_its_program_and_its_time(
        self, app: Flask, learner: Browser, wallet: WalletProgram, clock: SetClock
    ) -> None:
        code = wallet.allowed_by(learner)["code"]
        other = registered(app, client_name="Other")
        refusals = [
            wallet.token(verifier=VERIFIER[::-1], grant_type="authorization_code", code=code),
            wallet.token(verifier=None, grant_type="authorization_code", code=code),
            wallet.token(grant_type="authorization_code", code=code, redirect_uri=f"{BACK}/"),
            other.token(grant_type="authorization_code", code=code),
            wallet.token(grant_type="authorization_code", code="made-up"),
            wallet.post("/oauth/token", {"grant_type": "authorization_code"}),
            wallet.post("/oauth/token", {"grant_type": "password"}),
            wallet.post("/oauth/token", {"grant_type": "pässword"}),
        ]
        assert [one.status_code for one in refusals] == [400] * 8
        clock.advance(CODE_LIVES)
        late = wallet.token(grant_type="authorization_code", code=code)
        assert error_of(late) == "invalid_grant"

    def test_a_program_proves_who_it_is(
        self, app: Flask, learner: Browser, wallet: WalletProgram
    ) -> None:
        code = wallet.allowed_by(learner)["code"]
        secret, wallet.secret = wallet.secret, "wrong"
        wrong = wallet.token(grant_type="authorization_code", code=code)
        assert wrong.status_code == 401 and error_of(wrong) == "invalid_client"
        assert wrong.headers["WWW-Authenticate"].startswith("Basic")
        wallet.secret = None
        assert wallet.token(grant_type="authorization_code", code=code).status_code == 401
        odd = {"Authorization": "Basic /////w=="}
        form = {"grant_type": "authorization_code", "code": code}
        answer = app.test_client().post("/oauth/token", data=form, headers=odd)
        assert answer.status_code in {400, 401}
        wallet.secret = secret
        assert wallet.token(grant_type="authorization_code", code=code).status_code == 200

    def test_a_public_program_needs_its_verifier_and_no_secret(
        self, app: Flask, learner: Browser
    ) -> None:
        phone = registered(app, token_endpoint_auth_method="none")
        code = phone.allowed_by(learner)["code"]
        refused = phone.token(verifier=None, grant_type="authorization_code", code=code)
        assert refused.status_code == 400
        answer = phone.token(grant_type="authorization_code", code=code)
        assert answer.status_code == 200
        phone.tokens = answer.get_json()
        assert works(phone) and phone.refresh().status_code == 200

    def test_refreshing_exchanges_both_tokens(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        first = wallet.connect(learner).tokens
        second = wallet.refresh().get_json()
        assert {first["access_token"], first["refresh_token"]}.isdisjoint(
            {second["access_token"], second["refresh_token"]}
        )
        assert not works(wallet)
        wallet.tokens = second
        assert works(wallet)

    def test_a_refresh_token_shown_twice_ends_everything_that_came_of_it(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        stolen = dict(wallet.connect(learner).tokens)
        wallet.tokens = wallet.refresh().get_json()
        assert works(wallet)
        again = wallet.refresh(refresh_token=stolen["refresh_token"])
        assert error_of(again) == "invalid_grant"
        assert not works(wallet) and wallet.refresh().status_code == 400

    def test_another_programs_refresh_token_is_no_use_and_no_harm(
        self, app: Flask, learner: Browser, wallet: WalletProgram
    ) -> None:
        wallet.connect(learner)
        other = registered(app, client_name="Other")
        other.tokens = wallet.tokens
        assert other.refresh().status_code == 400
        assert works(wallet) and wallet.refresh().status_code == 200

    def test_refreshing_gives_less_where_less_is_asked_and_never_more(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        wallet.connect(learner, f"{READ} {ProgramScope.READ_PROFILE.value}")
        more = wallet.refresh(scope=EVERYTHING)
        assert more.status_code == 400 and error_of(more) == "invalid_scope"
        less = wallet.refresh(scope=READ)
        assert less.get_json()["scope"] == READ
        wallet.tokens = less.get_json()
        assert wallet.call("GET", "/profile").status_code == 403
        assert wallet.call("GET", "/credentials").status_code == 200

    def test_tokens_end_by_themselves(
        self, learner: Browser, wallet: WalletProgram, clock: SetClock
    ) -> None:
        wallet.connect(learner)
        clock.advance(ACCESS_LIVES)
        assert not works(wallet)
        clock.advance(REFRESH_LIVES)
        assert error_of(wallet.refresh()) == "invalid_grant"

    def test_without_having_registered_for_it_nothing_is_refreshed(
        self, app: Flask, learner: Browser
    ) -> None:
        modest = registered(app, grant_types=["authorization_code"]).connect(learner)
        assert "refresh_token" not in modest.tokens
        answer = modest.token(grant_type="refresh_token", refresh_token="x")
        assert error_of(answer) == "unauthorized_client"

    def test_giving_back_an_access_token_ends_it_and_a_refresh_token_ends_all(
        self, app: Flask, learner: Browser, wallet: WalletProgram
    ) -> None:
        wallet.connect(learner)
        other = registered(app, client_name="Other")
        theirs = other.post("/oauth/revoke", {"token": wallet.tokens["access_token"]})
        assert theirs.status_code == 400 and works(wallet)
        gone = wallet.post("/oauth/revoke", {"token": wallet.tokens["access_token"]})
        assert gone.status_code == 200 and not works(wallet)
        wallet.tokens = wallet.refresh().get_json()
        assert works(wallet)
        hint = {"token": wallet.tokens["refresh_token"], "token_type_hint": "refresh_token"}
        assert wallet.post("/oauth/revoke", hint).status_code == 200
        assert not works(wallet) and wallet.refresh().status_code == 400
        assert wallet.post("/oauth/revoke", {"token": "unknown"}).status_code == 200

    def test_a_hint_that_is_wrong_or_unknown_does_not_matter(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        for hint in ("access_token", "id_token"):
            wallet.connect(learner)
            given = {"token": wallet.tokens["refresh_token"], "token_type_hint": hint}
            assert wallet.post("/oauth/revoke", given).status_code == 200
            assert not works(wallet) and wallet.refresh().status_code == 400
        assert error_of(wallet.post("/oauth/revoke", {"token_type_hint": "x"})) == "invalid_request"

    def test_what_is_sent_twice_is_taken_not_even_once(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        wallet.connect(learner)
        for name, path in (("refresh_token", "/oauth/token"), ("token", "/oauth/revoke")):
            text = f"grant_type=refresh_token&{name}=x&{name}={wallet.tokens['refresh_token']}"
            answer = wallet.app.test_client().post(
                path,
                data=text,
                content_type="application/x-www-form-urlencoded",
                auth=(wallet.client_id, wallet.secret or ""),
            )
            assert error_of(answer) == "invalid_request" and name in answer.text
        assert works(wallet) and wallet.refresh().status_code == 200

    def test_no_token_code_or_secret_is_logged(
        self, learner: Browser, wallet: WalletProgram, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        code = wallet.allowed_by(learner)["code"]
        wallet.tokens = wallet.token(grant_type="authorization_code", code=code).get_json()
        assert works(wallet) and wallet.secret
        for text in (code, wallet.secret, *map(str, wallet.tokens.values())):
            assert len(text) < 20 or text.startswith("https") or text not in caplog.text


class TestEnding:
    def test_the_learner_sees_and_ends_what_they_connected(
        self, learner: Browser, wallet: WalletProgram
    ) -> None:
        assert "No program is connected" in learner.get("/account/programs").text
        wallet.connect(learner)
        page = learner.get("/account/programs").text
        assert "Badge &lt;Wallet&gt;" in page and "wallet.example" in page
        assert "See your credentials, Add credentials to yours" in page and "never" in page
        assert works(wallet)
        assert "never" not in learner.get("/account/programs").text
        path = f"/account/programs/{wallet.client_id}/end"
        assert "Disconnect" in learner.get(path).text and works(wallet)
        assert learner.post(path).status_code == 303
        assert not works(wallet) and wallet.refresh().status_code == 400
        assert "No program is connected" in learner.get("/account/programs").text
        assert learner.get(path).status_code == 404

    def test_anothers_program_is_not_there(
        self, learner: Browser, wallet: WalletProgram, people: People
    ) -> None:
        wallet.connect(learner)
        learner.sign_in(people.other_learner)
        path = f"/account/programs/{wallet.client_id}/end"
        assert "Wallet" not in learner.get("/account/programs").text
        assert learner.get(path).status_code == 404 and learner.post(path).status_code == 404
        assert works(wallet)

    def test_a_disabled_account_has_no_programs(
        self, learner: Browser, wallet: WalletProgram, people: People, db: Database
    ) -> None:
        wallet.connect(learner)
        assert people.learner.account_id is not None
        disable_person(db, people.administrator, people.learner.account_id)
        assert not works(wallet) and wallet.refresh().status_code == 400
        with db.reading() as tx:
            (grant,) = tx.session.exec(select(OAuthGrant)).all()
        assert grant.ended_why == "password"

    def test_a_new_password_ends_every_program(
        self, learner: Browser, wallet: WalletProgram, people: People, db: Database
    ) -> None:
        wallet.connect(learner)
        with db.transaction() as tx:
            account = tx.session.get_one(Account, people.learner.account_id)
            account.password_hash = hash_password("the old words in a row")
        change_password(
            db, people.learner, "the old words in a row", "the new words in a row", timedelta(1)
        )
        assert not works(wallet) and wallet.refresh().status_code == 400

    def test_a_program_that_is_connected_again_and_again_keeps_its_newest_connections(
        self, app: Flask, learner: Browser, wallet: WalletProgram
    ) -> None:
        connected = []
        for _ in range(MOST_OF_ONE_PROGRAM + 1):
            again = WalletProgram(app, wallet.client_id, wallet.secret)
            connected.append(again.connect(learner))
        assert [works(one) for one in connected] == [False] + [True] * MOST_OF_ONE_PROGRAM
        page = learner.get("/account/programs").text
        assert page.count("Badge &lt;Wallet&gt;") == 1

    def test_what_nobody_uses_is_forgotten_and_what_is_used_is_not(
        self, app: Flask, learner: Browser, wallet: WalletProgram, db: Database, clock: SetClock
    ) -> None:
        unused = registered(app, client_name="Never used")
        wallet.connect(learner)
        assert forget_unused_programs(db) == 0
        clock.advance(UNUSED_FOR)
        clock.advance(ACCESS_LIVES)
        assert forget_unused_programs(db) == 1
        assert wallet.refresh().status_code == 200
        assert unused.post("/oauth/token", {"grant_type": "x"}).status_code == 400
        gone = unused.token(grant_type="authorization_code", code="x")
        assert error_of(gone) == "invalid_client"
        clock.advance(LEFT_FOR + REFRESH_LIVES)
        assert forget_unused_programs(db) == 1
        with db.reading() as tx:
            assert tx.session.exec(select(OAuthClient)).all() == []
            assert tx.session.exec(select(OAuthToken)).all() == []


def test_the_challenge_of_the_tests_is_that_of_the_standard() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
