"""A case's values as the learner's templates show them: words put into the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from storage.ids import OutcomeCode
from storage.vocabulary import CaseState
from workflows.cases.queries import CaseView
from workflows.cases.states import FINISHED
from workflows.evidence.coverage import OutcomeCoverage

RATING = "rating-"


@dataclass(frozen=True)
class LevelCard:
    """A level as the rubric macro shows it."""

    value: int
    title: str
    descriptor: str


@dataclass(frozen=True)
class RatingRow:
    """An outcome to rate oneself on, by the levels of its first criterion."""

    code: OutcomeCode
    statement: str
    levels: Sequence[LevelCard]
    threshold: int
    value: int | str


@dataclass(frozen=True)
class CoverageRow:
    """How an outcome stands, in words."""

    code: OutcomeCode
    statement: str
    status: str
    have: int
    need: int
    words: str


def rating_rows(view: CaseView, ratings: Mapping[OutcomeCode, int]) -> list[RatingRow]:
    """One row per outcome, with what was answered before."""
    return [
        RatingRow(
            code=outcome.code,
            statement=outcome.statement,
            levels=[
                LevelCard(level.value, level.label, level.descriptor)
                for level in outcome.criteria[0].levels
            ],
            threshold=outcome.criteria[0].threshold,
            value=ratings.get(outcome.code, ""),
        )
        for outcome in view.definition.outcomes
    ]


def coverage_rows(view: CaseView, covered: Sequence[OutcomeCoverage]) -> list[CoverageRow]:
    """How each outcome stands, with what would meet it in the reader's language."""
    return [
        CoverageRow(
            code=row.code,
            statement=view.definition.outcome(row.code).statement,
            status=row.status.value,
            have=len(row.counted),
            need=row.rule.min_items,
            words=" ".join(_(problem.message, **problem.params) for problem in row.missing),
        )
        for row in covered
    ]


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
