"""Until when each of those who may read a case's evidence may go on doing so. Pure.

Who stands near enough to a case at all is in `workflows/access`; this is what its state and time
say to them. The learner reads always, and the auditor what is not held back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.vocabulary import CaseState, PeopleShown, Role
from workflows.words import marked

LEFT = frozenset({CaseState.WITHDRAWN, CaseState.EXPIRED})
JUDGING = frozenset(
    {
        CaseState.ASSESSMENT,
        CaseState.MODERATION,
        CaseState.DECISION,
        CaseState.INTEGRITY_HOLD,
        CaseState.APPEAL,
    }
)
"""States in which assessors need the evidence."""
OVER = frozenset({CaseState.DECIDED, CaseState.RELEASED, CaseState.CLOSED})

WAS_LEFT = marked("The learner has left this case, so its evidence is not shown to you any more.")
TIME_IS_OVER = marked(
    "This case is decided, and the days in which its assessors may still read it are over."
)
NOT_NOW = marked("This case is not being assessed, so its evidence is not shown to you now.")
HELD_BACK = marked(
    "People can be seen or heard in this item who have not agreed yet. Until they have, only its "
    "learner can open it."
)


@dataclass(frozen=True)
class Standing:
    """How an item stands for its readers."""

    state: CaseState
    decided_at: datetime | None = None
    reading_days: int = 0
    people: PeopleShown = PeopleShown.NOT_SAID


def closed_to(role: Role | None, standing: Standing, now: datetime) -> str:
    """Why this reader may not open it now, as a message; '' when they may."""
    if role is Role.LEARNER:
        return ""
    if standing.people is PeopleShown.WAITING:
        return HELD_BACK
    if role is Role.AUDITOR:
        return ""
    if standing.state in LEFT:
        return WAS_LEFT
    return _closed_to_assessors(standing, now) if role is Role.ASSESSOR else ""


def _closed_to_assessors(standing: Standing, now: datetime) -> str:
    if standing.state in JUDGING:
        return ""
    if standing.state not in OVER or standing.decided_at is None:
        return NOT_NOW
    until = standing.decided_at + timedelta(days=standing.reading_days)
    return "" if now < until else TIME_IS_OVER


PURPOSES: Mapping[str, bool] = {
    "download": True,
    "view": False,
    "play": False,
    "thumbnail": False,
}
"""What a file is opened for, and whether each time is written down; else once an hour and person,
or a document of forty pages would be forty lines."""
