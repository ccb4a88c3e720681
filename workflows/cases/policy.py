"""An institution's rules as typed values. A case keeps the version it was opened under."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from workflows.canonical import canonical_json
from workflows.frameworks.definition import Frozen

DECLARATION = (
    "The evidence in this case is my own work, or shows what I did myself where others took part. "
    "I have said which part was mine, where I used AI tools, and who can be seen or heard. "
    "I understand that every file is kept with its digest and that the digest can be published."
)


class Retention(Frozen):
    """How long evidence is kept, in calendar days, by what became of its case.

    `notice_days`: so long before, the learner hears of it. `undo_days`: so long an erasure that
    the learner asked for can be undone.
    """

    recognised_days: int = Field(default=1825, ge=1)
    not_recognised_days: int = Field(default=365, ge=1)
    withdrawn_days: int = Field(default=180, ge=1)
    never_submitted_days: int = Field(default=365, ge=1)
    abandoned_days: int = Field(default=180, ge=1)
    notice_days: int = Field(default=30, ge=1)
    undo_days: int = Field(default=7, ge=1)


CONSENT_COVERS = (
    "The people who assess, moderate and decide this case, and the staff who look after it, may "
    "see and hear the item. It is kept as long as the institution keeps evidence. Its digest, "
    "which shows nothing of it, can be published; the item itself is given to others only if the "
    "people in it agree to that as well. They can take their consent back at any time, and from "
    "then on nobody but the learner can open it."
)


class Policy(Frozen):
    """Defaults of PLAR.md, each of which an institution can set otherwise.

    `on_gap`: whether a submission with thin or missing evidence is let through with a warning
    or refused. `consent_covers`: what people who are seen or heard in evidence agree to. Times
    are in working days unless their name says otherwise.
    `reading_days_after_decision`: calendar days in which its assessors may still open a decided
    case's evidence, for an appeal. `appeal_days`: calendar days from the release in which the
    learner can appeal; `appeal_answer_days`: in which they are answered;
    `appeal_new_evidence`: new evidence is a ground, and the learner is given time to add it.
    """

    declaration_version: str = "1"
    declaration: str = DECLARATION
    on_gap: Literal["warn", "refuse"] = "warn"
    assessors: int = Field(default=2, ge=2, le=2)
    screening_days: int = 3
    assessment_days: int = 15
    decision_days: int = 5
    attestation_link_days: int = 30
    consent_covers: str = CONSENT_COVERS
    retention: Retention = Retention()
    reading_days_after_decision: int = Field(default=90, ge=0)
    appeal_days: int = Field(default=60, ge=1)
    appeal_answer_days: int = Field(default=10, ge=1)
    appeal_new_evidence: bool = False


def read_policy(body: Mapping[str, object]) -> Policy:
    """The typed values of a policy's body."""
    return Policy.model_validate_json(canonical_json(body))


def policy_body(policy: Policy) -> dict[str, object]:
    """The body that is kept of a policy."""
    return policy.model_dump(mode="json")
