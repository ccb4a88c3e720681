"""Credentials for people: the page that is shared, its evidence, and downloads."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts, public, without_cookies
from app.web.documents import SHORT, machine_answer, wants_json
from app.web.forms import Form, Line, parse
from app.web.limits import limited
from app.web.verdict_rows import ShownVerdict, shown_verdict
from credentials.fetching import no_network
from storage.errors import NotFound
from storage.ids import AccountId, CredentialId
from storage.vocabulary import CredentialState
from workflows.access.permissions import Permission
from workflows.access.resources import resource_of_credential
from workflows.access.rules import NOT_YOURS, may
from workflows.brought.queries import brought_by
from workflows.endorsements.queries import (
    EndorsementView,
    endorsements_of,
    public_endorsements,
    waiting_answers,
)
from workflows.issuance.artefacts import badge_file, badge_picture, certificate
from workflows.issuance.commands import choose_disclosure
from workflows.issuance.opening import open_item
from workflows.issuance.published import verify_own
from workflows.issuance.queries import (
    CredentialView,
    my_credentials,
    public_credential,
    public_item,
)
from workflows.issuance.renewing import running_out
from workflows.issuance.sharing import card as draw_card
from workflows.issuance.sharing import embed_snippet, linkedin_address, state_words
from workflows.issuance.stacking import stacks_for
from workflows.issuance.tokens import credential_token
from workflows.wallets.queries import takings_of

blueprint = Blueprint("credentials", __name__)

PUBLISHED = CredentialState.PUBLISHED


class DisclosureForm(Form):
    """How much of an item others may have."""

    disclosure: Line = ""


@dataclass(frozen=True)
class Standing:
    """What the one who looks may do with the credential."""

    holder: bool
    registrar: bool


@blueprint.get("/credentials/<uuid:credential_id>")
@public
def page(credential_id: UUID) -> Response:
    """The credential: a page for people, the signed document for programs."""
    view = _view(credential_id)
    if wants_json():
        return machine_answer(view.document, "application/vc", SHORT)
    response = make_response(render_template("credentials/page.html", **_page(view)))
    response.headers["Vary"] = "Accept, Cookie"
    return response


@blueprint.get("/credentials/<uuid:credential_id>.json")
@public
def document(credential_id: UUID) -> Response:
    """The signed document."""
    return machine_answer(_view(credential_id).document, "application/vc", SHORT)


@blueprint.get("/credentials/<uuid:credential_id>.jwt")
@public
@limited("120 per hour")
def token(credential_id: UUID) -> Response:
    """The credential as VC-JWT, for software that reads only tokens."""
    view = _view(credential_id)
    return _attachment(_token(view).encode(), "application/vc+jwt", f"{_file_name(view)}.jwt")


@blueprint.get("/credentials/<uuid:credential_id>/badge.<any(png, svg):kind>")
@public
@limited("120 per hour")
def badge(credential_id: UUID, kind: str) -> Response:
    """The badge with the credential inside; `?inside=jwt`: as VC-JWT."""
    mimetype = {"png": "image/png", "svg": "image/svg+xml"}[kind]
    view = _view(credential_id)
    as_token = request.args.get("inside") == "jwt"
    name = f"{_file_name(view)}{'-jwt' if as_token else ''}.{kind}"
    return _attachment(badge_file(view, kind, _token(view) if as_token else ""), mimetype, name)


@blueprint.get("/credentials/<uuid:credential_id>/face.png")
@public
@without_cookies
def face(credential_id: UUID) -> Response:
    """The badge as a picture alone, for pages."""
    return machine_answer(badge_picture(_view(credential_id)), "image/png", SHORT)


@blueprint.get("/credentials/<uuid:credential_id>/card.png")
@public
@without_cookies
@limited("600 per hour")
def card(credential_id: UUID) -> Response:
    """The picture that others show where the address is shared, with the state it is in now."""
    return _card(credential_id, strip=False)


@blueprint.get("/credentials/<uuid:credential_id>/embed.png")
@public
@without_cookies
@limited("600 per hour")
def embed(credential_id: UUID) -> Response:
    """The picture for other people's pages, with the state it is in now."""
    return _card(credential_id, strip=True)


@blueprint.get("/credentials/<uuid:credential_id>/certificate.pdf")
@public
@limited("60 per hour")
def paper(credential_id: UUID) -> Response:
    """The certificate."""
    view = _view(credential_id)
    return _attachment(certificate(view), "application/pdf", f"{_file_name(view)}.pdf")


@blueprint.get("/credentials/<uuid:credential_id>/evidence/<slug>")
@public
def evidence(credential_id: UUID, slug: str) -> str:
    """What an evidence item is, with its digest. Nothing more, unless its learner opened it."""
    view = _view(credential_id)
    item = public_item(view, slug)
    openable = item.openable and view.state is PUBLISHED
    return render_template(
        "credentials/evidence.html",
        credential=view,
        item=item,
        openable=openable,
        holder=_standing(view).holder,
    )


@blueprint.get("/credentials/<uuid:credential_id>/evidence/<slug>/file")
@public
@limited("120 per hour")
def evidence_file(credential_id: UUID, slug: str) -> AnyResponse:
    """The file itself, by a link from the store that is good for a minute."""
    found = CredentialId(credential_id)
    link = open_item(parts().db, parts().site, parts().vault, found, slug)
    response = hx.redirect_to(link)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/credentials/<uuid:credential_id>/evidence/<slug>/disclosure")
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def disclose(credential_id: UUID, slug: str) -> AnyResponse:
    """Choose how much of an item others may have."""
    choose_disclosure(
        parts().db,
        actor(),
        CredentialId(credential_id),
        slug=slug,
        disclosure=parse(DisclosureForm).disclosure,
    )
    if hx.is_partial():
        return make_response(render_template("credentials/_chosen.html"))
    return hx.redirect(
        "credentials.page", _("Your choice is kept."), credential_id=credential_id, _anchor=slug
    )


@blueprint.get("/my/credentials")
@needs(Permission.VIEW_OWN_CREDENTIALS)
def mine() -> str:
    """One's own credentials, with who was asked to endorse them."""
    with parts().db.reading() as tx:
        lines = my_credentials(tx, _own_id())
        ids = [line.id for line in lines]
        return render_template(
            "credentials/mine.html",
            lines=lines,
            endorsements={one: endorsements_of(tx, one) for one in ids},
            waiting=waiting_answers(tx, ids),
            ending=running_out(tx, _own_id()),
            stacks=stacks_for(tx, _own_id()),
            elsewhere=brought_by(tx, _own_id()),
        )


def _view(credential_id: UUID) -> CredentialView:
    with parts().db.reading() as tx:
        return public_credential(tx, parts().site, CredentialId(credential_id))


def _token(view: CredentialView) -> str:
    return credential_token(parts().db, parts().issuer, view.id)


def _card(credential_id: UUID, *, strip: bool) -> Response:
    view = _view(credential_id)
    body = draw_card(view, strip=strip, ended=_has_ended(view))
    return machine_answer(body, "image/png", SHORT)


def _has_ended(view: CredentialView) -> bool:
    return view.valid_until is not None and view.valid_until <= parts().clock.now()


def _page(view: CredentialView) -> dict[str, object]:
    with parts().db.reading() as tx:
        endorsements = public_endorsements(tx, view.id)
    standing = _standing(view)
    with parts().db.reading() as tx:
        takings = takings_of(tx, view.id) if standing.holder else ()
    verdict = shown_verdict(verify_own(parts().db, parts().site, view, no_network), view)
    return {
        "credential": view,
        "standing": standing,
        "verdict": verdict,
        "endorsements": [(one, _endorsement_holds(verdict, one)) for one in endorsements],
        "ended": _has_ended(view),
        "out_of_force": state_words(view, _, ended=_has_ended(view)),
        "linkedin": linkedin_address(view),
        "snippet": embed_snippet(view),
        "counted": sum(one.counted for one in endorsements),
        "takings": takings,
    }


def _endorsement_holds(verdict: ShownVerdict, one: EndorsementView) -> bool:
    address = parts().site.endorsement(one.id)
    return any(lines.address == address and lines.holds for lines in verdict.endorsements)


def _standing(view: CredentialView) -> Standing:
    who = actor()
    if who.account_id is None:
        return Standing(holder=False, registrar=False)
    with parts().db.reading() as tx:
        thing = resource_of_credential(tx, view.id)
    return Standing(
        holder=may(who, Permission.SHARE_CREDENTIAL, thing).allowed,
        registrar=may(who, Permission.CHANGE_CREDENTIAL_STATUS, thing).allowed,
    )


def _attachment(body: bytes, mimetype: str, name: str) -> Response:
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _file_name(view: CredentialView) -> str:
    return f"{view.definition.code.lower()}-{str(view.id)[-6:]}"


def _own_id() -> AccountId:
    account_id = actor().account_id
    if account_id is None:
        raise NotFound(NOT_YOURS)
    return account_id
