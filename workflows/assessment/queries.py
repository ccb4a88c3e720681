"""An assessor's own places and sheets, for their pages.

Nothing here reads another assessor's place, sheet or score: whatever a page shows of these values
tells nothing of anyone else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound, Problem
from storage.ids import AccountId, AssignmentId, CaseId, SheetId
from storage.tables import (
    Account,
    Assignment,
    Attestation,
    Case,
    DefinitionVersion,
    Institution,
    Score,
    ScoreSheet,
)
from storage.vocabulary import AssignmentState, CaseState, ConflictAnswer, SheetState
from workflows.access.rules import NOT_YOURS, Actor
from workflows.assessment.evidence import EvidenceRow, submitted
from workflows.assessment.load import entry_of, own_sheet, scores_of
from workflows.assessment.rules import MIN_REASON, ScoreEntry, unfinished
from workflows.evidence.coverage import OutcomeCoverage
from workflows.frameworks.definition import Criterion, Definition, Outcome, read_definition


class PlaceStep(StrEnum):
    """What is next for an assessor on one of their places."""

    DECLARE = "declare"
    WAIT = "wait"
    SCORE = "score"
    FINALISE = "finalise"
    DONE = "done"
    OVER = "over"


MOST_PLACES = 500
"""More than anyone assesses in years: what is open is always among them."""


@dataclass(frozen=True)
class Place:
    """A place in an assessor's list. Until it is cleared it says names and nothing more."""

    id: AssignmentId
    step: PlaceStep
    case_number: int
    title: str
    learner: str
    offered_at: datetime
    due_at: datetime | None
    sheet_id: SheetId | None
    finalised_at: datetime | None
    scored: int
    asked: int


@dataclass(frozen=True)
class Brief:
    """All that an assessor may see before they declare: the credential's name, and the people's."""

    id: AssignmentId
    state: AssignmentState
    title: str
    institution: str
    learner: str
    witnesses: tuple[str, ...]
    conflict: ConflictAnswer | None
    conflict_detail: str
    settled_why: str
    sheet_id: SheetId | None


@dataclass(frozen=True)
class SheetCriterion:
    """A row of the rubric with what was said of it so far."""

    criterion: Criterion
    entry: ScoreEntry


@dataclass(frozen=True)
class SheetOutcome:
    """An outcome with its asked criteria and the evidence that speaks to it."""

    outcome: Outcome
    coverage: OutcomeCoverage
    evidence: Sequence[EvidenceRow]
    criteria: Sequence[SheetCriterion]


@dataclass(frozen=True)
class SheetView:
    """A score sheet, whole, with everything that is needed to fill it.

    `evidence` is all that was submitted; its ages are reckoned as of `as_of`.
    """

    id: SheetId
    case_id: CaseId
    assignment_id: AssignmentId
    case_number: int
    title: str
    learner: str
    state: SheetState
    version: int
    writable: bool
    due_at: datetime | None
    finalised_at: datetime | None
    outcomes: Sequence[SheetOutcome]
    definition: Definition
    evidence: Sequence[EvidenceRow]
    as_of: date | None

    @property
    def criteria(self) -> Sequence[SheetCriterion]:
        """All rows, in order."""
        return [row for outcome in self.outcomes for row in outcome.criteria]

    @property
    def asked(self) -> int:
        """How many criteria are to be scored."""
        return len(self.criteria)

    @property
    def scored(self) -> int:
        """How many are scored with a reason, or said not to be assessable."""
        return sum(row.entry.complete for row in self.criteria)

    @property
    def problems(self) -> Mapping[str, Problem]:
        """What is to be done before it can be final, per criterion."""
        entries = {row.criterion.code: row.entry for row in self.criteria}
        left = unfinished([row.criterion.code for row in self.criteria], entries)
        return {problem.field: problem for problem in left}


def places_of(tx: Transaction, account_id: AccountId) -> Sequence[Place]:
    """An assessor's latest places, what is to be done first. Two statements."""
    rows = tx.session.execute(
        columns(Assignment, ScoreSheet, Case, col(DefinitionVersion.title), col(Account.name))
        .join(Case, col(Case.id) == col(Assignment.case_id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(Account, col(Account.id) == col(Case.learner_id))
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(col(Assignment.assessor_id) == account_id)
        .order_by(col(Assignment.offered_at).desc())
        .limit(MOST_PLACES)
    ).all()
    done = _complete_scores(tx, account_id)
    places = [
        _place(place, sheet, case, (title, learner), done.get(sheet.id, 0) if sheet else 0)
        for place, sheet, case, title, learner in rows
    ]
    order = list(PlaceStep)
    late = datetime.max.replace(tzinfo=tx.now.tzinfo)
    return sorted(
        places, key=lambda one: (order.index(one.step), one.due_at or late, one.case_number)
    )


def assignment_brief(tx: Transaction, actor: Actor, assignment_id: AssignmentId) -> Brief:
    """The names behind one's own place. Raises NotFound for anyone else's."""
    row = tx.session.execute(
        columns(
            Assignment,
            col(ScoreSheet.id),
            col(DefinitionVersion.title),
            col(Institution.name),
            col(Account.name),
        )
        .join(Case, col(Case.id) == col(Assignment.case_id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(Institution, col(Institution.id) == col(Case.institution_id))
        .join(Account, col(Account.id) == col(Case.learner_id))
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(
            col(Assignment.id) == assignment_id,
            col(Assignment.assessor_id) == actor.account_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    place, sheet_id, title, institution, learner = row
    return Brief(
        id=assignment_id,
        state=AssignmentState(place.state),
        title=title,
        institution=institution,
        learner=learner,
        witnesses=_witnesses(tx, place.case_id),
        conflict=ConflictAnswer(place.conflict) if place.conflict else None,
        conflict_detail=place.conflict_detail,
        settled_why=place.settled_why,
        sheet_id=SheetId(sheet_id) if sheet_id else None,
    )


def sheet_view(tx: Transaction, actor: Actor, sheet_id: SheetId) -> SheetView:
    """One's own sheet with its rubric and evidence, as they were when it was opened.

    Raises NotFound for anyone else's.
    """
    sheet = own_sheet(tx, actor, sheet_id)
    place = tx.session.get_one(Assignment, sheet.assignment_id)
    case = tx.session.get_one(Case, sheet.case_id)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    learner = tx.session.get_one(Account, case.learner_id)
    entries = {row.criterion_code: entry_of(row) for row in scores_of(tx, [sheet.id])}
    definition = read_definition(version.body)
    evidence = submitted(tx, case, definition)
    covered = {row.code: row for row in evidence.coverage}
    return SheetView(
        id=sheet_id,
        case_id=CaseId(case.id),
        assignment_id=AssignmentId(place.id),
        case_number=case.number,
        title=version.title,
        learner=learner.name,
        state=SheetState(sheet.state),
        version=sheet.version,
        writable=sheet.state == SheetState.OPEN and case.state == CaseState.ASSESSMENT,
        due_at=case.due_at if sheet.state == SheetState.OPEN else None,
        finalised_at=sheet.finalised_at,
        outcomes=[
            SheetOutcome(
                outcome=outcome,
                coverage=covered[outcome.code],
                evidence=evidence.for_outcome(outcome.code),
                criteria=[
                    SheetCriterion(row, entries.get(row.code, ScoreEntry()))
                    for row in outcome.criteria
                    if row.code in place.criteria
                ],
            )
            for outcome in definition.outcomes
            if _asks_for(place, outcome)
        ],
        definition=definition,
        evidence=evidence.items,
        as_of=evidence.as_of,
    )


def _asks_for(place: Assignment, outcome: Outcome) -> bool:
    return any(row.code in place.criteria for row in outcome.criteria)


def _complete_scores(tx: Transaction, account_id: AccountId) -> Mapping[UUID, int]:
    rows = tx.session.execute(
        select(col(Score.sheet_id), func.count())
        .join(ScoreSheet, col(ScoreSheet.id) == col(Score.sheet_id))
        .where(
            ScoreSheet.assessor_id == account_id,
            col(Score.decided),
            func.length(func.trim(col(Score.reason))) >= MIN_REASON,
        )
        .group_by(col(Score.sheet_id))
    ).all()
    return {row[0]: row[1] for row in rows}


def _witnesses(tx: Transaction, case_id: UUID) -> tuple[str, ...]:
    names = tx.session.exec(
        select(Attestation.supervisor_name)
        .where(Attestation.case_id == case_id, col(Attestation.statement).is_not(None))
        .order_by(col(Attestation.supervisor_name))
    ).all()
    return tuple(dict.fromkeys(names))


def _place(
    place: Assignment,
    sheet: ScoreSheet | None,
    case: Case,
    names: tuple[str, str],
    scored: int,
) -> Place:
    asked = len(place.criteria) if sheet else 0
    step = _step(place, sheet, case, finished=bool(asked) and scored >= asked)
    return Place(
        id=AssignmentId(place.id),
        step=step,
        case_number=case.number,
        title=names[0],
        learner=names[1],
        offered_at=place.offered_at,
        # a date that changes when others have scored would tell of them
        due_at=case.due_at if step not in {PlaceStep.DONE, PlaceStep.OVER} else None,
        sheet_id=SheetId(sheet.id) if sheet else None,
        finalised_at=sheet.finalised_at if sheet and step is PlaceStep.DONE else None,
        scored=scored,
        asked=asked,
    )


def _step(place: Assignment, sheet: ScoreSheet | None, case: Case, *, finished: bool) -> PlaceStep:
    if sheet is not None and sheet.state == SheetState.FINAL:
        return PlaceStep.DONE
    if case.state != CaseState.ASSESSMENT or place.round != case.round:
        return PlaceStep.OVER
    if place.state == AssignmentState.DECLARED:
        return PlaceStep.WAIT
    if sheet is not None and sheet.state == SheetState.OPEN:
        return PlaceStep.FINALISE if finished else PlaceStep.SCORE
    by_state = {
        AssignmentState.OFFERED: PlaceStep.DECLARE,
        AssignmentState.DECLARED: PlaceStep.WAIT,
    }
    return by_state.get(AssignmentState(place.state), PlaceStep.OVER)
