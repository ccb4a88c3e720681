"""A learner's appeal against a released decision: made, taken back, and received by staff.

The decision, and what was issued by it, stand until a new one is released. How an appeal is
answered stands in `appeal_answers.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.events import Who, record
from storage.ids import AccountId, CaseId, InstitutionId, OutcomeCode, new_id
from storage.tables import Account, Appeal, AppealPoint, Case, Decision, RoleGrant
from storage.vocabulary import AppealGround, AppealResult, CaseState, Role
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting, may
from workflows.cases.calendar import after_working_days
from workflows.cases.load import MOVED_ON, lock_case, move, state_of, unchanged_since
from workflows.cases.queries import CaseView, live_case_for, view_of
from workflows.decisions import appeal_rules as rules
from workflows.decisions.appeal_mails import tell_appealed, tell_appointed, tell_received
from workflows.decisions.appealed import outcomes_of, running_appeal
from workflows.issuance.addresses import Site
from workflows.issuance.reviewing import lift_review
from workflows.keeping.access import is_shut
from workflows.people.sessions import actor_of
from workflows.words import marked


@dataclass(frozen=True)
class AppealRequest:
    """What a learner holds against a decision: a ground for each outcome, and their words."""

    points: Mapping[OutcomeCode, AppealGround]
    reason: str


@command
def appeal_case(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    asked: AppealRequest,
    *,
    expected_version: int | None = None,
) -> None:
    """Ask that somebody else looks at a released decision.

    Raises NotFound, Conflict (too late, asked before, nothing to appeal), InvalidInput (no ground,
    no reason).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.APPEAL_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        view = view_of(tx, case)
        decision = tx.session.get(Decision, case.decision_id) if case.decision_id else None
        released_at = decision.released_at if decision else None
        rules.may_appeal(
            state_of(case),
            rules.until(released_at, view.policy.appeal_days) if released_at else None,
            tx.now,
            asked_before=decision is not None and asked_of(tx, decision.id),
            erasing=is_shut(tx, case.id),
            another=has_another(tx, view),
        )
        assert decision is not None
        decided = [OutcomeCode(row.outcome_code) for row in outcomes_of(tx, decision.id)]
        allowed = view.policy.appeal_new_evidence
        rules.fit_to_ask(asked.points, asked.reason, decided, new_evidence=allowed)
        _keep(tx, case, decision, asked)
        case.closed_at = None
        case.due_at = after_working_days(tx.now, view.policy.appeal_answer_days)
        grounds = {code: ground.value for code, ground in asked.points.items()}
        move(tx, case, "appeal_case", who, data={"grounds": grounds})
        tell_appealed(tx, site, view, case.due_at)


@command
def take_back_appeal(
    db: Database, site: Site, actor: Actor, case_id: CaseId, *, expected_version: int | None = None
) -> None:
    """Let the decision be, at the learner's wish.

    Possible until it is answered, and while they are asked for new evidence. Raises NotFound,
    Conflict.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.APPEAL_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        appeal = running_appeal(tx, case.id)
        if appeal is None:
            raise Conflict(MOVED_ON)
        if appeal.result is None:
            appeal.result = AppealResult.TAKEN_BACK.value
            appeal.answered_by, appeal.answered_at = who.account_id, tx.now
        let_stand(tx, site, case, appeal, by="take_back_appeal", who=who)


@command
def receive_appeal(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    reviewer_id: AccountId,
    *,
    expected_version: int | None = None,
) -> None:
    """Receive an appeal and appoint who answers it, which may be done anew until it is answered.

    Raises NotFound, Forbidden, Conflict, InvalidInput (they had a part in the decision).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.RECEIVE_APPEAL, case_resource(tx, case))
        unchanged_since(case, expected_version)
        appeal = running_appeal(tx, case.id)
        if appeal is None or state_of(case) is not CaseState.APPEAL:
            raise Conflict(MOVED_ON)
        reviewer = next((one for one in reviewers(tx, case) if one.id == reviewer_id), None)
        if reviewer is None or reviewer.refusal:
            words = reviewer.refusal if reviewer else "Choose who answers the appeal."
            problem = Problem("reviewer", words)
            raise InvalidInput("Nobody was appointed.", problems=[problem])
        first = appeal.received_at is None
        appeal.reviewer_id, appeal.received_at = reviewer_id, appeal.received_at or tx.now
        record(tx, who, "receive_appeal", ("case", case.id), case_id=case_id)
        view = view_of(tx, case)
        tell_appointed(tx, site, view, reviewer_id, case.due_at)
        if first:
            tell_received(tx, site, view, case.due_at)


@dataclass(frozen=True)
class Reviewer:
    """A decider of the institution. `refusal`: why they cannot answer this appeal, or ''."""

    id: AccountId
    name: str
    refusal: str


def reviewers(tx: Transaction, case: Case) -> Sequence[Reviewer]:
    """Everyone who decides at the institution; those who had no part in the case first."""
    resource = case_resource(tx, case)
    institution_id = InstitutionId(case.institution_id)
    accounts = tx.session.exec(
        select(Account)
        .join(RoleGrant, col(RoleGrant.account_id) == col(Account.id))
        .where(
            RoleGrant.institution_id == case.institution_id,
            RoleGrant.role == Role.DECIDER.value,
            col(RoleGrant.revoked_at).is_(None),
            col(Account.disabled_at).is_(None),
        )
    ).all()
    found = []
    for account in accounts:
        theirs = actor_of(account, institution_id, [Role.DECIDER.value])
        answer = may(theirs, Permission.ANSWER_APPEAL, resource)
        refusal = "" if answer else NOT_NEW
        found.append(Reviewer(AccountId(account.id), account.name, refusal))
    return sorted(found, key=lambda one: (bool(one.refusal), one.name))


NOT_NEW = marked("Had a part in the case.")


def asked_of(tx: Transaction, decision_id: UUID) -> bool:
    """Whether a decision was appealed, and that was not taken back."""
    found = tx.session.exec(
        select(Appeal.id).where(
            Appeal.decision_id == decision_id,
            col(Appeal.result).is_distinct_from(AppealResult.TAKEN_BACK.value),
        )
    ).first()
    return found is not None


def has_another(tx: Transaction, view: CaseView) -> bool:
    """Whether the learner of a finished case has an open one for the same credential."""
    return live_case_for(tx, view.learner_id, view.definition.code) is not None


def let_stand(
    tx: Transaction, site: Site, case: Case, appeal: Appeal, *, by: str, who: Who, why: str = ""
) -> None:
    """End an appeal that leaves the decision as it is: the case is closed again."""
    decision = tx.session.get_one(Decision, appeal.decision_id)
    appeal.ended_at, appeal.changed = tx.now, False
    case.closed_at, case.due_at = tx.now, None
    case.round, case.note_to_learner = decision.round, ""
    move(tx, case, by, who, why=why)
    lift_review(tx, site, case.id)


def _keep(tx: Transaction, case: Case, decision: Decision, asked: AppealRequest) -> None:
    appeal = Appeal(
        id=new_id(),
        case_id=case.id,
        decision_id=decision.id,
        reason=asked.reason.strip(),
        asked_at=tx.now,
    )
    tx.session.add(appeal)
    tx.session.flush()
    tx.session.add_all(
        AppealPoint(appeal_id=appeal.id, outcome_code=code, ground=ground.value)
        for code, ground in asked.points.items()
    )
