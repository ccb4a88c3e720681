"""What holders see of their credentials: what runs out, what belongs together, their name."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from app.health import signing_keys
from app.web.access import EXTENSION
from credentials.documents import load_json
from tests.fixtures.issued import ISSUER, Issued
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import DEFINITIONS, World
from workflows.frameworks.definition import read_definition

FIRST = DEFINITIONS[0]["outcomes"][0]["code"]


@pytest.fixture
def web_env(web_env: dict[str, str]) -> dict[str, str]:
    """The secret that sealed the keys of what was issued."""
    return {**web_env, "KEY_ENCRYPTION_SECRET": ISSUER.key_secret}


def ending(world: World) -> Issued:
    """A credential that ends in a month and is renewed with one outcome, as part of a stack."""
    renewal = {"outcomes": [FIRST], "notice_days": 60}
    body = {**DEFINITIONS[0], "renewal": renewal, "validity_months": 1}
    world.definition_id, world.definition = world.offer(body), read_definition(body)
    parts = [{"code": body["code"], "title": "CNC"}, {"code": "X", "title": "Welding"}]
    world.offer({**DEFINITIONS[1], "code": "STACK", "title": "The whole trade", "parts": parts})
    return Issued(world)


def test_what_runs_out_and_what_belongs_together_is_drawn_and_renewed(
    world: World, browser: Browser
) -> None:
    issued = ending(world)
    first, second, *_ = world.definition.outcomes
    browser.sign_in(issued.learner)
    page = browser.get("/my/credentials").text
    for words in ("runs out", first.statement, "The whole trade", "You have 1 of the 2 parts"):
        assert words in page
    assert second.statement not in page
    answer = browser.post(f"/my/credentials/{issued.credential_id}/renewal")
    case = urlsplit(answer.headers["Location"]).path
    opened = browser.get(case).text
    assert first.statement in opened
    assert second.statement not in opened
    assert case in browser.get("/my/credentials").text
    assert browser.post(f"/my/credentials/{issued.credential_id}/renewal").status_code == 409


def stated(world: World) -> Issued:
    """A case in which the first outcome was not met."""
    unmet = world.definition.outcomes[0]
    return Issued(world, {row.code: 1 for row in unmet.criteria})


def test_a_statement_is_led_to_from_the_case_and_named_as_one(
    recall: Recall, browser: Browser
) -> None:
    issued = recall(stated)
    browser.sign_in(issued.learner)
    case = browser.get(f"/cases/{issued.panel.case_id}").text
    assert "See your statement" in case
    assert "Read the result" in case
    assert f"/credentials/{issued.credential_id}" in case
    assert "Statement of recognition: " in browser.get("/my/credentials").text
    assert browser.get(f"/credentials/{issued.credential_id}").status_code == 200


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def test_the_transcript_is_a_signed_file(issued: Issued, browser: Browser) -> None:
    browser.sign_in(issued.learner)
    answer = browser.get("/my/credentials/transcript.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="transcript.json"'
    document = load_json(answer.data)
    assert document["type"] == ["VerifiableCredential", "ClrCredential"]
    assert "proof" in document


def test_what_is_signed_on_demand_says_in_words_that_the_key_is_out_of_reach(
    issued: Issued, browser: Browser
) -> None:
    browser.sign_in(issued.learner)
    credential = f"/credentials/{issued.credential_id}"
    signed = ["/my/credentials/transcript.json", f"{credential}.jwt"]
    signed.append(f"{credential}/badge.svg?inside=jwt")
    for path in signed:
        assert browser.get(path).status_code == 200
    container = browser.app.extensions[EXTENSION]
    changed = replace(container, key_secret="the secret of another installation")
    browser.app.extensions[EXTENSION] = changed
    try:
        for path in signed:
            answer = browser.get(path)
            assert answer.status_code == 503, path
            assert "The key that signs cannot be opened here" in answer.text
        for path in (credential, f"{credential}.json", f"{credential}/certificate.pdf"):
            assert browser.get(path).status_code == 200, path
    finally:
        browser.app.extensions[EXTENSION] = container
    assert signing_keys(issued.db, container.issuer).ok
    found = signing_keys(issued.db, changed.issuer)
    assert not found.ok
    assert "#key-1" in found.detail
    assert "/keys/" in found.detail


def test_a_statement_says_that_it_is_one_and_claims_no_level_and_no_hours(
    recall: Recall, browser: Browser
) -> None:
    statement = recall(stated)
    page = browser.get(f"/credentials/{statement.credential_id}")
    assert "This is a statement, not the credential" in page.text
    assert "Statement of Northbridge College, not a credential" in page.text
    told = json.dumps(statement.document())
    assert "Notional workload" not in told and "Credits" not in told
    svg = browser.get(f"/credentials/{statement.credential_id}/badge.svg").text
    assert "Statement. Northbridge College</title>" in svg


def test_a_name_is_asked_away_and_the_registrar_sees_it(issued: Issued, browser: Browser) -> None:
    browser.sign_in(issued.learner)
    assert "without my name" in browser.get("/my/credentials").text
    browser.post(f"/my/credentials/{issued.credential_id}/without-name")
    assert "You have asked for one without your name" in browser.get("/my/credentials").text
    browser.sign_in(issued.registrar)
    page = browser.get("/staff/credentials").text
    assert "Asked for without a name" in page
    assert f"/staff/credentials/{issued.credential_id}/correct" in page


def test_the_name_is_a_choice_until_the_case_is_over(recall: Recall, browser: Browser) -> None:
    panel = recall(Panel)
    browser.sign_in(panel.learner)
    page = f"/cases/{panel.case_id}"
    assert "Your name in the credential" in browser.get(page).text
    browser.post(f"{page}/name", {"name": "hidden"})
    assert not panel.case().name_in_clear
    browser.post(f"{page}/name", {"name": "clear"})
    assert panel.case().name_in_clear


def test_no_address_of_a_holder_has_a_name_in_it(issued: Issued, browser: Browser) -> None:
    browser.sign_in(issued.learner)
    page = browser.get("/my/credentials").text
    account = issued.learner
    addresses = [part.split('"')[0] for part in page.split('href="')[1:]]
    for personal in (account.name, account.name.split()[0].lower(), account.email):
        assert not any(personal in address for address in addresses)
