"""How well assessors agree, per credential and criterion, counted from what is kept.

First independent scores only (seats 1 and 2, final), and only of cases that are decided and not
being judged anew: before that, a figure of a few pairs could tell one assessor of the other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import InstitutionId
from storage.tables import Case, DefinitionVersion, Score, ScoreSheet
from storage.vocabulary import CaseState, SheetState
from workflows.assessment.statistics import FEWEST, AgreementFigures, Pair, figures
from workflows.frameworks.definition import read_definition

JUDGED = (CaseState.DECIDED.value, CaseState.RELEASED.value, CaseState.CLOSED.value)

_Pairs = defaultdict[str, defaultdict[str, list[Pair]]]


@dataclass(frozen=True)
class CriterionAgreement:
    """One row of a rubric: what it is called, its levels, and how well assessors agreed on it."""

    code: str
    title: str
    levels: Sequence[int]
    figures: AgreementFigures


@dataclass(frozen=True)
class DefinitionAgreement:
    """A credential with all of its criteria, scored or not; `overall` is of all of their pairs."""

    code: str
    title: str
    criteria: Sequence[CriterionAgreement]
    overall: AgreementFigures

    @property
    def says_something(self) -> bool:
        """Whether there are figures of more than a few cases."""
        return any(row.figures.n >= FEWEST for row in self.criteria)


def agreement_of(
    tx: Transaction, institution_id: InstitutionId, since: datetime | None = None
) -> Sequence[DefinitionAgreement]:
    """Every credential that two assessors have scored, by its title; `since`: scored from then on.

    All versions of a credential are counted together, under the words of the newest.
    """
    pairs = _pairs(tx, institution_id, since)
    newest = _newest(tx, institution_id, list(pairs))
    found = [_of_definition(newest[code], pairs[code]) for code in pairs]
    return sorted(found, key=lambda one: (one.title, one.code))


def _of_definition(
    version: DefinitionVersion, pairs: Mapping[str, Sequence[Pair]]
) -> DefinitionAgreement:
    definition = read_definition(version.body)
    rows = [
        CriterionAgreement(
            code=row.code,
            title=row.title,
            levels=tuple(level.value for level in row.levels),
            figures=figures(pairs.get(row.code, ())),
        )
        for row in definition.criteria()
    ]
    together = [pair for row in rows for pair in pairs.get(row.code, ())]
    return DefinitionAgreement(version.code, version.title, rows, figures(together))


def _pairs(tx: Transaction, institution_id: InstitutionId, since: datetime | None) -> _Pairs:
    """The levels that two assessors gave, by credential and criterion, counted by the database."""
    first, second = aliased(ScoreSheet), aliased(ScoreSheet)
    one, other = aliased(Score), aliased(Score)
    code, criterion_code = col(DefinitionVersion.code), col(one.criterion_code)
    question = (
        columns(code, criterion_code, col(one.level), col(other.level), func.count())
        .select_from(first)
        .join(
            second,
            (col(second.case_id) == col(first.case_id)) & (col(second.round) == col(first.round)),
        )
        .join(one, col(one.sheet_id) == col(first.id))
        .join(
            other,
            (col(other.sheet_id) == col(second.id))
            & (col(other.criterion_code) == col(one.criterion_code)),
        )
        .join(Case, col(Case.id) == col(first.case_id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .where(
            col(first.seat) == 1,
            col(second.seat) == 2,
            col(first.state) == SheetState.FINAL.value,
            col(second.state) == SheetState.FINAL.value,
            col(one.level).is_not(None),
            col(other.level).is_not(None),
            col(Case.institution_id) == institution_id,
            col(Case.state).in_(JUDGED),
        )
        .group_by(code, criterion_code, col(one.level), col(other.level))
    )
    if since is not None:
        last = func.greatest(col(first.finalised_at), col(second.finalised_at))
        question = question.where(last >= since)
    found: _Pairs = defaultdict(lambda: defaultdict(list))
    for name, criterion, a, b, count in tx.session.execute(question).all():
        found[name][criterion] += [(a, b)] * count
    return found


def _newest(
    tx: Transaction, institution_id: InstitutionId, codes: Sequence[str]
) -> Mapping[str, DefinitionVersion]:
    rows = tx.session.exec(
        select(DefinitionVersion)
        .where(
            DefinitionVersion.institution_id == institution_id,
            col(DefinitionVersion.code).in_(codes),
        )
        .order_by(col(DefinitionVersion.published_at).nulls_first(), col(DefinitionVersion.id))
    ).all()
    return {row.code: row for row in rows}
