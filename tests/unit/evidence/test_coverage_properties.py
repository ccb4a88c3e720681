"""What holds of coverage whatever the rule, the items and the day."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.ids import ItemId, OutcomeCode, new_id
from storage.vocabulary import DIRECT_KINDS, NEVER_ALONE, EvidenceKind
from workflows.evidence.coverage import (
    CountedItem,
    CoverageStatus,
    OutcomeCoverage,
    OutcomeRule,
    coverage,
)
from workflows.evidence.coverage_kept import as_kept, read_kept

CODE = OutcomeCode("CNC1")
BETTER = {CoverageStatus.MISSING: 0, CoverageStatus.THIN: 1, CoverageStatus.COVERED: 2}
DAYS = st.dates(min_value=date(2015, 1, 1), max_value=date(2030, 12, 31))
RULES = st.builds(
    OutcomeRule,
    code=st.just(CODE),
    min_items=st.integers(0, 4),
    min_direct=st.integers(0, 3),
    kinds=st.frozensets(st.sampled_from(EvidenceKind), min_size=1),
    currency_months=st.none() | st.integers(1, 60),
)
ITEMS = st.builds(
    CountedItem,
    id=st.builds(lambda: ItemId(new_id())),
    title=st.just("Item"),
    kind=st.sampled_from(EvidenceKind),
    outcomes=st.sampled_from([frozenset(), frozenset({CODE})]),
    worked_on=st.none() | DAYS,
    expires_on=st.none() | DAYS,
    held=st.booleans(),
    spoilt=st.booleans(),
)


def of(rule: OutcomeRule, items: list[CountedItem], day: date) -> OutcomeCoverage:
    return coverage([rule], items, day)[0]


@given(RULES, st.lists(ITEMS, max_size=6), ITEMS, DAYS)
def test_another_item_never_makes_an_outcome_worse(
    rule: OutcomeRule, items: list[CountedItem], more: CountedItem, day: date
) -> None:
    before, after = of(rule, items, day), of(rule, [*items, more], day)
    assert BETTER[after.status] >= BETTER[before.status]
    assert set(before.counted) <= set(after.counted)
    assert before.direct <= after.direct


@given(
    RULES,
    st.lists(ITEMS, max_size=6).flatmap(
        lambda items: st.tuples(st.just(items), st.permutations(items))
    ),
    DAYS,
)
def test_the_order_of_the_items_changes_nothing(
    rule: OutcomeRule, orders: tuple[list[CountedItem], list[CountedItem]], day: date
) -> None:
    one, other = of(rule, orders[0], day), of(rule, orders[1], day)
    assert (one.status, set(one.counted), one.direct) == (
        other.status,
        set(other.counted),
        other.direct,
    )
    assert sorted(map(str, one.missing)) == sorted(map(str, other.missing))


@given(RULES, st.lists(ITEMS, max_size=6), DAYS, st.integers(1, 4000))
def test_a_later_day_never_makes_more_items_count(
    rule: OutcomeRule, items: list[CountedItem], day: date, later: int
) -> None:
    now, then = of(rule, items, day), of(rule, items, day + timedelta(days=later))
    assert set(then.counted) <= set(now.counted)
    assert BETTER[then.status] <= BETTER[now.status]


@given(RULES, st.lists(ITEMS, max_size=6), DAYS)
def test_covered_is_what_the_rule_asks_and_never_a_word_alone(
    rule: OutcomeRule, items: list[CountedItem], day: date
) -> None:
    found = of(rule, items, day)
    counted = [item for item in items if item.id in found.counted]
    direct = sum(item.kind in DIRECT_KINDS for item in counted)
    enough = len(counted) >= rule.min_items and direct >= rule.min_direct
    alone = rule.min_items > 0 and all(item.kind in NEVER_ALONE for item in counted)
    assert (found.status is CoverageStatus.COVERED) == (enough and not alone)
    assert bool(found.missing) == (found.status is not CoverageStatus.COVERED)


@given(RULES, st.lists(ITEMS, max_size=6), DAYS)
def test_every_mapped_item_counts_or_has_a_reason_why_not(
    rule: OutcomeRule, items: list[CountedItem], day: date
) -> None:
    found = of(rule, items, day)
    mapped = [item.id for item in items if CODE in item.outcomes]
    assert sorted([*found.counted, *(one.item_id for one in found.refused)]) == sorted(mapped)


@given(RULES, st.lists(ITEMS, max_size=6), DAYS)
def test_what_is_held_back_never_counts_and_counts_once_it_is_not(
    rule: OutcomeRule, items: list[CountedItem], day: date
) -> None:
    found = of(rule, items, day)
    assert not {item.id for item in items if item.held or item.spoilt} & set(found.counted)
    free = of(rule, [replace(item, held=False) for item in items], day)
    assert set(found.counted) <= set(free.counted)


@given(RULES, st.lists(ITEMS, max_size=6), DAYS)
def test_what_is_kept_of_it_is_read_as_it_was(
    rule: OutcomeRule, items: list[CountedItem], day: date
) -> None:
    found = of(rule, items, day)
    assert read_kept(as_kept(found)) == found
