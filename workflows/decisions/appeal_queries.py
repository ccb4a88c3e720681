"""An appeal as pages show it: whether and until when one can be made, and what came of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Conflict
from storage.ids import AccountId, CaseId, CredentialId, OutcomeCode
from storage.tables import Account, Appeal, AppealPoint, Credential, Decision
from storage.vocabulary import AppealGround, AppealResult
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, may
from workflows.cases.load import find_case, state_of
from workflows.cases.queries import CaseView, view_of
from workflows.decisions import appeal_rules as rules
from workflows.decisions.appealed import outcomes_of
from workflows.decisions.appeals import Reviewer, asked_of, has_another, reviewers
from workflows.issuance.rules import REPLACEABLE
from workflows.keeping.access import is_shut


@dataclass(frozen=True)
class PointRow:
    """What is held against the decision on an outcome."""

    code: OutcomeCode
    statement: str
    ground: AppealGround


@dataclass(frozen=True)
class AppealRow:
    """What was asked, and the answer; `result` None while it waits, `ended_at` while it runs."""

    points: Sequence[PointRow]
    reason: str
    asked_at: datetime
    received_at: datetime | None
    reviewer_id: AccountId | None
    reviewer: str
    result: AppealResult | None
    answer: str
    answered_at: datetime | None
    ended_at: datetime | None
    changed: bool | None


@dataclass(frozen=True)
class AppealStanding:
    """How a case stands to an appeal. `until`: one can be made now, up to that moment, on these
    `grounds`; `due_at`: when the next step is due."""

    until: datetime | None
    made: Sequence[AppealRow]
    due_at: datetime | None
    outcomes: Sequence[OutcomeCode]
    grounds: Mapping[AppealGround, str]
    new_evidence: bool
    issued: CredentialId | None
    """what was issued by the decision and can be suspended meanwhile"""

    @property
    def waiting(self) -> AppealRow | None:
        """The one that waits for its answer."""
        return next((one for one in self.made if one.result is None), None)

    @property
    def running(self) -> AppealRow | None:
        """The one that is not over."""
        return next((one for one in self.made if one.ended_at is None), None)

    @property
    def answers(self) -> Sequence[AppealResult]:
        """What the one that waits can be answered with."""
        asked = self.waiting
        points = [one.ground for one in asked.points] if asked else []
        return rules.answers(points, new_evidence=self.new_evidence)


@dataclass(frozen=True)
class AppealDesk:
    """What the viewer does with an appeal: appoint who answers it, or answer it."""

    reviewers: Sequence[Reviewer]
    appoints: bool
    answers: bool


def appeal_standing(tx: Transaction, case_id: CaseId) -> AppealStanding:
    """Whether the decision on the case can be appealed, and every appeal made. Raises NotFound."""
    case = find_case(tx, case_id)
    view = view_of(tx, case)
    decision = tx.session.get(Decision, case.decision_id) if case.decision_id else None
    ends_at = None
    if decision is not None and decision.released_at is not None:
        ends_at = rules.until(decision.released_at, view.policy.appeal_days)
    before = decision is not None and asked_of(tx, decision.id)
    try:
        rules.may_appeal(
            state_of(case),
            ends_at,
            tx.now,
            asked_before=before,
            erasing=is_shut(tx, case_id),
            another=has_another(tx, view),
        )
    except Conflict:
        ends_at = None
    decided = {row.outcome_code for row in outcomes_of(tx, decision.id)} if decision else set()
    return AppealStanding(
        until=ends_at,
        made=_made(tx, view),
        due_at=case.due_at,
        outcomes=[one.code for one in view.definition.outcomes if one.code in decided],
        grounds=rules.grounds(new_evidence=view.policy.appeal_new_evidence),
        new_evidence=view.policy.appeal_new_evidence,
        issued=_issued(tx, case_id),
    )


def appeal_desk(tx: Transaction, actor: Actor, case_id: CaseId) -> AppealDesk:
    """What the viewer can do with the appeal that waits for its answer. Raises NotFound."""
    case = find_case(tx, case_id)
    resource = case_resource(tx, case)
    appointed = appointed_for(tx, [case_id]).get(case_id)
    appoints = bool(may(actor, Permission.RECEIVE_APPEAL, resource))
    answers = bool(may(actor, Permission.ANSWER_APPEAL, resource))
    return AppealDesk(
        reviewers=reviewers(tx, case) if appoints else (),
        appoints=appoints,
        answers=answers and appointed is not None and appointed == actor.account_id,
    )


def appointed_for(tx: Transaction, case_ids: Collection[UUID]) -> Mapping[CaseId, AccountId]:
    """By case: who is appointed to answer the appeal that waits for its answer."""
    if not case_ids:
        return {}
    rows = tx.session.exec(
        select(Appeal.case_id, Appeal.reviewer_id).where(
            col(Appeal.case_id).in_(case_ids),
            col(Appeal.result).is_(None),
            col(Appeal.reviewer_id).is_not(None),
        )
    ).all()
    return {CaseId(case_id): AccountId(one) for case_id, one in rows if one is not None}


def _issued(tx: Transaction, case_id: CaseId) -> CredentialId | None:
    found = tx.session.exec(
        select(Credential.id).where(
            Credential.case_id == case_id,
            col(Credential.state).in_([state.value for state in REPLACEABLE]),
        )
    ).first()
    return CredentialId(found) if found else None


def _made(tx: Transaction, view: CaseView) -> list[AppealRow]:
    rows = tx.session.exec(
        select(Appeal, Account.name)
        .outerjoin(Account, col(Account.id) == col(Appeal.reviewer_id))
        .where(Appeal.case_id == view.id)
        .order_by(col(Appeal.asked_at), col(Appeal.id))
    ).all()
    points: defaultdict[UUID, dict[str, AppealGround]] = defaultdict(dict)
    for point in tx.session.exec(
        select(AppealPoint).where(col(AppealPoint.appeal_id).in_([row[0].id for row in rows]))
    ).all():
        points[point.appeal_id][point.outcome_code] = AppealGround(point.ground)
    return [_row(view, one, name or "", points[one.id]) for one, name in rows]


def _row(
    view: CaseView, one: Appeal, reviewer: str, points: Mapping[str, AppealGround]
) -> AppealRow:
    return AppealRow(
        points=[
            PointRow(outcome.code, outcome.statement, points[outcome.code])
            for outcome in view.definition.outcomes
            if outcome.code in points
        ],
        reason=one.reason,
        asked_at=one.asked_at,
        received_at=one.received_at,
        reviewer_id=AccountId(one.reviewer_id) if one.reviewer_id else None,
        reviewer=reviewer,
        result=AppealResult(one.result) if one.result else None,
        answer=one.answer,
        answered_at=one.answered_at,
        ended_at=one.ended_at,
        changed=one.changed,
    )
