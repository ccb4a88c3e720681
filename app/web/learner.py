"""A learner's pages: their cases, self-assessment, submission, and what came of it."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts, resource
from app.web.coverage_rows import coverage_rows, drawing
from app.web.forms import Form, Line, Text, again, parse
from app.web.learner_rows import RATING, rating_rows, stepper
from app.web.statement_rows import asked_rows
from storage.database import Transaction
from storage.errors import InvalidInput, NotFound
from storage.ids import AccountId, CaseId, DefinitionId
from workflows.access.permissions import Permission
from workflows.access.rules import may
from workflows.assessment.evidence import submitted
from workflows.attestations.queries import attestations_of
from workflows.cases import commands, queries
from workflows.cases.load import find_case
from workflows.cases.overview import learner_overview, step_of_case
from workflows.cases.queries import CaseView
from workflows.cases.rules import Declaration
from workflows.cases.states import EDITABLE, transition
from workflows.decisions.appeal_queries import appeal_standing
from workflows.decisions.results import result_for_learner
from workflows.evidence.coverage import CoverageStatus
from workflows.evidence.queries import ItemRow, case_items
from workflows.issuance.naming import name_choice
from workflows.looking.queries import looks_of

blueprint = Blueprint("learner", __name__)

LEVELS = frozenset(str(value) for value in range(1, 21))
NO_LEVEL = -1


class SubmitForm(Form):
    """The declaration, signed."""

    agreed: bool = False
    signed_name: Line = ""
    with_gaps: bool = False
    version: int | None = None


class WithdrawForm(Form):
    """Why a learner withdraws, if they say."""

    why: Text = ""
    version: int | None = None


@blueprint.get("/my")
@needs(Permission.OPEN_CASE)
def home() -> str:
    """All of one's cases, each with what is next."""
    who = actor()
    with parts().db.reading() as tx:
        cards = learner_overview(tx, _own_id(), tx.now.date())
    return render_template("learner/home.html", cases=cards, first_name=who.name.split(" ")[0])


@blueprint.post("/cases/open/<uuid:definition_id>")
@needs(Permission.OPEN_CASE)
def open_case(definition_id: UUID) -> AnyResponse:
    """Open a case for a credential definition."""
    case_id = commands.open_case(parts().db, actor(), DefinitionId(definition_id))
    return hx.redirect("learner.rating", _("Your case is open."), case_id=case_id)


@blueprint.get("/cases/<uuid:case_id>")
@needs(Permission.EDIT_CASE, of="case_id")
def case(case_id: UUID) -> str:
    """The case: what is next, evidence, coverage, history, and what was decided."""
    return render_template("learner/case.html", **_case_page(CaseId(case_id)))


@blueprint.get("/cases/<uuid:case_id>/next")
@needs(Permission.EDIT_CASE, of="case_id")
def next_step(case_id: UUID) -> str:
    """What is next, for the case's page to show anew when an item has come or was checked."""
    with parts().db.reading() as tx:
        context = {
            "case": queries.case_view(tx, CaseId(case_id)),
            "step": step_of_case(tx, CaseId(case_id), tx.now.date()),
            "result": result_for_learner(tx, CaseId(case_id)),
        }
    return render_template("learner/_next.html", **context)


@blueprint.get("/cases/<uuid:case_id>/rating")
@needs(Permission.EDIT_CASE, of="case_id")
def rating(case_id: UUID) -> str:
    """The self-assessment."""
    with parts().db.reading() as tx:
        view = queries.case_view(tx, CaseId(case_id))
        ratings = queries.self_ratings(tx, CaseId(case_id))
    rows = rating_rows(view, ratings)
    return render_template("learner/self_assessment.html", case=view, rows=rows, errors={})


@blueprint.post("/cases/<uuid:case_id>/rating")
@needs(Permission.EDIT_CASE, of="case_id")
def rate(case_id: UUID) -> AnyResponse:
    """Keep the self-assessment."""
    ratings = {
        name.removeprefix(RATING): int(value) if value in LEVELS else NO_LEVEL
        for name, value in request.form.items()
        if name.startswith(RATING) and value.strip()
    }
    commands.rate_self(parts().db, actor(), CaseId(case_id), ratings)
    return hx.redirect("learner.case", _("Your self-assessment is kept."), case_id=case_id)


@blueprint.get("/cases/<uuid:case_id>/submit")
@needs(Permission.SUBMIT_CASE, of="case_id")
def review(case_id: UUID) -> str:
    """What would be submitted, and the declaration to sign."""
    context = _submit_page(CaseId(case_id))
    return render_template("learner/submit.html", **context, values={}, errors={})


@blueprint.post("/cases/<uuid:case_id>/submit")
@needs(Permission.SUBMIT_CASE, of="case_id")
def submit(case_id: UUID) -> AnyResponse:
    """Sign and submit."""
    try:
        form = parse(SubmitForm)
        digest = commands.submit_case(
            parts().db,
            parts().site,
            actor(),
            CaseId(case_id),
            Declaration(form.agreed, form.signed_name, form.with_gaps),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return again("learner/submit.html", error, **_submit_page(CaseId(case_id)))
    notice = _("Submitted. The digest of your submission is %(digest)s.", digest=digest[:16])
    return hx.redirect("learner.case", notice, case_id=case_id)


@blueprint.get("/cases/<uuid:case_id>/withdraw")
@needs(Permission.WITHDRAW_CASE, of="case_id")
def ask_withdrawal(case_id: UUID) -> str:
    """Ask once more before a case is withdrawn."""
    with parts().db.reading() as tx:
        view = queries.case_view(tx, CaseId(case_id))
    return render_template("learner/withdraw.html", case=view)


@blueprint.post("/cases/<uuid:case_id>/withdraw")
@needs(Permission.WITHDRAW_CASE, of="case_id")
def withdraw(case_id: UUID) -> AnyResponse:
    """Withdraw the case."""
    form = parse(WithdrawForm)
    commands.withdraw_case(
        parts().db, actor(), CaseId(case_id), form.why, expected_version=form.version
    )
    return hx.redirect("learner.home", _("Your case is withdrawn."))


def _own_id() -> AccountId:
    account_id = actor().account_id
    if account_id is None:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return account_id


def _case_page(case_id: CaseId) -> dict[str, object]:
    with parts().db.reading() as tx:
        view = queries.case_view(tx, case_id)
        items = case_items(tx, case_id)
        return {
            "case": view,
            "step": step_of_case(tx, case_id, tx.now.date()),
            "stepper": stepper(view.state),
            "items": items,
            "looks": looks_of(tx, [item.id for item in items]),
            **_standing(tx, view, items),
            "ratings": queries.self_ratings(tx, case_id),
            "rating_rows": rating_rows(view, queries.self_ratings(tx, case_id)),
            "manifest": queries.manifest_of(tx, case_id, view.round),
            "history": queries.history_for_learner(tx, case_id),
            "result": result_for_learner(tx, case_id),
            "appeal": appeal_standing(tx, case_id),
            "attestations": asked_rows(attestations_of(tx, case_id)),
            "editable": view.state in EDITABLE,
            "name_in_clear": name_choice(tx, case_id),
            "may_withdraw": transition(view.state, "withdraw_case") is not None
            and view.decision_id is None
            and bool(may(actor(), Permission.WITHDRAW_CASE, resource())),
        }


def _submit_page(case_id: CaseId) -> dict[str, object]:
    with parts().db.reading() as tx:
        view = queries.case_view(tx, case_id)
        items = [item for item in case_items(tx, case_id) if item.sha256 and not item.replaced]
        return {"case": view, "items": items, **_standing(tx, view, items)}


def _standing(tx: Transaction, view: CaseView, items: Sequence[ItemRow]) -> dict[str, object]:
    """How the outcomes stand: today while evidence is collected, then by what was submitted."""
    covered = queries.case_coverage(tx, view.id, view.definition, tx.now.date())
    drawn = drawing(view.definition, covered, items)
    frozen = submitted(tx, find_case(tx, view.id), view.definition)
    if view.state not in EDITABLE and frozen.digest:
        covered = tuple(frozen.coverage)
        drawn = drawing(view.definition, covered, frozen.items, frozen.as_of)
    return {
        "outcomes": coverage_rows(view.definition, covered),
        "matrix": drawn,
        "gaps": any(row.status is not CoverageStatus.COVERED for row in covered),
    }
