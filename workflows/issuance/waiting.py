"""Decided cases that wait for the second key, for releasing many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.ids import CaseId, DefinitionId, InstitutionId
from storage.tables import Account, Case, Decision, DefinitionVersion
from storage.vocabulary import CaseState

SHOWN = 100


@dataclass(frozen=True)
class WaitingGroup:
    """How many decided cases for a credential wait."""

    definition_id: DefinitionId
    title: str
    count: int


@dataclass(frozen=True)
class WaitingCase:
    """A decided case that waits."""

    id: CaseId
    number: int
    learner: str
    title: str
    decided_at: datetime


def waiting_groups(tx: Transaction, institution_id: InstitutionId) -> Sequence[WaitingGroup]:
    """What waits, by credential, the most first."""
    rows = tx.session.exec(
        select(DefinitionVersion.id, DefinitionVersion.title, func.count())
        .join(Case, col(Case.definition_id) == col(DefinitionVersion.id))
        .where(Case.institution_id == institution_id, Case.state == CaseState.DECIDED.value)
        .group_by(col(DefinitionVersion.id), col(DefinitionVersion.title))
        .order_by(func.count().desc(), col(DefinitionVersion.title))
    ).all()
    return [WaitingGroup(DefinitionId(one), title, count) for one, title, count in rows]


def waiting_cases(tx: Transaction, institution_id: InstitutionId) -> Sequence[WaitingCase]:
    """The first hundred that wait, those decided earliest first."""
    rows = tx.session.exec(
        select(Case, Account.name, DefinitionVersion.title, Decision.decided_at)
        .join(Account, col(Account.id) == col(Case.learner_id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(Decision, col(Decision.id) == col(Case.decision_id))
        .where(Case.institution_id == institution_id, Case.state == CaseState.DECIDED.value)
        .order_by(col(Decision.decided_at), col(Case.number))
        .limit(SHOWN)
    ).all()
    return [
        WaitingCase(CaseId(case.id), case.number, learner, title, decided_at)
        for case, learner, title, decided_at in rows
    ]


def waiting_for(
    tx: Transaction, institution_id: InstitutionId, definition_id: DefinitionId
) -> Sequence[CaseId]:
    """All decided cases for a credential that wait."""
    rows = tx.session.exec(
        select(Case.id).where(
            Case.institution_id == institution_id,
            Case.definition_id == definition_id,
            Case.state == CaseState.DECIDED.value,
        )
    ).all()
    return [CaseId(one) for one in rows]
