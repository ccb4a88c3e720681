"""A learner appeals the decision on their case, sees where the appeal stands, takes it back."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Text, again, parse
from storage.errors import InvalidInput, Problem
from storage.ids import CaseId, OutcomeCode
from storage.vocabulary import AppealGround
from workflows.access.permissions import Permission
from workflows.cases.queries import case_view
from workflows.decisions.appeal_queries import appeal_standing
from workflows.decisions.appeal_rules import GROUND_WORDS, MAX_WORDS, MIN_WORDS
from workflows.decisions.appeals import AppealRequest, appeal_case, take_back_appeal
from workflows.decisions.results import result_for_learner

blueprint = Blueprint("appeal", __name__)


class AppealForm(Form):
    """What stands once in the form; the ground is per outcome."""

    reason: Text = ""
    version: int | None = None


class VersionForm(Form):
    """The case as it was looked at."""

    version: int | None = None


@blueprint.get("/cases/<uuid:case_id>/appeal")
@needs(Permission.APPEAL_CASE, of="case_id")
def page(case_id: UUID) -> str:
    """What an appeal is, until when it can be made, and what came of one."""
    return render_template("learner/appeal.html", **_page(case_id), values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/appeal")
@needs(Permission.APPEAL_CASE, of="case_id")
def ask(case_id: UUID) -> AnyResponse:
    """Appeal."""
    context = _page(case_id)
    try:
        form = parse(AppealForm)
        appeal_case(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            AppealRequest(_points(), form.reason),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("learner/appeal.html", error, **context)
    notice = _("We have your appeal. You hear from us by mail.")
    return hx.redirect("appeal.page", notice, case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/appeal/back")
@needs(Permission.APPEAL_CASE, of="case_id")
def take_back(case_id: UUID) -> AnyResponse:
    """Take it back."""
    version = parse(VersionForm).version
    take_back_appeal(parts().db, parts().site, actor(), CaseId(case_id), expected_version=version)
    return hx.redirect(
        "learner.case", _("Taken back. The decision stays as it is."), case_id=case_id
    )


def _points() -> dict[OutcomeCode, AppealGround]:
    """The ground chosen for each outcome, those without one left out. Raises InvalidInput."""
    chosen = {
        OutcomeCode(name.removeprefix("ground-")): value
        for name, value in request.form.items()
        if name.startswith("ground-") and value
    }
    if set(chosen.values()) - set(AppealGround):
        problem = Problem("outcomes", "Choose what was wrong from the list.")
        raise InvalidInput("Nothing was changed.", problems=[problem])
    return {code: AppealGround(value) for code, value in chosen.items()}


def _page(case_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        return {
            "case": case_view(tx, CaseId(case_id)),
            "standing": appeal_standing(tx, CaseId(case_id)),
            "result": result_for_learner(tx, CaseId(case_id)),
            "grounds": GROUND_WORDS,
            "least": MIN_WORDS,
            "most": MAX_WORDS,
        }
