"""A case's values as the learner's templates show them: words put into the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from storage.ids import OutcomeCode
from storage.vocabulary import CaseState
from workflows.cases.queries import CaseView
from workflows.cases.states import FINISHED
from workflows.frameworks.definition import Criterion

RATING = "rating-"


@dataclass(frozen=True)
class LevelCard:
    """A level as the rubric macro shows it."""

    value: int
    title: str
    descriptor: str


@dataclass(frozen=True)
class RatingRow:
    """An outcome to rate oneself on, by the levels of all its criteria."""

    code: OutcomeCode
    statement: str
    levels: Sequence[LevelCard]
    threshold: int
    value: int | str
    hint: str | None = None


def rating_rows(view: CaseView, ratings: Mapping[OutcomeCode, int]) -> list[RatingRow]:
    """One row per outcome, with what was answered before."""
    return [
        RatingRow(
            code=outcome.code,
            statement=outcome.statement,
            levels=_levels(outcome.criteria),
            threshold=max(row.threshold for row in outcome.criteria),
            value=ratings.get(outcome.code, ""),
            hint=_("Choose the level that you reach in all of it.")
            if len(outcome.criteria) > 1
            else None,
        )
        for outcome in view.definition.outcomes
    ]


def _levels(criteria: Sequence[Criterion]) -> list[LevelCard]:
    """The levels that all criteria know; where there are several, each says what it means there."""
    values = [
        level.value
        for level in criteria[0].levels
        if all(level.value in {one.value for one in row.levels} for row in criteria)
    ]
    return [
        LevelCard(
            value,
            " / ".join(dict.fromkeys(row.level(value).label for row in criteria)),
            "\n".join(_descriptor(row, value, alone=len(criteria) == 1) for row in criteria),
        )
        for value in values
    ]


def _descriptor(row: Criterion, value: int, *, alone: bool) -> str:
    said = row.level(value).descriptor
    return said if alone else _("%(criterion)s: %(said)s", criterion=row.title, said=said)


def stepper(state: CaseState) -> list[tuple[str, str]]:
    """Where the case stands, in five steps that a learner would name; none when it was left."""
    if state not in STEP_OF:
        return []
    steps = (_("Evidence"), _("Screening"), _("Assessment"), _("Decision"), _("Result"))
    at = STEP_OF[state] + (state in FINISHED)
    return [
        (words, "done" if index < at else "current" if index == at else "next")
        for index, words in enumerate(steps)
    ]


STEP_OF: Mapping[CaseState, int] = {
    CaseState.DRAFT: 0,
    CaseState.RETURNED: 0,
    CaseState.SUBMITTED: 1,
    CaseState.SCREENING: 1,
    CaseState.ASSESSMENT: 2,
    CaseState.MODERATION: 2,
    CaseState.DECISION: 3,
    CaseState.INTEGRITY_HOLD: 3,
    CaseState.DECIDED: 3,
    CaseState.APPEAL: 3,
    CaseState.RELEASED: 4,
    CaseState.CLOSED: 4,
}
