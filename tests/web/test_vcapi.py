"""VC-API: who may have what signed, what comes back, and what is said of what others signed."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.test import TestResponse

from app.settings import Settings, SettingsError
from app.web.access import EXTENSION
from credentials.contexts import CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY
from credentials.documents import JsonObject
from storage.database import Database
from storage.tables import ApiCredential, Event
from tests.fixtures.web import ORIGIN, Browser, People
from workflows.access.rules import Actor
from workflows.people.tokens import TokenScope, make_token

CREDENTIAL: JsonObject = {
    "@context": [CREDENTIALS_V2],
    "id": "urn:uuid:86294362-4254-4f36-854f-3952fe42555d",
    "type": ["VerifiableCredential"],
    "issuer": "did:key:z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E",
    "credentialSubject": {"id": "did:example:subject", "name": "Ana"},
}
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


@pytest.fixture
def mode() -> str:
    return "open"


@pytest.fixture
def test_context(tmp_path: Path) -> str:
    return ""


@pytest.fixture
def web_env(web_env: dict[str, str], mode: str, test_context: str) -> dict[str, str]:
    """The application with VC-API switched on."""
    return web_env | {"VC_API": mode, "VC_API_TEST_CONTEXT": test_context}


class Caller:
    """A program that calls VC-API, with a token or without."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, path: str, body: object) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"/vc{path}", data=data, headers=self.headers)

    def issue(self, change: Mapping[str, object], **options: object) -> TestResponse:
        body = {"credential": {**CREDENTIAL, **change}, "options": options}
        return self.send("/credentials/issue", body)

    def signed(self, change: Mapping[str, object] | None = None, **options: object) -> Any:
        answer = self.issue(change or {}, **options)
        assert answer.status_code == 201, answer.text
        return answer.json["verifiableCredential"] if answer.json else None

    def verify(self, document: object, **options: object) -> list[str]:
        """What speaks against a credential, in words."""
        body = {"verifiableCredential": document, "options": options}
        return told(self.send("/credentials/verify", body))


def told(answer: TestResponse) -> list[str]:
    said: Any = answer.json
    assert answer.status_code == (200 if said["verified"] else 400)
    assert said["verified"] is not bool(said["errors"])
    assert all(one["type"].startswith("https://w") and one["title"] for one in said["errors"])
    return [one["detail"] for one in said["errors"]]


@pytest.fixture
def caller(app: Flask, people: People) -> Caller:
    """Somebody without a token, where people are."""
    del people
    return Caller(app)


def holder(app: Flask, db: Database, actor: Actor, scope: TokenScope) -> Caller:
    return Caller(app, make_token(db, actor, "program", [scope], 30).token)


def test_a_credential_is_signed_in_our_name_and_verifies(caller: Caller) -> None:
    signed = caller.signed()
    method = signed["proof"]["verificationMethod"]
    assert method.partition("#")[0] == signed["issuer"]
    assert signed["issuer"].startswith("did:key:z6Mk")
    assert caller.verify(signed) == []
    subject = {"id": "did:example:subject", "name": "Bo"}
    assert caller.verify({**signed, "credentialSubject": subject}) == [
        "The signature does not match the document."
    ]


@pytest.mark.parametrize("cryptosuite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_either_cryptosuite_signs_for_either_name(caller: Caller, cryptosuite: str) -> None:
    web = {"id": "did:web:127.0.0.1%3A8000", "name": "House"}
    signed = caller.signed({"issuer": web}, cryptosuite=cryptosuite)
    assert signed["issuer"] == web and signed["proof"]["cryptosuite"] == cryptosuite
    assert signed["proof"]["verificationMethod"] == f"{web['id']}#key-1"
    assert caller.verify(signed) == []


def test_proofs_are_added_to_and_build_upon_each_other(caller: Caller) -> None:
    first = caller.signed(proofId="urn:uuid:first")
    both = caller.signed(first, previousProof="urn:uuid:first", cryptosuite="eddsa-jcs-2022")
    assert [one.get("previousProof") for one in both["proof"]] == [None, ["urn:uuid:first"]]
    assert caller.verify(both) == []
    assert caller.verify({**both, "proof": both["proof"][1:]}) == [
        "The proof builds upon a proof that is not there."
    ]
    broken = [{**both["proof"][0], "created": "2020-01-01T00:00:00Z"}, both["proof"][1]]
    assert len(caller.verify({**both, "proof": broken})) == 2


def test_version_1_is_signed_with_the_words_for_its_proof_and_without_a_status(
    caller: Caller,
) -> None:
    old = {"@context": [CREDENTIALS_V1], "issuanceDate": "2020-03-16T22:37:26.544Z"}
    signed = caller.signed({**old, "credentialSubject": {"id": "did:example:subject"}})
    assert signed["@context"] == [CREDENTIALS_V1, DATA_INTEGRITY]
    assert "credentialStatus" not in signed
    assert caller.verify(signed) == []


def test_what_is_signed_can_be_revoked_and_taken_back(caller: Caller, db: Database) -> None:
    signed, other = caller.signed(), caller.signed({"id": "urn:uuid:other"})
    change = {
        "credentialId": CREDENTIAL["id"],
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
    }
    assert caller.send("/credentials/status", change).status_code == 200
    assert caller.verify(signed) == ["It was revoked by its issuer."]
    assert caller.verify(signed, checks=["proof"]) == []
    assert caller.verify(other) == []
    assert caller.send("/credentials/status", {**change, "status": False}).status_code == 200
    assert caller.verify(signed) == []
    address = signed["credentialStatus"]["statusListCredential"]
    answer = caller.client.get(address.removeprefix(ORIGIN), headers={"Accept": "application/json"})
    assert answer.mimetype == "application/json" and caller.verify(answer.json) == []
    with db.reading() as tx:
        kept = tx.session.exec(select(ApiCredential)).all()
        events = tx.session.exec(select(Event.kind).where(Event.kind == "set_status_by_api")).all()
    assert len(kept) == 2 and len(events) == 2
    assert str(CREDENTIAL["id"]) not in str(kept)


def test_a_key_that_cannot_be_opened_is_not_the_documents_fault(caller: Caller, app: Flask) -> None:
    caller.signed()
    container = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(container, key_secret="another secret, long enough too")
    try:
        assert caller.issue({}).status_code == 503
    finally:
        app.extensions[EXTENSION] = container


def test_nothing_is_revoked_that_was_not_signed_here(caller: Caller) -> None:
    caller.signed(statusPurpose="suspension")
    for name, purpose in (("urn:uuid:none", "revocation"), (CREDENTIAL["id"], "revocation")):
        change = {"credentialId": name, "credentialStatus": {"statusPurpose": purpose}}
        assert caller.send("/credentials/status", change).status_code == 404
    wrong: list[JsonObject] = [
        {"credentialStatus": {"statusPurpose": "revocation"}},
        {"credentialId": "urn:a", "credentialStatus": {"statusPurpose": "message"}},
        {"credentialId": "urn:a", "credentialStatus": {"statusPurpose": "revocation"}, "status": 1},
        {"credentialId": "urn:a"},
    ]
    assert {caller.send("/credentials/status", one).status_code for one in wrong} == {400}


def test_a_list_under_a_stolen_name_is_not_believed(caller: Caller) -> None:
    """Another issuer's list cannot say that ours stand well, nor ours that theirs do."""
    signed = caller.signed({"issuer": "did:web:127.0.0.1%3A8000"})
    entry = caller.signed({"id": "urn:uuid:2"})["credentialStatus"]
    web = caller.signed({"issuer": "did:web:127.0.0.1%3A8000", "credentialStatus": entry})
    assert caller.verify(signed) == []
    assert caller.verify(web) == ["The status list was issued by somebody else."]


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"type": ["VerifiableCredential", "Undefined"]}, {}),
        ({"credentialSubject": {"undefinedTerm": "x"}}, {}),
        ({"issuer": "fake-issuer"}, {}),
        ({"issuer": {"id": None}}, {}),
        ({"issuer": {}}, {}),
        ({"id": "_:b0"}, {}),
        ({"@context": [CREDENTIALS_V2, EXAMPLES]}, {}),
        ({"@context": [CREDENTIALS_V2, {"@base": "https://a.example/"}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"@vocab": "https://a.example/#"}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"@import": "https://a.example/"}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"alias": "@id"}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"alias": {"@id": "@type"}}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"description": "https://a.example/#d"}]}, {}),
        ({"@context": [CREDENTIALS_V2, {"a": {"@id": "urn:a", "@context": {}}}]}, {}),
        ({"@context": [CREDENTIALS_V2, {str(n): "urn:a:b" for n in range(101)}]}, {}),
        ({"@context": [CREDENTIALS_V2, 7]}, {}),
        ({"relatedResource": {"id": CREDENTIALS_V2, "digestSRI": "sha384-x"}}, {}),
        ({"credentialSubject": {"name": "a\u0000b"}}, {}),
        ({}, {"cryptosuite": "ecdsa-rdfc-2019"}),
        ({}, {"type": "Ed25519Signature2020"}),
        ({}, {"previousProof": "urn:uuid:none"}),
        ({}, {"previousProof": 7}),
        ({}, {"statusPurpose": "message"}),
    ],
)
def test_what_could_be_read_two_ways_is_not_signed(
    caller: Caller, change: dict[str, object], options: dict[str, object]
) -> None:
    answer = caller.issue(change, **options)
    said: Any = answer.json
    assert answer.status_code == 400 and said["errors"][0]["detail"], answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"credential": {}, "credential": {}}',
        b'{"credential": 1e400}',
        b'{"credential": "x"}',
        b'{"options": []}',
        b"[" * 1000,
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_none_is_refused_everywhere(caller: Caller, body: bytes) -> None:
    for path in ("/credentials/issue", "/credentials/status"):
        assert caller.send(path, body).status_code == 400
    for path in ("/credentials/verify", "/presentations/verify"):
        assert told(caller.send(path, body))


def test_terms_of_its_own_are_signed_and_the_verifier_is_warned(caller: Caller) -> None:
    own = {"Sailor": "https://a.example/#Sailor", "@protected": True}
    signed = caller.signed(
        {"@context": [CREDENTIALS_V2, own], "type": ["VerifiableCredential", "Sailor"]}
    )
    answer: Any = caller.send("/credentials/verify", {"verifiableCredential": signed}).json
    assert answer["verified"] and len(answer["warnings"]) == 1
    swapped = {**signed, "@context": [CREDENTIALS_V2, {**own, "Sailor": "https://a.example/#Cook"}]}
    assert caller.verify(swapped) == ["The signature does not match the document."]


def test_terms_of_its_own_further_in_are_warned_of_as_well(caller: Caller) -> None:
    own: Any = {"Sailor": "https://a.example/#Sailor"}
    for contexts in (own, [own]):
        subject = {"id": "urn:x:1", "type": "Sailor", "@context": contexts}
        signed = caller.signed({"credentialSubject": [subject]})
        answer: Any = caller.send("/credentials/verify", {"verifiableCredential": signed}).json
        assert (answer["verified"], len(answer["warnings"])) == (True, 1)
    plain = caller.signed({})
    answer = caller.send("/credentials/verify", {"verifiableCredential": plain}).json
    assert (answer["verified"], answer["warnings"]) == (True, [])


def test_a_credential_over_its_time_or_before_it_does_not_verify(caller: Caller) -> None:
    past = {"validFrom": "2001-01-01T00:00:00Z", "validUntil": "2002-01-01T00:00:00Z"}
    assert "was valid until" in caller.verify(caller.signed(past))[0]
    assert (
        "not valid before" in caller.verify(caller.signed({"validFrom": "4001-01-01T00:00:00Z"}))[0]
    )


def test_somebody_elses_proof_is_none_of_the_issuers(caller: Caller) -> None:
    signed = caller.signed({}, credentialStatus=False)
    assert "credentialStatus" not in signed
    theirs = {**signed, "issuer": "did:key:z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E"}
    assert any("No proof was made with a key of" in one for one in caller.verify(theirs))


def test_presentations_are_asked_with_every_credential_in_them(caller: Caller) -> None:
    signed = caller.signed()
    presentation: JsonObject = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [signed],
    }
    body: dict[str, object] = {"presentation": presentation}
    assert told(caller.send("/presentations/verify", body)) == []
    named = {"verifiablePresentation": presentation}
    assert told(caller.send("/presentations/verify", named)) == ["The document carries no proof."]
    changed = {**presentation, "verifiableCredential": [signed, {**signed, "name": "Other"}]}
    assert told(caller.send("/presentations/verify", {"presentation": changed})) == [
        "The signature does not match the document."
    ]


def test_a_credential_in_an_envelope_verifies_as_long_as_nothing_of_it_is_changed(
    caller: Caller,
) -> None:
    enveloped = caller.signed(securingMechanism="EnvelopingProof")
    assert enveloped["type"] == "EnvelopedVerifiableCredential"
    assert caller.verify(enveloped) == []
    head, payload, signature = enveloped["id"].split(".")
    inner = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert inner["credentialStatus"]["type"] == "BitstringStatusListEntry"
    other = base64.urlsafe_b64encode(json.dumps({**inner, "name": "Other"}).encode()).decode()
    changed = {**enveloped, "id": ".".join((head, other.rstrip("="), signature))}
    assert "does not match" in caller.verify(changed)[0]
    assert caller.verify({**enveloped, "id": "data:application/sd-jwt,x"}) == [
        "Envelopes of the kind application/sd-jwt are not read yet."
    ]
    presentation = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [enveloped, changed],
    }
    assert len(told(caller.send("/presentations/verify", {"presentation": presentation}))) == 1


class TestTheTestContext:
    @pytest.fixture
    def test_context(self, tmp_path: Path) -> str:
        file = tmp_path / "examples.json"
        file.write_text('{"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}')
        return str(file)

    def test_it_gives_meaning_to_what_names_it_and_to_nothing_else(self, caller: Caller) -> None:
        kind = ["VerifiableCredential", "AlumniCredential"]
        named = {"@context": [CREDENTIALS_V2, EXAMPLES], "type": kind}
        assert caller.verify(caller.signed(named)) == []
        assert caller.issue({"type": kind}).status_code == 400


class TestWhoMay:
    @pytest.fixture
    def mode(self, request: pytest.FixtureRequest) -> str:
        return "token"

    def test_a_registrars_program_with_the_scope_and_nobody_else(
        self, app: Flask, db: Database, people: People
    ) -> None:
        scope = TokenScope.CREDENTIALS_ISSUE
        registrar = holder(app, db, people.registrar, scope)
        house = "did:web:127.0.0.1%3A8000"
        assert registrar.signed({"issuer": house})["issuer"] == house
        for caller, status in (
            (Caller(app), 401),
            (Caller(app, "assay_made_up"), 401),
            (holder(app, db, people.registrar, TokenScope.CASES_READ), 403),
            (holder(app, db, people.administrator, scope), 403),
            (holder(app, db, people.learner, scope), 403),
        ):
            for path in ("/credentials/issue", "/credentials/status"):
                answer = caller.send(path, {"credential": CREDENTIAL})
                said: Any = answer.json
                assert (answer.status_code, said["status"]) == (status, status)
        with db.reading() as tx:
            event = tx.session.exec(select(Event).where(Event.kind == "issue_by_api")).one()
        assert event.actor_id == people.registrar.account_id

    def test_it_signs_in_nobody_elses_name(self, app: Flask, db: Database, people: People) -> None:
        registrar = holder(app, db, people.registrar, TokenScope.CREDENTIALS_ISSUE)
        answer: Any = registrar.issue({"issuer": "did:web:university.example"}).json
        assert "not as did:web:university.example" in answer["errors"][0]["detail"]
        unnamed = {name: value for name, value in CREDENTIAL.items() if name != "issuer"}
        answer = registrar.send("/credentials/issue", {"credential": unnamed}).json
        words = answer["errors"][0]["detail"]
        assert "names no issuer" in words and "or did:web:127.0.0.1%3A8000" in words

    def test_only_a_registrar_is_offered_the_scope(
        self, app: Flask, db: Database, people: People
    ) -> None:
        for person, offered in ((people.registrar, True), (people.learner, False)):
            browser = Browser(app, db)
            browser.sign_in(person)
            page = browser.get("/account/tokens").text
            assert ("Issue credentials for the institution" in page) is offered

    def test_everybody_may_verify(self, caller: Caller) -> None:
        assert caller.verify({}) != []


class TestSwitchedOff:
    @pytest.fixture
    def mode(self) -> str:
        return ""

    def test_nothing_is_signed_for_anybody(self, app: Flask, db: Database, people: People) -> None:
        caller = holder(app, db, people.registrar, TokenScope.CREDENTIALS_ISSUE)
        assert caller.issue({}).status_code == 404
        assert caller.send("/credentials/status", {}).status_code == 404
        assert caller.verify({"x": 1}) != []


def test_production_does_not_start_with_what_is_for_tests() -> None:
    env = {"ASSAY_ENV": "production", "VC_API": "open", "VC_API_TEST_CONTEXT": "x.json"}
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(env)
    named = [one for one in refused.value.problems if one.startswith("VC_API")]
    assert len(named) == 2
    with pytest.raises(SettingsError, match="VC_API must be one of"):
        Settings.from_env({"VC_API": "yes"})
