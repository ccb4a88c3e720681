"""The states of a case and every way from one to another. Data.

The pages' buttons, the diagram in the docs and the test of every (state, command, role) are made
from this table; `move` in `load.py` is the only place that changes a state.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from storage.vocabulary import CaseState, Role

S = CaseState


@dataclass(frozen=True)
class Transition:
    """From a state, by a command of a role, to a state."""

    source: CaseState
    command: str
    role: Role
    target: CaseState


TRANSITIONS = (
    Transition(S.DRAFT, "submit_case", Role.LEARNER, S.SUBMITTED),
    Transition(S.RETURNED, "submit_case", Role.LEARNER, S.SUBMITTED),
    Transition(S.SUBMITTED, "begin_screening", Role.COORDINATOR, S.SCREENING),
    Transition(S.SCREENING, "return_case", Role.COORDINATOR, S.RETURNED),
    Transition(S.SCREENING, "accept_for_assessment", Role.COORDINATOR, S.ASSESSMENT),
    Transition(S.ASSESSMENT, "begin_moderation", Role.SYSTEM, S.MODERATION),
    Transition(S.ASSESSMENT, "conclude_assessment", Role.SYSTEM, S.DECISION),
    Transition(S.MODERATION, "ask_third_assessor", Role.MODERATOR, S.ASSESSMENT),
    Transition(S.MODERATION, "conclude_moderation", Role.MODERATOR, S.DECISION),
    Transition(S.DECISION, "decide_case", Role.DECIDER, S.DECIDED),
    Transition(S.DECIDED, "release_case", Role.REGISTRAR, S.RELEASED),
    Transition(S.RELEASED, "close_case", Role.SYSTEM, S.CLOSED),
    Transition(S.CLOSED, "appeal_case", Role.LEARNER, S.APPEAL),
    Transition(S.APPEAL, "take_back_appeal", Role.LEARNER, S.CLOSED),
    Transition(S.APPEAL, "uphold_decision", Role.DECIDER, S.CLOSED),
    Transition(S.APPEAL, "redecide_case", Role.DECIDER, S.DECISION),
    Transition(S.APPEAL, "reassess_case", Role.DECIDER, S.ASSESSMENT),
    Transition(S.APPEAL, "reopen_case", Role.DECIDER, S.RETURNED),
    Transition(S.RETURNED, "take_back_appeal", Role.LEARNER, S.CLOSED),
    Transition(S.RETURNED, "end_appeal", Role.SYSTEM, S.CLOSED),
    *(
        Transition(state, "withdraw_case", Role.LEARNER, S.WITHDRAWN)
        for state in (
            S.DRAFT,
            S.SUBMITTED,
            S.SCREENING,
            S.RETURNED,
            S.ASSESSMENT,
            S.MODERATION,
            S.DECISION,
        )
    ),
    Transition(S.DRAFT, "expire_case", Role.SYSTEM, S.EXPIRED),
    Transition(S.RETURNED, "expire_case", Role.SYSTEM, S.EXPIRED),
)

EDITABLE = frozenset({S.DRAFT, S.RETURNED})
"""States in which the learner may change evidence, mapping and self-assessment."""

SHOWS_DECISION = frozenset({S.DECIDED, S.RELEASED, S.CLOSED, S.APPEAL})
"""States in which staff see the decision: in the others there is none, or a new one is to come."""

FINISHED = frozenset({S.CLOSED, S.WITHDRAWN, S.EXPIRED})
"""States in which nothing is asked of anybody. Only an appeal leads out of one of them."""


def transition(state: CaseState, command: str) -> Transition | None:
    """The transition that a command makes from a state; None when the state does not allow it."""
    return next((t for t in TRANSITIONS if t.source is state and t.command == command), None)


def commands_for(state: CaseState, roles: Iterable[Role]) -> tuple[str, ...]:
    """What holders of these roles may do from this state, in the order of the table."""
    held = set(roles)
    return tuple(t.command for t in TRANSITIONS if t.source is state and t.role in held)


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = [f"    {t.source} --> {t.target}: {t.command} ({t.role})" for t in TRANSITIONS]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft: open_case (learner)", *lines])
