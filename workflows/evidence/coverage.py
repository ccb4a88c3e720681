"""Whether evidence is enough: covered, thin or missing, per outcome, with what would meet it. Pure.

PLAR.md section 3: sufficient (so many items, so many of them direct, of accepted kinds), never an
attestation or a CV alone, and current as of a given day. The caller passes the items that count at
all: sealed ones.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storage.errors import Problem
from storage.ids import ItemId, OutcomeCode
from storage.vocabulary import DIRECT_KINDS, NEVER_ALONE, EvidenceKind


class CoverageStatus(StrEnum):
    """How well an outcome is supported."""

    COVERED = "covered"
    THIN = "thin"
    MISSING = "missing"


@dataclass(frozen=True)
class OutcomeRule:
    """What an outcome asks for. `currency_months` None: the age of the work does not matter."""

    code: OutcomeCode
    min_items: int
    min_direct: int
    kinds: frozenset[EvidenceKind]
    currency_months: int | None = None


@dataclass(frozen=True)
class CountedItem:
    """A sealed item. `worked_on` is the last day of the work that it shows."""

    id: ItemId
    title: str
    kind: EvidenceKind
    outcomes: frozenset[OutcomeCode]
    worked_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True)
class OutcomeCoverage:
    """How an outcome stands. `missing` says in words what is missing and what would meet it."""

    code: OutcomeCode
    status: CoverageStatus
    counted: tuple[ItemId, ...]
    direct: int
    rule: OutcomeRule
    missing: tuple[Problem, ...] = ()


def coverage(
    outcomes: Sequence[OutcomeRule], items: Sequence[CountedItem], as_of: date
) -> tuple[OutcomeCoverage, ...]:
    """How each outcome stands on the day `as_of`, in the order of the outcomes."""
    return tuple(_of_outcome(rule, items, as_of) for rule in outcomes)


def currency_start(as_of: date, months: int) -> date:
    """The first day that is at most so many months before `as_of`."""
    month = as_of.year * 12 + as_of.month - 1 - months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(as_of.day, monthrange(year, month)[1]))


def _of_outcome(rule: OutcomeRule, items: Sequence[CountedItem], as_of: date) -> OutcomeCoverage:
    mapped = [item for item in items if rule.code in item.outcomes]
    refusals = {item.id: _why_not(rule, item, as_of) for item in mapped}
    counted = [item for item in mapped if refusals[item.id] is None]
    direct = sum(item.kind in DIRECT_KINDS for item in counted)
    missing = _missing(rule, counted, direct)
    if missing:
        missing += [reason for reason in refusals.values() if reason is not None]
    return OutcomeCoverage(
        code=rule.code,
        status=_status(counted, missing),
        counted=tuple(item.id for item in counted),
        direct=direct,
        rule=rule,
        missing=tuple(missing),
    )


def _status(counted: Sequence[CountedItem], missing: Sequence[Problem]) -> CoverageStatus:
    if not missing:
        return CoverageStatus.COVERED
    return CoverageStatus.THIN if counted else CoverageStatus.MISSING


def _missing(rule: OutcomeRule, counted: Sequence[CountedItem], direct: int) -> list[Problem]:
    """What is missing; empty when the rule is met."""
    problems = []
    items_short = rule.min_items - len(counted)
    direct_short = rule.min_direct - direct
    if items_short > 0:
        problems.append(_items_needed(rule.code, items_short))
    if direct_short > 0:
        problems.append(_direct_needed(rule.code, direct_short))
    elif counted and all(item.kind in NEVER_ALONE for item in counted):
        problems.append(
            Problem(
                rule.code,
                "An attestation or a CV is never enough alone. Add an item of another kind, such "
                "as a photo, a video or a piece of work.",
            )
        )
    return problems


def _items_needed(code: OutcomeCode, count: int) -> Problem:
    if count == 1:
        return Problem(code, "One more item of an accepted kind is needed.")
    return Problem(code, "%(count)s more items of an accepted kind are needed.", {"count": count})


def _direct_needed(code: OutcomeCode, count: int) -> Problem:
    if count == 1:
        return Problem(code, "One of them must show the work itself, not only tell of it.")
    return Problem(
        code,
        "%(count)s of them must show the work itself, not only tell of it.",
        {"count": count},
    )


def _why_not(rule: OutcomeRule, item: CountedItem, as_of: date) -> Problem | None:
    """Why an item that is mapped to the outcome does not count for it; None when it does."""
    if item.kind not in rule.kinds:
        return _refused(rule, item, "“%(title)s” does not count here: its kind is not accepted.")
    if item.expires_on is not None and item.expires_on < as_of:
        return _refused(
            rule,
            item,
            "“%(title)s” does not count: it expired on %(date)s.",
            date=item.expires_on.isoformat(),
        )
    if rule.currency_months is None:
        return None
    if item.worked_on is None:
        return _refused(
            rule,
            item,
            "“%(title)s” does not count until you say when the work was done: this outcome asks "
            "for work of the last %(months)s months.",
            months=rule.currency_months,
        )
    if item.worked_on < currency_start(as_of, rule.currency_months):
        return _refused(
            rule,
            item,
            "“%(title)s” does not count: the work is older than %(months)s months.",
            months=rule.currency_months,
        )
    return None


def _refused(rule: OutcomeRule, item: CountedItem, message: str, **params: str | int) -> Problem:
    return Problem(rule.code, message, {"title": item.title, **params})
