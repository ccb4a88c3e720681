"""What wallets and their verifiers ask for: OpenID4VCI 1.0 with the pre-authorized code.

Anybody may ask. What opens something is a code that a holder was shown, once, for a few minutes.
"""

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from app.wallets.answers import json_answer, open_to_all, refused
from app.web.access import frame, parts, public, without_cookies
from app.web.documents import SHORT, machine_answer
from app.web.limits import limited
from credentials.documents import JsonObject, dump_json, load_json
from credentials.errors import Malformed
from credentials.token_status_list import MEDIA_TYPE
from storage.errors import NotFound
from storage.ids import DefinitionId, InstitutionId
from workflows.wallets.commands import new_nonce, note_news, redeem_code
from workflows.wallets.metadata import GRANT, server_metadata
from workflows.wallets.queries import credential_issuer, issuer_keys, offer_by_reference, type_of
from workflows.wallets.rules import NoAccess, WalletRefused
from workflows.wallets.status import status_list_token
from workflows.wallets.taking import take_credential

blueprint = Blueprint("wallets", __name__)
blueprint.register_error_handler(WalletRefused, refused)
blueprint.after_request(open_to_all)

MOST_BODY = 64 * 1024
OFTEN = "1200 per hour"
"""A class that takes its credentials in one room comes from one address."""
NO_HOUSE = "No institution is set up here yet."


@blueprint.get("/.well-known/openid-credential-issuer/openid4vci")
@blueprint.get("/openid4vci/.well-known/openid-credential-issuer")
@public
@without_cookies
def issuer() -> Response:
    """The Credential Issuer Metadata."""
    with parts().db.reading() as tx:
        body = credential_issuer(tx, parts().site, _house())
    return machine_answer(dump_json(body), "application/json", SHORT)


@blueprint.get("/.well-known/oauth-authorization-server/openid4vci")
@blueprint.get("/openid4vci/.well-known/oauth-authorization-server")
@public
@without_cookies
def server() -> Response:
    """The Authorization Server Metadata of the same identifier."""
    return machine_answer(dump_json(server_metadata(parts().site)), "application/json", SHORT)


@blueprint.get("/.well-known/jwt-vc-issuer/openid4vci")
@blueprint.get("/openid4vci/.well-known/jwt-vc-issuer")
@public
@without_cookies
def keys() -> Response:
    """The keys that sign what wallets take (JWT VC Issuer Metadata)."""
    with parts().db.reading() as tx:
        body = issuer_keys(tx, parts().site, _house())
    return machine_answer(dump_json(body), "application/json", SHORT)


@blueprint.get("/openid4vci/types/<uuid:definition_id>", defaults={"whole": True})
@blueprint.get("/openid4vci/types/<uuid:definition_id>/statement", defaults={"whole": False})
@public
@without_cookies
def credential_type(definition_id: UUID, whole: bool) -> Response:
    """The type metadata of what a version of a definition becomes."""
    with parts().db.reading() as tx:
        body = type_of(tx, parts().site, DefinitionId(definition_id), whole=whole)
    return machine_answer(dump_json(body), "application/json", SHORT)


@blueprint.get("/openid4vci/status/<uuid:list_id>")
@public
@without_cookies
def status(list_id: UUID) -> Response:
    """A Token Status List, signed."""
    body = status_list_token(parts().db, parts().issuer, list_id)
    return machine_answer(body.encode(), MEDIA_TYPE, SHORT)


@blueprint.get("/openid4vci/offers/<reference>")
@public
@without_cookies
@limited(OFTEN)
def offer(reference: str) -> Response:
    """An offer, for the wallet that scanned its address."""
    tell = _("The code stands on the page where you found the offer.")
    with parts().db.reading() as tx:
        return json_answer(offer_by_reference(tx, parts().issuer, reference, tell))


@blueprint.post("/openid4vci/token")
@public
@without_cookies
@limited(OFTEN)
def token() -> Response:
    """An access token for a pre-authorized code."""
    if any(len(request.form.getlist(name)) > 1 for name in request.form):
        raise WalletRefused("invalid_request", "A parameter stands there twice.")
    grant = request.form.get("grant_type")
    if grant is None:
        raise WalletRefused("invalid_request", "grant_type is missing.")
    if grant != GRANT:
        raise WalletRefused("unsupported_grant_type", "Only pre-authorized codes are taken here.")
    code = request.form.get("pre-authorized_code")
    if not code:
        raise WalletRefused("invalid_request", "pre-authorized_code is missing.")
    access = redeem_code(parts().db, code, request.form.get("tx_code"), parts().issuer)
    return json_answer(
        {"access_token": access.token, "token_type": "Bearer", "expires_in": access.seconds}
    )


@blueprint.post("/openid4vci/nonce")
@public
@without_cookies
@limited(OFTEN)
def nonce() -> Response:
    """A fresh nonce for a key proof."""
    return json_answer({"c_nonce": new_nonce(parts().db, parts().issuer)})


@blueprint.post("/openid4vci/credential")
@public
@without_cookies
@limited(OFTEN)
def credential() -> Response:
    """The credential, for each key that the wallet shows to hold."""
    access, body = _access(), _body("invalid_credential_request")
    taken = take_credential(parts().db, parts().issuer, access, body)
    return json_answer(
        {
            "credentials": [{"credential": one} for one in taken.credentials],
            "notification_id": taken.notification_id,
        }
    )


@blueprint.post("/openid4vci/notification")
@public
@without_cookies
@limited(OFTEN)
def notification() -> Response:
    """What became of a credential in the wallet."""
    access, body = _access(), _body("invalid_notification_request")
    notification_id, event = body.get("notification_id"), body.get("event")
    if not isinstance(notification_id, str) or not isinstance(event, str):
        words = "notification_id and event are needed, as texts."
        raise WalletRefused("invalid_notification_request", words)
    note_news(parts().db, access, notification_id, event)
    response = Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response


def _access() -> str:
    """The access token that was sent. Raises NoAccess."""
    scheme, _space, sent = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not sent.strip():
        raise NoAccess
    return sent.strip()


def _body(code: str) -> JsonObject:
    """The request as JSON. Raises WalletRefused with this code."""
    if request.mimetype != "application/json":
        raise WalletRefused(code, "Send JSON, and say so: Content-Type: application/json.")
    try:
        return load_json(request.get_data(cache=False), max_bytes=MOST_BODY)
    except Malformed as error:
        raise WalletRefused(code, error.reason) from None


def _house() -> InstitutionId:
    house = frame().house
    if house is None:
        raise NotFound(NO_HOUSE)
    return house.id
