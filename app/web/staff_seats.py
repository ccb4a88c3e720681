"""Choosing assessors, replacing one, settling what one declared."""

from typing import Literal
from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Text, again, parse
from app.web.staff_page import case_page
from storage.errors import InvalidInput
from storage.ids import AccountId, AssignmentId, CaseId
from storage.vocabulary import ConflictAnswer
from workflows.access.permissions import Permission
from workflows.assessment import commands
from workflows.assessment.allocation import candidates
from workflows.assessment.late import report_late_conflict
from workflows.assessment.rules import MIN_REASON
from workflows.cases.load import find_case
from workflows.decisions.queries import case_of_assignment

blueprint = Blueprint("seats", __name__)


class AllocationForm(Form):
    """Who is asked."""

    assessors: list[UUID]


class ThirdForm(Form):
    """Who is asked as the third."""

    assessors: UUID


class ReplaceForm(Form):
    """Who is asked instead, and why."""

    assessors: UUID
    why: Text = ""


class LateForm(Form):
    """A conflict that came up after scoring began."""

    answer: ConflictAnswer
    detail: Text = ""


class SettleForm(Form):
    """What becomes of a declared interest, and why."""

    verdict: Literal["clear", "exclude"]
    why: Text = ""


@blueprint.get("/cases/<uuid:case_id>/allocation")
@needs(Permission.ALLOCATE_ASSESSORS, of="case_id")
def allocation(case_id: UUID) -> str:
    """Everyone who could be asked, the least busy experts first."""
    context = _allocation_page(CaseId(case_id))
    return render_template("staff/allocation.html", **context, values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/allocation")
@needs(Permission.ALLOCATE_ASSESSORS, of="case_id")
def allocate(case_id: UUID) -> AnyResponse:
    """Ask those who were chosen."""
    try:
        chosen = [AccountId(one) for one in parse(AllocationForm).assessors]
        commands.allocate_assessors(parts().db, parts().site, actor(), CaseId(case_id), chosen)
    except InvalidInput as error:
        return again("staff/allocation.html", error, **_allocation_page(CaseId(case_id)))
    return hx.redirect("staff.assessment", _("They were asked by mail."), case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/third")
@needs(Permission.ALLOCATE_ASSESSORS, of="case_id")
def offer_third(case_id: UUID) -> AnyResponse:
    """Ask a third assessor."""
    try:
        chosen = AccountId(parse(ThirdForm).assessors)
        commands.offer_third_assessor(parts().db, parts().site, actor(), CaseId(case_id), chosen)
    except InvalidInput as error:
        return again("staff/allocation.html", error, **_allocation_page(CaseId(case_id)))
    return hx.redirect("staff.assessment", _("The third assessor was asked."), case_id=case_id)


@blueprint.get("/assignments/<uuid:assignment_id>/replace")
@needs(Permission.ALLOCATE_ASSESSORS, of="assignment_id")
def replacement(assignment_id: UUID) -> str:
    """Who could take somebody's place."""
    context = _place_page(AssignmentId(assignment_id))
    return render_template("staff/replace.html", **context, values={}, errors={})


@blueprint.post("/assignments/<uuid:assignment_id>/replace")
@needs(Permission.ALLOCATE_ASSESSORS, of="assignment_id")
def replace(assignment_id: UUID) -> AnyResponse:
    """Give a place to someone else."""
    place_id = AssignmentId(assignment_id)
    try:
        form = parse(ReplaceForm)
        chosen = AccountId(form.assessors)
        commands.replace_assessor(parts().db, parts().site, actor(), place_id, chosen, why=form.why)
    except InvalidInput as error:
        return again("staff/replace.html", error, **_place_page(place_id))
    return hx.redirect("staff.assessment", _("Someone else was asked."), case_id=_case_of(place_id))


@blueprint.get("/assignments/<uuid:assignment_id>/conflict")
@needs(Permission.SETTLE_CONFLICT, of="assignment_id")
def conflict(assignment_id: UUID) -> str:
    """What an assessor declared."""
    context = _place_page(AssignmentId(assignment_id))
    return render_template("staff/conflict.html", **context, values={}, errors={})


@blueprint.post("/assignments/<uuid:assignment_id>/conflict")
@needs(Permission.SETTLE_CONFLICT, of="assignment_id")
def settle(assignment_id: UUID) -> AnyResponse:
    """Say whether it stands in the way."""
    place_id = AssignmentId(assignment_id)
    try:
        form = parse(SettleForm)
        clear = form.verdict == "clear"
        commands.settle_conflict(
            parts().db, parts().site, actor(), place_id, clear=clear, why=form.why
        )
    except InvalidInput as error:
        return again("staff/conflict.html", error, **_place_page(place_id))
    notice = _("Settled. The assessor hears by mail.")
    return hx.redirect("staff.assessment", notice, case_id=_case_of(place_id))


@blueprint.get("/assignments/<uuid:assignment_id>/late")
@needs(Permission.SETTLE_CONFLICT, of="assignment_id")
def late(assignment_id: UUID) -> str:
    """What the coordinator came to know of an assessor who has begun to score."""
    context = _place_page(AssignmentId(assignment_id))
    return render_template("staff/late.html", **context, values={}, errors={})


@blueprint.post("/assignments/<uuid:assignment_id>/late")
@needs(Permission.SETTLE_CONFLICT, of="assignment_id")
def report_late(assignment_id: UUID) -> AnyResponse:
    """Mark the scores for review."""
    place_id = AssignmentId(assignment_id)
    try:
        form = parse(LateForm)
        report_late_conflict(parts().db, actor(), place_id, form.answer, detail=form.detail)
    except InvalidInput as error:
        return again("staff/late.html", error, **_place_page(place_id))
    notice = _("The scores wait. Settle now what becomes of them.")
    return hx.redirect("staff.seats.conflict", notice, assignment_id=assignment_id)


def _case_of(place_id: AssignmentId) -> CaseId:
    with parts().db.reading() as tx:
        return case_of_assignment(tx, place_id)


def _allocation_page(case_id: CaseId) -> dict[str, object]:
    with parts().db.reading() as tx:
        everyone = candidates(tx, find_case(tx, case_id))
    return {**case_page(case_id), "candidates": everyone, "least": MIN_REASON}


def _place_page(place_id: AssignmentId) -> dict[str, object]:
    return {**_allocation_page(_case_of(place_id)), "place_id": place_id}
