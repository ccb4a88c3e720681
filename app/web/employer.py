"""An employer's pages, behind a mailed link; where a learner asks and answers; who was checked."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts, public
from app.web.forms import Form, Line, Text, again, form_values, messages, parse
from app.web.limits import limited, person
from app.web.supervisor import NEW, SignForm, this_link
from storage.errors import InvalidInput
from storage.ids import CredentialId, EndorsementId, OrganisationId
from workflows.access.permissions import Permission
from workflows.access.rules import may
from workflows.attestations.rules import identity_of, identity_words
from workflows.endorsements import commands, queries
from workflows.endorsements.rules import (
    DECLINE_REASONS,
    LONGEST_COMMENT,
    RELATIONS,
    VISIBILITIES,
    EndorsementForm,
    Relation,
    read_words,
)
from workflows.issuance.queries import public_credential
from workflows.people.links import LinkEnd, LinkEnded
from workflows.people.organisations import (
    OrganisationForm,
    verified_organisation,
    verified_organisations,
    verify_organisation,
)

blueprint = Blueprint("employer", __name__)


class AskForm(Form):
    """Whom a learner asks, at which organisation, about what."""

    organisation_id: UUID
    name: Line = ""
    email: Line = ""
    outcomes: tuple[Line, ...] = ()
    message: Text = ""


class AnswerForm(Form):
    """What the learner says to an endorsement."""

    answer: Line = ""


class EndorseForm(Form):
    """What an employer fills in."""

    outcomes: tuple[Line, ...] = ()
    relation: Line = ""
    title: Line = ""
    since: Line = ""
    until: Line = ""
    comment: Text = ""
    visibility: Line = ""


class DeclineForm(Form):
    """Why not."""

    reason: Line = ""


class CheckedForm(Form):
    """What staff found out about an organisation."""

    name: Line = ""
    domain: Line = ""
    registry_number: Line = ""
    url: Line = ""


@blueprint.get("/credentials/<uuid:credential_id>/endorsements")
@needs(Permission.ASK_ENDORSEMENT, of="credential_id")
def ask(credential_id: UUID) -> str:
    """Ask somebody of a checked organisation."""
    return render_template("employer/ask.html", **_ask_page(credential_id), **NEW)


@blueprint.post("/credentials/<uuid:credential_id>/endorsements")
@needs(Permission.ASK_ENDORSEMENT, of="credential_id")
@limited("30 per hour", by=person)
def send(credential_id: UUID) -> AnyResponse:
    """Mail the question."""
    try:
        form = parse(AskForm)
        asked = commands.AskEmployer(
            OrganisationId(form.organisation_id),
            form.name,
            form.email,
            form.outcomes,
            form.message,
        )
        found = CredentialId(credential_id)
        commands.ask_endorsement(parts().db, parts().site, actor(), found, asked)
    except InvalidInput as error:
        return again("employer/ask.html", error, **_ask_page(credential_id))
    return hx.redirect("credentials.mine", _("We have written to %(name)s.", name=form.name))


@blueprint.post("/endorsements/<uuid:endorsement_id>/answer")
@needs(Permission.ANSWER_ENDORSEMENT, of="endorsement_id")
def answer(endorsement_id: UUID) -> AnyResponse:
    """Show, hide or refuse an endorsement."""
    found = EndorsementId(endorsement_id)
    commands.answer_endorsement(parts().db, actor(), found, parse(AnswerForm).answer)
    return hx.redirect("credentials.mine", _("Your answer is kept."))


@blueprint.post("/endorsements/<uuid:endorsement_id>/take-back")
@needs(Permission.ASK_ENDORSEMENT, of="endorsement_id")
def take_back(endorsement_id: UUID) -> AnyResponse:
    """Ask no longer."""
    commands.take_back_endorsement(parts().db, actor(), EndorsementId(endorsement_id))
    return hx.redirect("credentials.mine", _("The link does not open any more."))


@blueprint.errorhandler(LinkEnded)
def over(ended: LinkEnded) -> AnyResponse:
    """What a link that opens nothing more still shows: the receipt, or why it is over."""
    token = str((request.view_args or {}).get("token", ""))
    given = None
    if ended.end is LinkEnd.USED:
        with parts().db.reading() as tx:
            given = queries.endorsement_receipt(tx, token)
    if given is None or given.view.given_at is None:
        words = _(ended.message)
        return _page("supervisor/ended.html", {"words": words, "end": ended.end}, ended.status)
    return _page("employer/receipt.html", _shown(given, token))


@blueprint.get("/endorse/<token>")
@needs(Permission.USE_LINK)
@limited("120 per hour", by=this_link)
def first(token: str) -> AnyResponse:
    """Who asks, and what was recognised."""
    commands.open_endorsement(parts().db, token)
    asked = _question(token)
    return _page("employer/question.html", {"asked": asked, "token": token, **_credential(asked)})


@blueprint.get("/endorse/<token>/decline")
@needs(Permission.USE_LINK)
def no(token: str) -> AnyResponse:
    """Ask for the reason."""
    return _page("employer/decline.html", _decline_page(token) | NEW)


@blueprint.post("/endorse/<token>/decline")
@needs(Permission.USE_LINK)
@limited("20 per hour", by=this_link)
def decline(token: str) -> AnyResponse:
    """Decline; the link has done its work."""
    try:
        commands.decline_endorsement(parts().db, parts().site, token, parse(DeclineForm).reason)
    except InvalidInput as error:
        return again("employer/decline.html", error, **_decline_page(token))
    return _page("supervisor/declined.html", {"colleague": None})


@blueprint.get("/endorse/<token>/form")
@needs(Permission.USE_LINK)
def form(token: str) -> AnyResponse:
    """What the organisation vouches for."""
    asked = _question(token)
    values = vars(asked.form)
    return _page("employer/form.html", _form_page(asked, token) | {"values": values, "errors": {}})


@blueprint.post("/endorse/<token>/form")
@needs(Permission.USE_LINK)
@limited("120 per hour", by=this_link)
def save(token: str) -> AnyResponse:
    """Keep a whole form, and go on to the preview."""
    try:
        commands.save_endorsement(parts().db, token, EndorsementForm(**vars(parse(EndorseForm))))
    except InvalidInput as error:
        context = _form_page(_question(token), token)
        values = {**form_values(), "outcomes": request.form.getlist("outcomes")}
        return _page(
            "employer/form.html",
            context | {"values": values, "errors": messages(error)},
            error.status,
        )
    return hx.redirect("employer.preview", token=token)


@blueprint.get("/endorse/<token>/preview")
@needs(Permission.USE_LINK)
def preview(token: str) -> AnyResponse:
    """Exactly what will be public; and the signature."""
    asked = _question(token)
    if not _whole(asked):
        return hx.redirect("employer.form", token=token)
    return _page("employer/preview.html", _preview_page(asked, token) | NEW)


@blueprint.post("/endorse/<token>/code")
@needs(Permission.USE_LINK)
@limited("6 per hour", by=this_link)
def code(token: str) -> AnyResponse:
    """Mail the digits that sign."""
    try:
        commands.send_endorsement_code(parts().db, token)
    except InvalidInput:
        return hx.redirect("employer.form", token=token)
    notice = _("We have mailed you a code.")
    return hx.redirect("employer.preview", notice, token=token, sent="yes", _anchor="sign")


@blueprint.post("/endorse/<token>/sign")
@needs(Permission.USE_LINK)
@limited("30 per hour", by=this_link)
def sign(token: str) -> AnyResponse:
    """Sign and give the endorsement."""
    try:
        filled = parse(SignForm)
        commands.give_endorsement(parts().db, parts().site, token, filled.typed_name, filled.code)
    except InvalidInput as error:
        asked = _question(token)
        return again("employer/preview.html", error, **_preview_page(asked, token, sent=True))
    return hx.redirect("employer.first", token=token)


@blueprint.post("/endorse/<token>/withdraw")
@needs(Permission.USE_LINK)
def withdraw(token: str) -> AnyResponse:
    """Take the endorsement back."""
    commands.withdraw_endorsement(parts().db, parts().site, token)
    return hx.redirect("employer.first", token=token)


@blueprint.get("/organisations")
@public
def organisations() -> str:
    """The organisations that staff have checked."""
    return render_template("employer/organisations.html", **_organisations_page(), **NEW)


@blueprint.get("/organisations/<uuid:organisation_id>")
@public
def organisation(organisation_id: UUID) -> str:
    """One of them: what was checked, and the key that is kept for it."""
    with parts().db.reading() as tx:
        found = verified_organisation(tx, OrganisationId(organisation_id))
    did = parts().site.did(found.id)
    return render_template("employer/organisation.html", organisation=found, did=did)


@blueprint.post("/organisations")
@needs(Permission.VERIFY_ORGANISATION)
def check() -> AnyResponse:
    """Note that staff have checked an organisation."""
    try:
        filled = OrganisationForm(**vars(parse(CheckedForm)))
        verify_organisation(parts().db, actor(), filled)
    except InvalidInput as error:
        return again("employer/organisations.html", error, **_organisations_page())
    notice = _("%(name)s is noted as checked.", name=filled.name)
    return hx.redirect("employer.organisations", notice)


def _page(template: str, context: Mapping[str, object], status: int = 200) -> Response:
    return make_response(render_template(template, **context), status)


def _question(token: str) -> queries.EndorsementQuestion:
    with parts().db.reading() as tx:
        return queries.endorsement_question(tx, token)


def _credential(asked: queries.EndorsementQuestion) -> dict[str, object]:
    with parts().db.reading() as tx:
        return {"credential": public_credential(tx, parts().site, asked.view.credential_id)}


def _ask_page(credential_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        view = public_credential(tx, parts().site, CredentialId(credential_id))
        known = verified_organisations(tx)
    return {"credential": view, "organisations": known}


def _decline_page(token: str) -> dict[str, object]:
    reasons = _options(DECLINE_REASONS.items())
    return {"asked": _question(token), "token": token, "reasons": reasons}


def _form_page(asked: queries.EndorsementQuestion, token: str) -> dict[str, object]:
    return {
        "asked": asked,
        "token": token,
        "relations": _options(RELATIONS.items()),
        "visibilities": [(str(v), _(name), _(note)) for v, (name, note) in VISIBILITIES.items()],
        "most": LONGEST_COMMENT,
    }


def _preview_page(
    asked: queries.EndorsementQuestion, token: str, *, sent: bool = False
) -> dict[str, object]:
    sent_now = sent or request.args.get("sent") == "yes"
    return {**_shown(asked, token), "sent": sent_now}


def _shown(asked: queries.EndorsementQuestion, token: str) -> dict[str, object]:
    view = asked.view
    told = identity_words(identity_of(view.email, view.organisation))
    return {
        "asked": asked,
        "token": token,
        "relation": _(RELATIONS[Relation(view.relation)]),
        "visibility": [_(words) for words in VISIBILITIES[view.visibility]],
        "identity": [_(one.message, **one.params) for one in told],
    }


def _whole(asked: queries.EndorsementQuestion) -> bool:
    codes = tuple(outcome.code for outcome in asked.recognised)
    try:
        read_words(asked.form, codes, parts().clock.now().date())
    except InvalidInput:
        return False
    return True


def _organisations_page() -> dict[str, object]:
    with parts().db.reading() as tx:
        known = verified_organisations(tx)
    return {"organisations": known, "may_check": bool(may(actor(), Permission.VERIFY_ORGANISATION))}


def _options(words: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(str(value), _(text)) for value, text in words]
