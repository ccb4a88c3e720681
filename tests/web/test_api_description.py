"""The API's description says what the API does: every route, status and answer, in OpenAPI."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from flask import Flask

from app.api.openapi import describe, routes
from app.api.operations import operation_of
from app.api.schemas import Amendment
from storage.ids import ItemId, sha256_of
from storage.vault import StoreAddress
from storage.vocabulary import EvidenceState, ScanVerdict
from tests.fixtures.api import Program, with_store
from tests.fixtures.intake import Intake, Says, fingerprint, noise
from tests.fixtures.web import Browser
from workflows.evidence.amending import said_of
from workflows.evidence.queries import case_items

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """The application over the test's own bucket in the real store."""
    return with_store(web_env, store_address)


@pytest.fixture
def described(browser: Browser) -> Any:
    """What everyone can read."""
    answer = browser.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


def operations(described: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def schema_of(described: Any, method: str, path: str, status: int) -> Any:
    """The schema of an answer, with what it refers to."""
    answer = described["paths"][path][method.lower()]["responses"][str(status)]
    (content,) = answer["content"].values()
    return content["schema"] | {"components": described["components"], "$schema": DIALECT}


def test_every_route_is_described_and_nothing_else(app: Flask, described: Any) -> None:
    routed = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.description"
    }
    assert {rule.rule for rule, _, _ in routes(app)} == routed
    assert len(list(operations(described))) == len(list(routes(app)))
    for rule, method, _ in routes(app):
        assert method not in {"HEAD", "OPTIONS"}
        assert operation_of(app.view_functions[rule.endpoint]) is not None


def test_the_description_is_whole_and_its_schemas_are_schemas(described: Any) -> None:
    assert described["openapi"].startswith("3.1")
    names = set()
    for method, path, operation in operations(described):
        names.add(operation["operationId"])
        assert operation["summary"] and operation["description"]
        variables = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert variables == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert ("requestBody" in operation) == (method in {"POST", "PUT", "PATCH"})
    assert len(names) == len(list(operations(described)))
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in references(described):
        assert reference.rpartition("/")[2] in described["components"]["schemas"]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    if isinstance(node, list):
        for value in node:
            yield from references(value)


def test_what_an_amendment_may_name_is_what_a_learner_says_of_an_item(
    intake: Intake, app: Flask
) -> None:
    intake.world.item(intake.case_id)
    with intake.db.reading() as tx:
        (row,) = case_items(tx, intake.case_id)
    assert set(Amendment.model_fields) - {"version"} == set(vars(said_of(row)))
    with app.test_request_context():
        properties = describe(app)["components"]["schemas"]["Amendment"]["properties"]
    assert not any("default" in each for each in properties.values())


def test_every_answer_is_as_described(
    described: Any, program: Program, intake: Intake, browser: Browser
) -> None:
    """Items in every state, read, listed and refused; each answer against its own schema."""
    body = noise(6 * 1024**2)
    under_way = program.announce(intake, body)
    recording = {"file_name": "me.webm", "size": None, "recorded_with": "a camera"}
    program.call("POST", f"/cases/{intake.case_id}/evidence", recording)
    waiting = intake.store(noise(1000, "w"), "waits.pdf")
    sealed = intake.sealed(noise(1000, "s"), "sealed.pdf").id
    intake.scanner = Says(ScanVerdict.INFECTED, "Eicar")
    bad = intake.sealed(noise(1000, "bad"), "bad.pdf").id
    part = {"number": 1, "sha256": sha256_of(body[:10])}
    said = {"file_name": "b.pdf", "size": 10, "fingerprint": fingerprint(b"b" * 10)}
    case, item = "/cases/{case_id}", "/evidence/{item_id}"
    calls = [
        ("GET", "/me", {}, None),
        ("GET", "/cases", {}, None),
        ("GET", case, {"case_id": intake.case_id}, None),
        ("GET", case, {"case_id": uuid4()}, None),
        ("GET", f"{case}/evidence", {"case_id": intake.case_id}, None),
        ("POST", f"{case}/evidence", {"case_id": intake.case_id}, said),
        ("POST", f"{case}/evidence", {"case_id": intake.case_id}, said | {"size": 0}),
        *(("GET", item, {"item_id": one}, None) for one in (under_way["id"], waiting, sealed, bad)),
        ("PATCH", item, {"item_id": sealed}, {"own_part": "All of it."}),
        ("PATCH", item, {"item_id": sealed}, {"own_part": 7}),
        ("POST", f"{item}/parts", {"item_id": under_way["id"]}, {"parts": [part]}),
        ("POST", f"{item}/parts", {"item_id": sealed}, {"parts": [part]}),
        ("POST", f"{item}/complete", {"item_id": waiting}, {}),
        ("POST", f"{item}/complete", {"item_id": under_way["id"]}, {}),
        ("GET", f"{item}/link", {"item_id": sealed}, None),
        ("GET", f"{item}/link", {"item_id": bad}, None),
    ]
    seen = set()
    for method, path, named, sent in calls:
        answer = program.call(method, path.format(**named), sent)
        schema = schema_of(described, method, f"/api/v1{path}", answer.status_code)
        jsonschema.validate(answer.json, schema, format_checker=jsonschema.FormatChecker())
        seen.add((method, path, answer.status_code))
    assert {status for _, _, status in seen} == {200, 201, 404, 409, 422}
    nobody = browser.get("/api/v1/me")
    jsonschema.validate(nobody.json, schema_of(described, "GET", "/api/v1/me", 401))
    quarantined = program.call("GET", f"/evidence/{bad}").json
    assert quarantined is not None
    assert quarantined["state"] == EvidenceState.QUARANTINED and "Eicar" in quarantined["reason"]
    assert intake.item(ItemId(sealed)).own_part == "All of it."


def test_people_can_read_it_as_a_page(browser: Browser, described: Any) -> None:
    page = browser.get("/api")
    assert page.status_code == 200
    for method, path, operation in operations(described):
        assert f"{method} {path}" in page.text
        assert operation["summary"] in page.text.replace("&#39;", "'")
    assert "parts[].sha256" in page.text and "upload.there[].number" in page.text
    assert json.dumps(described).count("operationId") == page.text.count('<p class="call">')
