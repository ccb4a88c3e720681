"""The page on which a learner records evidence with the device's own camera, microphone or screen.

It is the only page that browsers let near them. What is recorded goes the way of all uploads.
"""

from uuid import UUID

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import needs, parts
from app.web.security import uses_devices
from storage.ids import CaseId
from workflows.access.permissions import Permission
from workflows.cases.queries import case_view
from workflows.cases.states import EDITABLE
from workflows.evidence.queries import case_items

blueprint = Blueprint("recording", __name__)


@blueprint.get("/cases/<uuid:case_id>/record")
@needs(Permission.ADD_EVIDENCE, of="case_id")
@uses_devices
def page(case_id: UUID) -> str | AnyResponse:
    """Record, and finish recordings that were begun; a submitted case takes none."""
    with parts().db.reading() as tx:
        case = case_view(tx, CaseId(case_id))
        items = case_items(tx, CaseId(case_id))
    if case.state not in EDITABLE:
        return hx.redirect("learner.case", case_id=case_id)
    begun = [item for item in items if item.unfinished and item.upload.open_ended]
    return render_template("learner/evidence/record.html", case=case, begun=begun)
