"""Evidence on its way in: what the browser's upload asks of us as JSON, and the plain form.

The bytes do not come through here, except a small file from the plain form: browsers send parts
straight to the store by links that are signed one by one.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.security import accepts_up_to
from storage.errors import InvalidInput, Problem
from storage.ids import CaseId, ItemId, Sha256
from storage.vocabulary import EvidenceKind
from workflows.access.permissions import Permission
from workflows.evidence.rules import Announcement, Limits
from workflows.evidence.small_files import SMALL_FILE, upload_small
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

blueprint = Blueprint("uploads", __name__)

FORM_OVERHEAD = 100_000
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Sent(BaseModel):
    """What a browser sends as JSON. What is not named here is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class AnnouncedFile(_Sent):
    """A file that is to come."""

    file_name: str = Field(max_length=1000)
    size: int
    media_type: str = Field(default="", max_length=200)
    fingerprint: str = Field(max_length=129)


class NamedPart(_Sent):
    """A part, by the digest of its bytes."""

    number: int
    sha256: Digest


class TakenPart(NamedPart):
    """A part that the store has taken."""

    etag: str = Field(min_length=1, max_length=200)


class NamedParts(_Sent):
    """Parts to be signed."""

    parts: list[NamedPart] = Field(min_length=1, max_length=32)


class TakenParts(_Sent):
    """Parts to be written down."""

    parts: list[TakenPart] = Field(min_length=1, max_length=32)


class WholeList(_Sent):
    """The numbers of all parts, in the order in which the browser believes they stand."""

    parts: list[int] | None = Field(default=None, max_length=10_000)


Sent = TypeVar("Sent", bound=_Sent)


@blueprint.post("/cases/<uuid:case_id>/evidence/announce")
@needs(Permission.ADD_EVIDENCE, of="case_id")
def announce(case_id: UUID) -> tuple[Response, int]:
    """Make room for a file; the answer is its plan."""
    file = _read(AnnouncedFile)
    announced = Announcement(file.file_name, file.size, file.media_type, file.fingerprint)
    plan = announce_evidence(
        parts().db, parts().vault, actor(), CaseId(case_id), announced, limits=_limits()
    )
    return jsonify(_as_json(plan)), 201


@blueprint.get("/evidence/<uuid:item_id>/upload")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def plan(item_id: UUID) -> Response:
    """The plan of an upload, and what is there of it."""
    return jsonify(_as_json(upload_plan(parts().db, parts().vault, actor(), ItemId(item_id))))


@blueprint.post("/evidence/<uuid:item_id>/parts/sign")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def sign(item_id: UUID) -> Response:
    """Links for parts that the browser is about to send."""
    wanted = [WantedPart(one.number, Sha256(one.sha256)) for one in _read(NamedParts).parts]
    signed = sign_parts(parts().db, parts().vault, actor(), ItemId(item_id), wanted)
    links = [
        {"number": part.number, "url": link.url, "headers": dict(link.headers)}
        for part, link in zip(wanted, signed, strict=True)
    ]
    return jsonify({"parts": links})


@blueprint.post("/evidence/<uuid:item_id>/parts")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def record(item_id: UUID) -> tuple[str, int]:
    """Write down parts that the store has taken."""
    sent = [
        SentPart(one.number, Sha256(one.sha256), one.etag.strip('"'))
        for one in _read(TakenParts).parts
    ]
    record_parts(parts().db, actor(), ItemId(item_id), sent)
    return "", 204


@blueprint.post("/evidence/<uuid:item_id>/complete")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def complete(item_id: UUID) -> Response:
    """Everything was sent: check it, and make one file of it."""
    named = _read(WholeList).parts
    state = complete_upload(parts().db, parts().vault, actor(), ItemId(item_id), named)
    return jsonify({"state": state.value})


@blueprint.post("/cases/<uuid:case_id>/evidence")
@needs(Permission.ADD_EVIDENCE, of="case_id")
@accepts_up_to(SMALL_FILE + FORM_OVERHEAD)
def send_small(case_id: UUID) -> AnyResponse:
    """Take a small file from the form, for browsers without JavaScript."""
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        problem = Problem("file", "Choose a file first.")
        raise InvalidInput("No file arrived.", problems=[problem])
    if len(files) > 1:
        problem = Problem("file", "Without JavaScript, send one file at a time.")
        raise InvalidInput("None of these files was taken.", problems=[problem])
    file = files[0]
    item_id = upload_small(
        parts().db,
        parts().vault,
        actor(),
        CaseId(case_id),
        file.stream,
        announced=Announcement(file.filename or "", 0, file.mimetype, kind=_chosen_kind()),
        limits=_limits(),
    )
    notice = _("The file has arrived and is being checked. Say meanwhile what it shows.")
    return hx.redirect("evidence.page", notice, item_id=item_id)


def _read(model: type[Sent]) -> Sent:
    """The JSON that was sent. Raises InvalidInput, naming the first fault of each field."""
    try:
        return model.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        problems = [
            Problem(".".join(str(step) for step in fault["loc"]), "This cannot be used.")
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidInput("This request makes no sense to us.", problems=problems) from None


def _limits() -> Limits:
    return parts().limits


def _chosen_kind() -> EvidenceKind | None:
    chosen = request.form.get("kind", "")
    return EvidenceKind(chosen) if chosen in list(EvidenceKind) else None


def _as_json(plan: UploadPlan) -> Mapping[str, object]:
    def address(endpoint: str) -> str:
        return url_for(endpoint, item_id=plan.item_id)

    there: Sequence[object] = [
        {"number": part.number, "sha256": part.sha256} for part in plan.there
    ]
    return {
        "item_id": str(plan.item_id),
        "state": plan.state.value,
        "file_name": plan.file_name,
        "size": plan.plan.size,
        "part_size": plan.plan.part_size,
        "part_count": plan.plan.part_count,
        "fingerprint": plan.fingerprint,
        "there": there,
        "addresses": {
            "plan": address("uploads.plan"),
            "sign": address("uploads.sign"),
            "record": address("uploads.record"),
            "complete": address("uploads.complete"),
            "row": address("evidence.row"),
            "page": address("evidence.page"),
        },
    }
