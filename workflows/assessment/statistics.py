"""How well assessors agree, for staff: from first independent scores only. Pure.

Krippendorff, K. (2019), Content Analysis, 4th ed., chapter 12 (alpha, ordinal metric); Cohen, J.
(1968), Psychological Bulletin 70(4) (kappa with quadratic weights).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

Pair = tuple[int, int]
ENOUGH = 20
FEWEST = 5
"""Below so many pairs nothing is said at all."""
TOO_FEW = "Coefficients are shown from 20 scored pairs on: with fewer they say little."


@dataclass(frozen=True)
class AgreementFigures:
    """Figures of one criterion. The coefficients are None when there are too few pairs, and when
    they are not defined because everybody gave the same level; `why_hidden` says so."""

    n: int
    exact: float | None
    within_one: float | None
    alpha: float | None
    kappa: float | None
    why_hidden: str
    distribution: Mapping[int, int]


def figures(pairs: Sequence[Pair]) -> AgreementFigures:
    """What staff see of the pairs of one criterion."""
    enough = len(pairs) >= ENOUGH
    return AgreementFigures(
        n=len(pairs),
        exact=exact_share(pairs),
        within_one=within_one_share(pairs),
        alpha=ordinal_alpha(pairs) if enough else None,
        kappa=quadratic_kappa(pairs) if enough else None,
        why_hidden="" if enough else TOO_FEW,
        distribution=Counter(level for pair in pairs for level in pair),
    )


def exact_share(pairs: Sequence[Pair]) -> float | None:
    """The share of pairs with the same level; None when there are none."""
    return _share([a == b for a, b in pairs])


def within_one_share(pairs: Sequence[Pair]) -> float | None:
    """The share of pairs at most one level apart; None when there are none."""
    return _share([abs(a - b) <= 1 for a, b in pairs])


def quadratic_kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's kappa with quadratic weights for two fixed raters.

    None where it is not defined: no pairs, or no spread at all.
    """
    seen = sum((a - b) ** 2 for a, b in pairs) * len(pairs)
    firsts, seconds = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(
        (a - b) ** 2 * many * more for a, many in firsts.items() for b, more in seconds.items()
    )
    return 1 - seen / expected if expected else None


def ordinal_alpha(units: Sequence[Sequence[int | None]]) -> float | None:
    """Krippendorff's alpha with the ordinal metric.

    One sequence of levels per unit (scored criterion), one place per rater, None for a gap; units
    with fewer than two levels do not count. None where it is not defined.
    """
    coincidences = _coincidences(units)
    totals: defaultdict[int, float] = defaultdict(float)
    for (level, _), weight in coincidences.items():
        totals[level] += weight
    n = sum(totals.values())
    seen = sum(weight * _distance(totals, *pair) for pair, weight in coincidences.items())
    expected = sum(totals[a] * totals[b] * _distance(totals, a, b) for a in totals for b in totals)
    return 1 - (n - 1) * seen / expected if expected else None


def severity(scores: Sequence[tuple[int, Sequence[int]]]) -> float | None:
    """An assessor's mean level less the mean of their co-raters, on what both scored.

    Each score is the assessor's level and the co-raters' levels of the same criterion and case.
    Negative is stricter. None when nothing was scored together.
    """
    shared = [(own, others) for own, others in scores if others]
    if not shared:
        return None
    return sum(own - sum(others) / len(others) for own, others in shared) / len(shared)


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def _coincidences(units: Sequence[Sequence[int | None]]) -> Mapping[Pair, float]:
    counted: dict[Pair, float] = {}
    for unit in units:
        given = [level for level in unit if level is not None]
        for pair in permutations(given, 2):
            counted[pair] = counted.get(pair, 0.0) + 1 / (len(given) - 1)
    return counted


def _distance(totals: Mapping[int, float], a: int, b: int) -> float:
    low, high = min(a, b), max(a, b)
    between = sum(weight for level, weight in totals.items() if low <= level <= high)
    return float(between - (totals[low] + totals[high]) / 2) ** 2
