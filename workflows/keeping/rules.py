"""How long evidence is kept, when it comes due, and who may have it erased before. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storage.errors import Conflict, InvalidInput, Problem
from storage.vocabulary import CaseState, HoldKind
from workflows.cases.policy import Retention
from workflows.words import marked

SHORTEST_REASON = 10


class KeptAs(StrEnum):
    """Why, and so for how long, the evidence of a case is kept."""

    RECOGNISED = "recognised"
    NOT_RECOGNISED = "not_recognised"
    WITHDRAWN = "withdrawn"
    NEVER_SUBMITTED = "never_submitted"
    """files were uploaded, and nothing was handed in"""
    ABANDONED = "abandoned"
    """a draft without files, or a returned case that its learner did not take up"""


class Asked(StrEnum):
    """Who or what asked for an erasure."""

    LEARNER = "learner"
    RETENTION = "retention"


@dataclass(frozen=True)
class CaseFacts:
    """What retention looks at. `active_at`: the last thing that was done on the case."""

    state: CaseState
    active_at: datetime
    ended_at: datetime | None
    recognised: bool
    has_files: bool


@dataclass(frozen=True)
class Term:
    """Until when a case's evidence is kept, and as what."""

    kept_as: KeptAs
    since: datetime
    until: datetime

    def over(self, now: datetime) -> bool:
        """Whether the time is over."""
        return self.until <= now


KEEPING_WORDS: Mapping[KeptAs, str] = {
    KeptAs.RECOGNISED: marked("Recognised"),
    KeptAs.NOT_RECOGNISED: marked("Not recognised"),
    KeptAs.WITHDRAWN: marked("Withdrawn"),
    KeptAs.NEVER_SUBMITTED: marked("Uploaded and never submitted"),
    KeptAs.ABANDONED: marked("Abandoned"),
}

HOLD_WORDS: Mapping[HoldKind, str] = {
    HoldKind.INTEGRITY: marked("An integrity concern is open"),
    HoldKind.APPEAL: marked("An appeal is open"),
    HoldKind.LEGAL: marked("A law or a court asks for it"),
}

ENDED = frozenset({CaseState.WITHDRAWN, CaseState.EXPIRED})
DECIDED = frozenset({CaseState.RELEASED, CaseState.CLOSED})
UNFINISHED = frozenset({CaseState.DRAFT, CaseState.RETURNED})
ERASABLE = frozenset({CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.EXPIRED})
"""States in which a learner may have the evidence erased: nobody works with it any more."""


def term(facts: CaseFacts, retention: Retention) -> Term | None:
    """Until when the case's evidence is kept; None while people work with it."""
    kept_as = _kept_as(facts)
    if kept_as is None:
        return None
    since = facts.active_at
    if facts.state not in UNFINISHED and facts.ended_at is not None:
        since = facts.ended_at
    return Term(kept_as, since, since + timedelta(days=_days(kept_as, retention)))


def shortest(retention: Retention) -> timedelta:
    """No case comes due before this."""
    return timedelta(days=min(_days(one, retention) for one in KeptAs))


def may_ask(state: CaseState) -> None:
    """Return when evidence of a case in this state can be erased; raise Conflict when not."""
    if state in UNFINISHED or state not in ERASABLE | DECIDED:
        raise Conflict(
            "This case is still under way. Withdraw it first, or wait until it is closed; its "
            "evidence can be erased then."
        )
    if state is CaseState.RELEASED:
        raise Conflict("Your result is being issued just now. Ask again in a few minutes.")


def fit_to_hold(why: str) -> None:
    """Raise InvalidInput when a hold, or its end, comes without a reason that can be read."""
    if len(why.strip()) < SHORTEST_REASON:
        problem = Problem("why", "Say why, so that others understand it in a year.")
        raise InvalidInput("Nothing was changed.", problems=[problem])


def _kept_as(facts: CaseFacts) -> KeptAs | None:
    if facts.state in DECIDED:
        return KeptAs.RECOGNISED if facts.recognised else KeptAs.NOT_RECOGNISED
    if facts.state in ENDED:
        return KeptAs.WITHDRAWN
    if facts.state is CaseState.DRAFT and facts.has_files:
        return KeptAs.NEVER_SUBMITTED
    return KeptAs.ABANDONED if facts.state in UNFINISHED else None


def _days(kept_as: KeptAs, retention: Retention) -> int:
    return {
        KeptAs.RECOGNISED: retention.recognised_days,
        KeptAs.NOT_RECOGNISED: retention.not_recognised_days,
        KeptAs.WITHDRAWN: retention.withdrawn_days,
        KeptAs.NEVER_SUBMITTED: retention.never_submitted_days,
        KeptAs.ABANDONED: retention.abandoned_days,
    }[kept_as]
