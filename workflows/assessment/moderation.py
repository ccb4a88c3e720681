"""What follows from final sheets: the agreement rule as a job, and what a moderator settles."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound, Problem
from storage.events import SYSTEM, Who, record
from storage.ids import CaseId, CriterionCode, OutboxId, new_id
from storage.outbox import receive
from storage.tables import Agreement, Case
from storage.vocabulary import AgreementRule, CaseState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.agreement import RULE_VERSION, Level, agree
from workflows.assessment.load import (
    THIRD_SEAT,
    all_final,
    live_assignments,
    live_sheets,
    scores_of,
)
from workflows.assessment.rules import require_reason, settled_level
from workflows.cases.calendar import after_working_days
from workflows.cases.load import MOVED_ON, lock_case, move, state_of, unchanged_since
from workflows.cases.queries import CaseView, view_of

OPEN_TO_MODERATION = frozenset({AgreementRule.DISCUSSION, AgreementRule.MODERATED})


@command
def settle_agreement(db: Database, case_id: CaseId, outbox_id: OutboxId) -> None:
    """The job: apply the agreement rule to every criterion that is not settled, and move the case.

    To a decision when all are settled; to moderation when something is to be discussed; it stays
    in assessment when only a third assessor is waited for. Does nothing when the case has moved
    on, or when a sheet is open again. Raises AlreadyDone, NotFound.
    """
    with db.transaction() as tx:
        receive(tx, outbox_id)
        case = lock_case(tx, case_id)
        if state_of(case) is not CaseState.ASSESSMENT or not all_final(tx, case):
            return
        view = view_of(tx, case)
        rows = _applied(tx, view, agreements(tx, case), _levels(tx, case))
        open_rules = [AgreementRule(row.rule) for row in rows if not row.settled]
        if AgreementRule.DISCUSSION in open_rules:
            case.due_at = _decision_due(tx, view)
            move(tx, case, "begin_moderation", SYSTEM, data={"open": len(open_rules)})
        elif not open_rules:
            case.due_at = _decision_due(tx, view)
            move(tx, case, "conclude_assessment", SYSTEM)
        else:
            facts = {"criteria": len(open_rules)}
            record(
                tx, SYSTEM, "await_third_assessor", ("case", case.id), case_id=view.id, data=facts
            )


@command
def settle_discussion(
    db: Database, actor: Actor, case_id: CaseId, code: CriterionCode, level: Level, *, why: str
) -> None:
    """Settle a criterion on a level between the scores, or on "not assessed" where one said so.

    The scores stay beside it. Raises NotFound, Forbidden, Conflict (not in moderation, or settled
    by someone else), InvalidInput.
    """
    with db.transaction() as tx:
        case, who = _moderated(tx, actor, case_id)
        row = {one.criterion_code: one for one in agreements(tx, case)}.get(code)
        if row is None:
            raise NotFound("There is no such criterion in this case.")
        if row.rule not in OPEN_TO_MODERATION:
            raise Conflict("This criterion is not up for discussion.")
        if row.settled and row.moderator_id != who.account_id:
            raise Conflict("Another moderator has settled this criterion already.")
        reason = settled_level(row.levels, level, why)
        row.rule, row.settled, row.level = AgreementRule.MODERATED.value, True, level
        row.moderator_id, row.why, row.at = who.account_id, reason, tx.now
        record(
            tx,
            who,
            "settle_discussion",
            ("agreement", row.id),
            case_id=case_id,
            why=reason,
            data={"criterion": code, "scores": list(row.levels), "level": level},
        )


@command
def ask_third_assessor(
    db: Database,
    actor: Actor,
    case_id: CaseId,
    codes: Sequence[CriterionCode],
    why: str,
    *,
    expected_version: int | None = None,
) -> None:
    """Send criteria that could not be settled to a third assessor; back to assessment.

    Those that the rule sent there go along. Raises NotFound, Forbidden, Conflict (a third has
    scored in this round), InvalidInput (nothing to ask for; no reason).
    """
    with db.transaction() as tx:
        case, who = _moderated(tx, actor, case_id)
        unchanged_since(case, expected_version)
        if any(place.seat == THIRD_SEAT for place in live_assignments(tx, case)):
            raise Conflict("A third assessor has scored in this round: settle what is left here.")
        reason = require_reason("why", why, "No third assessor was asked.")
        rows = {row.criterion_code: row for row in agreements(tx, case)}
        _only_discussed(rows, codes)
        for code in codes:
            rows[code].rule = AgreementRule.THIRD_ASSESSOR.value
            rows[code].settled, rows[code].level, rows[code].why = False, None, reason
            rows[code].moderator_id = who.account_id
        wanted = [code for code, row in rows.items() if row.rule == AgreementRule.THIRD_ASSESSOR]
        if not wanted:
            raise InvalidInput(
                "No third assessor was asked.",
                problems=[Problem("criteria", "Choose what the third assessor should score.")],
            )
        view = view_of(tx, case)
        case.due_at = after_working_days(tx.now, view.policy.assessment_days)
        move(tx, case, "ask_third_assessor", who, why=reason, data={"criteria": wanted})


@command
def conclude_moderation(
    db: Database, actor: Actor, case_id: CaseId, *, expected_version: int | None = None
) -> None:
    """Sign the moderation: everything is settled and the case goes to its decision.

    Raises NotFound, Forbidden, Conflict (something is open).
    """
    with db.transaction() as tx:
        case, who = _moderated(tx, actor, case_id)
        unchanged_since(case, expected_version)
        if any(not row.settled for row in agreements(tx, case)):
            raise Conflict("Some criteria are not settled yet.")
        case.due_at = _decision_due(tx, view_of(tx, case))
        move(tx, case, "conclude_moderation", who)


def agreements(tx: Transaction, case: Case) -> Sequence[Agreement]:
    """What became of each criterion in the case's present round, so far."""
    return tx.session.exec(
        select(Agreement)
        .where(Agreement.case_id == case.id, Agreement.round == case.round)
        .order_by(col(Agreement.criterion_code))
    ).all()


def _moderated(tx: Transaction, actor: Actor, case_id: CaseId) -> tuple[Case, Who]:
    case = lock_case(tx, case_id)
    who = acting(actor, Permission.MODERATE_CASE, case_resource(tx, case))
    if state_of(case) is not CaseState.MODERATION:
        raise Conflict(MOVED_ON)
    return case, who


def _decision_due(tx: Transaction, view: CaseView) -> datetime:
    return after_working_days(tx.now, view.policy.decision_days)


def _only_discussed(rows: Mapping[str, Agreement], codes: Sequence[CriterionCode]) -> None:
    for code in codes:
        if code not in rows:
            raise NotFound("There is no such criterion in this case.")
        if rows[code].rule not in OPEN_TO_MODERATION:
            raise Conflict("This criterion is not up for discussion.")


def _levels(tx: Transaction, case: Case) -> Mapping[str, list[Level]]:
    """The scores of each criterion, by seat."""
    sheets = live_sheets(tx, case)
    seat_of = {sheet.id: sheet.seat for sheet in sheets}
    rows = scores_of(tx, [sheet.id for sheet in sheets])
    levels: defaultdict[str, list[Level]] = defaultdict(list)
    for row in sorted(rows, key=lambda score: seat_of[score.sheet_id]):
        levels[row.criterion_code].append(row.level)
    return levels


def _applied(
    tx: Transaction,
    view: CaseView,
    known: Sequence[Agreement],
    levels: Mapping[str, list[Level]],
) -> Sequence[Agreement]:
    """The rows of all criteria, the rule applied to those that are open and have a new score."""
    kept = {row.criterion_code: row for row in known}
    for criterion in view.definition.criteria():
        row = kept.get(criterion.code)
        scores = levels.get(criterion.code, [])
        if row is not None and (row.settled or len(scores) == len(row.levels)):
            continue
        if row is None:
            row = Agreement(
                id=new_id(),
                case_id=view.id,
                round=view.round,
                criterion_code=criterion.code,
                rule_version=RULE_VERSION,
                rule="",
                settled=False,
                levels=[],
                at=tx.now,
            )
            tx.session.add(row)
            kept[criterion.code] = row
        finding = agree(scores, criterion.threshold)
        row.rule, row.level, row.settled = finding.rule.value, finding.level, finding.settled
        row.levels, row.rule_version, row.at = scores, RULE_VERSION, tx.now
    return list(kept.values())
