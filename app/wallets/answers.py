"""What wallets are answered: JSON kept nowhere, and refusals in the protocol's own words."""

import json
import re

from flask import Response

from credentials.documents import JsonObject
from workflows.wallets.rules import NoAccess, WalletRefused

_NOT_SAYABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""What OAuth 2.0 (RFC 6749, appendix A.8) keeps out of an `error_description`."""


def json_answer(body: JsonObject, status: int = 200) -> Response:
    """An answer for this wallet and this time only."""
    response = Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status,
        mimetype="application/json",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def refused(error: WalletRefused) -> Response:
    """The refusal; where an access token is what is missing, with how to bring one (RFC 6750)."""
    words = _NOT_SAYABLE.sub("?", error.message)
    response = json_answer({"error": error.code, "error_description": words}, error.status)
    if isinstance(error, NoAccess):
        response.headers["WWW-Authenticate"] = f'Bearer error="{error.code}"'
    return response


def open_to_all(response: Response) -> Response:
    """Let wallets that run in a browser ask too: no cookie counts here."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
