"""The Open Badges 3.0 API: what a connected program reads, brings and is refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft201909Validator
from sqlmodel import select
from werkzeug.test import TestResponse

from app.web.verify import FETCHER
from credentials.documents import JsonObject, dump_json
from storage.database import Database
from storage.tables import Account, BroughtCredential, Event
from storage.vocabulary import Role, StatusPurpose
from tests.fixtures.badges import (
    CREDENTIAL_ID,
    EMPLOYER,
    LISTS,
    Web,
    signed,
    signed_credential,
    status_list,
)
from tests.fixtures.issued import Issued
from tests.fixtures.programs import EVERYTHING, WalletProgram, registered
from tests.fixtures.recall import Recall
from tests.fixtures.shared import SHARED, needs_shared
from tests.fixtures.tokens import token, token_web
from tests.fixtures.web import ORIGIN, Browser
from workflows.brought import rules
from workflows.issuance.tokens import credential_token
from workflows.programs.rules import ProgramScope

JSON = "application/json"
BADGE = dump_json(signed_credential())
CALLS = (
    ("GET", "/credentials", ProgramScope.READ_CREDENTIALS),
    ("POST", "/credentials", ProgramScope.BRING_CREDENTIALS),
    ("GET", "/profile", ProgramScope.READ_PROFILE),
    ("PUT", "/profile", ProgramScope.CHANGE_PROFILE),
)


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


@pytest.fixture
def far(app: Flask) -> Iterator[Web]:
    """What is fetched from elsewhere."""
    before = app.extensions[FETCHER]
    app.extensions[FETCHER] = there = token_web()
    yield there
    app.extensions[FETCHER] = before


@pytest.fixture
def learner(issued: Issued, browser: Browser) -> Browser:
    browser.sign_in(issued.learner)
    return browser


@pytest.fixture
def wallet(app: Flask, learner: Browser, far: Web) -> WalletProgram:
    assert app.extensions[FETCHER] is far
    return registered(app).connect(learner)


def bring(wallet: WalletProgram, body: bytes, kind: str = JSON) -> TestResponse:
    return wallet.call("POST", "/credentials", data=body, content_type=kind)


def refused(answer: TestResponse, status: int, code: str) -> str:
    """Check that the refusal is an Imsx_StatusInfo; what it says."""
    assert answer.status_code == status, answer.text
    said: Any = answer.get_json()
    assert said.keys() == {
        "imsx_codeMajor",
        "imsx_severity",
        "imsx_description",
        "imsx_codeMinor",
    }
    (field,) = said["imsx_codeMinor"]["imsx_codeMinorField"]
    assert said["imsx_severity"] == "error" and field["imsx_codeMinorFieldValue"] == code
    return str(said["imsx_description"])


def badge(number: int = 1, **changes: Any) -> bytes:
    """A badge of the house elsewhere, with an id of its own."""
    document: JsonObject = {**signed_credential(), "id": f"{CREDENTIAL_ID}-{number}", **changes}
    document.pop("proof")
    return dump_json(signed(document))


class TestWhoMayCall:
    def test_each_call_needs_its_own_scope(self, app: Flask, learner: Browser) -> None:
        program = registered(app)
        for method, path, scope in CALLS:
            program.connect(learner, " ".join(one for one in ProgramScope if one is not scope))
            answer = program.call(method, path)
            assert scope.value in refused(answer, 403, "forbidden")
            challenge = answer.headers["WWW-Authenticate"]
            assert 'error="insufficient_scope"' in challenge and scope.value in challenge

    def test_nobody_calls_without_a_token_not_even_by_a_cookie_or_in_the_address(
        self, wallet: WalletProgram, learner: Browser
    ) -> None:
        known, other = wallet.tokens["access_token"], wallet.tokens["refresh_token"]
        for method, path, _scope in CALLS:
            whole = f"/ims/ob/v3p0{path}"
            for address, headers in (
                (whole, {}),
                (f"{whole}?access_token={known}", {}),
                (whole, {"Authorization": "Bearer made-up"}),
                (whole, {"Authorization": f"Bearer {other}"}),
                (whole, {"Authorization": f"Basic {known}"}),
            ):
                answer = learner.client.open(address, method=method, headers=headers)
                refused(answer, 401, "unauthorizedrequest")
                told = 'Bearer realm="Assay", error="invalid_token"'
                assert answer.headers["WWW-Authenticate"] == told

    def test_what_is_not_there_is_told_in_the_same_form(self, wallet: WalletProgram) -> None:
        refused(wallet.call("GET", "/nothing"), 404, "unknown")
        answer = wallet.call("DELETE", "/credentials")
        refused(answer, 405, "not_allowed")
        assert "POST" in answer.headers["Allow"]

    def test_a_page_in_a_browser_may_read_the_answers(self, wallet: WalletProgram) -> None:
        answer = wallet.call("GET", "/profile")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        asked = wallet.app.test_client().options("/ims/ob/v3p0/credentials")
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


class TestHowOften:
    @pytest.fixture
    def web_env(self, web_env: dict[str, str]) -> dict[str, str]:
        return web_env | {"API_CALLS_PER_MINUTE": "3"}

    def test_too_many_calls_are_told_when_to_go_on(self, wallet: WalletProgram) -> None:
        calls = [wallet.call("GET", "/profile") for _ in range(4)]
        assert [one.status_code for one in calls] == [200] * 3 + [429]
        refused(calls[3], 429, "server_busy")
        assert int(calls[3].headers["Retry-After"]) > 0


class TestDiscovery:
    def test_it_says_what_a_program_has_to_know(self, app: Flask) -> None:
        answer = app.test_client().get("/ims/ob/v3p0/discovery")
        said: Any = answer.get_json()
        assert answer.status_code == 200 and "max-age" in answer.headers["Cache-Control"]
        assert said["openapi"].startswith("3.0")
        assert said["info"].keys() >= {"title", "termsOfService", "x-imssf-privacyPolicyUrl"}
        scheme = said["components"]["securitySchemes"]["OAuth2ACG"]
        assert scheme["x-imssf-registrationUrl"] == f"{ORIGIN}/oauth/register"
        flow = scheme["flows"]["authorizationCode"]
        assert flow["tokenUrl"] == flow["refreshUrl"] == f"{ORIGIN}/oauth/token"
        assert flow["authorizationUrl"] == f"{ORIGIN}/oauth/authorize"
        assert set(flow["scopes"]) == set(EVERYTHING.split())

    def test_every_call_of_it_is_there_with_its_scope(self, app: Flask) -> None:
        said: Any = app.test_client().get("/ims/ob/v3p0/discovery").get_json()
        described = {
            (method.upper(), path, operation["security"][0]["OAuth2ACG"][0])
            for path, methods in said["paths"].items()
            for method, operation in methods.items()
            if operation["security"]
        }
        assert described == {(method, path, scope.value) for method, path, scope in CALLS}


class TestReading:
    def test_the_learners_credential_goes_out_letter_for_letter(
        self, wallet: WalletProgram, issued: Issued
    ) -> None:
        answer = wallet.call("GET", "/credentials")
        assert answer.mimetype == JSON and answer.headers["X-Total-Count"] == "1"
        said: Any = answer.get_json()
        assert said == {"credential": [issued.document()], "compactJwsString": []}
        assert str(issued.row().document) in answer.text

    @needs_shared
    def test_the_answer_has_the_form_of_1edtechs_schema(
        self, wallet: WalletProgram, issued: Issued
    ) -> None:
        bring(wallet, token(), "text/plain")
        said = wallet.call("GET", "/credentials").get_json()
        schemas = SHARED / "data" / "schemas"

        def faults(name: str, document: object) -> list[object]:
            schema = json.loads((schemas / f"ob_v3p0_{name}_schema.json").read_text())
            return [*Draft201909Validator(schema).iter_errors(document)]

        assert faults("getopenbadgecredentialsresponse", said) == []
        assert len(said["credential"]) == len(said["compactJwsString"]) == 1
        wrong = wallet.call("GET", "/credentials?limit=0").get_json()
        assert faults("imsx_statusinfo", wrong) == []
        assert faults("profile", wallet.call("GET", "/profile").get_json()) == []
        assert faults("profile", {"id": 1}) != []

    def test_pages_lead_from_one_to_the_next(self, wallet: WalletProgram) -> None:
        for number in range(4):
            assert bring(wallet, badge(number)).status_code == 201
        seen, path = [], "/credentials?limit=2"
        while path:
            answer = wallet.call("GET", path)
            assert answer.headers["X-Total-Count"] == "5"
            links = links_of(answer)
            assert links["first"].endswith("offset=0") and links["last"].endswith("offset=4")
            assert ("prev" in links) == bool(seen)
            said: Any = answer.get_json()
            seen += [one["id"] for one in said["credential"]]
            path = links.get("next", "").removeprefix(f"{ORIGIN}/ims/ob/v3p0")
        assert len(seen) == len(set(seen)) == 5
        beyond = links_of(wallet.call("GET", "/credentials?limit=2&offset=900000"))
        assert beyond["prev"] == beyond["last"] and "next" not in beyond

    def test_only_what_was_issued_after_a_moment(
        self, wallet: WalletProgram, issued: Issued
    ) -> None:
        signed_at = issued.row().signed_at
        assert signed_at is not None
        before, at = signed_at - timedelta(seconds=1), signed_at
        query = {"since": before.isoformat()}
        assert len(wallet.call("GET", "/credentials", query_string=query).json["credential"]) == 1
        query = {"since": at.isoformat().replace("+00:00", "Z")}
        answer = wallet.call("GET", "/credentials", query_string=query)
        assert answer.get_json()["credential"] == [] and answer.headers["X-Total-Count"] == "0"
        assert wallet.call("GET", "/credentials?since=2020-01-01T00:00:00").json["credential"]

    def test_a_question_that_makes_no_sense_is_refused_by_its_name(
        self, wallet: WalletProgram
    ) -> None:
        for query in (
            "limit=0",
            "limit=-1",
            "limit=x",
            "offset=-1",
            "offset=1e3",
            f"offset={'9' * 5000}",
            "since=yesterday",
            "since=",
        ):
            answer = wallet.call("GET", f"/credentials?{query}")
            assert query.partition("=")[0] in refused(answer, 400, "invalid_query_parameter")

    def test_another_learners_are_not_there(
        self, app: Flask, browser: Browser, issued: Issued
    ) -> None:
        browser.sign_in(issued.world.person(Role.LEARNER))
        said = registered(app).connect(browser).call("GET", "/credentials").get_json()
        assert said == {"credential": [], "compactJwsString": []}


class TestBringing:
    def test_a_badge_is_checked_kept_and_shown(
        self, wallet: WalletProgram, learner: Browser, db: Database
    ) -> None:
        answer = bring(wallet, BADGE)
        assert answer.status_code == 201 and answer.data == BADGE and answer.mimetype == JSON
        page = learner.get("/my/credentials").text
        for words in ("From elsewhere", "CNC set-up", "Riverside Polytechnic", "Holds"):
            assert words in page
        assert "riverside.example" in page and "Badge &lt;Wallet&gt;" in page
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
            (event,) = tx.session.exec(select(Event).where(Event.kind == "bring_credential")).all()
        assert event.data["program"] == "Badge <Wallet>" and event.data["sha256"] == kept.sha256
        whole = learner.get(f"/my/credentials/elsewhere/{kept.id}")
        assert "This credential is valid" in whole.text
        assert "issued to another e-mail address" in whole.text
        assert json.loads(BADGE) in wallet.call("GET", "/credentials").get_json()["credential"]
        file = learner.get(f"/my/credentials/elsewhere/{kept.id}/document")
        assert file.data == BADGE and "attachment" in file.headers["Content-Disposition"]

    def test_the_same_again_is_no_news_and_a_newer_one_replaces_it(
        self, wallet: WalletProgram, db: Database
    ) -> None:
        assert bring(wallet, BADGE).status_code == 201
        again = bring(wallet, BADGE)
        assert again.status_code == 304 and again.data == b""
        newer = badge(id=CREDENTIAL_ID, validFrom="2024-05-05T00:00:00Z", name="Renamed")
        replaced = bring(wallet, newer)
        assert replaced.status_code == 200 and replaced.data == newer
        assert bring(wallet, BADGE).status_code == 304
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
        assert kept.title == "Renamed" and kept.body.encode() == newer

    def test_a_signed_token_comes_and_goes_as_text(
        self, wallet: WalletProgram, learner: Browser
    ) -> None:
        answer = bring(wallet, token(), "text/plain")
        assert answer.status_code == 201 and answer.data == token()
        assert answer.mimetype == "text/plain"
        said = wallet.call("GET", "/credentials").get_json()
        assert said["compactJwsString"] == [token().decode()]

    def test_what_is_no_badge_or_is_not_as_it_was_signed_is_refused_in_words(
        self, wallet: WalletProgram, db: Database
    ) -> None:
        for body, kind, words in (
            (b"{", JSON, "not JSON"),
            (b"[]", JSON, "JSON object"),
            (b'{"id": "urn:x"}', JSON, "no such type"),
            (BADGE, "text/plain", "text/plain"),
            (token(), JSON, "application/json"),
            (b"a.b.c", "text/plain", "token"),
            (b"\xff", JSON, "neither the JSON"),
            (b'{"\xff": 1}', JSON, "UTF-8"),
            (dump_json({**signed_credential(), "name": "Forged"}), JSON, "ignature"),
            (dump_json({**signed_credential(), "id": ""}), JSON, "needs an id"),
        ):
            assert words in refused(bring(wallet, body, kind), 400, "invalid_data"), body[:40]
        with db.reading() as tx:
            assert tx.session.exec(select(BroughtCredential)).first() is None

    def test_an_unsigned_badge_and_another_kind_of_body_are_refused(
        self, wallet: WalletProgram
    ) -> None:
        bare = {key: value for key, value in signed_credential().items() if key != "proof"}
        refused(bring(wallet, dump_json(bare)), 400, "invalid_data")
        for kind in ("image/png", "application/vc+jwt"):
            assert "text/plain" in refused(bring(wallet, BADGE, kind), 415, "not_acceptable")
        large = bring(wallet, b" " * (2 * 1024**2 + 1))
        refused(large, 413, "invalid_data")

    def test_what_does_not_hold_is_kept_and_said_so_and_looked_at_again(
        self, wallet: WalletProgram, learner: Browser, db: Database, far: Web
    ) -> None:
        of_list = LISTS["revocation"]
        far.put(of_list, status_list(StatusPurpose.REVOCATION.value, 4711))
        assert bring(wallet, BADGE).status_code == 201
        assert "Does not hold" in learner.get("/my/credentials").text
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
        path = f"/my/credentials/elsewhere/{kept.id}"
        assert "This credential is not valid" in learner.get(path).text
        del far.documents[of_list]
        assert learner.post(f"{path}/check").status_code == 303
        assert "We cannot tell" in learner.get(path).text
        far.put(of_list, status_list(StatusPurpose.REVOCATION.value))
        learner.post(f"{path}/check")
        assert "This credential is valid" in learner.get(path).text

    def test_who_cannot_be_reached_leaves_it_open(
        self, wallet: WalletProgram, learner: Browser, far: Web
    ) -> None:
        far.documents.clear()
        assert bring(wallet, BADGE).status_code == 201
        assert "Cannot tell" in learner.get("/my/credentials").text

    def test_nobody_pushes_a_good_one_out_by_its_name(
        self, wallet: WalletProgram, far: Web, db: Database
    ) -> None:
        assert bring(wallet, BADGE).status_code == 201
        far.documents.clear()  # whoever signed this cannot be told now
        newer = badge(id=CREDENTIAL_ID, validFrom="2024-05-05T00:00:00Z", name="Pushed in")
        assert "does not replace" in refused(bring(wallet, newer), 400, "invalid_data")
        of_a_key = badge(id=CREDENTIAL_ID, issuer=EMPLOYER.id)
        assert "not a key of the issuer" in refused(bring(wallet, of_a_key), 400, "invalid_data")
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
        assert kept.body.encode() == BADGE

    def test_it_is_removed_by_its_learner_and_by_nobody_else(
        self, wallet: WalletProgram, learner: Browser, issued: Issued, db: Database
    ) -> None:
        bring(wallet, BADGE)
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
        path = f"/my/credentials/elsewhere/{kept.id}"
        learner.sign_in(issued.world.person(Role.LEARNER))
        assert learner.get(path).status_code == 404
        assert learner.get(f"{path}/document").status_code == 404
        assert learner.post(f"{path}/check").status_code == 404
        assert learner.post(f"{path}/remove").status_code == 404
        learner.sign_in(issued.learner)
        assert learner.post(f"{path}/remove").status_code == 303
        assert learner.get(path).status_code == 404
        assert "From elsewhere" not in learner.get("/my/credentials").text

    def test_there_is_room_for_so_many(
        self, wallet: WalletProgram, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "MOST_KEPT", 2)
        assert bring(wallet, badge(1)).status_code == 201
        assert bring(wallet, badge(2)).status_code == 201
        refused(bring(wallet, badge(3)), 429, "server_busy")
        newer = badge(2, validFrom="2024-05-05T00:00:00Z")
        assert bring(wallet, newer).status_code == 200

    def test_what_was_issued_here_is_there_already(
        self, wallet: WalletProgram, issued: Issued, learner: Browser, container: Any
    ) -> None:
        own = str(issued.row().document).encode()
        assert bring(wallet, own).status_code == 304
        jws = credential_token(issued.db, container.issuer, issued.credential_id)
        assert bring(wallet, jws.encode(), "text/plain").status_code == 304
        forged = own.replace(b"Ana Souza", b"Eva Souza")
        assert forged != own
        refused(bring(wallet, forged), 400, "invalid_data")
        assert "From elsewhere" not in learner.get("/my/credentials").text

    def test_what_was_issued_here_to_somebody_else_stays_theirs(
        self, app: Flask, browser: Browser, issued: Issued
    ) -> None:
        browser.sign_in(issued.world.person(Role.LEARNER))
        program = registered(app).connect(browser)
        own = str(issued.row().document).encode()
        assert "somebody else" in refused(bring(program, own), 403, "forbidden")

    def test_an_id_of_ours_under_anothers_name_is_no_credential_of_ours(
        self, wallet: WalletProgram, issued: Issued, db: Database
    ) -> None:
        theirs = badge(id=f"{ORIGIN}/credentials/{issued.credential_id}")
        assert bring(wallet, theirs).status_code == 201
        with db.reading() as tx:
            (kept,) = tx.session.exec(select(BroughtCredential)).all()
        assert kept.issuer_place == "riverside.example"


class TestProfile:
    def test_who_the_learner_is(self, wallet: WalletProgram, issued: Issued) -> None:
        said = wallet.call("GET", "/profile").get_json()
        assert said["name"] == issued.learner.name and said["email"] == issued.learner.email
        assert said["type"] == ["Profile"] and said["id"].startswith("urn:uuid:")

    def test_the_name_is_changed_and_the_event_names_the_program(
        self, wallet: WalletProgram, issued: Issued, db: Database
    ) -> None:
        said = wallet.call("GET", "/profile").get_json()
        answer = wallet.call("PUT", "/profile", json={**said, "name": "Ana  Maria Souza"})
        assert answer.status_code == 200 and answer.get_json()["name"] == "Ana Maria Souza"
        with db.reading() as tx:
            account = tx.session.get_one(Account, issued.learner.account_id)
            event = tx.session.exec(select(Event).where(Event.kind == "change_own_account")).one()
        assert account.name == "Ana Maria Souza"
        assert event.data["program"] == "Badge <Wallet>" and event.data["token_id"]
        assert wallet.call("PUT", "/profile", json=answer.get_json()).status_code == 200

    def test_what_is_not_kept_here_is_refused_by_its_name(self, wallet: WalletProgram) -> None:
        said = wallet.call("GET", "/profile").get_json()
        changes: list[tuple[dict[str, object], str]] = [
            ({"phone": "1"}, "phone"),
            ({"email": "other@people.example"}, "email"),
            ({"id": "urn:uuid:other"}, "id:"),
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
        ]
        for change, words in changes:
            answer = wallet.call("PUT", "/profile", json={**said, **change})
            assert words in refused(answer, 400, "invalid_data")
        assert wallet.call("GET", "/profile").get_json() == said

    def test_what_is_no_profile_is_refused(self, wallet: WalletProgram) -> None:
        refused(wallet.call("PUT", "/profile", data="{"), 415, "not_acceptable")
        broken = wallet.call("PUT", "/profile", data="{", content_type=JSON)
        refused(broken, 400, "invalid_data")


def links_of(answer: TestResponse) -> dict[str, str]:
    """The addresses of a Link header, by their relation."""
    pairs = (one.strip().split("; rel=") for one in answer.headers["Link"].split(","))
    return {rel.strip('"'): address.strip("<>") for address, rel in pairs}
