"""Evidence on its way in by the plain form, for small files and browsers without JavaScript.

Scripts and programs use the API (`app/api/rest.py`): their bytes go straight to the store.
"""

from uuid import UUID

from flask import Blueprint, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.security import accepts_up_to
from storage.errors import InvalidInput, Problem
from storage.ids import CaseId
from storage.vocabulary import EvidenceKind
from workflows.access.permissions import Permission
from workflows.evidence.rules import Announcement
from workflows.evidence.small_files import SMALL_FILE, upload_small

blueprint = Blueprint("uploads", __name__)

FORM_OVERHEAD = 100_000


@blueprint.post("/cases/<uuid:case_id>/evidence")
@needs(Permission.ADD_EVIDENCE, of="case_id")
@accepts_up_to(SMALL_FILE + FORM_OVERHEAD)
def send_small(case_id: UUID) -> AnyResponse:
    """Take a small file from the form, for browsers without JavaScript."""
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        problem = Problem("file", "Choose a file first.")
        raise InvalidInput("No file arrived.", problems=[problem])
    if len(files) > 1:
        problem = Problem("file", "Without JavaScript, send one file at a time.")
        raise InvalidInput("None of these files was taken.", problems=[problem])
    file = files[0]
    item_id = upload_small(
        parts().db,
        parts().vault,
        actor(),
        CaseId(case_id),
        file.stream,
        announced=Announcement(file.filename or "", 0, file.mimetype, kind=_chosen_kind()),
        limits=parts().limits,
    )
    notice = _("The file has arrived and is being checked. Say meanwhile what it shows.")
    return hx.redirect("evidence.page", notice, item_id=item_id)


def _chosen_kind() -> EvidenceKind | None:
    chosen = request.form.get("kind", "")
    return EvidenceKind(chosen) if chosen in list(EvidenceKind) else None
