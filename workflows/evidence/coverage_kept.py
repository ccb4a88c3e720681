"""How outcomes stood, as it is kept with the acts that rest on it, and read again as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Problem
from storage.ids import ItemId, OutcomeCode, new_id
from storage.tables import CoverageRecord
from storage.vocabulary import CoverageBasis, EvidenceKind
from workflows.canonical import canonical_json
from workflows.evidence.coverage import CoverageStatus, OutcomeCoverage, OutcomeRule, Refusal


@dataclass(frozen=True)
class KeptCoverage:
    """How the outcomes of a round stood at an act. `as_of`: the day the ages were reckoned by."""

    basis: CoverageBasis
    as_of: date
    recorded_at: datetime
    outcomes: tuple[OutcomeCoverage, ...]


class _Told(BaseModel):
    """A message with its values."""

    model_config = ConfigDict(extra="ignore")

    message: str
    params: dict[str, str | int] = {}
    item: UUID | None = None


class _Outcome(BaseModel):
    """An outcome as it is kept. What a later version writes besides is not read."""

    model_config = ConfigDict(extra="ignore")

    outcome: str
    status: CoverageStatus
    counted: tuple[UUID, ...]
    direct: int
    min_items: int
    min_direct: int
    kinds: frozenset[EvidenceKind]
    currency_months: int | None
    missing: tuple[_Told, ...]
    refused: tuple[_Told, ...]


def keep_coverage(
    tx: Transaction,
    case_id: UUID,
    round_number: int,
    basis: CoverageBasis,
    *,
    as_of: date,
    outcomes: Sequence[OutcomeCoverage],
) -> None:
    """Keep how the outcomes stand, in the transaction of the act that rests on it."""
    tx.session.add(
        CoverageRecord(
            id=new_id(),
            case_id=case_id,
            round=round_number,
            basis=basis.value,
            as_of=as_of,
            outcomes=[as_kept(row) for row in outcomes],
            recorded_at=tx.now,
        )
    )


def kept_coverage(
    tx: Transaction, case_id: UUID, round_number: int, *among: CoverageBasis
) -> KeptCoverage | None:
    """What was kept last in a round, of these acts if any are named; None when nothing was."""
    bases = among or tuple(CoverageBasis)
    row = tx.session.exec(
        select(CoverageRecord)
        .where(
            CoverageRecord.case_id == case_id,
            CoverageRecord.round == round_number,
            col(CoverageRecord.basis).in_([basis.value for basis in bases]),
        )
        .order_by(col(CoverageRecord.recorded_at).desc(), col(CoverageRecord.id).desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    outcomes = tuple(read_kept(body) for body in row.outcomes)
    return KeptCoverage(CoverageBasis(row.basis), row.as_of, row.recorded_at, outcomes)


def as_kept(row: OutcomeCoverage) -> dict[str, object]:
    """An outcome's coverage as JSON values, with its rule and its words."""
    return {
        "outcome": row.code,
        "status": row.status.value,
        "counted": [str(item_id) for item_id in row.counted],
        "direct": row.direct,
        "min_items": row.rule.min_items,
        "min_direct": row.rule.min_direct,
        "kinds": sorted(kind.value for kind in row.rule.kinds),
        "currency_months": row.rule.currency_months,
        "missing": [_told(problem) for problem in row.missing],
        "refused": [{**_told(one.why), "item": str(one.item_id)} for one in row.refused],
    }


def read_kept(body: dict[str, object]) -> OutcomeCoverage:
    """An outcome's coverage as it was kept."""
    kept = _Outcome.model_validate_json(canonical_json(body))
    code = OutcomeCode(kept.outcome)
    return OutcomeCoverage(
        code=code,
        status=kept.status,
        counted=tuple(ItemId(item_id) for item_id in kept.counted),
        direct=kept.direct,
        rule=OutcomeRule(code, kept.min_items, kept.min_direct, kept.kinds, kept.currency_months),
        missing=tuple(Problem(code, one.message, one.params) for one in kept.missing),
        refused=tuple(
            Refusal(ItemId(one.item), Problem(code, one.message, one.params))
            for one in kept.refused
            if one.item is not None
        ),
    )


def without_words(outcomes: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Kept outcomes without what the learner called a file and when they said it was made.

    Which items counted and which did not, by id, and by which rule, is still told.
    """
    return [
        {**body, **{name: [_nameless(one) for one in _listed(body, name)] for name in _IN_WORDS}}
        for body in outcomes
    ]


_IN_WORDS = ("missing", "refused")
_LEARNERS = frozenset({"title", "date"})
_ERASED = "—"


def _listed(body: Mapping[str, object], name: str) -> list[dict[str, object]]:
    told = body.get(name)
    return told if isinstance(told, list) else []


def _nameless(told: Mapping[str, object]) -> dict[str, object]:
    params = told.get("params")
    given = params if isinstance(params, dict) else {}
    blanked = {name: _ERASED if name in _LEARNERS else value for name, value in given.items()}
    return {**told, "params": blanked}


def _told(problem: Problem) -> dict[str, object]:
    return {"message": problem.message, "params": dict(problem.params)}
