"""Overrides of conflicts of interest: the page of all, proposing one, turning the second key."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Text, again, parse
from app.web.staff_page import case_page
from storage.errors import InvalidInput
from storage.ids import AccountId, CaseId
from storage.vocabulary import OverrideAnswer
from workflows.access.permissions import Permission
from workflows.assessment import overrides
from workflows.assessment.rules import MIN_REASON
from workflows.cases.load import find_case

blueprint = Blueprint("overrides", __name__, url_prefix="/staff")


class ProposalForm(Form):
    """Who should assess in spite of a conflict, and why."""

    assessor: UUID
    why: Text = ""


class AnswerForm(Form):
    """What the second person says."""

    answer: OverrideAnswer
    why: Text = ""


@blueprint.get("/overrides")
@needs(Permission.LIST_OVERRIDES)
def home() -> str:
    """All overrides, those that wait first."""
    with parts().db.reading() as tx:
        rows = overrides.overrides(tx, actor())
    return render_template("staff/overrides.html", rows=rows)


@blueprint.get("/cases/<uuid:case_id>/overrides/new")
@needs(Permission.PROPOSE_OVERRIDE, of="case_id")
def new(case_id: UUID) -> str:
    """Those whom only a conflict keeps from the case."""
    values = {"assessor": request.args.get("assessor", "")}
    page = _proposal_page(case_id)
    return render_template("staff/override_new.html", **page, values=values, errors={})


@blueprint.post("/cases/<uuid:case_id>/overrides/new")
@needs(Permission.PROPOSE_OVERRIDE, of="case_id")
def propose(case_id: UUID) -> AnyResponse:
    """Turn the first key."""
    try:
        form = parse(ProposalForm)
        chosen = AccountId(form.assessor)
        row_id = overrides.propose_override(
            parts().db, actor(), CaseId(case_id), chosen, why=form.why
        )
    except InvalidInput as error:
        return again("staff/override_new.html", error, **_proposal_page(case_id))
    notice = _("Proposed. It waits for a second person.")
    return hx.redirect("overrides.page", notice, case_id=case_id, override_id=row_id)


@blueprint.get("/cases/<uuid:case_id>/overrides/<uuid:override_id>")
@needs(Permission.READ_OVERRIDE, of="case_id")
def page(case_id: UUID, override_id: UUID) -> str:
    """One override, and its second key for who has it."""
    shown = _page(case_id, override_id)
    return render_template("staff/override.html", **shown, values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/overrides/<uuid:override_id>")
@needs(Permission.ANSWER_OVERRIDE, of="case_id")
def answer(case_id: UUID, override_id: UUID) -> AnyResponse:
    """Turn the second key, or refuse."""
    try:
        form = parse(AnswerForm)
        overrides.answer_override(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            override_id,
            answer=form.answer,
            why=form.why,
        )
    except InvalidInput as error:
        return again("staff/override.html", error, **_page(case_id, override_id))
    notice = _("Answered. Who proposed it hears by mail.")
    return hx.redirect("overrides.page", notice, case_id=case_id, override_id=override_id)


def _proposal_page(case_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        barred = overrides.barred(tx, find_case(tx, CaseId(case_id)))
    return {**case_page(case_id), "barred": barred, "least": MIN_REASON}


def _page(case_id: UUID, override_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        row = overrides.override_of(tx, actor(), CaseId(case_id), override_id)
    return {"row": row, "least": MIN_REASON}
