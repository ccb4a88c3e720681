"""What a learner reads of a decision, from its release on. Not a word before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import CaseId, CredentialId, OutcomeCode
from storage.tables import Case, Credential, Decision, DefinitionVersion, OutcomeDecision
from storage.vocabulary import CoverageBasis, CredentialState, OutcomeResult
from workflows.evidence.coverage import OutcomeCoverage
from workflows.evidence.coverage_kept import kept_coverage
from workflows.frameworks.definition import Definition, Outcome, read_definition


@dataclass(frozen=True)
class ResultRow:
    """What was decided of one outcome; `level` and `label` where it was recognised."""

    code: OutcomeCode
    statement: str
    result: OutcomeResult
    level: int | None
    label: str
    levels: int
    threshold: int
    reason: str
    evidence: OutcomeCoverage | None = None
    """how the outcome stood by its evidence when it was decided, as it was kept"""


@dataclass(frozen=True)
class LearnerResult:
    """A released decision: per outcome, with the plan for what is not met yet.

    `statement_id`: the signed statement of what was recognised, once it is published.
    """

    summary: str
    released_at: datetime
    rows: Sequence[ResultRow]
    gap_plan: Sequence[dict[str, object]]
    credential_id: CredentialId | None
    credential_state: CredentialState | None
    as_of: date | None = None
    """the day by which the ages of the evidence were reckoned"""
    replaces: datetime | None = None
    """when the decision was released whose place this one takes, from its own release on"""
    statement_id: CredentialId | None = None


def result_for_learner(tx: Transaction, case_id: CaseId) -> LearnerResult | None:
    """The decision on the case as its learner reads it; None until it is released."""
    found = tx.session.exec(
        select(Decision, DefinitionVersion)
        .select_from(Case)
        .join(Decision, col(Decision.case_id) == col(Case.id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .where(Case.id == case_id, col(Decision.released_at).is_not(None))
        .order_by(col(Decision.released_at).desc(), col(Decision.id).desc())
        .limit(2)
    ).all()
    if not found:
        return None
    decision, version = found[0]
    assert decision.released_at is not None
    outcomes = tx.session.exec(
        select(OutcomeDecision).where(OutcomeDecision.decision_id == decision.id)
    ).all()
    issued = tx.session.exec(
        select(Credential)
        .where(Credential.case_id == case_id)
        .order_by(col(Credential.published_at).desc().nulls_last(), col(Credential.id).desc())
    ).all()
    credential = next((one for one in issued if one.whole), None)
    replaced = {one.replaces_id for one in issued if one.published_at}
    stated = [one for one in issued if not one.whole and one.published_at]
    statement = next((one for one in stated if one.id not in replaced), None)
    kept = kept_coverage(tx, case_id, decision.round, CoverageBasis.DECISION)
    stood = {row.code: row for row in kept.outcomes} if kept else {}
    decided = {row.outcome_code: row for row in outcomes}
    return LearnerResult(
        summary=decision.summary,
        released_at=decision.released_at,
        rows=_rows(read_definition(version.body), decided, stood),
        gap_plan=decision.gap_plan,
        credential_id=CredentialId(credential.id) if credential else None,
        credential_state=CredentialState(credential.state) if credential else None,
        as_of=kept.as_of if kept else None,
        statement_id=CredentialId(statement.id) if statement else None,
        replaces=found[1][0].released_at if len(found) > 1 else None,
    )


def _rows(
    definition: Definition,
    decided: Mapping[str, OutcomeDecision],
    stood: Mapping[OutcomeCode, OutcomeCoverage],
) -> list[ResultRow]:
    return [
        _row(outcome, decided[outcome.code], stood.get(outcome.code))
        for outcome in definition.outcomes
        if outcome.code in decided
    ]


def _row(outcome: Outcome, decided: OutcomeDecision, stood: OutcomeCoverage | None) -> ResultRow:
    criterion = outcome.criteria[0]
    label = criterion.level(decided.level).label if decided.level is not None else ""
    return ResultRow(
        code=outcome.code,
        statement=outcome.statement,
        result=OutcomeResult(decided.result),
        level=decided.level,
        label=label,
        levels=len(criterion.levels),
        threshold=criterion.threshold,
        reason=decided.reason,
        evidence=stood,
    )
