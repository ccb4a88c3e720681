"""The API's description (OpenAPI 3.1), made of the routes, their marks and the models.

The texts are for those who write programs, and in English whatever the reader's language.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from app.api.operations import Operation, Query, operation_of
from app.api.problems import MEDIA_TYPE
from app.api.schemas import Refusal
from app.web.access import SESSION_COOKIE, cookie_name, parts
from storage.vocabulary import NewsKind
from workflows.people.tokens import TokenScope
from workflows.webhooks.payload import WebhookPayload
from workflows.webhooks.rules import CHOICES, KINDS

REFERENCE = "#/components/schemas/{model}"
JSON = "application/json"
VARIABLE = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ABOUT = """\
Evidence for the recognition of prior learning: announce a file, send its parts straight to the
store by signed links, complete it, say what it shows. The server seals what arrived and tells the
SHA-256 of the bytes.

Programs send `Authorization: Bearer <token>`; people make tokens on the page of their account.
The site's own pages call with their session's cookie; whatever changes something then needs the
page's token in `X-CSRF-Token` as well.

Bodies are JSON objects; a field that is not described here is refused. Answers may get new fields
and new words in lists of words; readers ignore what they do not know. Every refusal is a problem
document (RFC 9457) with words for people, in the language of `Accept-Language`.
"""
ANSWERS: Mapping[int, str] = {
    200: "Here it is.",
    201: "There is room for it.",
    204: "Done.",
    400: "This is not a request that can be read, or not under this name.",
    401: "No token and no session, or a token that has ended.",
    403: "The token lacks the scope, or it is not yours to do.",
    404: "There is nothing here, or it is not yours to see.",
    409: "It moved on meanwhile, or its state does not allow this.",
    410: "It was there and was erased.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Something that was sent cannot be used; `problems` says what.",
    429: "Called too often, or a quota is reached.",
    503: "A part of the house is away; nothing was lost.",
}
WEBHOOK_HEADERS: Mapping[str, str] = {
    "webhook-id": "The same at every try: what was seen before can be passed over.",
    "webhook-timestamp": "When this try was made, in seconds since 1970.",
    "webhook-signature": "By Standard Webhooks, `v1,` and Base64; two while a secret is new.",
}
ALWAYS = (400, 401, 403, 422, 429, 503)
WITH_BODY = (413, 415)
SCOPES: Mapping[TokenScope, str] = {
    TokenScope.CASES_READ: "read one's cases",
    TokenScope.EVIDENCE_READ: "read evidence and get links to files",
    TokenScope.EVIDENCE_WRITE: "add, describe and remove evidence",
    TokenScope.CREDENTIALS_ISSUE: "have credentials signed by VC-API, where one is a registrar",
}


def as_json(app: Flask) -> str:
    """The description of this application's API, as JSON."""
    return json.dumps(describe(app), ensure_ascii=False)


def describe(app: Flask) -> dict[str, Any]:
    """The description of this application's API."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Assay", "version": "1", "description": ABOUT},
        "servers": [{"url": parts().settings.public_url}],
        "paths": _paths(app),
        "webhooks": _webhooks(),
        "components": {
            "schemas": _schemas([found for _, _, found in routes(app)]),
            "securitySchemes": _ways_in(),
        },
    }


def routes(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """Every operation with its rule and method."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        found = operation_of(app.view_functions[rule.endpoint])
        for method in METHODS:
            if found is not None and method in (rule.methods or ()):
                yield rule, method, found


def address_of(rule: Rule) -> str:
    """A rule as OpenAPI writes it: `/cases/{case_id}`."""
    return VARIABLE.sub(r"{\1}", rule.rule)


def _paths(app: Flask) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, found in routes(app):
        path = paths.setdefault(address_of(rule), {})
        path[method.lower()] = _operation(rule, found)
    return paths


def _operation(rule: Rule, found: Operation) -> dict[str, Any]:
    scopes = [found.scope.value] if found.scope else []
    described: dict[str, Any] = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": found.summary,
        "description": found.words,
        "parameters": [
            *(_variable(name) for name in sorted(rule.arguments)),
            *(_query(one) for one in found.query),
        ],
        "responses": _responses(rule, found),
        "security": [{"token": scopes}, {"session": []}],
    }
    if found.takes is not None:
        content = {JSON: {"schema": _reference(found.takes)}}
        described["requestBody"] = {"required": not found.body_optional, "content": content}
    return described


def _webhooks() -> dict[str, dict[str, Any]]:
    """What is sent to endpoints that administrators added (docs/webhooks.md)."""
    content = {JSON: {"schema": _reference(WebhookPayload)}}
    return {
        kind.value: {
            "post": {
                "summary": KINDS[kind][0],
                "description": KINDS[kind][1],
                "parameters": [_header(name, words) for name, words in WEBHOOK_HEADERS.items()],
                "requestBody": {"required": True, "content": content},
                "responses": {"2XX": {"description": "Taken. All else is tried again."}},
            }
        }
        for kind in (*CHOICES, NewsKind.TEST)
    }


def _header(name: str, words: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": words, "schema": schema}


def _responses(rule: Rule, found: Operation) -> dict[str, Any]:
    status, model = found.gives
    refusals = {
        *ALWAYS,
        *found.refuses,
        *((404,) if rule.arguments else ()),
        *(WITH_BODY if found.takes else ()),
    }
    good: dict[str, Any] = {"description": ANSWERS[status]}
    if model is not None:
        good["content"] = {JSON: {"schema": _reference(model)}}
    if status == 201:
        good["headers"] = {"Location": {"schema": {"type": "string"}, "required": True}}
    return {str(status): good} | {str(each): _refusal(each) for each in sorted(refusals)}


def _refusal(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": ANSWERS[status],
        "content": {MEDIA_TYPE: {"schema": _reference(Refusal)}},
    }
    if status == 401:
        told["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    if status == 503:
        told["headers"] = {"Retry-After": {"schema": {"type": "string"}, "required": True}}
    return told


def _variable(name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "format": "uuid"}
    if query.most is not None:
        schema = {"type": "integer", "minimum": 1, "maximum": query.most}
    return {"name": query.name, "in": "query", "description": query.words, "schema": schema}


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    taken = {one.takes for one in operations if one.takes is not None}
    given = {one.gives[1] for one in operations if one.gives[1] is not None} | {Refusal}
    wanted = [
        *((model, "validation") for model in sorted(taken, key=_name)),
        *((model, "serialization") for model in sorted(given, key=_name)),
        (WebhookPayload, "validation"),
    ]
    _, schema = models_json_schema(wanted, ref_template=REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = schema["$defs"]
    return found


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _ways_in() -> dict[str, Any]:
    told = "; ".join(f"`{scope.value}`: {words}" for scope, words in SCOPES.items())
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": f"A personal access token. Its scopes: {told}.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(SESSION_COOKIE),
            "description": "A browser's session; with X-CSRF-Token where something changes.",
        },
    }
