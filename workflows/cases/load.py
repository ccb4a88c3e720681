"""Taking a case in hand, and the one place that moves it from state to state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from storage.bulk import among
from storage.database import Transaction
from storage.errors import Conflict, NotFound
from storage.events import Act, Fact, Who, record
from storage.ids import CaseId
from storage.tables import Case
from storage.vocabulary import CaseState
from workflows.cases.states import EDITABLE, Transition, transition

LEFT = frozenset({CaseState.WITHDRAWN, CaseState.EXPIRED})
MOVED_ON = "This case has moved on since the page was made. Reload it to see how it stands now."


def find_case(tx: Transaction, case_id: UUID) -> Case:
    """The case. Raises NotFound."""
    case = tx.session.get(Case, case_id)
    if case is None:
        raise NotFound("There is no such case, or it is not yours to see.")
    return case


def lock_case(tx: Transaction, case_id: UUID) -> Case:
    """The case as it stands now, held against all others until the transaction ends.

    Raises NotFound.
    """
    case = tx.session.exec(
        select(Case)
        .where(col(Case.id) == case_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if case is None:
        raise NotFound("There is no such case, or it is not yours to see.")
    return case


def state_of(case: Case) -> CaseState:
    """The case's state as a word of the list."""
    return CaseState(case.state)


def still_editable(case: Case) -> None:
    """Return when the learner may change the case's content; raise Conflict when not."""
    if state_of(case) in LEFT:
        raise Conflict("This case has ended: what is in it does not change any more.")
    if state_of(case) not in EDITABLE:
        raise Conflict("This case was submitted: what is in it does not change any more.")


def unchanged_since(case: Case, version: int | None) -> None:
    """Raise Conflict when the page that sent this was made of an older version of the case."""
    if version is not None and case.version != version:
        raise Conflict(MOVED_ON)


def may_move(case: Case, command: str) -> None:
    """Raise Conflict when the case's state does not allow the command."""
    if transition(state_of(case), command) is None:
        raise Conflict(MOVED_ON)


def move(
    tx: Transaction,
    case: Case,
    command: str,
    who: Who,
    *,
    why: str = "",
    data: dict[str, object] | None = None,
) -> None:
    """Move the case as the table says, by compare-and-swap, and write the event.

    Raises Conflict when the case is elsewhere by now, or the state or role does not allow it.
    """
    step = transition(state_of(case), command)
    if step is None or step.role is not who.role:
        raise Conflict(MOVED_ON)
    tx.session.flush()
    moved = tx.session.execute(
        update(Case)
        .where(
            col(Case.id) == case.id,
            col(Case.state) == step.source.value,
            col(Case.version) == case.version,
        )
        .values(state=step.target.value, version=case.version + 1)
        .returning(col(Case.id))
    ).first()
    if moved is None:
        raise Conflict(MOVED_ON)
    tx.session.refresh(case)
    facts = {"from": step.source.value, "to": step.target.value, "round": case.round}
    record(
        tx,
        who,
        command,
        ("case", case.id),
        case_id=CaseId(case.id),
        why=why,
        data={**facts, **(data or {})},
    )


@dataclass(frozen=True)
class Step:
    """A command that moves cases on, who gives it, and what its events say besides."""

    command: str
    who: Who
    data: Mapping[str, object] = field(default_factory=dict)


def move_many(tx: Transaction, cases: Sequence[Case], steps: Sequence[Step]) -> list[Act]:
    """Move cases that are all in one state and held by this transaction some steps on, at once.

    Returns the events of each step, for the caller to write down among those of what it does
    besides (`record_acts`). Raises Conflict, and moves none, when a state or a role does not allow
    a step or one case is elsewhere by now.
    """
    if not cases:
        return []
    way = _way(state_of(cases[0]), steps)
    tx.session.flush()
    versions = {case.id: case.version for case in cases}
    target = way[-1].target
    moved = tx.session.execute(
        update(Case)
        .where(among(col(Case.id), list(versions)), col(Case.state) == way[0].source.value)
        .values(
            state=target.value,
            version=Case.version + len(way),
            closed_at=tx.now if target is CaseState.CLOSED else Case.closed_at,
        )
        .returning(col(Case.id), col(Case.version))
        .execution_options(synchronize_session=False)
    ).all()
    if {one: version - len(way) for one, version in moved} != versions:
        raise Conflict(MOVED_ON)
    return [_act(cases, step, on) for step, on in zip(steps, way, strict=True)]


def _way(state: CaseState, steps: Sequence[Step]) -> list[Transition]:
    """The transitions from a state by these steps. Raises Conflict where there are none."""
    way = []
    for step in steps:
        on = transition(state, step.command)
        if on is None or on.role is not step.who.role:
            raise Conflict(MOVED_ON)
        way.append(on)
        state = on.target
    return way


def _act(cases: Sequence[Case], step: Step, on: Transition) -> Act:
    said = {"from": on.source.value, "to": on.target.value}
    facts = [
        Fact(("case", case.id), CaseId(case.id), {**said, "round": case.round, **step.data})
        for case in cases
    ]
    return Act(step.who, step.command, facts)
