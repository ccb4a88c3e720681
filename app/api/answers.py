"""What the API answers: rows and plans as the models of `schemas`, in the reader's language."""

from collections.abc import Sequence

from flask import Response, url_for
from flask_babel import gettext as _
from pydantic import BaseModel

from app.api import schemas
from storage.ids import ItemId
from workflows.cases.queries import CaseLine, CaseView
from workflows.cases.states import EDITABLE
from workflows.evidence.disclosure import CHANGED_THERE, LOST
from workflows.evidence.queries import ItemRow
from workflows.evidence.uploading import UploadPlan


def answer(model: BaseModel, status: int = 200) -> Response:
    """The model as JSON."""
    return Response(model.model_dump_json(), status, mimetype="application/json")


def nothing() -> Response:
    """That it was done, and there is nothing to say."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def item(
    row: ItemRow, plan: UploadPlan | None = None, signed: Sequence[schemas.SignedPart] = ()
) -> schemas.Item:
    """An item, with how its upload stands where one is under way, and links of parts to send."""
    words = {name: getattr(row, name) for name in schemas.Item.model_fields if hasattr(row, name)}
    unknown = plan is not None and plan.open_ended
    computed = {
        "outcomes": list(row.outcomes),
        "size": None if unknown else row.size,
        "reason": _reason(row),
        "upload": _upload(plan, signed) if plan else None,
        "links": _item_links(row.id),
    }
    return schemas.Item(**(words | computed))


def case_line(line: CaseLine) -> schemas.CaseLine:
    """A case in a list."""
    named = {name: getattr(line, name) for name in schemas.CaseLine.model_fields if name != "links"}
    return schemas.CaseLine(**named, links=_case_links(line.id))


def case(view: CaseView) -> schemas.Case:
    """A case whole."""
    return schemas.Case(
        id=view.id,
        number=view.number,
        code=view.definition.code,
        title=view.definition.title,
        state=view.state,
        round=view.round,
        opened_at=view.opened_at,
        submitted_at=view.submitted_at,
        due_at=view.due_at,
        links=_case_links(view.id),
        version=view.version,
        editable=view.state in EDITABLE,
        note_to_learner=view.note_to_learner,
        outcomes=[
            schemas.Outcome(code=one.code, statement=one.statement)
            for one in view.definition.outcomes
        ],
    )


def _reason(row: ItemRow) -> str:
    if row.reason:
        return str(_(row.reason, **row.reason_params))
    if row.changed:
        return str(_(CHANGED_THERE))
    return str(_(LOST)) if row.missing else ""


def _upload(plan: UploadPlan, signed: Sequence[schemas.SignedPart]) -> schemas.UploadState:
    return schemas.UploadState(
        part_size=plan.plan.part_size,
        part_count=plan.plan.part_count,
        open_ended=plan.open_ended,
        fingerprint=plan.fingerprint,
        there=[schemas.Part(number=part.number, sha256=part.sha256) for part in plan.there],
        signed=list(signed),
    )


def _item_links(item_id: ItemId) -> schemas.ItemLinks:
    return schemas.ItemLinks(
        self=url_for("api.item", item_id=item_id),
        parts=url_for("api.sign", item_id=item_id),
        complete=url_for("api.complete", item_id=item_id),
        page=url_for("evidence.page", item_id=item_id),
        row=url_for("evidence.row", item_id=item_id),
    )


def _case_links(case_id: object) -> schemas.CaseLinks:
    return schemas.CaseLinks(
        self=url_for("api.case", case_id=case_id),
        evidence=url_for("api.items", case_id=case_id),
        page=url_for("learner.case", case_id=case_id),
    )
