"""How endpoints that programs call by OAuth 2.0 say no: the JSON of RFC 6749 and RFC 7591."""

import json
from collections.abc import Mapping

from flask import Response, request

FOR_PROGRAMS = ("/oauth/register", "/oauth/token", "/oauth/revoke")
FOR_WALLETS = tuple(
    f"/openid4vci/{name}" for name in ("token", "nonce", "credential", "notification")
)
ERRORS: Mapping[int, str] = {
    413: "invalid_request",
    429: "temporarily_unavailable",
    500: "server_error",
    503: "temporarily_unavailable",
}


def asked_by_program() -> bool:
    """Whether this request was for an endpoint that programs call, and no page."""
    return request.path in FOR_PROGRAMS or request.path in FOR_WALLETS


def refusal(status: int, words: str, problems: Mapping[str, str]) -> Response:
    """The answer. A registration that cannot be used names the fields; 422 is 400 here."""
    error = ERRORS.get(status, "invalid_request")
    if problems and request.path == "/oauth/register":
        error = "invalid_redirect_uri" if "redirect_uris" in problems else "invalid_client_metadata"
    told = [words, *(f"{field}: {said}" if field else said for field, said in problems.items())]
    body = {"error": error, "error_description": " ".join(told)}
    return as_json(body, 400 if status == 422 else status)


def as_json(body: Mapping[str, object], status: int = 200) -> Response:
    """An answer that nobody keeps: it may hold a secret."""
    response = Response(json.dumps(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
