"""The registrar's side of credentials: the register, each one's record, what may be done to it."""

from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, again, asked_page, parse
from storage.errors import InvalidInput, NotFound
from storage.ids import CredentialId, InstitutionId
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS
from workflows.issuance.commands import change_and_publish
from workflows.issuance.correcting import Correction, correct_credential
from workflows.issuance.naming import asked_unnamed
from workflows.issuance.queries import credentials_of
from workflows.issuance.record import CredentialRecord, record_of
from workflows.issuance.rules import CHANGES, REASONS, Reason

blueprint = Blueprint("registrar", __name__, url_prefix="/staff/credentials")

ACTS = {
    "suspend": "suspend_credential",
    "lift": "unsuspend_credential",
    "revoke": "revoke_credential",
}
ACT = "any(suspend, lift, revoke):act"


class StatusForm(Form):
    """Why the status changes: for everyone, and for staff alone."""

    reason: Line = ""
    note: Text = ""


class CorrectionForm(Form):
    """What is to be right from now on."""

    name: Line = ""
    note: Text = ""


@blueprint.get("")
@needs(Permission.LIST_CREDENTIALS)
def register() -> str:
    """All credentials of the institution."""
    page = asked_page()
    with parts().db.reading() as tx:
        lines, more = credentials_of(tx, own_institution(), page)
        asked = asked_unnamed(tx, own_institution())
    return render_template(
        "registrar/register.html",
        lines=lines,
        page=page,
        more=more,
        may_open=Role.REGISTRAR in actor().roles,
        asked=asked,
    )


@blueprint.get("/<uuid:credential_id>")
@needs(Permission.CHANGE_CREDENTIAL_STATUS, of="credential_id")
def record(credential_id: UUID) -> str:
    """One credential with its history, and what can be done."""
    return render_template("registrar/record.html", record=_record(credential_id))


@blueprint.get(f"/<uuid:credential_id>/<{ACT}>")
@needs(Permission.CHANGE_CREDENTIAL_STATUS, of="credential_id")
def status(credential_id: UUID, act: str) -> str:
    """Ask for the public reason and the private note of an act."""
    page = _status_page(credential_id, act)
    return render_template("registrar/status.html", **page, values={}, errors={})


@blueprint.post(f"/<uuid:credential_id>/<{ACT}>")
@needs(Permission.CHANGE_CREDENTIAL_STATUS, of="credential_id")
def change_status(credential_id: UUID, act: str) -> AnyResponse:
    """Suspend, lift the suspension, or revoke."""
    try:
        form = parse(StatusForm)
        change_and_publish(
            parts().db,
            parts().issuer,
            actor(),
            CredentialId(credential_id),
            act=ACTS[act],
            reason=form.reason,
            note=form.note,
        )
    except InvalidInput as error:
        return again("registrar/status.html", error, **_status_page(credential_id, act))
    notice = _("Done. Checks say so from now on, and the learner is told.")
    return hx.redirect("registrar.record", notice, credential_id=credential_id)


@blueprint.get("/<uuid:credential_id>/correct")
@needs(Permission.CHANGE_CREDENTIAL_STATUS, of="credential_id")
def correction(credential_id: UUID) -> str:
    """Ask what is to be right from now on."""
    record = _record(credential_id)
    return render_template(
        "registrar/correct.html", record=record, values={"name": record.learner}, errors={}
    )


@blueprint.post("/<uuid:credential_id>/correct")
@needs(Permission.CHANGE_CREDENTIAL_STATUS, of="credential_id")
def correct(credential_id: UUID) -> AnyResponse:
    """Have it replaced by a corrected one."""
    try:
        form = parse(CorrectionForm)
        new = correct_credential(
            parts().db,
            parts().issuer,
            actor(),
            CredentialId(credential_id),
            Correction(form.name, form.note),
        )
    except InvalidInput as error:
        return again("registrar/correct.html", error, record=_record(credential_id))
    notice = _("The corrected credential is being signed. Then it takes the place of the old one.")
    return hx.redirect("registrar.record", notice, credential_id=new)


def own_institution() -> InstitutionId:
    """The institution at which one has a role. Raises NotFound."""
    institution_id = actor().institution_id
    if institution_id is None:
        raise NotFound(NOT_YOURS)
    return institution_id


def _record(credential_id: UUID) -> CredentialRecord:
    with parts().db.reading() as tx:
        return record_of(tx, CredentialId(credential_id))


def _status_page(credential_id: UUID, act: str) -> dict[str, object]:
    record = _record(credential_id)
    offered = [
        one for one in CHANGES[ACTS[act]].reasons if record.appealed or one is not Reason.APPEAL
    ]
    reasons = [(one.value, _(REASONS[one])) for one in offered]
    possible = ACTS[act] in record.acts
    return {"record": record, "act": act, "reasons": reasons, "possible": possible}
