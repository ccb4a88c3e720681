"""The public verify page: a badge, an address or a text in, the verdict check by check out."""

import re
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.web.access import frame, parts, public
from app.web.forms import messages
from app.web.limits import limited
from app.web.security import accepts_up_to
from app.web.verdict_rows import own_credential, shown_verdict
from credentials.did import did_web_url
from credentials.documents import JsonObject, JsonValue, as_list, id_of
from credentials.errors import CredentialError
from credentials.fetching import Fetcher, RemoteFetcher
from credentials.jwt import is_token
from credentials.openbadges2 import is_open_badge_2
from credentials.reading import MAX_FILE, credential_bytes, read_credential
from credentials.sd_jwt_reading import is_sd_jwt
from credentials.verify import Verdict, verify
from storage.errors import InvalidInput, Problem
from workflows.endorsements.queries import EndorsementView, public_endorsements
from workflows.issuance.published import endorsement_documents, local_fetcher
from workflows.issuance.queries import CredentialView
from workflows.wallets.published import wallet_fetcher
from workflows.words import marked

blueprint = Blueprint("verify", __name__)

FETCHER = "assay_remote_fetcher"
MOST_DIGESTS = 50
NO_CREDENTIAL = marked(
    "This is neither an address nor the text of a credential. An address begins with https://, "
    "the text of a credential with a brace, unless it is a signed token (JWT)."
)
EVIDENCE_ADDRESS = re.compile(r"(?P<credential>.*/credentials/[0-9a-f-]{36})/evidence/[\w-]+/?")
DIGEST_LINE = re.compile(r"([0-9a-fA-F]{64})(?:\s+\*?(.+))?")


@blueprint.record_once
def attach(state: object) -> None:
    """One fetcher for all requests, so that its short memory serves them all."""
    app: Flask = state.app  # type: ignore[attr-defined]
    app.extensions[FETCHER] = RemoteFetcher()


@blueprint.get("/verify")
@public
@limited("120 per hour")
def home() -> AnyResponse:
    """The page; with `?credential=` an address of this site is verified at once."""
    source = request.args.get("credential", "")[:500]
    if not source or parts().site.path_of(source) is None:
        return _answer({"source": source, "errors": {}})
    return _verified(source)


@blueprint.post("/verify")
@public
@limited("120 per hour")
@accepts_up_to(MAX_FILE + 1024 * 1024)
def check() -> AnyResponse:
    """The verdict on what was given."""
    uploaded = request.files.get("badge")
    source = request.form.get("source", "").strip()
    try:
        if uploaded is not None and uploaded.filename:
            source = _text_of(uploaded.stream.read(MAX_FILE + 1))
        elif not source:
            raise _refused("source", "Choose a badge file, or paste its address or its text.")
    except InvalidInput as error:
        return _answer({"source": source, "errors": messages(error)}, error.status)
    return _verified(source)


def _verified(source: str) -> AnyResponse:
    digests = request.form.get("digests", "")
    fetch = _fetch()
    try:
        data = fetch(_address(source)) if _is_address(source) else _credential_in(source)
    except CredentialError as error:
        told = _refused("source", error.message, error.params)
        return _answer({"source": source, "errors": messages(told)}, told.status)
    own = own_credential(_id_in(data))
    documents, beside = _beside(own)
    verdict = verify(
        data,
        fetch=fetch,
        now=parts().clock.now(),
        evidence=_digests(digests),
        endorsements=documents,
    )
    context: dict[str, object] = {
        "source": source,
        "errors": {},
        "digests": digests,
        "verdict": shown_verdict(verdict, own, beside),
        "about": _about(verdict, own),
    }
    return _answer(context)


def _fetch() -> Fetcher:
    """What gets documents: our own from the database, those of others from where they are."""
    elsewhere = cast(Fetcher, current_app.extensions[FETCHER])
    house = frame().house
    own = local_fetcher(parts().db, parts().site, elsewhere)
    return wallet_fetcher(parts().db, parts().issuer, house.id if house else None, own)


def _id_in(data: bytes) -> str | None:
    """The id of a credential that says to be ours; a stranger's may have any id, also one of ours.

    What says so and is not ours does not hold: its verdict is the institution's key's.
    """
    try:
        document = read_credential(data)
        ours = id_of(document.get("issuer")) == parts().site.did()
        return id_of(document) if ours and not is_open_badge_2(document) else None
    except CredentialError:
        return None


def _beside(own: CredentialView | None) -> tuple[tuple[bytes, ...], Sequence[EndorsementView]]:
    """The endorsements that stand on the page of one of our own credentials."""
    if own is None:
        return (), ()
    with parts().db.reading() as tx:
        documents = endorsement_documents(tx, own.id)
        return tuple(documents.values()), public_endorsements(tx, own.id)


def _answer(context: Mapping[str, object], status: int = 200) -> Response:
    return make_response(render_template("verify/home.html", **context), status)


def _text_of(data: bytes) -> str:
    """The credential's text inside a file, to be carried on in the page. Raises InvalidInput."""
    try:
        return credential_bytes(data).decode("utf-8-sig")
    except CredentialError as error:
        raise _refused("badge", error.message, error.params) from None
    except UnicodeDecodeError:
        raise _refused("badge", "The document is not text in UTF-8.") from None


def _refused(field: str, words: str, params: Mapping[str, str] | None = None) -> InvalidInput:
    return InvalidInput(words, params, [Problem(field, words, params or {})])


def _is_address(source: str) -> bool:
    return source.startswith(("https://", "http://")) and len(source.split()) == 1


def _address(source: str) -> str:
    """An address of evidence stands for its credential."""
    found = EVIDENCE_ADDRESS.fullmatch(source)
    return found["credential"] if found else source.rstrip("/")


def _credential_in(source: str) -> bytes:
    """The document in a text: JSON, a signed token, or an SVG badge. Raises CredentialError."""
    text = source.strip().removeprefix("\ufeff")
    if text.startswith("<"):
        return credential_bytes(text.encode("utf-8", "replace"))
    data = text.encode("utf-8", "replace")
    if text.startswith(("{", "[")) or is_token(data) or is_sd_jwt(data):
        return data
    raise CredentialError(NO_CREDENTIAL)


def _digests(text: str) -> dict[str, str]:
    """What sha256sum prints: the name of a file, or the digest itself → its digest."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:MOST_DIGESTS]:
        match = DIGEST_LINE.fullmatch(line.strip())
        if match:
            digest = match[1].lower()
            found[(match[2] or f"{digest[:16]}…")[:200]] = digest
        elif line.strip():
            found[line.strip()[:200]] = ""
    return found


def _about(verdict: Verdict, own: CredentialView | None) -> dict[str, str]:
    """Who and what, as the document says; empty where it does not."""
    document = verdict.document or {}
    if "vct" in document:
        return _about_shown(document)
    subject = _object(document.get("credentialSubject"))
    badge = _object(document.get("badge"))
    return {
        "title": _name(document) or _name(subject.get("achievement")) or _name(badge),
        "issuer": _name(document.get("issuer")) or _name(badge.get("issuer")),
        "place": _place(document.get("issuer") or badge.get("issuer")),
        "learner": _learner(subject),
        "own": own.url if own else "",
    }


def _about_shown(claims: JsonObject) -> dict[str, str]:
    """Who and what, as an SD-JWT VC says of which not everything need be shown."""
    name = claims.get("name")
    return {
        "title": _name(claims.get("achievement")),
        "issuer": _name(claims.get("issuing_institution")),
        "place": _place(claims.get("iss")),
        "learner": name[:300] if isinstance(name, str) else "",
        "own": "",
    }


def _place(issuer: JsonValue) -> str:
    """The site that answers for an issuer; empty for a key that anybody may have made."""
    name = _object(issuer).get("id") or issuer
    if not isinstance(name, str):
        return ""
    try:
        return urlsplit(did_web_url(name) if name.startswith("did:web:") else name).netloc
    except (CredentialError, ValueError):
        return ""


def _object(node: JsonValue) -> JsonObject:
    return node if isinstance(node, dict) else {}


def _name(node: JsonValue) -> str:
    name = _object(node).get("name")
    return name[:300] if isinstance(name, str) else ""


def _learner(subject: JsonObject) -> str:
    for identity in as_list(subject.get("identifier")):
        if isinstance(identity, dict) and identity.get("identityType") == "name":
            name = identity.get("identityHash")
            if isinstance(name, str) and identity.get("hashed") is not True:
                return name
    return ""
