"""The agreement rule of PLAR.md 5, as a table and as properties."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.vocabulary import AgreementRule as R
from workflows.assessment.agreement import WORDS, agree, moderated_choices

levels = st.integers(1, 4)
maybe_levels = st.none() | levels
thresholds = st.integers(1, 4)


@pytest.mark.parametrize(
    ("scores", "rule", "level", "settled"),
    [
        ((3, 3), R.SAME, 3, True),
        ((1, 1), R.SAME, 1, True),
        ((3, 4), R.ADJACENT_LOWER, 3, True),
        ((2, 1), R.ADJACENT_LOWER, 1, True),
        ((2, 3), R.DISCUSSION, None, False),
        ((3, 2), R.DISCUSSION, None, False),
        ((2, 4), R.THIRD_ASSESSOR, None, False),
        ((4, 1), R.THIRD_ASSESSOR, None, False),
        ((None, None), R.NOT_ASSESSED, None, True),
        ((None, 3), R.DISCUSSION, None, False),
        ((3, None), R.DISCUSSION, None, False),
        ((2, 4, 3), R.MEDIAN, 3, True),
        ((1, 4, 4), R.MEDIAN, 4, True),
        ((1, 3, 1), R.MEDIAN, 1, True),
        ((2, 4, None), R.DISCUSSION, None, False),
        ((2, 3, None), R.DISCUSSION, None, False),
        ((3, None, 3), R.SAME, 3, True),
        ((3, None, 4), R.ADJACENT_LOWER, 3, True),
        ((1, None, 4), R.DISCUSSION, None, False),
        ((None, None, 2), R.DISCUSSION, None, False),
        ((None, None, None), R.NOT_ASSESSED, None, True),
    ],
)
def test_scores_with_the_threshold_at_three_come_to(
    scores: tuple[int | None, ...], rule: R, level: int | None, settled: bool
) -> None:
    finding = agree(scores, threshold=3)
    assert (finding.rule, finding.level, finding.settled) == (rule, level, settled)


@given(maybe_levels, maybe_levels, thresholds)
def test_two_scores_come_to_the_same_whichever_is_first(
    first: int | None, second: int | None, threshold: int
) -> None:
    assert agree((first, second), threshold) == agree((second, first), threshold)


@given(st.lists(maybe_levels, min_size=3, max_size=3), thresholds, st.randoms())
def test_three_scores_come_to_the_same_in_any_order(
    scores: list[int | None], threshold: int, random: Random
) -> None:
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert agree(scores, threshold) == agree(shuffled, threshold)


@given(levels, levels, thresholds)
def test_two_scores_never_come_to_more_than_the_lower_one(
    first: int, second: int, threshold: int
) -> None:
    finding = agree((first, second), threshold)
    assert finding.level is None or finding.level == min(first, second)


@given(levels, levels, thresholds)
def test_two_scores_never_settle_across_the_threshold(
    first: int, second: int, threshold: int
) -> None:
    if (first >= threshold) != (second >= threshold):
        assert not agree((first, second), threshold).settled


@given(levels, levels, levels, thresholds)
def test_a_median_passes_when_at_least_two_of_three_do(
    first: int, second: int, third: int, threshold: int
) -> None:
    finding = agree((first, second, third), threshold)
    passing = sum(level >= threshold for level in (first, second, third))
    assert finding.level is not None
    assert (finding.level >= threshold) == (passing >= 2)


@given(st.lists(maybe_levels, min_size=2, max_size=3), thresholds)
def test_what_is_settled_was_said_by_someone_and_every_rule_has_words(
    scores: list[int | None], threshold: int
) -> None:
    finding = agree(scores, threshold)
    assert WORDS[finding.rule]
    if finding.settled:
        assert finding.level in scores
    else:
        assert finding.level is None


@pytest.mark.parametrize("scores", [(), (3,), (3, 3, 3, 3)])
def test_agreement_of_another_number_of_scores_is_refused(scores: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two or three"):
        agree(scores, threshold=3)


@pytest.mark.parametrize(
    ("scores", "choices"),
    [
        ((2, 3), (2, 3)),
        ((4, 1), (1, 2, 3, 4)),
        ((3, None), (3, None)),
        ((2, 4, None), (2, 3, 4, None)),
        ((None, None), (None,)),
    ],
)
def test_a_moderator_chooses_between_the_scores_and_not_beyond(
    scores: tuple[int | None, ...], choices: tuple[int | None, ...]
) -> None:
    assert moderated_choices(scores) == choices
