"""The addresses of VC-API under /vc: sign, verify, change a status, read a status list.

Verifying is for everyone. Signing is off unless VC_API says for whom, and then for a registrar's
programs with an access token or, in tests, for anybody.
"""

import json
from functools import partial
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, request

from app.api.auth import TokenRefused, takes_token
from app.settings import VcApi
from app.vcapi import answers, reading
from app.web.access import actor, frame, parts, public, without_cookies
from app.web.documents import SHORT, machine_answer
from app.web.limits import limited
from app.web.security import accepts_up_to
from app.web.verify import FETCHER
from credentials.canonical import canonicalize
from credentials.contexts import Contexts, pinned_contexts
from credentials.documents import MAX_BYTES, JsonObject, as_list, text_at
from credentials.errors import CredentialError
from credentials.fetching import Fetcher
from credentials.parts import Setting
from credentials.proofs import Canonicalize
from credentials.verifier import Question, against_credential, against_presentation
from storage.errors import NotFound
from storage.events import SYSTEM
from workflows.access.permissions import Permission
from workflows.access.rules import acting
from workflows.issuance.published import local_fetcher
from workflows.people.tokens import TokenScope
from workflows.vcapi.commands import Desk, issue_by_api, set_status_by_api
from workflows.vcapi.queries import published_api_list

blueprint = Blueprint("vcapi", __name__, url_prefix="/vc")

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS = "assay_vc_api_contexts"
SWITCHED_OFF = "Nothing is signed by VC-API here."


@blueprint.record_once
def attach(state: object) -> None:
    """The contexts that calls are read with, once for all of them."""
    app: Flask = state.app  # type: ignore[attr-defined]
    app.extensions[CONTEXTS] = {}


def how_often() -> str:
    """How many calls one address may make; test suites make hundreds at once."""
    return "100000 per hour" if _mode() is VcApi.OPEN else "600 per hour"


@blueprint.post("/credentials/issue")
@public
@without_cookies
@takes_token(TokenScope.CREDENTIALS_ISSUE)
@limited(how_often)
@accepts_up_to(MAX_BYTES)
def issue() -> Response:
    """Sign a credential in the institution's name."""
    desk = _desk()
    try:
        body = reading.call()
        order = reading.order_of(reading.options_of(body), renames=_mode() is VcApi.OPEN)
        credential = reading.document_at(body, "credential")
        return answers.issued(issue_by_api(parts().db, desk, credential, order))
    except CredentialError as error:
        return answers.refused(error)


@blueprint.post("/credentials/status")
@public
@without_cookies
@takes_token(TokenScope.CREDENTIALS_ISSUE)
@limited(how_often)
@accepts_up_to(MAX_BYTES)
def change_status() -> Response:
    """Revoke or suspend a credential that was signed here, or take that back."""
    desk = _desk()
    try:
        change = reading.status_change(reading.call())
    except CredentialError as error:
        return answers.refused(error)
    set_status_by_api(parts().db, desk, change.credential_id, change.purpose, change.value)
    return Response(status=200, mimetype="application/json", response="{}")


@blueprint.post("/credentials/verify")
@public
@without_cookies
@limited(how_often)
@accepts_up_to(MAX_BYTES)
def verify_credential() -> Response:
    """Verify a credential, whoever signed it."""
    try:
        body = reading.call()
        question = _question(reading.options_of(body))
        document = reading.document_at(body, "verifiableCredential")
    except CredentialError as error:
        return answers.verdict([error], [])
    return answers.verdict(list(against_credential(document, question)), [document])


@blueprint.post("/presentations/verify")
@public
@without_cookies
@limited(how_often)
@accepts_up_to(MAX_BYTES)
def verify_presentation() -> Response:
    """Verify a presentation and every credential in it; `presentation` is one without a proof."""
    try:
        body = reading.call()
        question = _question(reading.options_of(body))
        signed = "presentation" not in body
        key = "verifiablePresentation" if signed else "presentation"
        document = reading.document_at(body, key)
    except CredentialError as error:
        return answers.verdict([error], [])
    inner = [one for one in as_list(document.get("verifiableCredential")) if isinstance(one, dict)]
    against = list(against_presentation(document, question, signed=signed))
    return answers.verdict(against, [document, *inner])


@blueprint.get("/status/<uuid:list_id>")
@public
@without_cookies
def status(list_id: UUID) -> Response:
    """A signed status list of credentials that were signed here."""
    with parts().db.reading() as tx:
        body = published_api_list(tx, list_id)
    kinds = ("application/vc", "application/ld+json", "application/json")
    best = request.accept_mimetypes.best_match(kinds, default=kinds[0])
    return machine_answer(body, best or kinds[0], SHORT)


def _mode() -> VcApi:
    return parts().settings.vc_api


def _desk() -> Desk:
    """Where credentials are signed. Raises NotFound (off), TokenRefused, Forbidden."""
    house = frame().house
    if _mode() is VcApi.OFF or house is None:
        raise NotFound(SWITCHED_OFF)
    if _mode() is VcApi.OPEN:
        who = SYSTEM
    elif frame().holder is None:
        raise TokenRefused
    else:
        who = acting(actor(), Permission.ISSUE_BY_API)
    return Desk(parts().issuer, house.id, who, _canonicalize(), _fetch())


def _question(options: JsonObject) -> Question:
    return Question(
        Setting(_fetch(), parts().clock.now(), None),
        _canonicalize(),
        status=reading.asks_for_status(options),
        domain=text_at(options, "domain"),
        challenge=text_at(options, "challenge"),
    )


def _fetch() -> Fetcher:
    elsewhere = cast(Fetcher, current_app.extensions[FETCHER])
    return local_fetcher(parts().db, parts().site, elsewhere)


def _canonicalize() -> Canonicalize:
    """How documents are read: with terms of their own, and the test context where there is one."""
    return partial(canonicalize, contexts=_contexts(), own_contexts=True)


def _contexts() -> Contexts:
    file = parts().settings.vc_api_test_context
    if not file:
        return pinned_contexts()
    kept = cast(dict[str, JsonObject], current_app.extensions[CONTEXTS])
    if not kept:
        kept |= {**pinned_contexts(), EXAMPLES: json.loads(Path(file).read_bytes())}
    return kept
