"""One's own evidence: each item's page with its receipt, its description, its file, its removal."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, again, parse
from storage.errors import InvalidInput
from storage.ids import ItemId, OutcomeCode
from storage.vocabulary import Disclosure, EvidenceKind
from workflows.access.permissions import Permission
from workflows.cases.queries import CaseView, case_view
from workflows.cases.states import EDITABLE
from workflows.evidence.describing import describe_evidence, remove_evidence
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.queries import ItemRow, item_row
from workflows.evidence.rules import LEARNER_KINDS, Description

blueprint = Blueprint("evidence", __name__)


class DescribeForm(Form):
    """What a learner says of an item."""

    title: Line = ""
    kind: EvidenceKind = EvidenceKind.DOCUMENT
    own_part: Text = ""
    ai_use: Text = ""
    work_from: date | None = None
    work_to: date | None = None
    expires_on: date | None = None
    outcomes: list[Line] = Field(default_factory=list)
    disclosure: Disclosure = Disclosure.DIGEST_ONLY
    version: int | None = None

    def description(self) -> Description:
        """The values, as the rules know them."""
        return Description(
            title=self.title,
            kind=self.kind,
            own_part=self.own_part,
            ai_use=self.ai_use,
            work_from=self.work_from,
            work_to=self.work_to,
            expires_on=self.expires_on,
            outcomes=frozenset(OutcomeCode(code) for code in self.outcomes),
            disclosure=self.disclosure,
        )


@blueprint.get("/evidence/<uuid:item_id>")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def page(item_id: UUID) -> str:
    """The item: its receipt, and what one says of it."""
    item, case = _look(ItemId(item_id))
    context = _context(item, case)
    return render_template("learner/evidence/item.html", **context, values=_values(item), errors={})


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
        item, case = _look(ItemId(item_id))
        return again("learner/evidence/item.html", error, **_context(item, case))
    item, case = _look(ItemId(item_id))
    notice = _("Kept: “%(title)s”.", title=item.title)
    return hx.redirect("learner.case", notice, case_id=case.id, _anchor="evidence")


@blueprint.get("/evidence/<uuid:item_id>/row")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def row(item_id: UUID) -> Response:
    """The item's line in the list of the case; it asks for itself anew until the seal is done."""
    item, case = _look(ItemId(item_id))
    context = {"item": item, "editable": case.state in EDITABLE, "fresh": True}
    return make_response(render_template("learner/evidence/row.html", **context))


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


def _look(item_id: ItemId) -> tuple[ItemRow, CaseView]:
    with parts().db.reading() as tx:
        item = item_row(tx, item_id)
        return item, case_view(tx, item.case_id)


def _context(item: ItemRow, case: CaseView) -> dict[str, object]:
    return {
        "item": item,
        "case": case,
        "editable": case.state in EDITABLE,
        "kinds": LEARNER_KINDS,
        "removable": case.state in EDITABLE and (item.round == case.round or item.never_sealed),
    }


def _values(item: ItemRow) -> dict[str, object]:
    """What the form shows at first: what was kept."""
    days: Sequence[tuple[str, date | None]] = (
        ("work_from", item.work_from),
        ("work_to", item.work_to),
        ("expires_on", item.expires_on),
    )
    return {
        "title": item.title,
        "kind": item.kind.value,
        "own_part": item.own_part,
        "ai_use": item.ai_use,
        "outcomes": list(item.outcomes),
        "disclosure": item.disclosure.value,
        **{name: day.isoformat() if day else "" for name, day in days},
    }
