"""A conflict of interest that comes up after scoring has begun: the scores wait, none is deleted.

The coordinator settles it as any declared interest; see `commands.settle_conflict`.
"""

from sqlmodel import select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.events import Who, record
from storage.ids import AssignmentId, CaseId
from storage.tables import Agreement, Assignment, Case
from storage.vocabulary import AssignmentState, ConflictAnswer
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.load import (
    FIRST_SEATS,
    assignment_and_case,
    in_assessment,
    own_assignment,
    scores_of,
    sheet_of,
)
from workflows.assessment.mails import tell_coordinator, tell_reviewed
from workflows.assessment.rules import require_reason
from workflows.cases.queries import view_of
from workflows.issuance.addresses import Site


@command
def declare_late(
    db: Database,
    site: Site,
    actor: Actor,
    assignment_id: AssignmentId,
    answer: ConflictAnswer,
    *,
    detail: str,
) -> None:
    """Say that one has a conflict after all; one's scores wait until the coordinator settles it.

    Raises NotFound (not theirs), Conflict (nothing is scored yet, or it is too late), InvalidInput.
    """
    with db.transaction() as tx:
        place, case = own_assignment(tx, actor, assignment_id)
        who = acting(actor, Permission.DECLARE_CONFLICT, case_resource(tx, case))
        _mark_for_review(tx, who, case, place, answer=answer, detail=detail)
        tell_coordinator(tx, site, view_of(tx, case), place)


@command
def report_late_conflict(
    db: Database,
    actor: Actor,
    assignment_id: AssignmentId,
    answer: ConflictAnswer,
    *,
    detail: str,
) -> None:
    """Say as coordinator that an assessor who has begun to score has a conflict after all.

    Raises NotFound, Forbidden, Conflict (nothing is scored yet, or it is too late), InvalidInput.
    """
    with db.transaction() as tx:
        place, case = assignment_and_case(tx, assignment_id)
        who = acting(actor, Permission.SETTLE_CONFLICT, case_resource(tx, case))
        _mark_for_review(tx, who, case, place, answer=answer, detail=detail)
        tell_reviewed(tx, view_of(tx, case), place)


def _mark_for_review(
    tx: Transaction,
    who: Who,
    case: Case,
    place: Assignment,
    *,
    answer: ConflictAnswer,
    detail: str,
) -> None:
    in_assessment(case)
    sheet = sheet_of(tx, place.id)
    if place.state != AssignmentState.CLEARED or sheet is None:
        raise Conflict("Nothing is scored here: there is nothing to review.")
    if place.seat in FIRST_SEATS and _compared(tx, case):
        raise Conflict("The scores of this round are compared already: tell the moderator.")
    if answer is ConflictAnswer.NONE:
        problem = Problem("answer", "Choose whether it is possible or certain.")
        raise InvalidInput("Nothing was declared.", problems=[problem])
    said = require_reason("detail", detail, "Nothing was declared.")
    facts = {
        "answer": answer.value,
        "earlier": place.conflict,
        "sheet": sheet.state,
        "scores": len(scores_of(tx, [sheet.id])),
    }
    record(
        tx,
        who,
        "declare_late",
        ("assignment", place.id),
        case_id=CaseId(case.id),
        why=said,
        data=facts,
    )
    place.state = AssignmentState.DECLARED.value
    place.conflict, place.conflict_detail, place.declared_at = answer.value, said, tx.now
    place.override_id = None
    tx.session.flush()


def _compared(tx: Transaction, case: Case) -> bool:
    row = select(Agreement.id).where(Agreement.case_id == case.id, Agreement.round == case.round)
    return tx.session.exec(row.limit(1)).first() is not None
