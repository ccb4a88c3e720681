"""What is next for a learner on a case, in one word that the page puts into a line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.vocabulary import CaseState, EvidenceState
from workflows.cases.rules import UNFINISHED, ItemFacts
from workflows.evidence.coverage import CoverageStatus, OutcomeCoverage


class LearnerStep(StrEnum):
    """The one thing a learner does, or waits for, next."""

    RATE_YOURSELF = "rate_yourself"
    ADD_EVIDENCE = "add_evidence"
    WAIT_FOR_SEAL = "wait_for_seal"
    DESCRIBE_EVIDENCE = "describe_evidence"
    FILL_GAPS = "fill_gaps"
    SUBMIT = "submit"
    WAIT_SCREENING = "wait_screening"
    WAIT_ASSESSMENT = "wait_assessment"
    WAIT_DECISION = "wait_decision"
    WAIT_RELEASE = "wait_release"
    WAIT_CREDENTIAL = "wait_credential"
    WAIT_APPEAL = "wait_appeal"
    SHARE = "share"
    READ_STATEMENT = "read_statement"
    NOTHING = "nothing"


@dataclass(frozen=True)
class CaseFacts:
    """What the next step depends on. `credential`: None when none was earned, else published."""

    state: CaseState
    rated: bool
    items: Sequence[ItemFacts]
    coverage: Sequence[OutcomeCoverage]
    credential: bool | None = None


WAITING = {
    CaseState.SUBMITTED: LearnerStep.WAIT_SCREENING,
    CaseState.SCREENING: LearnerStep.WAIT_SCREENING,
    CaseState.ASSESSMENT: LearnerStep.WAIT_ASSESSMENT,
    CaseState.MODERATION: LearnerStep.WAIT_ASSESSMENT,
    CaseState.DECISION: LearnerStep.WAIT_DECISION,
    CaseState.DECIDED: LearnerStep.WAIT_RELEASE,
    CaseState.APPEAL: LearnerStep.WAIT_APPEAL,
}


def learner_step(facts: CaseFacts) -> LearnerStep:
    """What is next, the most pressing first."""
    if facts.state in {CaseState.DRAFT, CaseState.RETURNED}:
        return _before_submission(facts)
    if facts.state in {CaseState.RELEASED, CaseState.CLOSED}:
        return _after_release(facts.credential)
    return WAITING.get(facts.state, LearnerStep.NOTHING)


def _before_submission(facts: CaseFacts) -> LearnerStep:
    if not facts.rated:
        return LearnerStep.RATE_YOURSELF
    alive = [item for item in facts.items if item.state is not EvidenceState.ERASED]
    sealed = [item for item in alive if item.state is EvidenceState.SEALED]
    if any(item.to_say for item in sealed):
        return LearnerStep.DESCRIBE_EVIDENCE
    if not sealed and not any(item.state in UNFINISHED for item in alive):
        return LearnerStep.ADD_EVIDENCE
    if any(item.state in UNFINISHED for item in alive):
        return LearnerStep.WAIT_FOR_SEAL
    if any(row.status is not CoverageStatus.COVERED for row in facts.coverage):
        return LearnerStep.FILL_GAPS
    return LearnerStep.SUBMIT


def _after_release(credential: bool | None) -> LearnerStep:
    if credential is None:
        return LearnerStep.READ_STATEMENT
    return LearnerStep.SHARE if credential else LearnerStep.WAIT_CREDENTIAL
