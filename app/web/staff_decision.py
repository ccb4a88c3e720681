"""Deciding a case, and the second key."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Text, again, parse
from app.web.staff_page import VersionForm, case_page
from app.web.staff_rows import OPTIONS, read_choices, read_plan
from storage.errors import InvalidInput
from storage.ids import CaseId
from workflows.access.permissions import Permission
from workflows.decisions import commands
from workflows.decisions.queries import staff_case
from workflows.decisions.rules import MIN_WORDS

blueprint = Blueprint("decision", __name__)


class DecisionForm(VersionForm):
    """What stands once in the form; the rest is per outcome."""

    summary: Text = ""


@blueprint.get("/cases/<uuid:case_id>/decision")
@needs(Permission.DECIDE_CASE, of="case_id")
def decision(case_id: UUID) -> str:
    """Outcome by outcome, with what each decision rests on."""
    context = _decision_page(case_id)
    return render_template("staff/decision.html", **context, values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/decision")
@needs(Permission.DECIDE_CASE, of="case_id")
def decide(case_id: UUID) -> AnyResponse:
    """Decide."""
    try:
        form = parse(DecisionForm)
        with parts().db.reading() as tx:
            outcomes = staff_case(tx, actor(), CaseId(case_id)).outcomes
        commands.decide_case(
            parts().db,
            actor(),
            CaseId(case_id),
            read_choices(outcomes, request.form),
            summary=form.summary,
            gap_plan=read_plan(outcomes, request.form),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("staff/decision.html", error, **_decision_page(case_id))
    notice = _("Decided. The registrar reads it and turns the second key.")
    return hx.redirect("staff.case", notice, case_id=case_id)


@blueprint.get("/cases/<uuid:case_id>/release")
@needs(Permission.RELEASE_CASE, of="case_id")
def release(case_id: UUID) -> str:
    """What the learner will read, and what the credential will say."""
    return render_template("staff/release.html", **case_page(case_id))


@blueprint.post("/cases/<uuid:case_id>/release")
@needs(Permission.RELEASE_CASE, of="case_id")
def turn_second_key(case_id: UUID) -> AnyResponse:
    """Release."""
    version = parse(VersionForm).version
    earned = commands.release_case(
        parts().db, parts().site, actor(), CaseId(case_id), expected_version=version
    )
    notice = (
        _("Released. The credential is being signed, and the learner is told.")
        if earned
        else _("Released. The learner is told, and has the statement and the plan.")
    )
    return hx.redirect("staff.case", notice, case_id=case_id)


def _decision_page(case_id: UUID) -> dict[str, object]:
    return {**case_page(case_id), "least": MIN_WORDS, "option_numbers": OPTIONS}
