"""What a submission freezes: items, digests, mapping, self-assessment, declaration. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.ids import CaseId, ItemId, OutcomeCode, Sha256
from workflows.evidence.coverage import OutcomeCoverage

FORMAT = "assay-manifest/1"


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
        },
        "self_ratings": dict(submission.self_ratings),
        "items": [_item(item) for item in submission.items],
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
    return {
        "id": str(item.id),
        "kind": item.kind,
        "title": item.title,
        "file_name": item.file_name,
        "media_type": item.media_type,
        "size": item.size,
        "sha256": item.sha256,
        "own_part": item.own_part,
        "ai_use": item.ai_use,
        "work_from": item.work_from,
        "work_to": item.work_to,
        "expires_on": item.expires_on,
        "outcomes": list(item.outcomes),
        "disclosure": item.disclosure,
    }
