"""For years: a learner's erasure with its plan, undo and receipt; what comes due, and holds."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Text, again, asked_page, parse
from storage.errors import InvalidInput, NotFound
from storage.ids import CaseId
from storage.vocabulary import HoldKind
from workflows.access.permissions import Permission
from workflows.cases.queries import case_view
from workflows.keeping import commands, queries
from workflows.keeping.plan import STAYS_WORDS
from workflows.keeping.rules import HOLD_WORDS, KEEPING_WORDS

blueprint = Blueprint("keeping", __name__)


class HoldForm(Form):
    """Why nothing of a case may be erased for now, or why it may again."""

    kind: HoldKind = HoldKind.INTEGRITY
    why: Text = ""


@blueprint.get("/cases/<uuid:case_id>/erasure")
@needs(Permission.ERASE_CASE, of="case_id")
def erasure(case_id: UUID) -> str:
    """What would go and stay, what is planned, or what was done."""
    return render_template("learner/erasure/page.html", **_page(CaseId(case_id)))


@blueprint.post("/cases/<uuid:case_id>/erasure")
@needs(Permission.ERASE_CASE, of="case_id")
def ask(case_id: UUID) -> AnyResponse:
    """Plan the erasure; others cannot open the files from now on."""
    commands.ask_erasure(parts().db, parts().site, actor(), CaseId(case_id))
    notice = _("Your wish is written down. Nobody but you can open these files any more.")
    return hx.redirect("keeping.erasure", notice, case_id=case_id)


@blueprint.post("/cases/<uuid:case_id>/erasure/undo")
@needs(Permission.ERASE_CASE, of="case_id")
def undo(case_id: UUID) -> AnyResponse:
    """Leave everything as it was."""
    commands.undo_erasure(parts().db, parts().site, actor(), CaseId(case_id))
    notice = _("Nothing will be erased. Everything is as it was.")
    return hx.redirect("keeping.erasure", notice, case_id=case_id)


@blueprint.get("/cases/<uuid:case_id>/erasure/receipt.json")
@needs(Permission.ERASE_CASE, of="case_id")
def receipt(case_id: UUID) -> Response:
    """The receipt of what was erased, for programs and for keeping."""
    with parts().db.reading() as tx:
        body = queries.receipt_for(tx, CaseId(case_id))
    answer = jsonify(body)
    answer.headers["Content-Disposition"] = 'attachment; filename="erasure-receipt.json"'
    return answer


@blueprint.get("/staff/keeping")
@needs(Permission.VIEW_RETENTION)
def due() -> str:
    """What comes due within three months, what is planned, and what is held."""
    institution_id = actor().institution_id
    if institution_id is None:
        raise NotFound("There is nothing here, or it is not yours to see.")
    page = asked_page()
    with parts().db.reading() as tx:
        lines, more = queries.coming_due(tx, institution_id, page)
    return render_template(
        "staff/keeping.html", lines=lines, more=more, page=page, kept=KEEPING_WORDS, held=HOLD_WORDS
    )


@blueprint.get("/staff/cases/<uuid:case_id>/hold")
@needs(Permission.HOLD_CASE, of="case_id")
def keeping(case_id: UUID) -> str:
    """How long a case's evidence is kept, and whether it is held."""
    return render_template("staff/hold.html", **_page(CaseId(case_id)), values={}, errors={})


@blueprint.post("/staff/cases/<uuid:case_id>/hold")
@needs(Permission.HOLD_CASE, of="case_id")
def hold(case_id: UUID) -> AnyResponse:
    """Let nothing of the case be erased."""
    try:
        form = parse(HoldForm)
        commands.hold_case(parts().db, actor(), CaseId(case_id), form.kind, form.why)
    except InvalidInput as error:
        return again("staff/hold.html", error, **_page(CaseId(case_id)))
    return hx.redirect("keeping.keeping", _("The case is held."), case_id=case_id)


@blueprint.post("/staff/cases/<uuid:case_id>/hold/lift")
@needs(Permission.HOLD_CASE, of="case_id")
def lift(case_id: UUID) -> AnyResponse:
    """Let the case go again."""
    try:
        form = parse(HoldForm)
        commands.lift_hold(parts().db, actor(), CaseId(case_id), form.why)
    except InvalidInput as error:
        return again("staff/hold.html", error, **_page(CaseId(case_id)))
    return hx.redirect("keeping.keeping", _("The hold is lifted."), case_id=case_id)


def _page(case_id: CaseId) -> dict[str, object]:
    with parts().db.reading() as tx:
        view = case_view(tx, case_id)
        standing = queries.erasure_of(tx, case_id)
    stays = [tuple(_(words) for words in STAYS_WORDS[one]) for one in standing.plan.stays]
    return {
        "case": view,
        "erasure": standing,
        "stays": stays,
        "kept": KEEPING_WORDS,
        "held": HOLD_WORDS,
    }
