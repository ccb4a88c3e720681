"""Until when a learner may appeal, what an appeal needs, and what it cannot take away. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from storage.errors import Conflict, InvalidInput, Problem
from storage.ids import OutcomeCode
from storage.tables import OutcomeDecision
from storage.vocabulary import AppealGround, AppealResult, CaseState, OutcomeResult
from workflows.words import marked

MIN_WORDS = 20
MAX_WORDS = 4000

GROUND_WORDS: Mapping[AppealGround, str] = {
    AppealGround.PROCEDURE: marked("The procedure was not followed"),
    AppealGround.OVERLOOKED: marked("Evidence was overlooked"),
    AppealGround.BIAS: marked("Somebody had a conflict of interest or was not impartial"),
    AppealGround.RUBRIC: marked("A criterion or a level was misread"),
    AppealGround.NEW_EVIDENCE: marked("There is new evidence"),
}

ANSWERS = (
    AppealResult.CONFIRMED,
    AppealResult.REDECIDED,
    AppealResult.REASSESSED,
    AppealResult.REOPENED,
)
"""What an appeal can be answered with."""

STILL_THERE = marked("Recognised before; an appeal takes nothing away.")
UNDER_APPEAL = marked("The learner has appealed the decision: nothing is released meanwhile.")

Points = Mapping[OutcomeCode, AppealGround]
"""What is held against the decision on each outcome that is appealed."""


def until(released_at: datetime, days: int) -> datetime:
    """The moment at which the time to appeal is over."""
    return released_at + timedelta(days=days)


def grounds(*, new_evidence: bool) -> Mapping[AppealGround, str]:
    """The grounds there are, with their words. `new_evidence`: the policy allows it."""
    return {
        ground: words
        for ground, words in GROUND_WORDS.items()
        if new_evidence or ground is not AppealGround.NEW_EVIDENCE
    }


def may_appeal(
    state: CaseState,
    ends_at: datetime | None,
    now: datetime,
    *,
    asked_before: bool,
    erasing: bool,
    another: bool = False,
) -> None:
    """Return when the decision can be appealed now; raise Conflict in words when not.

    `another`: the learner has an open case for the same credential.
    """
    if state is not CaseState.CLOSED or ends_at is None:
        raise Conflict("There is no decision in this case that you could appeal now.")
    if asked_before:
        raise Conflict("This decision was appealed once already.")
    if ends_at <= now:
        raise Conflict("The time in which this decision could be appealed is over.")
    if erasing:
        raise Conflict("Its evidence is erased, or about to be: there is nothing to look at anew.")
    if another:
        raise Conflict("You have an open case for this credential: it, or an appeal, but not both.")


def fit_to_ask(
    points: Points, reason: str, decided: Collection[OutcomeCode], *, new_evidence: bool
) -> None:
    """Raise InvalidInput when an appeal comes without what can be answered."""
    problems = []
    if not points:
        words = "Choose at least one outcome, and what was wrong with the decision on it."
        problems.append(Problem("outcomes", words))
    if set(points) - set(decided):
        problems.append(Problem("outcomes", "Appeal the outcomes of this decision, and no others."))
    known = grounds(new_evidence=new_evidence)
    if any(ground not in known for ground in points.values()):
        words = "New evidence goes into a new case, and is no ground for an appeal here."
        problems.append(Problem("outcomes", words))
    problems += _in_words(
        "reason", reason, "Say what was wrong, so that somebody else can look at it."
    )
    _refuse(problems)


def fit_to_answer(
    result: AppealResult, answer: str, points: Collection[AppealGround], *, new_evidence: bool
) -> None:
    """Raise InvalidInput when an answer comes without a reason, or opens what it may not open."""
    problems = _in_words("answer", answer, "Say why, in words that the learner can follow.")
    if result not in answers(points, new_evidence=new_evidence):
        problems.append(Problem("result", "Choose what follows from the appeal."))
    _refuse(problems)


def answers(points: Collection[AppealGround], *, new_evidence: bool) -> Sequence[AppealResult]:
    """What an appeal on these grounds can be answered with."""
    opens = new_evidence and AppealGround.NEW_EVIDENCE in points
    return [one for one in ANSWERS if opens or one is not AppealResult.REOPENED]


def differs(earlier: Sequence[OutcomeDecision], later: Sequence[OutcomeDecision]) -> bool:
    """Whether two decisions say different things of an outcome."""
    first = {row.outcome_code: (row.result, row.level) for row in earlier}
    return first != {row.outcome_code: (row.result, row.level) for row in later}


def nothing_lost(
    earlier: Sequence[OutcomeDecision], found: Sequence[OutcomeDecision]
) -> Sequence[OutcomeDecision]:
    """The new decisions, where they would take away or lower what was recognised, as they were."""
    before = {row.outcome_code: row for row in earlier}
    return [_higher(before.get(row.outcome_code), row) for row in found]


def _higher(before: OutcomeDecision | None, row: OutcomeDecision) -> OutcomeDecision:
    if before is None or before.level is None or before.level <= (row.level or 0):
        return row
    return OutcomeDecision(
        decision_id=row.decision_id,
        outcome_code=row.outcome_code,
        result=OutcomeResult.RECOGNISED.value,
        level=before.level,
        reason=STILL_THERE,
    )


def _in_words(field: str, said: str, ask: str) -> list[Problem]:
    if len(said.strip()) < MIN_WORDS:
        return [Problem(field, ask)]
    if len(said.strip()) > MAX_WORDS:
        words = "Keep it under %(count)s characters."
        return [Problem(field, words, {"count": MAX_WORDS})]
    return []


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidInput("Nothing was changed.", problems=problems)
