"""Taking an assessor's place or sheet in hand. To anyone but its holder it does not exist."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Conflict, NotFound
from storage.ids import AssignmentId, SheetId
from storage.tables import Assignment, Case, Score, ScoreSheet
from storage.vocabulary import AssignmentState, CaseState, SheetState
from workflows.access.resources import SEATED
from workflows.access.rules import NOT_YOURS, Actor
from workflows.assessment.rules import ScoreEntry
from workflows.cases.load import MOVED_ON, lock_case, state_of

FIRST_SEATS = (1, 2)
THIRD_SEAT = 3


def assignment_and_case(tx: Transaction, assignment_id: AssignmentId) -> tuple[Assignment, Case]:
    """A place and its case, the case locked. Raises NotFound."""
    found = tx.session.get(Assignment, assignment_id)
    if found is None:
        raise NotFound(NOT_YOURS)
    case = lock_case(tx, found.case_id)
    tx.session.refresh(found)
    return found, case


def own_assignment(
    tx: Transaction, actor: Actor, assignment_id: AssignmentId
) -> tuple[Assignment, Case]:
    """The actor's own place and its case, the case locked. Raises NotFound."""
    found, case = assignment_and_case(tx, assignment_id)
    if actor.account_id is None or found.assessor_id != actor.account_id:
        raise NotFound(NOT_YOURS)
    return found, case


def own_sheet(tx: Transaction, actor: Actor, sheet_id: SheetId) -> ScoreSheet:
    """The actor's own sheet, only looked at. Raises NotFound."""
    sheet = tx.session.get(ScoreSheet, sheet_id)
    if sheet is None or actor.account_id is None or sheet.assessor_id != actor.account_id:
        raise NotFound(NOT_YOURS)
    return sheet


def live_assignments(tx: Transaction, case: Case) -> Sequence[Assignment]:
    """The places of the case's present round that are taken, by seat."""
    return tx.session.exec(
        select(Assignment)
        .where(
            Assignment.case_id == case.id,
            Assignment.round == case.round,
            col(Assignment.state).in_([state.value for state in SEATED]),
        )
        .order_by(col(Assignment.seat))
    ).all()


def live_sheets(tx: Transaction, case: Case) -> Sequence[ScoreSheet]:
    """The sheets of the case's present round that count, by seat."""
    return tx.session.exec(
        select(ScoreSheet)
        .where(
            ScoreSheet.case_id == case.id,
            ScoreSheet.round == case.round,
            ScoreSheet.state != SheetState.SUPERSEDED.value,
        )
        .order_by(col(ScoreSheet.seat))
    ).all()


def sheet_of(tx: Transaction, assignment_id: UUID) -> ScoreSheet | None:
    """The sheet of a place; None before it was cleared."""
    return tx.session.exec(
        select(ScoreSheet).where(ScoreSheet.assignment_id == assignment_id)
    ).one_or_none()


def scores_of(tx: Transaction, sheet_ids: Sequence[UUID]) -> Sequence[Score]:
    """All scores of these sheets."""
    return tx.session.exec(select(Score).where(col(Score.sheet_id).in_(sheet_ids))).all()


def in_assessment(case: Case) -> None:
    """Return when the case is being assessed. Raises Conflict."""
    if state_of(case) is not CaseState.ASSESSMENT:
        raise Conflict(MOVED_ON)


def all_final(tx: Transaction, case: Case) -> bool:
    """Whether every sheet that the present round waits for is final, and none is under review."""
    if any(place.state == AssignmentState.DECLARED for place in live_assignments(tx, case)):
        return False
    sheets = live_sheets(tx, case)
    final = {sheet.seat for sheet in sheets if sheet.state == SheetState.FINAL}
    third = any(place.seat == THIRD_SEAT for place in live_assignments(tx, case))
    return final.issuperset((*FIRST_SEATS, THIRD_SEAT) if third else FIRST_SEATS)


def entry_of(row: Score) -> ScoreEntry:
    """A kept score as a value."""
    return ScoreEntry(decided=row.decided, level=row.level, reason=row.reason)
