"""What a submission freezes: items, digests, mapping, self-assessment, declaration. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from storage.ids import CaseId, ItemId, OutcomeCode, Sha256
from storage.vocabulary import AiUse, PeopleShown
from workflows.evidence.coverage import OutcomeCoverage

FORMAT = "assay-manifest/1"


@dataclass(frozen=True)
class ManifestMark:
    """A stretch of a recording that the learner marked; `end_ms` None is a moment."""

    start_ms: int
    end_ms: int | None
    outcome: str | None
    note: str


@dataclass(frozen=True)
class ManifestWords:
    """Captions or a transcript that stand with a recording."""

    kind: str
    language: str
    sha256: Sha256


@dataclass(frozen=True)
class ManifestItem:
    """A sealed evidence item as it is submitted."""

    id: ItemId
    kind: str
    title: str
    file_name: str
    media_type: str
    size: int
    sha256: Sha256
    own_part: str
    ai_use: str
    work_from: str | None
    work_to: str | None
    expires_on: str | None
    outcomes: tuple[OutcomeCode, ...]
    disclosure: str
    ai: str = AiUse.NOT_SAID.value
    ai_tool: str = ""
    issued_on: str | None = None
    people: str = PeopleShown.NOT_SAID.value
    replaces: str | None = None
    marks: tuple[ManifestMark, ...] = ()
    words: tuple[ManifestWords, ...] = ()


@dataclass(frozen=True)
class Submission:
    """Everything a manifest is made of."""

    case_id: CaseId
    number: int
    round: int
    definition_hash: str
    policy_hash: str
    declaration_version: str
    declaration: str
    signed_name: str
    signed_at: datetime
    self_ratings: Mapping[OutcomeCode, int]
    items: Sequence[ManifestItem]
    coverage: Sequence[OutcomeCoverage]
    with_gaps: bool = False


def manifest_body(submission: Submission) -> dict[str, object]:
    """The manifest as JSON values; its canonical JSON's SHA-256 is the submission's digest."""
    return {
        "format": FORMAT,
        "case": str(submission.case_id),
        "number": submission.number,
        "round": submission.round,
        "definition": submission.definition_hash,
        "policy": submission.policy_hash,
        "declaration": {
            "version": submission.declaration_version,
            "text": submission.declaration,
            "signed_name": submission.signed_name,
            "signed_at": submission.signed_at.isoformat(),
            "with_gaps": submission.with_gaps,
        },
        "self_ratings": dict(submission.self_ratings),
        "items": [_item(item) for item in submission.items],
        "coverage_as_of": submission.signed_at.date().isoformat(),
        "coverage": [
            {
                "outcome": row.code,
                "status": str(row.status),
                "missing": [str(problem) for problem in row.missing],
            }
            for row in submission.coverage
        ],
    }


def _item(item: ManifestItem) -> dict[str, object]:
    # what an item may have besides is left out where there is none, as before there was any
    besides: dict[str, object] = {}
    if item.marks:
        besides["marks"] = [asdict(mark) for mark in item.marks]
    if item.words:
        besides["words"] = [asdict(words) for words in item.words]
    return besides | {
        "id": str(item.id),
        "kind": item.kind,
        "title": item.title,
        "file_name": item.file_name,
        "media_type": item.media_type,
        "size": item.size,
        "sha256": item.sha256,
        "own_part": item.own_part,
        "ai": item.ai,
        "ai_use": item.ai_use,
        "ai_tool": item.ai_tool,
        "work_from": item.work_from,
        "work_to": item.work_to,
        "issued_on": item.issued_on,
        "expires_on": item.expires_on,
        "people": item.people,
        "replaces": item.replaces,
        "outcomes": list(item.outcomes),
        "disclosure": item.disclosure,
    }
