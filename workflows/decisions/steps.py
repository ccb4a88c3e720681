"""What is next on a case for staff, and for whom. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.ids import AccountId
from storage.vocabulary import AssignmentState, CaseState, SheetState
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, Resource, may


class StaffStep(StrEnum):
    """The one thing that is done, or waited for, next."""

    BEGIN_SCREENING = "begin_screening"
    SCREEN = "screen"
    ALLOCATE = "allocate"
    SETTLE_CONFLICT = "settle_conflict"
    ASK_THIRD = "ask_third"
    MODERATE = "moderate"
    DECIDE = "decide"
    RELEASE = "release"
    RECEIVE_APPEAL = "receive_appeal"
    ANSWER_APPEAL = "answer_appeal"
    WAIT_LEARNER = "wait_learner"
    WAIT_ASSESSORS = "wait_assessors"
    WAIT_CREDENTIAL = "wait_credential"
    NOTHING = "nothing"


PERMISSION_OF: Mapping[StaffStep, Permission] = {
    StaffStep.BEGIN_SCREENING: Permission.SCREEN_CASE,
    StaffStep.SCREEN: Permission.SCREEN_CASE,
    StaffStep.ALLOCATE: Permission.ALLOCATE_ASSESSORS,
    StaffStep.SETTLE_CONFLICT: Permission.SETTLE_CONFLICT,
    StaffStep.ASK_THIRD: Permission.ALLOCATE_ASSESSORS,
    StaffStep.MODERATE: Permission.MODERATE_CASE,
    StaffStep.DECIDE: Permission.DECIDE_CASE,
    StaffStep.RELEASE: Permission.RELEASE_CASE,
    StaffStep.RECEIVE_APPEAL: Permission.RECEIVE_APPEAL,
    StaffStep.ANSWER_APPEAL: Permission.ANSWER_APPEAL,
}
"""Who does a step: whoever has this permission for the case. The others are waited for."""


@dataclass(frozen=True)
class Seat:
    """A live place as the next step sees it. `sheet` None: not opened yet."""

    number: int
    state: AssignmentState
    sheet: SheetState | None


BY_STATE: Mapping[CaseState, StaffStep] = {
    CaseState.DRAFT: StaffStep.WAIT_LEARNER,
    CaseState.SUBMITTED: StaffStep.BEGIN_SCREENING,
    CaseState.SCREENING: StaffStep.SCREEN,
    CaseState.RETURNED: StaffStep.WAIT_LEARNER,
    CaseState.MODERATION: StaffStep.MODERATE,
    CaseState.DECISION: StaffStep.DECIDE,
    CaseState.DECIDED: StaffStep.RELEASE,
    CaseState.RELEASED: StaffStep.WAIT_CREDENTIAL,
    CaseState.APPEAL: StaffStep.RECEIVE_APPEAL,
}


def staff_step(
    state: CaseState, seats: Sequence[Seat], *, third_wanted: bool, received: bool = False
) -> StaffStep:
    """What is next. `third_wanted`: a criterion waits for a third assessor; `received`: somebody
    is appointed to answer the appeal."""
    if state is CaseState.APPEAL and received:
        return StaffStep.ANSWER_APPEAL
    if state is not CaseState.ASSESSMENT:
        return BY_STATE.get(state, StaffStep.NOTHING)
    if any(seat.state is AssignmentState.DECLARED for seat in seats):
        return StaffStep.SETTLE_CONFLICT
    taken = {seat.number for seat in seats}
    if not taken.issuperset({1, 2}):
        return StaffStep.ALLOCATE
    if third_wanted and 3 not in taken:
        return StaffStep.ASK_THIRD
    return StaffStep.WAIT_ASSESSORS


def is_turn(actor: Actor, step: StaffStep, resource: Resource, reviewer: AccountId | None) -> bool:
    """Whether a step is the actor's. An appeal is answered by the `reviewer` alone."""
    if step is StaffStep.ANSWER_APPEAL and reviewer != actor.account_id:
        return False
    permission = PERMISSION_OF.get(step)
    return permission is not None and bool(may(actor, permission, resource))
