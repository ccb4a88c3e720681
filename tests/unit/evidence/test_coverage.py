"""The rules of sufficiency and currency, on plain values."""

from dataclasses import replace
from datetime import date

import pytest

from storage.ids import ItemId, OutcomeCode, new_id
from storage.vocabulary import EvidenceKind
from workflows.evidence.coverage import (
    CountedItem,
    CoverageStatus,
    OutcomeCoverage,
    OutcomeRule,
    coverage,
    currency_start,
)

TODAY = date(2026, 3, 31)
CODE = OutcomeCode("CNC1")
KINDS = frozenset({EvidenceKind.PHOTO, EvidenceKind.VIDEO, EvidenceKind.ATTESTATION})


def rule(
    min_items: int = 2,
    min_direct: int = 1,
    kinds: frozenset[EvidenceKind] = KINDS,
    months: int | None = None,
) -> OutcomeRule:
    return OutcomeRule(CODE, min_items, min_direct, kinds, months)


def item(
    kind: EvidenceKind = EvidenceKind.PHOTO,
    worked_on: date | None = None,
    expires_on: date | None = None,
    outcome: str = CODE,
) -> CountedItem:
    outcomes = frozenset({OutcomeCode(outcome)})
    return CountedItem(ItemId(new_id()), "My file", kind, outcomes, worked_on, expires_on)


def of(outcome: OutcomeRule, *items: CountedItem) -> OutcomeCoverage:
    return coverage([outcome], items, TODAY)[0]


def said(result: OutcomeCoverage) -> str:
    return " ".join(str(problem) for problem in result.missing)


def test_an_outcome_with_enough_items_is_covered_and_nothing_is_missing() -> None:
    photo, attestation = item(), item(EvidenceKind.ATTESTATION)
    result = of(rule(), photo, attestation)
    assert result.status is CoverageStatus.COVERED
    assert result.missing == ()
    assert result.counted == (photo.id, attestation.id)
    assert result.direct == 1


def test_an_outcome_without_items_is_missing_and_says_how_many_are_needed() -> None:
    result = of(rule())
    assert result.status is CoverageStatus.MISSING
    assert "2 more items" in said(result)
    assert "One of them must show the work itself" in said(result)


def test_one_item_of_two_is_thin() -> None:
    result = of(rule(), item())
    assert result.status is CoverageStatus.THIN
    assert said(result) == "One more item of an accepted kind is needed."


def test_an_item_mapped_to_another_outcome_does_not_count() -> None:
    assert of(rule(1, 0), item(outcome="CNC2")).status is CoverageStatus.MISSING


def test_an_item_of_a_kind_that_is_not_accepted_does_not_count_and_is_named() -> None:
    result = of(rule(1, 0), item(EvidenceKind.AUDIO))
    assert result.status is CoverageStatus.MISSING
    assert "“My file” does not count here: its kind is not accepted." in said(result)


def test_items_that_do_not_count_are_not_mentioned_where_nothing_is_missing() -> None:
    assert of(rule(1, 0), item(), item(EvidenceKind.AUDIO)).missing == ()


def test_direct_items_are_asked_for_by_number() -> None:
    attestations = [item(EvidenceKind.ATTESTATION) for _ in range(3)]
    result = of(rule(3, 2), *attestations)
    assert result.status is CoverageStatus.THIN
    assert said(result) == "2 of them must show the work itself, not only tell of it."


@pytest.mark.parametrize("kind", [EvidenceKind.ATTESTATION, EvidenceKind.CV])
def test_an_attestation_or_a_cv_is_never_enough_alone(kind: EvidenceKind) -> None:
    alone = rule(2, 0, frozenset({kind, EvidenceKind.REFLECTION}))
    result = of(alone, item(kind), item(kind))
    assert result.status is CoverageStatus.THIN
    assert "never enough alone" in said(result)
    assert of(alone, item(kind), item(EvidenceKind.REFLECTION)).status is CoverageStatus.COVERED


def test_an_item_without_a_date_cannot_satisfy_a_currency_rule() -> None:
    result = of(rule(1, 1, months=24), item())
    assert result.status is CoverageStatus.MISSING
    assert "until you say when the work was done" in said(result)


@pytest.mark.parametrize(
    ("worked_on", "status"),
    [
        (date(2024, 3, 31), CoverageStatus.COVERED),
        (date(2024, 3, 30), CoverageStatus.MISSING),
    ],
)
def test_work_counts_up_to_the_last_day_of_its_window(
    worked_on: date, status: CoverageStatus
) -> None:
    result = of(rule(1, 1, months=24), item(worked_on=worked_on))
    assert result.status is status
    assert ("older than 24 months" in said(result)) is (status is CoverageStatus.MISSING)


def test_a_certificate_counts_until_the_day_it_expires() -> None:
    assert of(rule(1, 0), item(expires_on=TODAY)).status is CoverageStatus.COVERED
    late = of(rule(1, 0), item(expires_on=date(2026, 3, 30)))
    assert late.status is CoverageStatus.MISSING
    assert "expired on 2026-03-30" in said(late)


def test_a_certificate_is_as_old_as_its_issue_and_is_told_so() -> None:
    recent = rule(1, 0, frozenset({EvidenceKind.CERTIFICATE}), months=24)
    undated = of(recent, item(EvidenceKind.CERTIFICATE))
    assert "until you say when it was issued" in said(undated)
    old = of(recent, item(EvidenceKind.CERTIFICATE, worked_on=date(2020, 1, 1)))
    assert "issued over 24 months ago" in said(old)


def test_what_waits_for_consent_does_not_count_and_what_would_meet_it_is_said() -> None:
    waiting = replace(item(), held=True)
    result = of(rule(1, 1), waiting)
    assert result.status is CoverageStatus.MISSING
    assert "Their consent, or a copy in which nobody can be recognised" in said(result)
    assert [one.item_id for one in result.refused] == [waiting.id]


def test_what_the_store_does_not_hold_as_it_was_sealed_does_not_count() -> None:
    spoilt = replace(item(), spoilt=True)
    result = of(rule(1, 1), spoilt)
    assert result.status is CoverageStatus.MISSING
    assert "does not hold it as it was sealed" in said(result)
    assert of(rule(1, 1), replace(spoilt, spoilt=False)).status is CoverageStatus.COVERED


def test_a_word_more_makes_an_outcome_that_asks_for_nothing_no_worse() -> None:
    word = item(EvidenceKind.ATTESTATION)
    free = rule(0, 0, frozenset({EvidenceKind.ATTESTATION}))
    assert of(free, word).status is CoverageStatus.COVERED


def test_an_outcome_that_asks_for_nothing_is_covered_by_nothing() -> None:
    assert of(rule(0, 0)).status is CoverageStatus.COVERED


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 1), 36, date(2023, 12, 1)),
    ],
)
def test_months_are_counted_by_the_calendar(as_of: date, months: int, first: date) -> None:
    assert currency_start(as_of, months) == first
