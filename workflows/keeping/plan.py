"""What of a case goes and what stays: a plan before it is done, a receipt after. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from storage.ids import CaseId, ItemId, Sha256
from workflows.canonical import canonical_json, content_hash
from workflows.frameworks.definition import Frozen
from workflows.keeping.rules import Asked
from workflows.words import marked

RECEIPT_FORMAT = "assay-erasure-receipt/1"


class Stays(StrEnum):
    """What is left after an erasure, and why."""

    DECISION = "decision"
    CREDENTIAL = "credential"
    DIGESTS = "digests"
    HISTORY = "history"
    SHARED = "shared"
    LOCKED = "locked"
    ACCOUNT = "account"


STAYS_WORDS: Mapping[Stays, tuple[str, str, str]] = {
    Stays.DECISION: (
        marked("The decision, with the levels and reasons it rests on"),
        marked("The institution must be able to say how it decided."),
        marked("As long as the institution answers for its decisions"),
    ),
    Stays.CREDENTIAL: (
        marked("Your credential, with the names and digests of its evidence"),
        marked("It is yours, and it can be checked by whoever holds it and the file."),
        marked("Until you ask the registrar to revoke it"),
    ),
    Stays.DIGESTS: (
        marked("The digest (SHA-256) and size of each file, and of your submission"),
        marked("They say nothing of the content, and prove what was assessed to who holds it."),
        marked("As long as the case is on record"),
    ),
    Stays.HISTORY: (
        marked("That something was done, when, and by an account; without names and your words"),
        marked("A history that can be rewritten proves nothing."),
        marked("As long as the case is on record"),
    ),
    Stays.SHARED: (
        marked("The bytes of files that are also evidence in another case"),
        marked("They are evidence there too, and that case still needs them."),
        marked("Until the other case lets them go"),
    ),
    Stays.LOCKED: (
        marked("The bytes of files that the store itself keeps locked"),
        marked("The institution's store lets nobody remove them earlier."),
        marked("Until the lock ends; they are removed by themselves then"),
    ),
    Stays.ACCOUNT: (
        marked("Your account, with your name and address"),
        marked("You sign in with it; it can be closed on its own."),
        marked("Until you close it"),
    ),
}


class PlannedFile(Frozen):
    """A file that goes, by name and size, with what was made of it and said to it.

    `shared`: another case has the same bytes. `locked_until`: the store keeps them until then.
    """

    item: ItemId
    title: str
    file_name: str
    size: int
    sha256: Sha256 | None
    shared: bool = False
    locked_until: datetime | None = None
    previews: int = 0
    captions: int = 0
    notes: int = 0


class ErasurePlanned(Frozen):
    """What goes and what stays, before anything is done."""

    files: tuple[PlannedFile, ...] = ()
    statements: int = Field(default=0, ge=0)
    submissions: int = Field(default=0, ge=0)
    stays: tuple[Stays, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes go."""
        return sum(one.size for one in self.files if not one.shared)


class GoneFile(Frozen):
    """A file of a receipt: what it was by its digest, and where its bytes are now."""

    item: ItemId
    sha256: Sha256 | None
    size: int
    bytes: str
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Carried:
    """An erasure that was carried out."""

    plan_id: UUID
    case_id: CaseId
    number: int
    asked: Asked
    asked_at: datetime
    begun_at: datetime
    done_at: datetime
    files: Sequence[GoneFile]
    planned: ErasurePlanned


def plan_body(planned: ErasurePlanned) -> dict[str, object]:
    """The plan as JSON values."""
    return planned.model_dump(mode="json")


def read_plan(body: Mapping[str, object]) -> ErasurePlanned:
    """The plan of a body that `plan_body` made."""
    return ErasurePlanned.model_validate_json(canonical_json(body))


def without_names(planned: ErasurePlanned) -> ErasurePlanned:
    """The plan as it may be kept once the names in it are erased."""
    files = [one.model_copy(update={"title": "", "file_name": ""}) for one in planned.files]
    return planned.model_copy(update={"files": tuple(files)})


def receipt_of(done: Carried) -> dict[str, object]:
    """The receipt as JSON values, under its own digest: `sha256` is of all the rest of it."""
    body: dict[str, object] = {
        "format": RECEIPT_FORMAT,
        "plan": str(done.plan_id),
        "case": str(done.case_id),
        "number": done.number,
        "asked_by": done.asked.value,
        "asked_at": done.asked_at.isoformat(),
        "begun_at": done.begun_at.isoformat(),
        "done_at": done.done_at.isoformat(),
        "gone": {
            "files": [one.model_dump(mode="json", exclude_none=True) for one in done.files],
            "previews": sum(one.previews for one in done.planned.files),
            "captions": sum(one.captions for one in done.planned.files),
            "notes": sum(one.notes for one in done.planned.files),
            "statements": done.planned.statements,
            "submissions": done.planned.submissions,
        },
        "stays": [one.value for one in done.planned.stays],
    }
    return {**body, "sha256": content_hash(body)}


def manifest_without_words(body: Mapping[str, object], erased_at: datetime) -> dict[str, object]:
    """A frozen manifest with ids, digests, sizes and outcomes, and no word that anyone wrote.

    It says itself that it was erased, and so does not hash to its digest any more: the digest is
    still that of the whole, for whoever holds it.
    """
    kept = {name: body[name] for name in _MANIFEST_KEEPS if name in body}
    items = body.get("items")
    rows = items if isinstance(items, list) else []
    return {
        **kept,
        "items": [{name: row[name] for name in _ITEM_KEEPS if name in row} for row in rows],
        "erased_at": erased_at.isoformat(),
    }


_MANIFEST_KEEPS = ("format", "case", "number", "round", "definition", "policy")
_ITEM_KEEPS = ("id", "kind", "media_type", "size", "sha256", "outcomes", "disclosure")
