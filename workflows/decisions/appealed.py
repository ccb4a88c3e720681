"""Whether a case is under appeal, and the end of one."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select

from storage.bulk import among
from storage.database import Transaction
from storage.ids import CaseId
from storage.tables import Appeal, AppealPoint, Decision, OutcomeDecision
from storage.vocabulary import AppealGround
from workflows.decisions.appeal_rules import differs


def running_appeal(tx: Transaction, case_id: UUID) -> Appeal | None:
    """The appeal of a case from its beginning until it is answered or, where the answer leads to a
    new decision, until that is released."""
    return tx.session.exec(
        select(Appeal).where(Appeal.case_id == case_id, col(Appeal.ended_at).is_(None))
    ).one_or_none()


def waiting_appeal(tx: Transaction, case_id: UUID) -> Appeal | None:
    """The appeal of a case that waits for its answer."""
    return tx.session.exec(
        select(Appeal).where(Appeal.case_id == case_id, col(Appeal.result).is_(None))
    ).one_or_none()


def was_appealed(tx: Transaction, case_id: UUID) -> bool:
    """Whether a decision on the case was ever appealed."""
    return tx.session.exec(select(Appeal.id).where(Appeal.case_id == case_id)).first() is not None


def grounds_of(tx: Transaction, appeal: Appeal) -> frozenset[AppealGround]:
    """The grounds of an appeal."""
    rows = tx.session.exec(
        select(AppealPoint.ground).where(AppealPoint.appeal_id == appeal.id)
    ).all()
    return frozenset(map(AppealGround, rows))


def decided_anew(tx: Transaction, case_ids: Collection[UUID]) -> frozenset[CaseId]:
    """Those of the cases whose decision takes the place of an earlier one."""
    if not case_ids:
        return frozenset()
    rows = tx.session.exec(
        select(Decision.case_id)
        .where(among(col(Decision.case_id), list(case_ids)), col(Decision.replaced_at).is_not(None))
        .distinct()
    ).all()
    return frozenset(map(CaseId, rows))


def outcomes_of(tx: Transaction, decision_id: UUID) -> list[OutcomeDecision]:
    """What a decision says of each outcome."""
    return list(
        tx.session.exec(
            select(OutcomeDecision).where(OutcomeDecision.decision_id == decision_id)
        ).all()
    )


def end_appeal(tx: Transaction, appeal: Appeal, decision_id: UUID) -> bool:
    """End an appeal with the release of the new decision; whether that differs from the first."""
    appeal.ended_at = tx.now
    appeal.changed = differs(outcomes_of(tx, appeal.decision_id), outcomes_of(tx, decision_id))
    return appeal.changed
