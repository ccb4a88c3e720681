"""What machines ask for: DID documents, status lists, definitions, endorsements. For everyone.

Answers are the exact bytes that were signed or are published, may be read from any site, and carry
a digest of theirs so that nothing is sent twice.
"""

from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request

from app.web.access import parts, public, without_cookies
from storage.database import Transaction
from storage.ids import DefinitionId, EndorsementId, OrganisationId, sha256_of
from workflows.issuance import published
from workflows.issuance.artefacts import achievement_png, house_of
from workflows.issuance.tokens import published_token_key

blueprint = Blueprint("documents", __name__)

JSON_TYPES = ("application/vc", "application/ld+json", "application/json", "application/did+json")
SHORT, LONG = 60, 3600


def machine_answer(body: bytes, mimetype: str, seconds: int) -> Response:
    """Bytes for any site's programs, to be asked for again after so many seconds."""
    response = Response(body, mimetype=mimetype)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.headers["Vary"] = "Accept"
    response.set_etag(sha256_of(body))
    return response.make_conditional(request)  # type: ignore[return-value]


def wants_json() -> bool:
    """Whether a program asks, by Accept; a browser, or one that takes anything, gets a page."""
    accepted = request.accept_mimetypes
    best = accepted.best_match(("text/html", *JSON_TYPES), default="text/html")
    return best != "text/html"


@blueprint.get("/.well-known/did.json")
@public
@without_cookies
def institution() -> Response:
    """The institution's DID document, with all keys it ever signed with."""
    with parts().db.reading() as tx:
        body = published.institution_did(tx, parts().site)
    return machine_answer(body, "application/did+json", SHORT)


@blueprint.get("/organisations/<uuid:organisation_id>/did.json")
@public
@without_cookies
def organisation(organisation_id: UUID) -> Response:
    """The DID document of an organisation whose key the institution keeps."""
    with parts().db.reading() as tx:
        body = published.organisation_did(tx, parts().site, OrganisationId(organisation_id))
    return machine_answer(body, "application/did+json", SHORT)


@blueprint.get("/status/<uuid:list_id>")
@public
@without_cookies
def status(list_id: UUID) -> Response:
    """A signed status list."""
    with parts().db.reading() as tx:
        body = published.published_list(tx, list_id)
    return machine_answer(body, "application/vc", SHORT)


@blueprint.get("/keys/<uuid:key_id>")
@public
@without_cookies
def token_key(key_id: UUID) -> Response:
    """The public key that credentials as tokens were signed with, as a JWK."""
    with parts().db.reading() as tx:
        body = published_token_key(tx, key_id)
    return machine_answer(body, "application/jwk+json", LONG)


@blueprint.get("/achievements/<uuid:definition_id>")
@blueprint.get("/achievements/<uuid:definition_id>.json", defaults={"as_json": True})
@public
def achievement(definition_id: UUID, as_json: bool = False) -> Response:
    """The version of a definition that credentials point to, as a page or as an Achievement."""
    with parts().db.reading() as tx:
        found = _achievement(tx, definition_id)
    if as_json or wants_json():
        return machine_answer(found.document, "application/ld+json", LONG)
    return make_response(render_template("credentials/achievement.html", achievement=found))


@blueprint.get("/achievements/<uuid:definition_id>/badge.png")
@public
@without_cookies
def picture(definition_id: UUID) -> Response:
    """The picture of an achievement, without anybody's credential in it."""
    with parts().db.reading() as tx:
        found = _achievement(tx, definition_id)
    body = achievement_png(found.definition, house_of(found))
    return machine_answer(body, "image/png", LONG)


@blueprint.get("/endorsements/<uuid:endorsement_id>")
@blueprint.get("/endorsements/<uuid:endorsement_id>.json")
@public
@without_cookies
def endorsement(endorsement_id: UUID) -> Response:
    """A signed endorsement that its giver and its learner let be seen."""
    with parts().db.reading() as tx:
        body = published.endorsement_document(tx, EndorsementId(endorsement_id))
    return machine_answer(body, "application/vc", SHORT)


def _achievement(tx: Transaction, definition_id: UUID) -> published.Achievement:
    return published.achievement(tx, parts().site, DefinitionId(definition_id))
