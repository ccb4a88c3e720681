"""Deciding a case, and the registrar's release: two people, neither of whom scored it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput
from storage.ids import CaseId, CriterionCode, DecisionId, OutcomeCode, new_id
from storage.tables import Case, Decision, OutcomeDecision
from storage.vocabulary import CoverageBasis, OutcomeResult
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.evidence import submitted
from workflows.assessment.moderation import agreements
from workflows.cases.load import lock_case, may_move, move, unchanged_since
from workflows.cases.queries import view_of
from workflows.decisions.appeal_rules import STILL_THERE, nothing_lost
from workflows.decisions.appealed import outcomes_of
from workflows.decisions.closing import close_case
from workflows.decisions.mails import tell_released
from workflows.decisions.rules import (
    Agreed,
    GapStep,
    OutcomeChoice,
    decision_problems,
    earns_credential,
    earns_statement,
    plan_as_kept,
    suggestion,
)
from workflows.evidence.coverage_kept import keep_coverage
from workflows.frameworks.definition import Definition
from workflows.issuance.addresses import Site
from workflows.issuance.renewed import NOT_IN_FORCE, taken_back
from workflows.issuance.reviewing import Follows, follow_appeal
from workflows.work import Work, promise_work


@command
def decide_case(
    db: Database,
    actor: Actor,
    case_id: CaseId,
    choices: Sequence[OutcomeChoice],
    *,
    summary: str,
    gap_plan: Sequence[GapStep] = (),
    expected_version: int | None = None,
) -> DecisionId:
    """Decide every outcome of a case.

    Raises NotFound, Forbidden (they had a part in it), Conflict (the case moved on), InvalidInput
    with the field of each problem: `<outcome>.result`, `<outcome>.reason`, `<outcome>.gap`,
    `summary`.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.DECIDE_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        may_move(case, "decide_case")
        definition = view_of(tx, case).definition
        frozen = submitted(tx, case, definition)
        agreed = agreed_levels(tx, case)
        problems = decision_problems(definition, agreed, choices, summary, gap_plan)
        if problems:
            raise InvalidInput("Nothing was decided yet.", problems=problems)
        assert who.account_id is not None
        before = _replace_earlier(tx, case)
        decision = Decision(
            id=new_id(),
            case_id=case.id,
            round=case.round,
            decider_id=who.account_id,
            decided_at=tx.now,
            summary=summary.strip(),
            gap_plan=[],
        )
        tx.session.add(decision)
        tx.session.flush()
        rows = nothing_lost(before, _outcomes(decision.id, definition, agreed, choices))
        tx.session.add_all(rows)
        kept = {row.outcome_code for row in rows if row.reason == STILL_THERE}
        decision.gap_plan = plan_as_kept([step for step in gap_plan if step.code not in kept])
        case.decision_id = decision.id
        case.due_at = None
        keep_coverage(
            tx,
            case.id,
            case.round,
            CoverageBasis.DECISION,
            as_of=frozen.as_of or tx.now.date(),
            outcomes=frozen.coverage,
        )
        results = {row.outcome_code: row.result for row in rows}
        move(tx, case, "decide_case", who, data={"outcomes": results})
        return DecisionId(decision.id)


@command
def release_case(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    *,
    expected_version: int | None = None,
) -> bool:
    """Turn the second key: the learner is told, and what was earned is issued.

    Returns whether a credential was earned; without one the case closes, and where something was
    recognised a signed statement of it is issued, if the definition says so. After an appeal, what
    was issued before is corrected where the new decision differs.
    Raises NotFound, Forbidden (the decider), Conflict (the case moved on, or what it renews is not
    in force).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.RELEASE_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        may_move(case, "release_case")
        decision = tx.session.get_one(Decision, case.decision_id)
        decision.released_by, decision.released_at = who.account_id, tx.now
        view = view_of(tx, case)
        results = results_of(tx, decision.id)
        earned = earns_credential(view.definition, results)
        move(tx, case, "release_case", who, data={"credential": earned})
        follows = follow_appeal(tx, site, who, case, decision)
        tell_released(tx, site, view, earned=earned, follows=follows)
        issued = follows is Follows.ISSUE
        if issued and (earned or earns_statement(view.definition, results)):
            if taken_back(tx, case):
                raise Conflict(NOT_IN_FORCE)
            key = f"issue:{decision.id}"
            promise_work(tx, Work.ISSUE_CREDENTIAL, decision.id, dedupe_key=key)
        if not (issued and earned):
            close_case(tx, case)
        return earned


def agreed_levels(tx: Transaction, case: Case) -> Agreed:
    """The agreed level of each criterion of the present round. Raises Conflict when one is open."""
    rows = agreements(tx, case)
    if any(not row.settled for row in rows):
        raise Conflict("The assessment is not settled yet.")
    return {CriterionCode(row.criterion_code): row.level for row in rows}


def results_of(tx: Transaction, decision_id: UUID) -> Mapping[OutcomeCode, OutcomeResult]:
    """What was decided of each outcome."""
    rows = outcomes_of(tx, decision_id)
    return {OutcomeCode(row.outcome_code): OutcomeResult(row.result) for row in rows}


def _replace_earlier(tx: Transaction, case: Case) -> Sequence[OutcomeDecision]:
    """The outcomes of the decision that was appealed, which is replaced by the next; else none."""
    if case.decision_id is None:
        return ()
    earlier = tx.session.get_one(Decision, case.decision_id)
    earlier.replaced_at = tx.now
    tx.session.flush()
    return outcomes_of(tx, earlier.id)


def _outcomes(
    decision_id: UUID, definition: Definition, agreed: Agreed, choices: Sequence[OutcomeChoice]
) -> Sequence[OutcomeDecision]:
    rows = []
    for choice in choices:
        recognised = choice.result is OutcomeResult.RECOGNISED
        level = suggestion(definition.outcome(choice.code), agreed).level if recognised else None
        rows.append(
            OutcomeDecision(
                decision_id=decision_id,
                outcome_code=choice.code,
                result=choice.result.value,
                level=level,
                reason=choice.reason.strip(),
            )
        )
    return rows
