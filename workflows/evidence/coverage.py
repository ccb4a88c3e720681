"""Whether evidence is enough: covered, thin or missing, per outcome, with what would meet it. Pure.

PLAR.md section 3: sufficient (so many items, so many of them direct, of accepted kinds), never an
attestation or a CV alone, and current as of a given day. The caller passes the items that are
there at all: sealed ones that no blurred copy stands for. What is held back does not count yet.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storage.errors import Problem
from storage.ids import ItemId, OutcomeCode
from storage.vocabulary import DIRECT_KINDS, NEVER_ALONE, EvidenceKind
from workflows.words import marked

UNDATED = marked(
    "“%(title)s” does not count until you say when the work was done: this outcome asks for work "
    "of the last %(months)s months."
)
UNDATED_CERTIFICATE = marked(
    "“%(title)s” does not count until you say when it was issued: this outcome asks for what is "
    "at most %(months)s months old."
)
OLD = marked("“%(title)s” does not count: the work is older than %(months)s months.")
HELD = marked(
    "“%(title)s” does not count yet: people in it have not agreed. Their consent, or a copy in "
    "which nobody can be recognised, would make it count."
)
SPOILT = marked(
    "“%(title)s” does not count: the store does not hold it as it was sealed. Staff see that too; "
    "until it is found again, other evidence is needed."
)
OLD_CERTIFICATE = marked("“%(title)s” does not count: it was issued over %(months)s months ago.")


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
    """A sealed item. `worked_on` is the last day of the work that it shows, or the day on which a
    certificate was issued. `held`: people in it have not agreed yet; `spoilt`: the store does not
    hold its bytes as they were sealed."""

    id: ItemId
    title: str
    kind: EvidenceKind
    outcomes: frozenset[OutcomeCode]
    worked_on: date | None = None
    expires_on: date | None = None
    held: bool = False
    spoilt: bool = False


@dataclass(frozen=True)
class Refusal:
    """That an item does not count for an outcome, and why."""

    item_id: ItemId
    why: Problem


@dataclass(frozen=True)
class OutcomeCoverage:
    """How an outcome stands. `missing` says in words what is missing and what would meet it;
    `refused` which of the items that are mapped to it do not count."""

    code: OutcomeCode
    status: CoverageStatus
    counted: tuple[ItemId, ...]
    direct: int
    rule: OutcomeRule
    missing: tuple[Problem, ...] = ()
    refused: tuple[Refusal, ...] = ()


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
    reasons = [(item, _why_not(rule, item, as_of)) for item in mapped]
    counted = [item for item, why in reasons if why is None]
    refused = tuple(Refusal(item.id, why) for item, why in reasons if why is not None)
    direct = sum(item.kind in DIRECT_KINDS for item in counted)
    missing = _missing(rule, counted, direct)
    if missing:
        missing += [refusal.why for refusal in refused]
    return OutcomeCoverage(
        code=rule.code,
        status=_status(counted, missing),
        counted=tuple(item.id for item in counted),
        direct=direct,
        rule=rule,
        missing=tuple(missing),
        refused=refused,
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
    elif rule.min_items and counted and all(item.kind in NEVER_ALONE for item in counted):
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
    if item.spoilt:
        return _refused(rule, item, SPOILT)
    if item.kind not in rule.kinds:
        return _refused(rule, item, "“%(title)s” does not count here: its kind is not accepted.")
    if item.expires_on is not None and item.expires_on < as_of:
        return _refused(
            rule,
            item,
            "“%(title)s” does not count: it expired on %(date)s.",
            date=item.expires_on.isoformat(),
        )
    outdated = rule.currency_months and _why_not_current(rule, item, as_of, rule.currency_months)
    if outdated:
        return outdated
    return _refused(rule, item, HELD) if item.held else None


def _why_not_current(
    rule: OutcomeRule, item: CountedItem, as_of: date, months: int
) -> Problem | None:
    certificate = item.kind is EvidenceKind.CERTIFICATE
    if item.worked_on is None:
        message = UNDATED_CERTIFICATE if certificate else UNDATED
        return _refused(rule, item, message, months=months)
    if item.worked_on < currency_start(as_of, months):
        message = OLD_CERTIFICATE if certificate else OLD
        return _refused(rule, item, message, months=months)
    return None


def _refused(rule: OutcomeRule, item: CountedItem, message: str, **params: str | int) -> Problem:
    return Problem(rule.code, message, {"title": item.title, **params})
