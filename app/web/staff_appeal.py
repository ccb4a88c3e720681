"""Receiving an appeal, appointing who answers it, and the answer."""

from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Text, again, parse
from app.web.staff_page import VersionForm, case_page
from storage.errors import InvalidInput, Problem
from storage.ids import AccountId, CaseId
from storage.vocabulary import AppealResult
from workflows.access.permissions import Permission
from workflows.decisions.appeal_answers import AppealAnswer, answer_appeal
from workflows.decisions.appeal_queries import appeal_desk, appeal_standing
from workflows.decisions.appeal_rules import GROUND_WORDS, MAX_WORDS, MIN_WORDS
from workflows.decisions.appeals import receive_appeal

blueprint = Blueprint("appeal", __name__)


class ReviewerForm(VersionForm):
    """Who is to answer it."""

    reviewer: UUID = UUID(int=0)


class AnswerForm(VersionForm):
    """What follows, and why."""

    answer: Text = ""
    result: AppealResult | None = None


@blueprint.get("/cases/<uuid:case_id>/appeal")
@needs(Permission.READ_APPEAL, of="case_id")
def page(case_id: UUID) -> str:
    """What is held against the decision, who answers it, and what came of it."""
    return render_template("staff/appeal.html", **_page(case_id), values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/appeal/reviewer")
@needs(Permission.RECEIVE_APPEAL, of="case_id")
def receive(case_id: UUID) -> AnyResponse:
    """Appoint who answers it."""
    try:
        form = parse(ReviewerForm)
        receive_appeal(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            AccountId(form.reviewer),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("staff/appeal.html", error, **_page(case_id))
    notice = _("Appointed. They, and the learner, are told by mail.")
    return hx.redirect("staff.appeal.page", notice, case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/appeal")
@needs(Permission.ANSWER_APPEAL, of="case_id")
def answer(case_id: UUID) -> AnyResponse:
    """Answer it."""
    try:
        form = parse(AnswerForm)
        answer_appeal(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            AppealAnswer(_chosen(form), form.answer),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("staff/appeal.html", error, **_page(case_id))
    notice = _("Answered. The learner reads it, and has a letter.")
    return hx.redirect("staff.case", notice, case_id=case_id)


def _chosen(form: AnswerForm) -> AppealResult:
    """What follows. Raises InvalidInput: nobody closes a case by pressing a button too early."""
    if form.result is None:
        problem = Problem("result", "Choose what follows.")
        raise InvalidInput("Nothing was answered.", problems=[problem])
    return form.result


def _page(case_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        standing = appeal_standing(tx, CaseId(case_id))
        desk = appeal_desk(tx, actor(), CaseId(case_id))
    return {
        **case_page(case_id),
        "standing": standing,
        "desk": desk,
        "grounds": GROUND_WORDS,
        "least": MIN_WORDS,
        "most": MAX_WORDS,
    }
