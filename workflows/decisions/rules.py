"""What may be decided of an outcome, and what a decision as a whole leads to. Pure.

The level of a recognised outcome is the lowest agreed level of its criteria, and every criterion
must meet its threshold: nobody decides above what was agreed. A decider may stay below it, with a
reason. Someone who thinks the assessment wrong does not repair it in the decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import Problem
from storage.ids import CriterionCode, OutcomeCode
from storage.vocabulary import OutcomeResult
from workflows.frameworks.definition import Definition, Outcome

MIN_WORDS = 15
MAX_TEXT = 4000

Agreed = Mapping[CriterionCode, int | None]
"""The agreed level per criterion; None, or left out: not assessed."""


@dataclass(frozen=True)
class Suggestion:
    """What the agreed levels of an outcome come to."""

    result: OutcomeResult
    level: int | None


@dataclass(frozen=True)
class OutcomeChoice:
    """What the decider chose for an outcome.

    `level` may be left out; where it is given it must be the agreed one.
    """

    code: OutcomeCode
    result: OutcomeResult
    level: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class GapOption:
    """One way to meet an outcome, and what it costs."""

    text: str
    price: str = ""


@dataclass(frozen=True)
class GapStep:
    """What would show an unmet outcome, and the ways there."""

    code: OutcomeCode
    shows: str
    options: tuple[GapOption, ...] = ()


def suggestion(outcome: Outcome, agreed: Agreed) -> Suggestion:
    """What the agreed levels say: recognised at the lowest level when all criteria meet their
    threshold, not yet when an assessed one does not, else not assessed."""
    levels = [(row, agreed.get(row.code)) for row in outcome.criteria]
    given = [(row, level) for row, level in levels if level is not None]
    if any(level < row.threshold for row, level in given):
        return Suggestion(OutcomeResult.NOT_YET, None)
    if len(given) < len(levels):
        return Suggestion(OutcomeResult.NOT_ASSESSED, None)
    return Suggestion(OutcomeResult.RECOGNISED, min(level for _, level in given))


def may_choose(outcome: Outcome, agreed: Agreed) -> tuple[OutcomeResult, ...]:
    """The results that a decider may choose, the suggested one first."""
    suggested = suggestion(outcome, agreed).result
    assessed = any(agreed.get(row.code) is not None for row in outcome.criteria)
    others = [OutcomeResult.NOT_YET] if assessed else []
    return (
        suggested,
        *(other for other in (*others, OutcomeResult.NOT_ASSESSED) if other is not suggested),
    )


def decision_problems(
    definition: Definition,
    agreed: Agreed,
    choices: Sequence[OutcomeChoice],
    summary: str,
    gap_plan: Sequence[GapStep],
) -> tuple[Problem, ...]:
    """Everything that is wrong with a decision; empty when it can stand."""
    chosen = {choice.code: choice for choice in choices}
    codes = [outcome.code for outcome in definition.outcomes]
    if len(chosen) != len(choices) or set(chosen) - set(codes):
        return (Problem("", "Decide each outcome of this credential once, and no others."),)
    problems = [
        problem
        for outcome in definition.outcomes
        for problem in _outcome_problems(outcome, agreed, chosen.get(outcome.code))
    ]
    problems += _summary_problems(summary)
    return (*problems, *_plan_problems(definition, chosen, gap_plan))


def earns_credential(definition: Definition, results: Mapping[OutcomeCode, OutcomeResult]) -> bool:
    """Whether all mandatory outcomes are recognised, and at least one outcome is."""
    mandatory = [outcome.code for outcome in definition.outcomes if outcome.mandatory]
    recognised = {code for code, result in results.items() if _recognised(result)}
    return bool(recognised) and recognised.issuperset(mandatory)


def earns_statement(definition: Definition, results: Mapping[OutcomeCode, OutcomeResult]) -> bool:
    """Whether a signed statement is issued of what was recognised, as the credential is not."""
    if not definition.partial_statement or earns_credential(definition, results):
        return False
    return any(map(_recognised, results.values()))


def unmet(
    definition: Definition, results: Mapping[OutcomeCode, OutcomeResult]
) -> tuple[Outcome, ...]:
    """The outcomes that were not recognised, in order."""
    return tuple(row for row in definition.outcomes if not _recognised(results.get(row.code)))


def plan_as_kept(gap_plan: Sequence[GapStep]) -> list[dict[str, object]]:
    """A gap plan as the JSON that is kept of it."""
    return [
        {
            "outcome": step.code,
            "shows": step.shows.strip(),
            "options": [
                {"text": option.text.strip(), "price": option.price.strip()}
                for option in step.options
                if option.text.strip()
            ],
        }
        for step in gap_plan
        if step.shows.strip()
    ]


def _recognised(result: OutcomeResult | None) -> bool:
    return result is OutcomeResult.RECOGNISED


def _outcome_problems(
    outcome: Outcome, agreed: Agreed, choice: OutcomeChoice | None
) -> list[Problem]:
    if choice is None:
        return [Problem(f"{outcome.code}.result", "Choose what is decided of this outcome.")]
    problems = []
    suggested = suggestion(outcome, agreed)
    if choice.result not in may_choose(outcome, agreed):
        problems.append(Problem(f"{outcome.code}.result", _refusal(choice.result)))
    elif _recognised(choice.result) and choice.level not in {None, suggested.level}:
        problems.append(
            Problem(
                f"{outcome.code}.result",
                "The agreed level of this outcome is %(level)s.",
                {"level": suggested.level or 0},
            )
        )
    if not _recognised(choice.result) and len(choice.reason.strip()) < MIN_WORDS:
        problems.append(
            Problem(
                f"{outcome.code}.reason",
                "Say why in at least %(least)s characters: the learner reads it.",
                {"least": MIN_WORDS},
            )
        )
    return problems + _too_long(f"{outcome.code}.reason", choice.reason)


def _refusal(result: OutcomeResult) -> str:
    if _recognised(result):
        return "An outcome is recognised only when every criterion was agreed at its threshold."
    return "Nothing of this outcome was assessed: it is “not assessed”, not “not yet”."


def _summary_problems(summary: str) -> list[Problem]:
    if len(summary.strip()) < MIN_WORDS:
        return [
            Problem(
                "summary",
                "Sum the decision up in at least %(least)s characters: the learner reads it.",
                {"least": MIN_WORDS},
            )
        ]
    return _too_long("summary", summary)


def _plan_problems(
    definition: Definition,
    chosen: Mapping[OutcomeCode, OutcomeChoice],
    gap_plan: Sequence[GapStep],
) -> list[Problem]:
    results = {code: choice.result for code, choice in chosen.items()}
    open_codes = {outcome.code for outcome in unmet(definition, results)}
    problems = [
        Problem(f"{step.code}.gap", "This outcome is recognised: it has no gap.")
        for step in gap_plan
        if step.shows.strip() and step.code not in open_codes
    ]
    planned = {step.code for step in gap_plan if len(step.shows.strip()) >= MIN_WORDS}
    if not earns_credential(definition, results):
        problems += [
            Problem(
                f"{outcome.code}.gap",
                "Say in at least %(least)s characters what would show this outcome.",
                {"least": MIN_WORDS},
            )
            for outcome in definition.outcomes
            if outcome.code in open_codes - planned
        ]
    texts = {step.code: step.shows for step in gap_plan}
    return problems + [
        problem for code, text in texts.items() for problem in _too_long(f"{code}.gap", text)
    ]


def _too_long(field: str, text: str) -> list[Problem]:
    if len(text) <= MAX_TEXT:
        return []
    return [Problem(field, "Keep it under %(most)s characters.", {"most": MAX_TEXT})]
