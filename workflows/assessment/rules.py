"""What may be declared, scored, made final and settled, and in which words it is refused. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import InvalidInput, Problem
from storage.ids import CriterionCode
from storage.vocabulary import AssignmentState, ConflictAnswer
from workflows.assessment.agreement import Level, moderated_choices
from workflows.frameworks.definition import Criterion

MIN_REASON = 15
MAX_TEXT = 4000

LEVEL = "level"
REASON = "reason"
WHY = "why"


@dataclass(frozen=True)
class ScoreEntry:
    """What an assessor has said of a criterion so far.

    `decided` is False while only a reason is typed; decided without a level is "not assessed".
    """

    decided: bool = False
    level: Level = None
    reason: str = ""

    @property
    def complete(self) -> bool:
        """Whether it can be made final as it is."""
        return self.decided and len(self.reason.strip()) >= MIN_REASON


def declared_state(answer: ConflictAnswer, detail: str) -> AssignmentState:
    """Where a declaration leads: cleared, waiting for the coordinator, or excluded.

    Raises InvalidInput when a possible conflict is not described.
    """
    if answer is ConflictAnswer.NONE:
        return AssignmentState.CLEARED
    if answer is ConflictAnswer.YES:
        return AssignmentState.EXCLUDED
    _long_enough(
        "detail",
        detail,
        "Say in a sentence what the possible conflict is.",
        "Nothing was declared.",
    )
    return AssignmentState.DECLARED


def require_reason(field: str, text: str, refusal: str) -> str:
    """The text without its margins. Raises InvalidInput when it says too little or too much."""
    _long_enough(
        field, text, "Say why, in at least %(least)s characters: others will read it.", refusal
    )
    return text.strip()


def score_problems(criterion: Criterion, entry: ScoreEntry) -> tuple[Problem, ...]:
    """What is wrong with a score as it is typed; an unfinished one is not wrong."""
    problems = []
    if entry.level is not None and not any(row.value == entry.level for row in criterion.levels):
        problems.append(
            Problem(f"{criterion.code}.{LEVEL}", "Choose one of the levels of this criterion.")
        )
    if entry.level is not None and not entry.decided:
        problems.append(Problem(f"{criterion.code}.{LEVEL}", "A score with a level is decided."))
    if len(entry.reason) > MAX_TEXT:
        problems.append(
            Problem(
                f"{criterion.code}.{REASON}",
                "Keep the reason under %(most)s characters.",
                {"most": MAX_TEXT},
            )
        )
    return tuple(problems)


def unfinished(
    asked: Sequence[CriterionCode], scores: Mapping[CriterionCode, ScoreEntry]
) -> tuple[Problem, ...]:
    """What is still to be done before a sheet can be made final, in the order of the rubric."""
    problems = []
    for code in asked:
        entry = scores.get(code, ScoreEntry())
        if not entry.decided:
            problems.append(Problem(code, "Choose a level, or “not assessed”."))
        elif not entry.complete:
            problems.append(
                Problem(
                    code,
                    "Give the reason in at least %(least)s characters.",
                    {"least": MIN_REASON},
                )
            )
    return tuple(problems)


def settled_level(levels: Sequence[Level], level: Level, why: str) -> str:
    """The moderator's reason, when the level is one that they may settle on.

    Raises InvalidInput.
    """
    problems = []
    if level not in moderated_choices(levels):
        problems.append(
            Problem(LEVEL, "Choose a level that lies between the scores, or ask a third assessor.")
        )
    if len(why.strip()) < MIN_REASON:
        problems.append(_too_short(WHY))
    if problems:
        raise InvalidInput("Nothing was settled.", problems=problems)
    return why.strip()


def _too_short(field: str) -> Problem:
    return Problem(
        field,
        "Say why, in at least %(least)s characters: others will read it.",
        {"least": MIN_REASON},
    )


def _long_enough(field: str, text: str, message: str, refusal: str) -> None:
    if len(text.strip()) < MIN_REASON:
        raise InvalidInput(refusal, problems=[Problem(field, message, {"least": MIN_REASON})])
    if len(text) > MAX_TEXT:
        raise InvalidInput(
            refusal,
            problems=[Problem(field, "Keep it under %(most)s characters.", {"most": MAX_TEXT})],
        )
