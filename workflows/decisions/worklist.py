"""Staff's lists: what is next for one, what is late, and all cases by state.

A case in which the viewer is an assessor is on none of them: who scores blind sees no list that
says how far others are.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy import select as columns
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import CaseId
from storage.tables import (
    Account,
    Agreement,
    Assignment,
    Case,
    DefinitionVersion,
    ScoreSheet,
)
from storage.vocabulary import AgreementRule, AssignmentState, CaseState, Role, SheetState
from workflows.access.permissions import Permission
from workflows.access.resources import SEATED, case_resources
from workflows.access.rules import Actor, may
from workflows.cases.load import state_of
from workflows.cases.states import FINISHED
from workflows.decisions.appeal_queries import appointed_for
from workflows.decisions.steps import Seat, StaffStep, is_turn, staff_step

PAGE = 50
NEXT_LIMIT = 100

TURNS: Mapping[Role, frozenset[CaseState]] = {
    Role.COORDINATOR: frozenset(
        {CaseState.SUBMITTED, CaseState.SCREENING, CaseState.ASSESSMENT, CaseState.APPEAL}
    ),
    Role.MODERATOR: frozenset({CaseState.MODERATION}),
    Role.DECIDER: frozenset({CaseState.DECISION, CaseState.APPEAL}),
    Role.REGISTRAR: frozenset({CaseState.DECIDED}),
}
"""In which states a role may have something to do."""


@dataclass(frozen=True)
class StaffLine:
    """A case in a list. `turn`: the next step is the viewer's; `at_it`: who is asked to score."""

    id: CaseId
    number: int
    title: str
    learner: str
    state: CaseState
    round: int
    submitted_at: datetime | None
    due_at: datetime | None
    late: bool
    days: int
    step: StaffStep
    turn: bool
    at_it: tuple[str, ...]


@dataclass(frozen=True)
class StaffHome:
    """What a member of staff sees first."""

    turns: Sequence[StaffLine]
    late: Sequence[StaffLine]
    counts: Mapping[CaseState, int]


@dataclass(frozen=True)
class StaffPage:
    """One page of the list of cases."""

    lines: Sequence[StaffLine]
    page: int
    pages: int
    total: int


def staff_home(tx: Transaction, actor: Actor) -> StaffHome:
    """What is the viewer's turn, what is late, and how many cases stand where."""
    states = frozenset[CaseState]().union(*(TURNS.get(role, ()) for role in actor.roles))
    due_first = (col(Case.due_at).asc().nulls_last(), col(Case.number))
    own = _lines(tx, actor, _cases(actor, _in(states)).order_by(*due_first).limit(NEXT_LIMIT))
    overdue = _cases(actor, ~_in(FINISHED), col(Case.due_at) < tx.now)
    late = _lines(tx, actor, overdue.order_by(*due_first).limit(NEXT_LIMIT))
    return StaffHome([line for line in own if line.turn], late, _counts(tx, actor))


def staff_cases(
    tx: Transaction, actor: Actor, state: CaseState | None = None, page: int = 1
) -> StaffPage:
    """The institution's cases, or those in one state; without a state only open ones.

    A case that the viewer may not see is left out of its page.
    """
    wanted = ~_in(FINISHED | {CaseState.DRAFT}) if state is None else _in({state})
    cases = _cases(actor, wanted)
    total = tx.session.execute(columns(func.count()).select_from(cases.subquery())).scalar_one()
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    order = (col(Case.due_at).asc().nulls_last(), col(Case.number).desc())
    shown = cases.order_by(*order).limit(PAGE).offset((page - 1) * PAGE)
    return StaffPage(_lines(tx, actor, shown), page, pages, total)


def _in(states: frozenset[CaseState] | set[CaseState]) -> ColumnElement[bool]:
    return col(Case.state).in_([state.value for state in states])


def _cases(actor: Actor, *wanted: ColumnElement[bool]) -> Select[Case, str, str]:
    return (
        columns(Case, col(DefinitionVersion.title), col(Account.name))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(Account, col(Account.id) == col(Case.learner_id))
        .where(col(Case.institution_id) == actor.institution_id, *wanted)
    )


def _counts(tx: Transaction, actor: Actor) -> Mapping[CaseState, int]:
    rows = tx.session.execute(
        columns(col(Case.state), func.count())
        .where(col(Case.institution_id) == actor.institution_id)
        .group_by(col(Case.state))
    ).all()
    return {CaseState(state): count for state, count in rows}


def _lines(tx: Transaction, actor: Actor, cases: Select[Case, str, str]) -> Sequence[StaffLine]:
    rows = tx.session.execute(cases).all()
    found = [row[0] for row in rows]
    resources = case_resources(tx, found)
    seats = _seats(tx, found)
    thirds = _thirds(tx, found)
    reviewers = appointed_for(tx, [one.id for one in found if one.state == CaseState.APPEAL])
    lines = []
    for case, title, learner in rows:
        resource = resources[case.id]
        if not may(actor, Permission.VIEW_AGREEMENT, resource):
            continue
        live = seats.get(case.id, [])
        reviewer = reviewers.get(CaseId(case.id))
        step = staff_step(
            state_of(case),
            [seat for seat, _ in live],
            third_wanted=case.id in thirds,
            received=reviewer is not None,
        )
        lines.append(
            StaffLine(
                id=CaseId(case.id),
                number=case.number,
                title=title,
                learner=learner,
                state=state_of(case),
                round=case.round,
                submitted_at=case.submitted_at,
                due_at=case.due_at,
                late=case.due_at is not None and case.due_at < tx.now,
                days=(tx.now - (case.submitted_at or case.opened_at)).days,
                step=step,
                turn=is_turn(actor, step, resource, reviewer),
                at_it=tuple(name for seat, name in live if seat.sheet is not SheetState.FINAL),
            )
        )
    return lines


def _seats(tx: Transaction, cases: Sequence[Case]) -> Mapping[UUID, list[tuple[Seat, str]]]:
    """The live places of each case's present round, with the assessor's name."""
    rows = tx.session.execute(
        columns(Assignment, col(ScoreSheet.state), col(Account.name))
        .join(Account, col(Account.id) == col(Assignment.assessor_id))
        .join(
            Case,
            (col(Case.id) == col(Assignment.case_id)) & (col(Case.round) == col(Assignment.round)),
        )
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(
            col(Assignment.case_id).in_([case.id for case in cases]),
            col(Assignment.state).in_([state.value for state in SEATED]),
        )
        .order_by(col(Assignment.seat))
    ).all()
    found: defaultdict[UUID, list[tuple[Seat, str]]] = defaultdict(list)
    for place, sheet, name in rows:
        state = SheetState(sheet) if sheet else None
        seat = Seat(place.seat, AssignmentState(place.state), state)
        found[place.case_id].append((seat, name))
    return found


def _thirds(tx: Transaction, cases: Sequence[Case]) -> frozenset[UUID]:
    """The cases in which a criterion waits for a third assessor."""
    rows = tx.session.exec(
        select(Agreement.case_id)
        .join(
            Case,
            (col(Case.id) == col(Agreement.case_id)) & (col(Case.round) == col(Agreement.round)),
        )
        .where(
            col(Agreement.case_id).in_([case.id for case in cases]),
            Agreement.rule == AgreementRule.THIRD_ASSESSOR.value,
            col(Agreement.settled).is_(False),
        )
        .distinct()
    ).all()
    return frozenset(rows)
