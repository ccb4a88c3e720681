"""The decision form back into values: its fields are named `<outcome>.<what>`."""

from collections.abc import Mapping, Sequence

from storage.ids import OutcomeCode
from storage.vocabulary import OutcomeResult
from workflows.decisions.queries import OutcomeRow
from workflows.decisions.rules import GapOption, GapStep, OutcomeChoice
from workflows.writing import lines, one_line

OPTIONS = (1, 2, 3)


def read_choices(outcomes: Sequence[OutcomeRow], form: Mapping[str, str]) -> list[OutcomeChoice]:
    """What was chosen per outcome; one without a known answer is left out."""
    return [
        OutcomeChoice(
            code,
            OutcomeResult(form[f"{code}.result"]),
            reason=lines(form.get(f"{code}.reason", "")).strip(),
        )
        for code in (row.outcome.code for row in outcomes)
        if form.get(f"{code}.result") in list(OutcomeResult)
    ]


def read_plan(outcomes: Sequence[OutcomeRow], form: Mapping[str, str]) -> list[GapStep]:
    """The plan for what is not met; blank rows are left out, and what was typed for an outcome that
    is recognised after all: the page does not show it any more."""
    return [
        GapStep(code, lines(form.get(f"{code}.gap", "")).strip(), _options(code, form))
        for code in (row.outcome.code for row in outcomes)
        if form.get(f"{code}.gap", "").strip()
        and form.get(f"{code}.result") != OutcomeResult.RECOGNISED
    ]


def _options(code: OutcomeCode, form: Mapping[str, str]) -> tuple[GapOption, ...]:
    rows = (
        GapOption(
            one_line(form.get(f"{code}.option{number}", "")),
            one_line(form.get(f"{code}.price{number}", "")),
        )
        for number in OPTIONS
    )
    return tuple(row for row in rows if row.text)
