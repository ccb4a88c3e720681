"""The page on which holders offer a credential to their wallet, and see what became of it."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.wallets.qr import drawn, link_by_reference, link_by_value
from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, parse
from app.web.limits import limited, person
from storage.ids import CredentialId
from workflows.access.permissions import Permission
from workflows.issuance.queries import public_credential
from workflows.wallets.addresses import offer as offer_address
from workflows.wallets.commands import make_offer, withdraw_offer
from workflows.wallets.queries import OfferView, WalletView, offer_by_reference, wallet_view
from workflows.wallets.rules import MOST_ATTEMPTS, read_form

blueprint = Blueprint("wallet", __name__)


class OfferForm(Form):
    """In which form, and whether the wallet must be given a code besides."""

    form: Line = ""
    asks_code: Line = ""


@blueprint.get("/credentials/<uuid:credential_id>/wallet")
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def home(credential_id: UUID) -> AnyResponse:
    """The open offer, or the form for a new one; a part of it while a page asks how it stands."""
    found = CredentialId(credential_id)
    view = _view(found)
    if hx.is_partial():
        return _state(found, view)
    with parts().db.reading() as tx:
        credential = public_credential(tx, parts().site, found)
    return make_response(
        render_template(
            "wallets/page.html",
            credential=credential,
            ended=_has_ended(credential.valid_until),
            **_shown(found, view),
        )
    )


@blueprint.post("/credentials/<uuid:credential_id>/wallet")
@limited("60 per hour", by=person)
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def offer(credential_id: UUID) -> AnyResponse:
    """Offer the credential; an open offer ends."""
    filled = parse(OfferForm)
    make_offer(
        parts().db,
        parts().issuer,
        actor(),
        CredentialId(credential_id),
        form=read_form(filled.form),
        asks_code=bool(filled.asks_code),
    )
    return hx.redirect("wallet.home", credential_id=credential_id)


@blueprint.post("/credentials/<uuid:credential_id>/wallet/withdraw")
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def withdraw(credential_id: UUID) -> AnyResponse:
    """End the open offer."""
    withdraw_offer(parts().db, actor(), CredentialId(credential_id))
    return hx.redirect("wallet.home", credential_id=credential_id)


def _state(credential_id: CredentialId, view: WalletView) -> AnyResponse:
    """How the offer stands now; once that is not what the page was made for, the page anew."""
    standing = view.offer.standing if view.offer else ""
    if request.args.get("seen") != standing:
        return hx.reload_page()
    return make_response(render_template("wallets/_state.html", **_shown(credential_id, view)))


def _has_ended(valid_until: datetime | None) -> bool:
    return valid_until is not None and valid_until <= parts().clock.now()


def _view(credential_id: CredentialId) -> WalletView:
    with parts().db.reading() as tx:
        return wallet_view(tx, parts().issuer, credential_id)


def _shown(credential_id: CredentialId, view: WalletView) -> dict[str, object]:
    shown: dict[str, object] = {
        "credential_id": credential_id,
        "offer": view.offer,
        "takings": view.takings,
        "attempts": MOST_ATTEMPTS,
    }
    if view.offer is None or not view.offer.open:
        return shown
    left = view.offer.expires_at - parts().clock.now()
    return shown | _links(view.offer) | {"left": max(0, int(left.total_seconds()))}


def _links(offer: OfferView) -> dict[str, object]:
    link = link_by_reference(offer_address(parts().site, offer.secrets.reference))
    tell = _("The code stands on the page where you found the offer.")
    with parts().db.reading() as tx:
        whole = offer_by_reference(tx, parts().issuer, offer.secrets.reference, tell)
    return {"link": link, "code": drawn(link), "by_value": link_by_value(whole)}
