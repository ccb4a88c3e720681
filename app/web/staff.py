"""Staff's lists and the pages of one case; screening. The acts on it have modules of their own."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx, staff_appeal, staff_decision, staff_moderation, staff_seats
from app.web.access import actor, needs, parts
from app.web.forms import Text, again, asked_page, parse
from app.web.staff_page import VersionForm, case_page
from storage.errors import InvalidInput
from storage.ids import CaseId
from storage.vocabulary import CaseState
from workflows.access.permissions import Permission
from workflows.attestations.queries import witnessed
from workflows.attestations.rules import FLAGS
from workflows.cases import commands, queries
from workflows.decisions.worklist import staff_cases, staff_home

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
for acts in (staff_seats, staff_moderation, staff_decision, staff_appeal):
    blueprint.register_blueprint(acts.blueprint)


class ReturnForm(VersionForm):
    """What the learner is asked for."""

    note: Text = ""


@blueprint.get("")
@needs(Permission.LIST_CASES)
def home() -> str:
    """What is next for one, and what is late."""
    with parts().db.reading() as tx:
        shown = staff_home(tx, actor())
    return render_template("staff/home.html", home=shown)


@blueprint.get("/cases")
@needs(Permission.LIST_CASES)
def cases() -> str:
    """All open cases, or those in one state."""
    wanted = request.args.get("state", "")
    state = CaseState(wanted) if wanted in list(CaseState) else None
    with parts().db.reading() as tx:
        shown = staff_cases(tx, actor(), state, asked_page())
    return render_template("staff/cases.html", shown=shown, state=state, states=list(CaseState))


@blueprint.get("/cases/<uuid:case_id>")
@needs(Permission.VIEW_AGREEMENT, of="case_id")
def case(case_id: UUID) -> str:
    """How the case stands, and what is next."""
    return render_template("staff/case.html", **case_page(case_id))


@blueprint.get("/cases/<uuid:case_id>/evidence")
@needs(Permission.VIEW_AGREEMENT, of="case_id")
def evidence(case_id: UUID) -> str:
    """What was submitted, and how each outcome stands by it."""
    with parts().db.reading() as tx:
        given = witnessed(tx, CaseId(case_id))
    flags = {one.item_id: [_(FLAGS[flag]) for flag in one.flags] for one in given}
    return render_template("staff/evidence.html", **case_page(case_id), flags=flags)


@blueprint.get("/cases/<uuid:case_id>/assessment")
@needs(Permission.VIEW_AGREEMENT, of="case_id")
def assessment(case_id: UUID) -> str:
    """Who assesses, what they declared, and what the scores came to."""
    return render_template("staff/assessment.html", **case_page(case_id))


@blueprint.get("/cases/<uuid:case_id>/history")
@needs(Permission.VIEW_CASE_HISTORY, of="case_id")
def history(case_id: UUID) -> str:
    """Everything that was done on the case."""
    with parts().db.reading() as tx:
        lines = queries.history(tx, CaseId(case_id))
    return render_template("staff/history.html", **case_page(case_id), history=lines)


@blueprint.get("/cases/<uuid:case_id>/screening")
@needs(Permission.SCREEN_CASE, of="case_id")
def screening(case_id: UUID) -> str:
    """Whether everything is there: accept, or return with a note."""
    return render_template("staff/screening.html", **case_page(case_id), values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/screening/begin")
@needs(Permission.SCREEN_CASE, of="case_id")
def begin_screening(case_id: UUID) -> AnyResponse:
    """Take a submitted case in hand."""
    version = parse(VersionForm).version
    commands.begin_screening(parts().db, actor(), CaseId(case_id), expected_version=version)
    return hx.redirect("staff.screening", case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/screening/accept")
@needs(Permission.SCREEN_CASE, of="case_id")
def accept(case_id: UUID) -> AnyResponse:
    """Let it go to assessment."""
    version = parse(VersionForm).version
    commands.accept_for_assessment(parts().db, actor(), CaseId(case_id), expected_version=version)
    notice = _("Accepted for assessment. Choose its assessors.")
    return hx.redirect("staff.seats.allocation", notice, case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/screening/return")
@needs(Permission.SCREEN_CASE, of="case_id")
def return_case(case_id: UUID) -> AnyResponse:
    """Give it back to the learner, saying what is asked for."""
    try:
        form = parse(ReturnForm)
        commands.return_case(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            form.note,
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("staff/screening.html", error, **case_page(case_id))
    return hx.redirect("staff.case", _("Returned. The learner has your note."), case_id=case_id)
