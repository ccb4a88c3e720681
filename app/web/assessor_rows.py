"""A score sheet's values as the assessor's templates show them, and back from the form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.web.coverage_rows import Drawing, drawing, said
from storage.ids import CriterionCode, OutcomeCode
from workflows.assessment.queries import SheetCriterion, SheetOutcome, SheetView
from workflows.assessment.rules import ScoreEntry
from workflows.writing import lines

LEVEL = ".level"
REASON = ".reason"
NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True)
class LevelCard:
    """A level as the rubric macro shows it."""

    value: int
    title: str
    descriptor: str


@dataclass(frozen=True)
class CriterionCard:
    """A criterion as the page shows it: `value` is what the radio buttons hold."""

    code: CriterionCode
    title: str
    levels: Sequence[LevelCard]
    threshold: int
    value: str
    reason: str
    complete: bool


@dataclass(frozen=True)
class OutcomeTab:
    """An outcome in the way through the sheet."""

    code: OutcomeCode
    scored: int
    asked: int
    current: bool


@dataclass(frozen=True)
class SheetPage:
    """One outcome of a sheet, and the way through all of them."""

    sheet: SheetView
    here: SheetOutcome
    criteria: Sequence[CriterionCard]
    tabs: Sequence[OutcomeTab]
    next_code: OutcomeCode | None
    words: str
    matrix: Drawing

    def with_typed(self, entries: Mapping[CriterionCode, ScoreEntry]) -> "SheetPage":
        """The same page with what was typed and could not be kept."""
        cards = [
            replace(card, value=_value(entries[card.code]), reason=entries[card.code].reason)
            if card.code in entries
            else card
            for card in self.criteria
        ]
        return replace(self, criteria=cards)


def sheet_page(sheet: SheetView, code: str) -> SheetPage:
    """The page of an outcome; of the first with an open criterion when none is named."""
    here = _chosen(sheet.outcomes, code)
    index = [one.outcome.code for one in sheet.outcomes].index(here.outcome.code)
    after = sheet.outcomes[index + 1 :]
    return SheetPage(
        sheet=sheet,
        here=here,
        criteria=[_card(row) for row in here.criteria],
        tabs=[
            OutcomeTab(
                code=one.outcome.code,
                scored=sum(row.entry.complete for row in one.criteria),
                asked=len(one.criteria),
                current=one is here,
            )
            for one in sheet.outcomes
        ],
        next_code=after[0].outcome.code if after else None,
        words=" ".join(said(one) for one in here.coverage.missing),
        matrix=sheet_drawing(sheet),
    )


def sheet_drawing(sheet: SheetView) -> Drawing:
    """What counts where, drawn: all evidence by the outcomes that are scored on this sheet."""
    covered = [one.coverage for one in sheet.outcomes]
    return drawing(sheet.definition, covered, sheet.evidence, sheet.as_of)


def read_scores(form: Mapping[str, str]) -> Mapping[CriterionCode, ScoreEntry]:
    """What the form holds of each criterion; a level that is no number becomes one that no rubric
    has, which the command refuses in words."""
    codes = {
        name.removesuffix(ending)
        for name in form
        for ending in (LEVEL, REASON)
        if name.endswith(ending)
    }
    return {CriterionCode(code): _entry(form, code) for code in sorted(codes)}


def _entry(form: Mapping[str, str], code: str) -> ScoreEntry:
    chosen = form.get(code + LEVEL, "")
    reason = lines(form.get(code + REASON, "")).strip()
    if chosen in {"", NOT_ASSESSED}:
        return ScoreEntry(decided=chosen == NOT_ASSESSED, reason=reason)
    level = int(chosen[:3]) if chosen.isascii() and chosen.isdigit() else -1
    return ScoreEntry(decided=True, level=level, reason=reason)


def _chosen(outcomes: Sequence[SheetOutcome], code: str) -> SheetOutcome:
    named = [one for one in outcomes if one.outcome.code == code]
    open_ones = [one for one in outcomes if not all(row.entry.complete for row in one.criteria)]
    return (named or open_ones or list(outcomes))[0]


def _card(row: SheetCriterion) -> CriterionCard:
    return CriterionCard(
        code=row.criterion.code,
        title=row.criterion.title,
        levels=[
            LevelCard(level.value, level.label, level.descriptor) for level in row.criterion.levels
        ],
        threshold=row.criterion.threshold,
        value=_value(row.entry),
        reason=row.entry.reason,
        complete=row.entry.complete,
    )


def _value(entry: ScoreEntry) -> str:
    if not entry.decided:
        return ""
    return NOT_ASSESSED if entry.level is None else str(entry.level)
