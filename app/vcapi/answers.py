"""What VC-API answers: problem details, as the data model and its neighbours name them."""

import json
from collections.abc import Sequence

from flask import Response
from flask_babel import gettext

from credentials.documents import JsonObject, JsonValue, as_list, children
from credentials.errors import (
    BadKey,
    BadProof,
    BadStatus,
    CannotFetch,
    CredentialError,
    Malformed,
    NotYetReadable,
)

_KINDS: Sequence[tuple[type[CredentialError], str]] = (
    (Malformed, "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"),
    (BadProof, "https://w3id.org/security#PROOF_VERIFICATION_ERROR"),
    (BadKey, "https://w3id.org/security#INVALID_VERIFICATION_METHOD"),
    (BadStatus, "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR"),
    (CannotFetch, "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"),
    (NotYetReadable, "https://www.w3.org/TR/vc-data-model#PARSING_ERROR"),
)
_OWN_TERMS = "It brings a JSON-LD context of its own: judge yourself what its terms stand for."


def issued(document: JsonObject) -> Response:
    """A credential that was signed just now."""
    return _json({"verifiableCredential": document}, 201)


def refused(error: CredentialError) -> Response:
    """Why nothing was signed or looked at."""
    problems = [_problem(error)]
    return _json({"errors": problems, "problemDetails": problems}, 400)


def verdict(against: Sequence[CredentialError], documents: Sequence[JsonObject]) -> Response:
    """Verified, or everything that speaks against it."""
    problems = [_problem(error) for error in against]
    own = any(_has_own_terms(document) for document in documents)
    body = {
        "verified": not problems,
        "errors": problems,
        "warnings": [gettext(_OWN_TERMS)] if own else [],
        "problemDetails": problems,
    }
    return _json(body, 400 if problems else 200)


def _problem(error: CredentialError) -> dict[str, str]:
    kind = next(name for known, name in _KINDS if isinstance(error, known))
    return {
        "type": kind,
        "title": kind.rpartition("#")[2],
        "detail": gettext(error.message, **error.params),
    }


def _has_own_terms(document: JsonValue) -> bool:
    """Whether a context stands in the document itself, at its top or anywhere below."""
    contexts = as_list(document.get("@context")) if isinstance(document, dict) else []
    return any(isinstance(one, dict) for one in contexts) or any(
        _has_own_terms(child) for child in children(document)
    )


def _json(body: object, status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
