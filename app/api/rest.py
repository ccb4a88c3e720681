"""The REST API under /api/v1: one's cases, and evidence on its way in. Each view is one act.

Called by the pages' own scripts with their session, and by programs with an access token. The bytes
do not come through here: parts are sent straight to the store by links that are signed one by one.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app

from app.api import answers, openapi, reading, schemas
from app.api.operations import Operation, Query, operation
from app.web.access import actor, frame, needs, parts, public
from storage.errors import Conflict
from storage.ids import CaseId, ItemId, OutcomeCode, Sha256
from storage.vault.vault import DOWNLOAD_LINK_SECONDS
from workflows.access.permissions import Permission
from workflows.cases.queries import case_view, my_cases
from workflows.evidence.amending import amend_evidence
from workflows.evidence.describing import remove_evidence
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.load import ON_ITS_WAY
from workflows.evidence.queries import ItemRow, item_row, items_after
from workflows.evidence.rules import Announcement
from workflows.evidence.uploading import (
    SentPart,
    UploadPlan,
    WantedPart,
    announce_evidence,
    complete_upload,
    record_parts,
    sign_parts,
    upload_plan,
)
from workflows.people.tokens import TokenScope

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

USUAL_PAGE = 50
PAGE = (
    Query("limit", "How many at most.", schemas.LARGEST_PAGE),
    Query("cursor", "`next` of the page before."),
)


@blueprint.get("/openapi.json")
@public
def description() -> Response:
    """This API, described by OpenAPI 3.1."""
    return Response(openapi.as_json(current_app), mimetype="application/json")


@blueprint.get("/me")
@needs(Permission.MANAGE_OWN_ACCOUNT)
@operation(
    Operation(
        "Who asks",
        "The person behind the token or the session, with the roles they hold now.",
        scope=None,
        gives=(200, schemas.Me),
    )
)
def me() -> Response:
    """Who asks, and by what."""
    who, holder, house = actor(), frame().holder, frame().house
    assert who.account_id is not None
    used = holder and schemas.TokenInUse(
        id=holder.token_id, scopes=sorted(holder.scopes), expires_at=holder.expires_at
    )
    return answers.answer(
        schemas.Me(
            id=who.account_id,
            name=who.name,
            email=who.email,
            roles=sorted(who.roles),
            institution=house.name if house else "",
            by="token" if used else "session",
            token=used,
        )
    )


@blueprint.get("/cases")
@needs(Permission.OPEN_CASE)
@operation(
    Operation(
        "Your cases",
        "Those of the person behind the token or the session, the newest first.",
        scope=TokenScope.CASES_READ,
        gives=(200, schemas.Cases),
    )
)
def cases() -> Response:
    """One's own cases."""
    account_id = actor().account_id
    assert account_id is not None
    with parts().db.reading() as tx:
        lines = my_cases(tx, account_id)
    return answers.answer(schemas.Cases(cases=[answers.case_line(line) for line in lines]))


@blueprint.get("/cases/<uuid:case_id>")
@needs(Permission.EDIT_CASE, of="case_id")
@operation(
    Operation(
        "A case",
        "With the outcomes that evidence is mapped to.",
        scope=TokenScope.CASES_READ,
        gives=(200, schemas.Case),
    )
)
def case(case_id: UUID) -> Response:
    """A case, but for its evidence."""
    with parts().db.reading() as tx:
        view = case_view(tx, CaseId(case_id))
    return answers.answer(answers.case(view))


@blueprint.get("/cases/<uuid:case_id>/evidence")
@needs(Permission.ADD_EVIDENCE, of="case_id")
@operation(
    Operation(
        "A case's evidence",
        "A page of its items, in the order they came. How an upload stands is told where one item "
        "is read.",
        scope=TokenScope.EVIDENCE_READ,
        gives=(200, schemas.Items),
        query=PAGE,
    )
)
def items(case_id: UUID) -> Response:
    """A page of a case's items."""
    most = reading.number("limit", USUAL_PAGE, schemas.LARGEST_PAGE)
    after = reading.cursor("cursor")
    with parts().db.reading() as tx:
        rows, following = items_after(tx, CaseId(case_id), after, most)
    shown = [answers.item(row) for row in rows]
    following_page = str(following) if following else None
    return answers.answer(schemas.Items(items=shown, next=following_page))


@blueprint.post("/cases/<uuid:case_id>/evidence")
@needs(Permission.ADD_EVIDENCE, of="case_id")
@operation(
    Operation(
        "Announce a file",
        "Makes room for it and plans its way: the answer's `upload` says how large the parts are. "
        "The same file announced again is the same item, with the parts that are there.",
        scope=TokenScope.EVIDENCE_WRITE,
        takes=schemas.Announcement,
        gives=(201, schemas.Item),
        refuses=(409,),
    )
)
def announce(case_id: UUID) -> Response:
    """Make room for a file."""
    sent = reading.body(schemas.Announcement)
    announced = Announcement(
        sent.file_name,
        sent.size,
        sent.media_type or "",
        sent.fingerprint or "",
        sent.kind,
        sent.recorded_with or "",
        sent.sha256 or "",
    )
    plan = announce_evidence(
        parts().db, parts().vault, actor(), CaseId(case_id), announced, limits=parts().limits
    )
    there = {part.number for part in plan.there}
    wanted = (sent.parts or ()) if plan.state in ON_ITS_WAY else ()
    missing = [one for one in wanted if one.number not in there]
    signed = _signed(plan.item_id, missing) if missing else []
    shown = answers.item(_row(plan.item_id), plan, signed)
    response = answers.answer(shown, 201)
    response.headers["Location"] = shown.links.self
    return response


@blueprint.get("/evidence/<uuid:item_id>")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "An item",
        "While its upload is under way, with the plan and the parts that are there.",
        scope=TokenScope.EVIDENCE_READ,
        gives=(200, schemas.Item),
        refuses=(410,),
    )
)
def item(item_id: UUID) -> Response:
    """An item as it stands, with its upload."""
    return answers.answer(_item(ItemId(item_id)))


@blueprint.patch("/evidence/<uuid:item_id>")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "Describe and map an item",
        "What is left out stays as it is. Of an attestation only `disclosure` can be changed.",
        scope=TokenScope.EVIDENCE_WRITE,
        takes=schemas.Amendment,
        gives=(200, schemas.Item),
        refuses=(409, 410),
    )
)
def describe(item_id: UUID) -> Response:
    """Keep what the learner says of an item."""
    sent = reading.body(schemas.Amendment)
    amend_evidence(
        parts().db,
        actor(),
        ItemId(item_id),
        lambda kept: replace(kept, **_said(sent)),
        expected_version=sent.version,
    )
    return answers.answer(_item(ItemId(item_id)))


@blueprint.delete("/evidence/<uuid:item_id>")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "Remove an item",
        "Before its case is submitted. Its words go at once, its bytes by a job soon after. Done "
        "twice, it is done once.",
        scope=TokenScope.EVIDENCE_WRITE,
        gives=(204, None),
        refuses=(409,),
    )
)
def erase(item_id: UUID) -> Response:
    """Remove an item; its bytes are erased by a job."""
    remove_evidence(parts().db, actor(), ItemId(item_id))
    return answers.nothing()


@blueprint.post("/evidence/<uuid:item_id>/parts")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "Sign parts",
        "Links by which exactly the named bytes can be sent to the store, each good for minutes. "
        "Signing a part again is no mistake.",
        scope=TokenScope.EVIDENCE_WRITE,
        takes=schemas.WantedParts,
        gives=(200, schemas.SignedParts),
        refuses=(409,),
    )
)
def sign(item_id: UUID) -> Response:
    """Links for parts that are about to be sent."""
    sent = reading.body(schemas.WantedParts)
    return answers.answer(schemas.SignedParts(parts=_signed(ItemId(item_id), sent.parts)))


@blueprint.put("/evidence/<uuid:item_id>/parts")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "Report parts",
        "Writes down parts that the store has taken, so that they need not be sent again. What "
        "counts at the end is what the store has.",
        scope=TokenScope.EVIDENCE_WRITE,
        takes=schemas.TakenParts,
        gives=(204, None),
        refuses=(409,),
    )
)
def record(item_id: UUID) -> Response:
    """Write down parts that the store has taken."""
    sent = reading.body(schemas.TakenParts)
    record_parts(parts().db, actor(), ItemId(item_id), _taken(sent.parts))
    return answers.nothing()


@blueprint.post("/evidence/<uuid:item_id>/complete")
@needs(Permission.ADD_EVIDENCE, of="item_id")
@operation(
    Operation(
        "Complete an upload",
        "Compares what the store has with the plan, makes one object of it and promises to seal "
        "it. A refusal names the parts that are missing or wrong. Done twice, it is done once.",
        scope=TokenScope.EVIDENCE_WRITE,
        takes=schemas.WholeList,
        body_optional=True,
        gives=(200, schemas.Completed),
        refuses=(409,),
    )
)
def complete(item_id: UUID) -> Response:
    """Everything was sent: check it, and make one file of it."""
    sent = reading.body(schemas.WholeList, optional=True)
    state = complete_upload(
        parts().db,
        parts().vault,
        actor(),
        ItemId(item_id),
        sent.parts,
        size=sent.size,
        taken=_taken(sent.taken or ()),
    )
    return answers.answer(schemas.Completed(state=state))


@blueprint.get("/evidence/<uuid:item_id>/link")
@needs(Permission.READ_EVIDENCE, of="item_id")
@operation(
    Operation(
        "A link to the file",
        "To download the sealed bytes from the store, for a minute. That it was asked for is "
        "written down.",
        scope=TokenScope.EVIDENCE_READ,
        gives=(200, schemas.Link),
        refuses=(409, 410),
    )
)
def link(item_id: UUID) -> Response:
    """A link of a minute to the file."""
    url = link_to_evidence(parts().db, parts().vault, actor(), ItemId(item_id), "api")
    return answers.answer(schemas.Link(url=url, expires_in=DOWNLOAD_LINK_SECONDS))


def _signed(item_id: ItemId, named: Sequence[schemas.WantedPart]) -> list[schemas.SignedPart]:
    wanted = [WantedPart(one.number, Sha256(one.sha256), one.size) for one in named]
    links = sign_parts(parts().db, parts().vault, actor(), item_id, wanted)
    return [
        schemas.SignedPart(number=part.number, url=link.url, headers=dict(link.headers))
        for part, link in zip(wanted, links, strict=True)
    ]


def _taken(named: Sequence[schemas.TakenPart]) -> list[SentPart]:
    return [
        SentPart(one.number, Sha256(one.sha256), one.etag.strip('"'), one.size) for one in named
    ]


def _row(item_id: ItemId) -> ItemRow:
    with parts().db.reading() as tx:
        return item_row(tx, item_id)


def _item(item_id: ItemId) -> schemas.Item:
    """The item as it stands; it may go on while its upload is asked for, so it is read last."""
    plan = _plan_under_way(_row(item_id))
    row = _row(item_id)
    return answers.item(row, plan if row.unfinished else None)


def _plan_under_way(row: ItemRow) -> UploadPlan | None:
    if not row.unfinished:
        return None
    try:
        return upload_plan(parts().db, parts().vault, actor(), row.id)
    except Conflict:  # it ended this moment, or the case was submitted without it
        return None


def _said(sent: schemas.Amendment) -> dict[str, Any]:
    """What was sent of a description, by its fields."""
    given = sent.model_dump(include=sent.model_fields_set - {"version"})
    if "outcomes" in given:
        given["outcomes"] = frozenset(OutcomeCode(code) for code in sent.outcomes)
    return given
