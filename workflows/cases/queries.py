"""Cases for pages: lists and single cases as plain values, a constant number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import AccountId, CaseId, OutcomeCode
from storage.tables import (
    Account,
    Case,
    DefinitionVersion,
    Event,
    EvidenceItem,
    EvidenceMapping,
    Manifest,
    PolicyVersion,
    SelfRating,
)
from storage.vocabulary import CaseState, EvidenceState, Role
from workflows.cases.load import find_case, state_of
from workflows.cases.policy import Policy, read_policy
from workflows.evidence.consent import replaced_among
from workflows.evidence.counting import counted_item
from workflows.evidence.coverage import CountedItem, OutcomeCoverage, OutcomeRule, coverage
from workflows.evidence.queries import spoilt_among
from workflows.frameworks.definition import Definition, read_definition


@dataclass(frozen=True)
class CaseLine:
    """A case in a list."""

    id: CaseId
    number: int
    title: str
    code: str
    state: CaseState
    round: int
    opened_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True)
class CaseView:
    """A case with its definition, policy and people's names."""

    id: CaseId
    number: int
    state: CaseState
    version: int
    round: int
    learner_id: AccountId
    learner_name: str
    definition: Definition
    definition_hash: str
    policy: Policy
    policy_hash: str
    opened_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    note_to_learner: str
    decision_id: UUID | None


@dataclass(frozen=True)
class HistoryLine:
    """An event of a case, for its timeline."""

    at: datetime
    kind: str
    role: str
    actor: str
    why: str
    data: Mapping[str, object]


MOST_EVENTS = 2000
OPEN_ROLES = frozenset({Role.LEARNER, Role.SUPERVISOR, Role.EMPLOYER, Role.SYSTEM})
TOLD_TO_LEARNER = frozenset(
    {
        "begin_screening",
        "return_case",
        "accept_for_assessment",
        "decide_case",
        "release_case",
        "receive_appeal",
        "uphold_decision",
        "redecide_case",
        "reassess_case",
        "reopen_case",
    }
)
KEPT_BACK = frozenset({"await_third_assessor", "access_refused", "open_evidence"})
SAID_TO_LEARNER = frozenset(
    {
        "return_case",
        "withdraw_case",
        "reject_evidence",
        "quarantine_evidence",
        "uphold_decision",
        "redecide_case",
        "reassess_case",
        "reopen_case",
    }
)


def my_cases(tx: Transaction, learner_id: AccountId) -> Sequence[CaseLine]:
    """A learner's own cases, the newest first."""
    rows = tx.session.exec(
        select(Case, DefinitionVersion)
        .join(DefinitionVersion, col(Case.definition_id) == col(DefinitionVersion.id))
        .where(Case.learner_id == learner_id)
        .order_by(col(Case.opened_at).desc())
    ).all()
    return [line_of(case, version) for case, version in rows]


def live_case_for(tx: Transaction, learner_id: AccountId, code: str) -> CaseId | None:
    """The learner's case for this credential that is not finished yet, if there is one."""
    finished = [CaseState.CLOSED, CaseState.RELEASED, CaseState.WITHDRAWN, CaseState.EXPIRED]
    found = tx.session.exec(
        select(Case.id)
        .join(DefinitionVersion, col(Case.definition_id) == col(DefinitionVersion.id))
        .where(
            Case.learner_id == learner_id,
            DefinitionVersion.code == code,
            col(Case.state).not_in(finished),
        )
    ).first()
    return CaseId(found) if found else None


def case_view(tx: Transaction, case_id: CaseId) -> CaseView:
    """The case whole, but for its evidence. Raises NotFound."""
    return view_of(tx, find_case(tx, case_id))


def view_of(tx: Transaction, case: Case) -> CaseView:
    """The view of a case that is at hand."""
    row = tx.session.exec(
        select(DefinitionVersion, PolicyVersion, Account)
        .select_from(Case)
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(PolicyVersion, col(PolicyVersion.id) == col(Case.policy_id))
        .join(Account, col(Account.id) == col(Case.learner_id))
        .where(Case.id == case.id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such case, or it is not yours to see.")
    version, policy, learner = row
    return CaseView(
        id=CaseId(case.id),
        number=case.number,
        state=state_of(case),
        version=case.version,
        round=case.round,
        learner_id=AccountId(learner.id),
        learner_name=learner.name,
        definition=read_definition(version.body),
        definition_hash=version.content_hash,
        policy=read_policy(policy.body),
        policy_hash=policy.content_hash,
        opened_at=case.opened_at,
        submitted_at=case.submitted_at,
        due_at=case.due_at,
        note_to_learner=case.note_to_learner,
        decision_id=case.decision_id,
    )


def self_ratings(tx: Transaction, case_id: CaseId) -> Mapping[OutcomeCode, int]:
    """How the learner rates themselves, per outcome."""
    rows = tx.session.exec(select(SelfRating).where(SelfRating.case_id == case_id)).all()
    return {OutcomeCode(row.outcome_code): row.level for row in rows}


def case_coverage(
    tx: Transaction, case_id: CaseId, definition: Definition, as_of: date
) -> tuple[OutcomeCoverage, ...]:
    """How each outcome of a case stands on a day, by its sealed items."""
    return coverage(outcome_rules(definition), counted_items(tx, case_id), as_of)


def outcome_rules(definition: Definition) -> tuple[OutcomeRule, ...]:
    """The rules of evidence of a definition's outcomes."""
    return tuple(
        OutcomeRule(
            code=outcome.code,
            min_items=outcome.evidence.min_items,
            min_direct=outcome.evidence.min_direct,
            kinds=frozenset(outcome.evidence.kinds),
            currency_months=outcome.currency_months,
        )
        for outcome in definition.outcomes
    )


def mapped_outcomes(tx: Transaction, case_id: CaseId) -> Mapping[UUID, tuple[OutcomeCode, ...]]:
    """For each item of a case the outcomes it is mapped to, in order of their codes."""
    rows = tx.session.exec(
        select(EvidenceMapping)
        .join(EvidenceItem, col(EvidenceItem.id) == col(EvidenceMapping.item_id))
        .where(EvidenceItem.case_id == case_id)
        .order_by(EvidenceMapping.outcome_code)
    ).all()
    mapped: dict[UUID, tuple[OutcomeCode, ...]] = {}
    for row in rows:
        mapped[row.item_id] = (*mapped.get(row.item_id, ()), OutcomeCode(row.outcome_code))
    return mapped


def counted_items(tx: Transaction, case_id: CaseId) -> Sequence[CountedItem]:
    """A case's sealed items as the coverage rule sees them; a copy stands for what it replaces."""
    mapped = mapped_outcomes(tx, case_id)
    rows = tx.session.exec(
        select(EvidenceItem).where(
            EvidenceItem.case_id == case_id, EvidenceItem.state == EvidenceState.SEALED.value
        )
    ).all()
    replaced = replaced_among(tx, [row.id for row in rows])
    spoilt = spoilt_among(tx, [row.sha256 for row in rows if row.sha256])
    return [
        counted_item(row, mapped.get(row.id, ()), spoilt) for row in rows if row.id not in replaced
    ]


def manifest_of(tx: Transaction, case_id: CaseId, round_number: int) -> Manifest | None:
    """What was submitted in a round; None before it was."""
    return tx.session.exec(
        select(Manifest).where(Manifest.case_id == case_id, Manifest.round == round_number)
    ).one_or_none()


def history(tx: Transaction, case_id: CaseId) -> Sequence[HistoryLine]:
    """What was done on a case, the oldest first; the latest 2,000 when there was more."""
    rows = tx.session.exec(
        select(Event)
        .where(Event.case_id == case_id)
        .order_by(col(Event.at).desc(), col(Event.id).desc())
        .limit(MOST_EVENTS)
    ).all()[::-1]
    return [
        HistoryLine(row.at, row.kind, row.actor_role, row.actor_label, row.why, row.data)
        for row in rows
    ]


def history_for_learner(tx: Transaction, case_id: CaseId) -> Sequence[HistoryLine]:
    """The history as its learner reads it: their own acts and what the institution tells them.

    Who assesses, what they declared, who settled what and why stays with staff; so does who
    looked at a file. The reason is shown only where it was written for the learner.
    """
    return [
        replace(line, why=line.why if line.kind in SAID_TO_LEARNER else "")
        for line in history(tx, case_id)
        if line.kind in TOLD_TO_LEARNER or (line.role in OPEN_ROLES and line.kind not in KEPT_BACK)
    ]


def line_of(case: Case, version: DefinitionVersion) -> CaseLine:
    """The case as a line of a list."""
    return CaseLine(
        id=CaseId(case.id),
        number=case.number,
        title=version.title,
        code=version.code,
        state=state_of(case),
        round=case.round,
        opened_at=case.opened_at,
        submitted_at=case.submitted_at,
        due_at=case.due_at,
    )
