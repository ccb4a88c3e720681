"""How outcomes stand by their evidence, as pages draw and tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from storage.errors import Problem
from storage.ids import ItemId, OutcomeCode
from storage.vocabulary import EvidenceKind
from workflows.assessment.evidence import EvidenceRow
from workflows.evidence.coverage import OutcomeCoverage
from workflows.evidence.queries import ItemRow
from workflows.frameworks.definition import Definition


@dataclass(frozen=True)
class CoverageRow:
    """How an outcome stands, in words. `have` of `need` items count, `direct` of `need_direct` show
    the work itself; `kinds` are those that are accepted."""

    code: OutcomeCode
    statement: str
    status: str
    have: int
    need: int
    words: str
    direct: int = 0
    need_direct: int = 0
    kinds: tuple[EvidenceKind, ...] = ()
    months: int | None = None


@dataclass(frozen=True)
class Column:
    """An item in the drawing, by its number."""

    number: int
    id: ItemId
    title: str


@dataclass(frozen=True)
class Mark:
    """What an item is to an outcome: 'direct', 'indirect', 'refused' (with why) or ''."""

    kind: str
    why: str = ""


@dataclass(frozen=True)
class Line:
    """An outcome in the drawing, with a mark for each item."""

    row: CoverageRow
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Drawing:
    """Outcomes by items: what counts where. As of a day, where one was kept."""

    columns: Sequence[Column]
    lines: Sequence[Line]
    as_of: date | None = None


def coverage_rows(definition: Definition, covered: Sequence[OutcomeCoverage]) -> list[CoverageRow]:
    """How each outcome stands, with what would meet it in the reader's language."""
    return [coverage_row(definition, row) for row in covered]


def coverage_row(definition: Definition, row: OutcomeCoverage) -> CoverageRow:
    """How one outcome stands."""
    return CoverageRow(
        code=row.code,
        statement=definition.outcome(row.code).statement,
        status=row.status.value,
        have=len(row.counted),
        need=row.rule.min_items,
        words=" ".join(said(problem) for problem in row.missing),
        direct=row.direct,
        need_direct=row.rule.min_direct,
        kinds=tuple(kind for kind in EvidenceKind if kind in row.rule.kinds),
        months=row.rule.currency_months,
    )


def drawing(
    definition: Definition,
    covered: Sequence[OutcomeCoverage],
    items: Sequence[ItemRow] | Sequence[EvidenceRow],
    as_of: date | None = None,
) -> Drawing:
    """Outcomes by those of the items that speak to any of them."""
    speaking = {
        item_id
        for row in covered
        for item_id in (*row.counted, *(one.item_id for one in row.refused))
    }
    shown = [item for item in items if item.id in speaking]
    columns = [Column(number, item.id, item.title) for number, item in enumerate(shown, 1)]
    lines = [
        Line(coverage_row(definition, row), [_mark(row, item.id, item.direct) for item in shown])
        for row in covered
    ]
    return Drawing(columns, lines, as_of)


def said(problem: Problem) -> str:
    """A problem in the reader's language."""
    return str(_(problem.message, **problem.params))


def _mark(row: OutcomeCoverage, item_id: ItemId, direct: bool) -> Mark:
    if item_id in row.counted:
        return Mark("direct" if direct else "indirect")
    why = next((one.why for one in row.refused if one.item_id == item_id), None)
    return Mark("refused", said(why)) if why else Mark("")
