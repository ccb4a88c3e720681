"""Settling where scores differ. The old scores stay in view, and the moderator signs."""

from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, again, parse
from app.web.staff_page import VersionForm, case_page
from storage.errors import InvalidInput, Problem
from storage.ids import CaseId, CriterionCode
from workflows.access.permissions import Permission
from workflows.assessment import moderation as commands

blueprint = Blueprint("moderation", __name__)
NOT_ASSESSED = "not_assessed"


class SettleForm(Form):
    """The level that a criterion is settled on, and why."""

    level: Line = ""
    why: Text = ""


class ThirdForm(Form):
    """What the third assessor is to score, and why."""

    criteria: list[Line]
    why: Text = ""
    version: int | None = None


@blueprint.get("/cases/<uuid:case_id>/moderation")
@needs(Permission.MODERATE_CASE, of="case_id")
def page(case_id: UUID) -> str:
    """Every criterion that is up for discussion, with its scores and their reasons."""
    context = case_page(case_id)
    return render_template("staff/moderation.html", **context, values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/moderation/criteria/<code>")
@needs(Permission.MODERATE_CASE, of="case_id")
def settle_criterion(case_id: UUID, code: str) -> AnyResponse:
    """Settle one criterion."""
    try:
        form = parse(SettleForm)
        commands.settle_discussion(
            parts().db,
            actor(),
            CaseId(case_id),
            CriterionCode(code),
            _level(form.level),
            why=form.why,
        )
    except InvalidInput as error:
        return again("staff/moderation.html", error, **case_page(case_id), at=code)
    return hx.redirect("staff.moderation.page", _("Settled."), case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/moderation/third")
@needs(Permission.MODERATE_CASE, of="case_id")
def ask_third(case_id: UUID) -> AnyResponse:
    """Send what cannot be settled to a third assessor."""
    try:
        form = parse(ThirdForm)
        codes = [CriterionCode(code) for code in form.criteria]
        commands.ask_third_assessor(
            parts().db,
            actor(),
            CaseId(case_id),
            codes,
            form.why,
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("staff/moderation.html", error, **case_page(case_id), at="third")
    notice = _("Back in assessment: the coordinator asks a third assessor.")
    return hx.redirect("staff.case", notice, case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/moderation/conclude")
@needs(Permission.MODERATE_CASE, of="case_id")
def conclude(case_id: UUID) -> AnyResponse:
    """Sign the moderation."""
    version = parse(VersionForm).version
    commands.conclude_moderation(parts().db, actor(), CaseId(case_id), expected_version=version)
    return hx.redirect("staff.case", _("Signed. The case goes to its decision."), case_id=case_id)


def _level(chosen: str) -> int | None:
    if chosen == NOT_ASSESSED:
        return None
    if not (chosen.isascii() and chosen.isdigit()):
        problem = Problem("level", "Please answer this.")
        raise InvalidInput("Nothing was settled.", problems=[problem])
    return int(chosen[:3])
