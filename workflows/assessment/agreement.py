"""What two or three independent scores of one criterion come to. Pure, and versioned.

The rule is PLAR.md 5: never an average across the threshold, never the higher of two. What the
page says of a criterion is `WORDS` of the rule that fired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.vocabulary import AgreementRule
from workflows.words import marked

RULE_VERSION = "agreement/1"

Level = int | None
"""A level of the rubric, or None: the assessor could not assess it."""


@dataclass(frozen=True)
class Finding:
    """Which rule fired, and the level it settled on: None while open, and for "not assessed"."""

    rule: AgreementRule
    level: Level
    settled: bool


NOT_ASSESSED = Finding(AgreementRule.NOT_ASSESSED, None, settled=True)
DISCUSS = Finding(AgreementRule.DISCUSSION, None, settled=False)
ASK_THIRD = Finding(AgreementRule.THIRD_ASSESSOR, None, settled=False)

WORDS: Mapping[AgreementRule, str] = {
    AgreementRule.SAME: marked("Both chose this level."),
    AgreementRule.ADJACENT_LOWER: marked(
        "One level apart and on the same side of the threshold: the lower one counts."
    ),
    AgreementRule.DISCUSSION: marked(
        "The scores stand on both sides of the threshold, or one could not assess it: "
        "a moderator settles it."
    ),
    AgreementRule.THIRD_ASSESSOR: marked("Too far apart: a third assessor scores it blind."),
    AgreementRule.MEDIAN: marked("The middle one of three scores."),
    AgreementRule.MODERATED: marked("A moderator settled it."),
    AgreementRule.NOT_ASSESSED: marked("Nobody could assess it from this evidence."),
}


def agree(levels: Sequence[Level], threshold: int) -> Finding:
    """What the independent scores of a criterion, two or three of them, come to.

    Raises ValueError for any other number of scores.
    """
    if len(levels) == 2:
        return agree_of_two(levels[0], levels[1], threshold)
    if len(levels) == 3:
        return _agree_of_three([level for level in levels if level is not None], threshold)
    raise ValueError(f"agreement is of two or three scores, not of {len(levels)}")


def agree_of_two(first: Level, second: Level, threshold: int) -> Finding:
    """The rule for a pair: symmetric, never above the lower one, never across the threshold."""
    if first is None or second is None:
        return NOT_ASSESSED if first is second else DISCUSS
    lower, higher = sorted((first, second))
    if lower == higher:
        return Finding(AgreementRule.SAME, lower, settled=True)
    if higher - lower > 1:
        return ASK_THIRD
    if lower < threshold <= higher:
        return DISCUSS
    return Finding(AgreementRule.ADJACENT_LOWER, lower, settled=True)


def _agree_of_three(given: list[int], threshold: int) -> Finding:
    """Three scores: the median, which passes when at least two of them do.

    Where one of the three could not assess it, the other two stand as a pair; there is no fourth
    assessor, so what they cannot settle is for the moderator.
    """
    if not given:
        return NOT_ASSESSED
    if len(given) == 3:
        return Finding(AgreementRule.MEDIAN, sorted(given)[1], settled=True)
    if len(given) == 1:
        return DISCUSS
    pair = agree_of_two(given[0], given[1], threshold)
    return pair if pair.settled else DISCUSS


def moderated_choices(levels: Sequence[Level]) -> tuple[Level, ...]:
    """What a moderator may settle on: from the lowest to the highest score, and "not assessed"
    when one of the assessors said so. Whoever thinks that all are wrong asks a third assessor."""
    given = [level for level in levels if level is not None]
    span: tuple[Level, ...] = tuple(range(min(given), max(given) + 1)) if given else ()
    return (*span, None) if None in levels else span
