"""The answer to an appeal, by someone who was appointed and had no part in the decision.

The decision stays; or it is decided anew from the same scores; or new people assess the same
evidence, by the rubric and as of the day of the first assessment and without its scores; or, where
the policy allows it, the learner adds new evidence first. What was recognised stays recognised.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden
from storage.events import SYSTEM, Who
from storage.ids import CaseId, new_id
from storage.tables import Appeal, Case, CoverageRecord, Manifest
from storage.vocabulary import AppealResult, CaseState, CoverageBasis
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.attestations.retracting import retract_withdrawn
from workflows.cases.calendar import after_working_days
from workflows.cases.commands import evidence_due
from workflows.cases.load import MOVED_ON, lock_case, may_move, move, unchanged_since
from workflows.cases.queries import view_of
from workflows.decisions import appeal_rules as rules
from workflows.decisions.appeal_mails import tell_answered, tell_ended
from workflows.decisions.appealed import grounds_of, running_appeal, waiting_appeal
from workflows.decisions.appeals import let_stand
from workflows.issuance.addresses import Site

ACTS: Mapping[AppealResult, str] = {
    AppealResult.CONFIRMED: "uphold_decision",
    AppealResult.REDECIDED: "redecide_case",
    AppealResult.REASSESSED: "reassess_case",
    AppealResult.REOPENED: "reopen_case",
}
"""The act of the table of states that each answer is."""

NOT_APPOINTED = "Somebody else is appointed to answer this appeal."


@dataclass(frozen=True)
class AppealAnswer:
    """What follows from an appeal, and why, as the learner reads it."""

    result: AppealResult
    reason: str


@command
def answer_appeal(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    answer: AppealAnswer,
    *,
    expected_version: int | None = None,
) -> None:
    """Answer an appeal: the decision stays, or a new one is made.

    Raises NotFound, Forbidden (they had a part in it, or are not appointed), Conflict,
    InvalidInput (no reason, or what the policy does not allow).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ANSWER_APPEAL, case_resource(tx, case))
        unchanged_since(case, expected_version)
        appeal = waiting_appeal(tx, case.id)
        if appeal is None:
            raise Conflict(MOVED_ON)
        if appeal.reviewer_id != who.account_id:
            raise Forbidden(NOT_APPOINTED)
        allowed = view_of(tx, case).policy.appeal_new_evidence
        grounds = grounds_of(tx, appeal)
        rules.fit_to_answer(answer.result, answer.reason, grounds, new_evidence=allowed)
        may_move(case, ACTS[answer.result])
        appeal.result, appeal.answer = answer.result.value, answer.reason.strip()
        appeal.answered_by, appeal.answered_at = who.account_id, tx.now
        _follow(tx, site, case, appeal, who=who, result=answer.result)
        tell_answered(tx, site, view_of(tx, case), answer.result, appeal.answer)


def end_late_appeals(db: Database, site: Site) -> int:
    """Let the decisions stand for which the new evidence did not come in time; returns how many."""
    with db.reading() as tx:
        late = tx.session.exec(select(Case.id).where(*_late(tx))).all()
    return sum(_end_late(db, site, CaseId(case_id)) for case_id in late)


@command
def _end_late(db: Database, site: Site, case_id: CaseId) -> bool:
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        appeal = running_appeal(tx, case_id)
        still = tx.session.exec(select(Case.id).where(Case.id == case_id, *_late(tx))).first()
        if appeal is None or still is None:
            return False
        let_stand(tx, site, case, appeal, by="end_appeal", who=SYSTEM)
        tell_ended(tx, site, view_of(tx, case))
        return True


def _late(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Case.state) == CaseState.RETURNED.value,
        col(Case.decision_id).is_not(None),
        col(Case.due_at) <= tx.now,
    )


def _follow(
    tx: Transaction, site: Site, case: Case, appeal: Appeal, *, who: Who, result: AppealResult
) -> None:
    """What the answer means for the case."""
    by, why = ACTS[result], appeal.answer
    if result is AppealResult.CONFIRMED:
        let_stand(tx, site, case, appeal, by=by, who=who, why=why)
        return
    policy = view_of(tx, case).policy
    case.due_at = {
        AppealResult.REASSESSED: after_working_days(tx.now, policy.assessment_days),
        AppealResult.REDECIDED: after_working_days(tx.now, policy.decision_days),
        AppealResult.REOPENED: evidence_due(tx, case),
    }[result]
    move(tx, case, by, who, why=why)
    if result is AppealResult.REASSESSED:
        _again(tx, case)
        case.round += 1
    elif result is AppealResult.REOPENED:
        case.note_to_learner = why
        case.round += 1
        retract_withdrawn(tx, case.id)


def _again(tx: Transaction, case: Case) -> None:
    """What was submitted, and the day by which it was assessed, stand for the new round too."""
    manifest = tx.session.exec(
        select(Manifest).where(Manifest.case_id == case.id).order_by(col(Manifest.round).desc())
    ).first()
    assert manifest is not None
    same = manifest.model_dump(exclude={"id", "round"})
    tx.session.add(Manifest(**same, id=new_id(), round=case.round + 1))
    stood = tx.session.exec(
        select(CoverageRecord)
        .where(
            CoverageRecord.case_id == case.id,
            CoverageRecord.round == case.round,
            CoverageRecord.basis == CoverageBasis.ASSESSMENT.value,
        )
        .order_by(col(CoverageRecord.recorded_at).desc())
    ).first()
    if stood is not None:
        kept = stood.model_dump(exclude={"id", "round", "recorded_at"})
        again = CoverageRecord(**kept, id=new_id(), round=case.round + 1, recorded_at=tx.now)
        tx.session.add(again)
