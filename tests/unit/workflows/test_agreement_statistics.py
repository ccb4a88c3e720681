"""The statistics against the known answers of PLAR.md 5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.assessment.statistics import (
    TOO_FEW,
    exact_share,
    figures,
    ordinal_alpha,
    quadratic_kappa,
    severity,
    within_one_share,
)

A = [3, 3, 2, 4, 3, 1, 2, 3, 4, 3, 2, 3]
B = [3, 2, 2, 4, 3, 2, 2, 3, 3, 3, 2, 1]
R2 = [3, 2, 2, 4, None, 2, 2, None, 3, 3, None, 1]
R3 = [None, 3, None, 4, 3, None, None, 3, None, None, 2, 2]
PAIRS = list(zip(A, B, strict=True))


def test_twelve_pairs_give_the_known_shares_kappa_and_alpha() -> None:
    assert exact_share(PAIRS) == pytest.approx(8 / 12)
    assert within_one_share(PAIRS) == pytest.approx(11 / 12)
    assert quadratic_kappa(PAIRS) == pytest.approx(0.5625, abs=5e-5)
    assert ordinal_alpha(PAIRS) == pytest.approx(0.6395, abs=5e-5)


def test_three_raters_with_gaps_give_the_known_alpha() -> None:
    assert ordinal_alpha(list(zip(A, R2, R3, strict=True))) == pytest.approx(0.7287, abs=5e-5)


def test_near_perfect_agreement_without_spread_has_an_alpha_below_zero() -> None:
    pairs = [(3, 3)] * 38 + [(2, 3), (3, 2)]
    assert exact_share(pairs) == pytest.approx(0.95)
    assert ordinal_alpha(pairs) == pytest.approx(-0.0128, abs=5e-5)


def test_coefficients_are_hidden_below_twenty_pairs_and_the_reason_is_said() -> None:
    few, enough = figures(PAIRS), figures(PAIRS * 2)
    assert (few.n, few.alpha, few.kappa, few.why_hidden) == (12, None, None, TOO_FEW)
    assert few.distribution == {1: 2, 2: 8, 3: 11, 4: 3}
    assert enough.alpha is not None
    assert enough.kappa == pytest.approx(0.5625, abs=5e-5)
    assert enough.why_hidden == ""


def test_nothing_scored_gives_no_figures_and_no_error() -> None:
    empty = figures([])
    assert (empty.exact, empty.within_one, empty.distribution) == (None, None, {})
    assert ordinal_alpha([]) is None
    assert quadratic_kappa([]) is None
    assert ordinal_alpha([(3, 3), (3, 3)]) is None
    assert ordinal_alpha([(3, None), (None, 2)]) is None


def test_severity_is_the_distance_to_the_co_raters_on_what_both_scored() -> None:
    assert severity([(2, [3, 3]), (3, [3]), (1, [])]) == pytest.approx(-0.5)
    assert severity([(3, [])]) is None


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=2))
def test_who_is_the_first_rater_makes_no_difference(pairs: list[tuple[int, int]]) -> None:
    swapped = [(b, a) for a, b in pairs]
    for coefficient in (ordinal_alpha, quadratic_kappa):
        one, other = coefficient(pairs), coefficient(swapped)
        assert (one is None) == (other is None)
        assert one is None or one == pytest.approx(other)


@given(st.lists(st.integers(1, 4), min_size=2).filter(lambda levels: len(set(levels)) > 1))
def test_perfect_agreement_with_spread_is_one(levels: list[int]) -> None:
    pairs = [(level, level) for level in levels]
    assert ordinal_alpha(pairs) == pytest.approx(1)
    assert quadratic_kappa(pairs) == pytest.approx(1)
