"""What may be declared, typed and made final, and who can be asked."""

from dataclasses import replace

import pytest

from storage.errors import InvalidInput
from storage.ids import CriterionCode
from storage.vocabulary import AssignmentState, ConflictAnswer
from workflows.assessment.allocation import CandidateFacts, why_not
from workflows.assessment.rules import (
    MAX_TEXT,
    MIN_REASON,
    ScoreEntry,
    declared_state,
    require_reason,
    settled_level,
    unfinished,
)

REASON = "x" * MIN_REASON
FREE = CandidateFacts(
    is_learner=False,
    competent=True,
    employer="Halden Works",
    learner_employer="Northbridge Machine",
    had_place=False,
    had_conflict=False,
    other_part=False,
    attested=False,
)


def test_declarations_lead_where_they_say() -> None:
    assert declared_state(ConflictAnswer.NONE, "") is AssignmentState.CLEARED
    assert declared_state(ConflictAnswer.YES, "") is AssignmentState.EXCLUDED
    assert declared_state(ConflictAnswer.POSSIBLE, REASON) is AssignmentState.DECLARED
    with pytest.raises(InvalidInput):
        declared_state(ConflictAnswer.POSSIBLE, " " * 40)


@pytest.mark.parametrize(
    ("facts", "count"),
    [
        (FREE, 0),
        (replace(FREE, employer="", learner_employer=""), 0),
        (replace(FREE, learner_employer="HALDEN works "), 1),
        (replace(FREE, is_learner=True), 1),
        (replace(FREE, competent=False), 1),
        (replace(FREE, attested=True), 1),
        (replace(FREE, other_part=True), 1),
        (replace(FREE, had_place=True), 1),
        (replace(FREE, had_place=True, had_conflict=True), 1),
        (replace(FREE, competent=False, attested=True), 2),
        (replace(FREE, learner_employer="Halden Works", overridden=True), 0),
        (replace(FREE, had_place=True, had_conflict=True, overridden=True), 0),
        (replace(FREE, had_place=True, had_conflict=True, set_aside=True, overridden=True), 1),
        (replace(FREE, attested=True, competent=False, is_learner=True, overridden=True), 3),
    ],
)
def test_everything_that_speaks_against_an_assessor_is_said(
    facts: CandidateFacts, count: int
) -> None:
    assert len(why_not(facts)) == count


def test_reasons_are_trimmed_and_neither_too_short_nor_too_long() -> None:
    assert require_reason("why", f"  {REASON} ", "No.") == REASON
    for text in ("", "x" * (MIN_REASON - 1), "x" * (MAX_TEXT + 1)):
        with pytest.raises(InvalidInput) as caught:
            require_reason("why", text, "No.")
        assert [problem.field for problem in caught.value.problems] == ["why"]


def test_a_sheet_says_criterion_by_criterion_what_is_still_to_be_done() -> None:
    codes = [CriterionCode(code) for code in ("a", "b", "c", "d")]
    scores = {
        CriterionCode("a"): ScoreEntry(decided=True, level=2, reason=REASON),
        CriterionCode("b"): ScoreEntry(decided=True, level=None, reason="no"),
        CriterionCode("c"): ScoreEntry(reason=REASON),
    }
    assert [problem.field for problem in unfinished(codes, scores)] == ["b", "c", "d"]


def test_a_moderator_stays_between_the_scores_and_gives_a_reason() -> None:
    assert settled_level([2, 3], 3, f" {REASON} ") == REASON
    assert settled_level([2, None], None, REASON) == REASON
    for level, why, count in ((4, REASON, 1), (None, "", 2), (2, "", 1)):
        with pytest.raises(InvalidInput) as caught:
            settled_level([2, 3], level, why)
        assert len(caught.value.problems) == count
