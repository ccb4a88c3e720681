"""A supervisor's pages, behind a mailed link and without an account; and where a learner asks."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, again, messages, parse
from app.web.limits import limited, person
from app.web.statement_rows import month, shown_statement, steps
from storage.errors import InvalidInput
from storage.ids import AttestationId, CaseId, token_hash
from workflows.access.permissions import Permission
from workflows.attestations import commands, queries
from workflows.attestations.document import (
    keep_statement,
    statement_page,
)
from workflows.attestations.rules import (
    DECLINE_REASONS,
    FREQUENCIES,
    RELATIONS,
    identity_of,
    kept_draft,
    rating_field,
    read_statement,
)
from workflows.cases.queries import case_view
from workflows.people.links import LinkEnd, LinkEnded
from workflows.people.organisations import verified_organisation_at

blueprint = Blueprint("supervisor", __name__)
blueprint.add_app_template_filter(month, "month")

MINUTES = 8
NEW: dict[str, object] = {"values": {}, "errors": {}}
"""A form that nobody has filled in yet."""


class AskForm(Form):
    """Whom a learner asks, and about what."""

    name: Line = ""
    email: Line = ""
    outcomes: tuple[Line, ...] = ()
    message: Text = ""


class DeclineForm(Form):
    """Why not, and who might."""

    reason: Line = ""
    note: Text = ""
    colleague_name: Line = ""
    colleague_email: Line = ""


class SignForm(Form):
    """A name that is typed, and the code from the mail."""

    typed_name: Line = ""
    code: Line = ""


def this_link() -> str:
    """The link, for limits; its token is kept nowhere."""
    return token_hash(str((request.view_args or {}).get("token", "")))


@blueprint.get("/cases/<uuid:case_id>/attestations")
@needs(Permission.ASK_ATTESTATION, of="case_id")
def ask(case_id: UUID) -> str:
    """Ask somebody what they saw."""
    return render_template("supervisor/ask.html", **_ask_page(case_id), **NEW)


@blueprint.post("/cases/<uuid:case_id>/attestations")
@needs(Permission.ASK_ATTESTATION, of="case_id")
@limited("30 per hour", by=person)
def send(case_id: UUID) -> AnyResponse:
    """Mail the question."""
    try:
        form = parse(AskForm)
        asked = commands.Ask(form.name, form.email, form.outcomes, form.message)
        commands.ask_attestation(parts().db, parts().site, actor(), CaseId(case_id), asked)
    except InvalidInput as error:
        return again("supervisor/ask.html", error, **_ask_page(case_id))
    return hx.redirect(
        "learner.case", _("We have written to %(name)s.", name=form.name), case_id=case_id
    )


@blueprint.post("/attestations/<uuid:attestation_id>/resend")
@needs(Permission.ASK_ATTESTATION, of="attestation_id")
@limited("10 per hour", by=person)
def resend(attestation_id: UUID) -> AnyResponse:
    """Send the question again."""
    found = AttestationId(attestation_id)
    case_id = commands.resend_attestation(parts().db, parts().site, actor(), found)
    return hx.redirect("learner.case", _("We have written again."), case_id=case_id)


@blueprint.post("/attestations/<uuid:attestation_id>/take-back")
@needs(Permission.ASK_ATTESTATION, of="attestation_id")
def take_back(attestation_id: UUID) -> AnyResponse:
    """Ask no longer."""
    case_id = commands.take_back_attestation(parts().db, actor(), AttestationId(attestation_id))
    return hx.redirect("learner.case", _("The link does not open any more."), case_id=case_id)


@blueprint.errorhandler(LinkEnded)
def over(ended: LinkEnded) -> AnyResponse:
    """What a link that opens nothing more still shows: the receipt, or why it is over."""
    if hx.is_partial():
        return hx.reload_page(ended.status)
    token = str((request.view_args or {}).get("token", ""))
    given = None
    if ended.end is LinkEnd.USED:
        with parts().db.reading() as tx:
            given = queries.receipt(tx, token)
    if given is None:
        words = _(ended.message)
        return _page("supervisor/ended.html", {"words": words, "end": ended.end}, ended.status)
    return _page("supervisor/receipt.html", _receipt_page(given, token))


@blueprint.get("/attest/<token>")
@needs(Permission.USE_LINK)
@limited("120 per hour", by=this_link)
def first(token: str) -> AnyResponse:
    """Who asks, for whom, about what; or, once answered, the receipt."""
    commands.open_attestation(parts().db, token)
    asked = _question(token)
    if asked.draft is not None:
        return hx.redirect("supervisor.form", token=token)
    return _page("supervisor/question.html", {"asked": asked, "token": token, "minutes": MINUTES})


@blueprint.post("/attest/<token>/accept")
@needs(Permission.USE_LINK)
def accept(token: str) -> AnyResponse:
    """Say yes to being asked; nothing is said yet about the learner."""
    commands.save_attestation(parts().db, token, {})
    return hx.redirect("supervisor.form", token=token)


@blueprint.get("/attest/<token>/decline")
@needs(Permission.USE_LINK)
def no(token: str) -> AnyResponse:
    """Ask for the reason, and perhaps for a colleague."""
    asked = _question(token)
    return _page("supervisor/decline.html", _decline_page(asked, token) | NEW)


@blueprint.post("/attest/<token>/decline")
@needs(Permission.USE_LINK)
@limited("20 per hour", by=this_link)
def decline(token: str) -> AnyResponse:
    """Decline; the link has done its work."""
    try:
        form = parse(DeclineForm)
        colleague = _colleague(form)
        refused = commands.Decline(form.reason, form.note, colleague)
        commands.decline_attestation(parts().db, parts().site, token, refused)
    except InvalidInput as error:
        return again("supervisor/decline.html", error, **_decline_page(_question(token), token))
    return _page("supervisor/declined.html", {"colleague": colleague})


@blueprint.get("/attest/<token>/form")
@needs(Permission.USE_LINK)
def form(token: str) -> AnyResponse:
    """The form, as far as it was filled."""
    asked = _question(token)
    if asked.draft is None:
        return hx.redirect("supervisor.first", token=token)
    return _page("supervisor/form.html", _form_page(asked, token) | {"errors": {}})


@blueprint.post("/attest/<token>/form")
@needs(Permission.USE_LINK)
@limited("600 per hour", by=this_link)
def save(token: str) -> AnyResponse:
    """Keep what the form holds; go on to the preview when that was asked for."""
    commands.save_attestation(parts().db, token, request.form.to_dict())
    asked = _question(token)
    if hx.is_partial():
        return _page("supervisor/_saved.html", {})
    if request.form.get("then") == "later":
        notice = _("Saved. The link from the mail brings you back to this form.")
        return hx.redirect("supervisor.form", notice, token=token)
    problems = _problems(asked)
    if problems:
        return _page("supervisor/form.html", _form_page(asked, token) | {"errors": problems}, 422)
    return hx.redirect("supervisor.preview", token=token)


@blueprint.get("/attest/<token>/preview")
@needs(Permission.USE_LINK)
def preview(token: str) -> AnyResponse:
    """Exactly what the learner, the assessors and the public will see; and the signature."""
    asked = _question(token)
    if asked.draft is None or _problems(asked):
        return hx.redirect("supervisor.form", token=token)
    return _page("supervisor/preview.html", _preview_page(asked, token) | NEW)


@blueprint.post("/attest/<token>/code")
@needs(Permission.USE_LINK)
@limited("6 per hour", by=this_link)
def code(token: str) -> AnyResponse:
    """Mail the digits that sign."""
    try:
        commands.send_attestation_code(parts().db, token)
    except InvalidInput:
        return hx.redirect("supervisor.form", token=token)
    notice = _("We have mailed you a code.")
    return hx.redirect("supervisor.preview", notice, token=token, sent="yes", _anchor="sign")


@blueprint.post("/attest/<token>/sign")
@needs(Permission.USE_LINK)
@limited("30 per hour", by=this_link)
def sign(token: str) -> AnyResponse:
    """Sign and give the statement."""
    try:
        filled = parse(SignForm)
        commands.give_attestation(parts().db, parts().site, token, filled.typed_name, filled.code)
    except InvalidInput as error:
        context = _preview_page(_question(token), token, sent=True)
        return again("supervisor/preview.html", error, **context)
    return hx.redirect("supervisor.first", token=token)


@blueprint.get("/attest/<token>/copy")
@needs(Permission.USE_LINK)
def copy(token: str) -> AnyResponse:
    """The sealed page of what was given, byte for byte."""
    with parts().db.reading() as tx:
        given = queries.receipt(tx, token)
    if given is None:
        return hx.redirect("supervisor.first", token=token)
    response = Response(statement_page(given.statement), mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = 'attachment; filename="statement.html"'
    return response


@blueprint.post("/attest/<token>/withdraw")
@needs(Permission.USE_LINK)
def withdraw(token: str) -> AnyResponse:
    """Take the statement back."""
    commands.withdraw_attestation(parts().db, parts().site, token)
    return hx.redirect("supervisor.first", token=token)


def _page(template: str, context: Mapping[str, object], status: int = 200) -> Response:
    return make_response(render_template(template, **context), status)


def _question(token: str) -> queries.Question:
    with parts().db.reading() as tx:
        return queries.question(tx, token)


def _problems(asked: queries.Question) -> Mapping[str, str]:
    try:
        read_statement(asked.draft or {}, asked.outcomes, parts().clock.now().date())
    except InvalidInput as error:
        return messages(error)
    return {}


def _colleague(form: DeclineForm) -> commands.Colleague | None:
    if not form.colleague_name and not form.colleague_email:
        return None
    return commands.Colleague(form.colleague_name, form.colleague_email)


def _ask_page(case_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        return {"case": case_view(tx, CaseId(case_id)), "minutes": MINUTES}


def _decline_page(asked: queries.Question, token: str) -> dict[str, object]:
    return {"asked": asked, "token": token, "reasons": _options(DECLINE_REASONS.items())}


def _form_page(asked: queries.Question, token: str) -> dict[str, object]:
    values = {**(asked.draft or {}), **kept_draft(request.form.to_dict(), asked.outcomes)}
    return {
        "asked": asked,
        "token": token,
        "values": values,
        "relations": _options(RELATIONS.items()),
        "frequencies": _options(FREQUENCIES.items()),
        "steps": steps(),
        "rating_field": rating_field,
    }


def _preview_page(asked: queries.Question, token: str, *, sent: bool = False) -> dict[str, object]:
    """The draft as it would be kept if it were signed now."""
    now = parts().clock.now()
    with parts().db.reading() as tx:
        organisation = verified_organisation_at(tx, asked.email)
    kept = keep_statement(
        asked.id,
        asked.case_number,
        asked.around,
        read_statement(asked.draft or {}, asked.outcomes, now.date()),
        asked.outcomes,
        typed_name=asked.supervisor,
        identity=identity_of(asked.email, organisation.name if organisation else ""),
        at=now,
    )
    sent_now = sent or request.args.get("sent") == "yes"
    return {"asked": asked, "token": token, "sent": sent_now, "shown": shown_statement(kept)}


def _receipt_page(given: queries.Witnessed, token: str) -> dict[str, object]:
    return {"given": given, "token": token, "shown": shown_statement(given.statement)}


def _options(words: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(str(value), _(text)) for value, text in words]
