"""One's own evidence: each item's page with its receipt, its description, its file, its removal."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.description_form import DescribeForm, kept_values
from app.web.forms import form_values, messages, parse
from storage.errors import InvalidInput
from storage.ids import ItemId
from workflows.access.permissions import Permission
from workflows.cases.load import find_case
from workflows.cases.queries import CaseView, case_view
from workflows.cases.states import EDITABLE
from workflows.evidence.describing import describe_evidence, remove_evidence
from workflows.evidence.disclosure import link_to_evidence, openings
from workflows.evidence.queries import ItemRow, case_items, item_row
from workflows.evidence.rules import LEARNER_KINDS
from workflows.looking.queries import looks_of, same_bytes_of

blueprint = Blueprint("evidence", __name__)


@blueprint.get("/evidence/<uuid:item_id>")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def page(item_id: UUID) -> str:
    """The item: its receipt, and what one says of it."""
    item, case = _look(ItemId(item_id))
    context = _context(item, case)
    return render_template(
        "learner/evidence/item.html", **context, values=kept_values(item), errors={}
    )


@blueprint.post("/evidence/<uuid:item_id>/describe")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def describe(item_id: UUID) -> AnyResponse:
    """Keep what one says of the item."""
    try:
        form = parse(DescribeForm)
        describe_evidence(
            parts().db,
            actor(),
            ItemId(item_id),
            form.description(),
            expected_version=form.version,
        )
    except InvalidInput as error:
        return page_again(ItemId(item_id), error, form_values())
    item, case = _look(ItemId(item_id))
    notice = _("Kept: “%(title)s”.", title=item.title)
    return hx.redirect("learner.case", notice, case_id=case.id, _anchor="evidence")


@blueprint.get("/evidence/<uuid:item_id>/row")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def row(item_id: UUID) -> Response:
    """The item's line in the list of the case.

    It asks for itself anew until the seal is done, and then for its small picture, some times.
    """
    item, case = _look(ItemId(item_id))
    with parts().db.reading() as tx:
        look = looks_of(tx, [item.id])[item.id]
    asked = request.args.get("asked", 0, type=int)
    context = {"item": item, "editable": case.state in EDITABLE, "look": look, "asked": asked}
    answer = make_response(render_template("learner/evidence/row.html", **context))
    sealed_just_now = hx.is_partial() and not item.on_its_way and not asked
    return hx.tell_page(answer, "evidence:changed") if sealed_just_now else answer


@blueprint.get("/evidence/<uuid:item_id>/remove")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def ask_removal(item_id: UUID) -> str:
    """Ask once more before an item is removed."""
    item, case = _look(ItemId(item_id))
    return render_template("learner/evidence/remove.html", item=item, case=case)


@blueprint.post("/evidence/<uuid:item_id>/remove")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def remove(item_id: UUID) -> AnyResponse:
    """Remove the item; its bytes are erased by a job."""
    case_id = remove_evidence(parts().db, actor(), ItemId(item_id))
    notice = _("The item is removed, and its file is being erased.")
    return hx.redirect("learner.case", notice, case_id=case_id, _anchor="evidence")


@blueprint.get("/evidence/<uuid:item_id>/file")
@needs(Permission.READ_EVIDENCE, of="item_id")
def file(item_id: UUID) -> AnyResponse:
    """Go to the file itself, by a link of a minute; that it was opened is written down."""
    link = link_to_evidence(parts().db, parts().vault, actor(), ItemId(item_id), "download")
    return hx.redirect_to(link)


def page_again(
    item_id: ItemId, error: InvalidInput, values: Mapping[str, object] | None = None
) -> AnyResponse:
    """The item's page once more, with what is wrong with one of its forms.

    `values` is what the description's form holds; without it, what was kept.
    """
    item, case = _look(item_id)
    shown = {**kept_values(item), **form_values()} if values is None else values
    context = {**_context(item, case), "values": shown, "errors": messages(error)}
    page = render_template("learner/evidence/item.html", **context)
    return make_response(page, error.status)


def _look(item_id: ItemId) -> tuple[ItemRow, CaseView]:
    with parts().db.reading() as tx:
        item = item_row(tx, item_id)
        return item, case_view(tx, item.case_id)


def _copies(item: ItemRow) -> list[ItemRow]:
    """The items of the case that could stand for this one."""
    with parts().db.reading() as tx:
        return [row for row in case_items(tx, item.case_id) if item.may_be_replaced_by(row)]


def _context(item: ItemRow, case: CaseView) -> dict[str, object]:
    with parts().db.reading() as tx:
        look = looks_of(tx, [item.id])[item.id]
        asked = same_bytes_of(tx, [item.id]).get(item.id)
        opened = openings(tx, find_case(tx, case.id), item.id)
    return {
        "item": item,
        "look": look,
        "asked": asked,
        "openings": opened,
        "case": case,
        "copies": _copies(item) if case.state in EDITABLE and item.held else [],
        "editable": case.state in EDITABLE,
        "kinds": LEARNER_KINDS,
        "removable": case.state in EDITABLE and (item.round == case.round or item.never_sealed),
    }
