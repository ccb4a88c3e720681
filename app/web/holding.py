"""What holders do with their credentials: renew, take a transcript, keep their name out."""

from uuid import UUID

from flask import Blueprint, Response, make_response
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, parse
from storage.ids import CaseId, CredentialId
from workflows.access.permissions import Permission
from workflows.issuance.naming import ask_without_name, choose_name
from workflows.issuance.renewing import open_renewal
from workflows.issuance.transcript import make_transcript

blueprint = Blueprint("holding", __name__)


class NameForm(Form):
    """Whether the name stands in the credential."""

    name: Line = ""


@blueprint.post("/my/credentials/<uuid:credential_id>/renewal")
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def renew(credential_id: UUID) -> AnyResponse:
    """Open the case that renews a credential."""
    case_id = open_renewal(parts().db, actor(), CredentialId(credential_id))
    return hx.redirect(
        "learner.case", _("Your renewal is open. Add fresh evidence."), case_id=case_id
    )


@blueprint.post("/my/credentials/<uuid:credential_id>/without-name")
@needs(Permission.SHARE_CREDENTIAL, of="credential_id")
def without_name(credential_id: UUID) -> AnyResponse:
    """Ask for one's credential without the name."""
    ask_without_name(parts().db, actor(), CredentialId(credential_id))
    return hx.redirect("credentials.mine", _("The registrar was asked. You get a mail."))


@blueprint.post("/cases/<uuid:case_id>/name")
@needs(Permission.SHARE_CREDENTIAL, of="case_id")
def name(case_id: UUID) -> AnyResponse:
    """Choose whether the name shall stand in what a case earns."""
    in_clear = parse(NameForm).name != "hidden"
    choose_name(parts().db, actor(), CaseId(case_id), in_clear=in_clear)
    return hx.redirect("learner.case", _("Your choice is kept."), case_id=case_id, _anchor="name")


@blueprint.get("/my/credentials/transcript.json")
@needs(Permission.VIEW_OWN_CREDENTIALS)
def transcript() -> Response:
    """All one's credentials in force as one signed document."""
    response = make_response(make_transcript(parts().db, parts().issuer, actor()))
    response.mimetype = "application/vc"
    response.headers["Content-Disposition"] = 'attachment; filename="transcript.json"'
    response.headers["Cache-Control"] = "no-store"
    return response
