"""An assessor's pages: what is next, the declaration, the score sheet. Blind of everyone else."""

from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.assessor_rows import SheetPage, read_scores, sheet_drawing, sheet_page
from app.web.evidence_shown import films_of, looks_at
from app.web.forms import Form, Text, again, messages, parse
from storage.errors import InvalidInput, NotFound
from storage.ids import AccountId, AssignmentId, SheetId
from storage.vocabulary import AssignmentState, ConflictAnswer
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS
from workflows.assessment import commands, scoring
from workflows.assessment.late import declare_late
from workflows.assessment.queries import SheetView, assignment_brief, places_of, sheet_view
from workflows.assessment.rules import MAX_TEXT, MIN_REASON

blueprint = Blueprint("assessor", __name__, url_prefix="/assessor")


class DeclareForm(Form):
    """Whether there is a conflict of interest, and which."""

    answer: ConflictAnswer
    detail: Text = ""


class DeclineForm(Form):
    """Why a place is given back."""

    reason: Text = ""


class FinaliseForm(Form):
    """The sheet as it was looked at."""

    version: int | None = None


@blueprint.get("")
@needs(Permission.LIST_ASSIGNMENTS)
def home() -> str:
    """All of one's places, what is to be done first."""
    account_id = actor().account_id
    if account_id is None:
        raise NotFound(NOT_YOURS)
    with parts().db.reading() as tx:
        places = places_of(tx, AccountId(account_id))
    return render_template("assessor/home.html", places=places)


@blueprint.get("/assignments/<uuid:assignment_id>")
@needs(Permission.DECLARE_CONFLICT, of="assignment_id")
def place(assignment_id: UUID) -> AnyResponse:
    """The names, and the question about interests; once cleared, on to the sheet."""
    context = _place_page(assignment_id)
    return make_response(render_template("assessor/place.html", **context, values={}, errors={}))


@blueprint.post("/assignments/<uuid:assignment_id>/declare")
@needs(Permission.DECLARE_CONFLICT, of="assignment_id")
def declare(assignment_id: UUID) -> AnyResponse:
    """Declare, and go where that leads."""
    try:
        form = parse(DeclareForm)
        state = commands.declare_conflict(
            parts().db,
            parts().site,
            actor(),
            AssignmentId(assignment_id),
            form.answer,
            detail=form.detail,
        )
    except InvalidInput as error:
        return again("assessor/place.html", error, **_place_page(assignment_id))
    if state is AssignmentState.EXCLUDED:
        return hx.redirect("assessor.home", _("Thank you for saying so. Someone else scores it."))
    if state is AssignmentState.DECLARED:
        return hx.redirect("assessor.home", _("The coordinator looks at it and writes to you."))
    with parts().db.reading() as tx:
        sheet_id = assignment_brief(tx, actor(), AssignmentId(assignment_id)).sheet_id
    return hx.redirect("assessor.sheet", _("Your score sheet is open."), sheet_id=sheet_id)


@blueprint.post("/assignments/<uuid:assignment_id>/late")
@needs(Permission.DECLARE_CONFLICT, of="assignment_id")
def late(assignment_id: UUID) -> AnyResponse:
    """Declare a conflict after all; the scores wait and are kept."""
    try:
        form = parse(DeclareForm)
        declare_late(
            parts().db,
            parts().site,
            actor(),
            AssignmentId(assignment_id),
            form.answer,
            detail=form.detail,
        )
    except InvalidInput as error:
        return again("assessor/place.html", error, **_place_page(assignment_id))
    notice = _("Thank you for saying so. Your scores are kept; the coordinator looks at it.")
    return hx.redirect("assessor.home", notice)


@blueprint.post("/assignments/<uuid:assignment_id>/decline")
@needs(Permission.DECLARE_CONFLICT, of="assignment_id")
def decline(assignment_id: UUID) -> AnyResponse:
    """Give a place back."""
    try:
        reason = parse(DeclineForm).reason
        commands.decline_assignment(
            parts().db, parts().site, actor(), AssignmentId(assignment_id), reason
        )
    except InvalidInput as error:
        return again("assessor/place.html", error, **_place_page(assignment_id))
    return hx.redirect("assessor.home", _("You gave the case back. The coordinator is told."))


@blueprint.get("/sheets/<uuid:sheet_id>")
@needs(Permission.SCORE_CASE, of="sheet_id")
def sheet(sheet_id: UUID) -> str:
    """One outcome of the sheet at a time: its evidence beside its rubric."""
    page = sheet_page(_sheet(sheet_id), request.args.get("outcome", ""))
    return _shown(page, {})


@blueprint.post("/sheets/<uuid:sheet_id>")
@needs(Permission.SCORE_CASE, of="sheet_id")
def save(sheet_id: UUID) -> AnyResponse:
    """Keep what is on the page: all the time by itself, or when the button is pressed."""
    here = request.args.get("outcome", "")
    try:
        entries = read_scores(request.form)
        scoring.save_scores(parts().db, actor(), SheetId(sheet_id), entries)
    except InvalidInput as error:
        return _not_kept(error, sheet_page(_sheet(sheet_id), here))
    page = sheet_page(_sheet(sheet_id), here)
    if hx.is_partial():
        context = {"page": page, "at": parts().clock.now()}
        return make_response(render_template("assessor/_saved.html", **context))
    if request.form.get("then") == "stay":
        return hx.redirect("assessor.sheet", _("Saved."), sheet_id=sheet_id, outcome=here or None)
    if page.next_code is None:
        return hx.redirect("assessor.check", _("Saved."), sheet_id=sheet_id)
    return hx.redirect("assessor.sheet", _("Saved."), sheet_id=sheet_id, outcome=page.next_code)


@blueprint.get("/sheets/<uuid:sheet_id>/check")
@needs(Permission.SCORE_CASE, of="sheet_id")
def check(sheet_id: UUID) -> str:
    """Everything that was scored, to be read once more before it is final."""
    return render_template("assessor/check.html", **_check_page(sheet_id), errors={})


@blueprint.post("/sheets/<uuid:sheet_id>/final")
@needs(Permission.SCORE_CASE, of="sheet_id")
def finalise(sheet_id: UUID) -> AnyResponse:
    """Make the sheet final."""
    try:
        version = parse(FinaliseForm).version
        scoring.finalise_sheet(parts().db, actor(), SheetId(sheet_id), expected_version=version)
    except InvalidInput as error:
        return again("assessor/check.html", error, **_check_page(sheet_id))
    return hx.redirect("assessor.home", _("Your sheet is final. Thank you for reading so closely."))


def _place_page(assignment_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        return {"brief": assignment_brief(tx, actor(), AssignmentId(assignment_id))}


def _sheet(sheet_id: UUID) -> SheetView:
    with parts().db.reading() as tx:
        return sheet_view(tx, actor(), SheetId(sheet_id))


def _check_page(sheet_id: UUID) -> dict[str, object]:
    view = _sheet(sheet_id)
    left = {code: _(problem.message, **problem.params) for code, problem in view.problems.items()}
    return {"sheet": view, "left": left, "least": MIN_REASON, "matrix": sheet_drawing(view)}


def _not_kept(error: InvalidInput, page: SheetPage) -> Response:
    found = messages(error)
    if hx.is_partial():
        words = " ".join(found.values())
        return make_response(render_template("assessor/_not_saved.html", words=words), error.status)
    page = page.with_typed(read_scores(request.form))
    return make_response(_shown(page, found), error.status)


def _shown(page: SheetPage, errors: dict[str, str]) -> str:
    """The page of one outcome, with its recordings ready to be played beside the rubric."""
    here = page.here
    with parts().db.reading() as tx:
        looks = looks_at(tx, here.evidence)
        films = films_of(tx, actor(), page.sheet, here.evidence, here.outcome.code)
    return render_template(
        "assessor/sheet.html",
        page=page,
        most=MAX_TEXT,
        errors=errors,
        looks=looks,
        films=films,
        outcomes=[one.outcome for one in page.sheet.outcomes],
    )
