"""What may be decided: never above what was agreed, always with words for what is not met."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.ids import CriterionCode, OutcomeCode
from storage.vocabulary import EvidenceKind, OutcomeResult
from workflows.decisions.rules import (
    GapOption,
    GapStep,
    OutcomeChoice,
    decision_problems,
    earns_credential,
    may_choose,
    plan_as_kept,
    suggestion,
    unmet,
)
from workflows.frameworks.definition import Criterion, Definition, EvidenceRule, Level, Outcome

RECOGNISED, NOT_YET, NOT_ASSESSED = (
    OutcomeResult.RECOGNISED,
    OutcomeResult.NOT_YET,
    OutcomeResult.NOT_ASSESSED,
)
WHY = "The second part was never measured."
SUMMARY = "The work shown meets the standard."
PLAN = "An inspection sheet of the second part."


def criterion(code: str, threshold: int = 3) -> Criterion:
    levels = tuple(Level(value=n, label=f"L{n}", descriptor="As it is.") for n in range(1, 5))
    return Criterion(code=CriterionCode(code), title=code, levels=levels, threshold=threshold)


def outcome(code: str, *criteria: str, mandatory: bool = True) -> Outcome:
    return Outcome(
        code=OutcomeCode(code),
        statement=f"Does {code}.",
        mandatory=mandatory,
        criteria=tuple(criterion(row) for row in criteria),
        evidence=EvidenceRule(min_items=1, min_direct=1, kinds=(EvidenceKind.VIDEO,)),
    )


TWO = outcome("O1", "O1.a", "O1.b")
OPTIONAL = outcome("O2", "O2.a", mandatory=False)
DEFINITION = Definition(code="D", title="D", outcomes=(TWO, OPTIONAL))


def agreed(**levels: int | None) -> dict[CriterionCode, int | None]:
    return {CriterionCode(code.replace("_", ".")): level for code, level in levels.items()}


MET = agreed(O1_a=4, O1_b=3, O2_a=3)


def choice(
    code: str, result: OutcomeResult, level: int | None = None, reason: str = ""
) -> OutcomeChoice:
    return OutcomeChoice(OutcomeCode(code), result, level, reason)


def fields(
    levels: dict[CriterionCode, int | None],
    *choices: OutcomeChoice,
    summary: str = SUMMARY,
    plan: tuple[GapStep, ...] = (),
) -> list[str]:
    return [row.field for row in decision_problems(DEFINITION, levels, choices, summary, plan)]


@pytest.mark.parametrize(
    ("a", "b", "result", "level"),
    [
        (4, 3, RECOGNISED, 3),
        (3, 3, RECOGNISED, 3),
        (4, 4, RECOGNISED, 4),
        (4, 2, NOT_YET, None),
        (None, 2, NOT_YET, None),
        (None, 4, NOT_ASSESSED, None),
        (None, None, NOT_ASSESSED, None),
    ],
)
def test_the_agreed_levels_suggest(
    a: int | None, b: int | None, result: OutcomeResult, level: int | None
) -> None:
    said = suggestion(TWO, agreed(O1_a=a, O1_b=b))
    assert (said.result, said.level) == (result, level)


@given(st.none() | st.integers(1, 4), st.none() | st.integers(1, 4))
def test_recognition_can_be_chosen_exactly_when_every_criterion_meets_its_threshold(
    a: int | None, b: int | None
) -> None:
    met = a is not None and a >= 3 and b is not None and b >= 3
    choices = may_choose(TWO, agreed(O1_a=a, O1_b=b))
    assert (RECOGNISED in choices) == met
    assert choices[0] is suggestion(TWO, agreed(O1_a=a, O1_b=b)).result
    assert (NOT_YET in choices) == (a is not None or b is not None)


def test_a_full_decision_stands() -> None:
    assert fields(MET, choice("O1", RECOGNISED, 3), choice("O2", RECOGNISED)) == []


def test_nobody_decides_above_or_beside_the_agreed_level() -> None:
    assert fields(MET, choice("O1", RECOGNISED, 4), choice("O2", RECOGNISED)) == ["O1.result"]
    below = agreed(O1_a=4, O1_b=2, O2_a=3)
    assert fields(below, choice("O1", RECOGNISED), choice("O2", RECOGNISED)) == ["O1.result"]


def test_what_was_not_assessed_at_all_is_not_called_not_yet() -> None:
    nothing = agreed(O1_a=3, O1_b=3)
    found = fields(nothing, choice("O1", RECOGNISED), choice("O2", NOT_YET, reason=WHY))
    assert found == ["O2.result"]


def test_a_decider_may_stay_below_what_was_agreed_with_a_reason() -> None:
    plan = (GapStep(OutcomeCode("O1"), PLAN),)
    bare = (choice("O1", NOT_YET), choice("O2", RECOGNISED))
    assert fields(MET, *bare, plan=plan) == ["O1.reason"]
    reasoned = (choice("O1", NOT_YET, reason=WHY), choice("O2", RECOGNISED))
    assert fields(MET, *reasoned, plan=plan) == []


def test_without_a_credential_every_unmet_outcome_needs_a_plan() -> None:
    choices = (choice("O1", NOT_YET, reason=WHY), choice("O2", NOT_ASSESSED, reason=WHY))
    assert fields(MET, *choices) == ["O1.gap", "O2.gap"]
    assert fields(MET, *choices, plan=(GapStep(OutcomeCode("O1"), PLAN),)) == ["O2.gap"]


def test_an_optional_outcome_that_is_not_met_keeps_the_credential_and_needs_no_plan() -> None:
    choices = (choice("O1", RECOGNISED), choice("O2", NOT_YET, reason=WHY))
    assert fields(MET, *choices) == []


def test_each_outcome_is_decided_once_and_nothing_else() -> None:
    both = (choice("O1", RECOGNISED), choice("O2", RECOGNISED))
    assert fields(MET, choice("O1", RECOGNISED)) == ["O2.result"]
    assert fields(MET, *both, choice("O2", RECOGNISED)) == [""]
    assert fields(MET, *both, choice("O9", RECOGNISED)) == [""]


def test_words_are_neither_missing_nor_endless() -> None:
    both = (choice("O1", RECOGNISED, reason="x" * 5000), choice("O2", RECOGNISED))
    plan = (GapStep(OutcomeCode("O1"), PLAN), GapStep(OutcomeCode("O2"), "x" * 5000))
    found = fields(MET, *both, summary=" ", plan=plan)
    assert found == ["O1.reason", "summary", "O1.gap", "O2.gap", "O2.gap"]
    assert fields(MET, choice("O1", RECOGNISED), choice("O2", RECOGNISED), summary="x" * 5000) == [
        "summary"
    ]


@pytest.mark.parametrize(
    ("first", "second", "earned"),
    [
        (RECOGNISED, RECOGNISED, True),
        (RECOGNISED, NOT_YET, True),
        (NOT_YET, RECOGNISED, False),
        (NOT_ASSESSED, NOT_ASSESSED, False),
    ],
)
def test_all_mandatory_outcomes_earn_the_credential(
    first: OutcomeResult, second: OutcomeResult, earned: bool
) -> None:
    results = {OutcomeCode("O1"): first, OutcomeCode("O2"): second}
    assert earns_credential(DEFINITION, results) == earned


def test_a_definition_without_mandatory_outcomes_still_needs_one() -> None:
    free = Definition(code="F", title="F", outcomes=(OPTIONAL,))
    assert not earns_credential(free, {OutcomeCode("O2"): NOT_YET})
    assert earns_credential(free, {OutcomeCode("O2"): RECOGNISED})


def test_unmet_outcomes_come_in_order_and_plans_are_kept_without_blanks() -> None:
    assert [row.code for row in unmet(DEFINITION, {OutcomeCode("O2"): RECOGNISED})] == ["O1"]
    steps = (
        GapStep(
            OutcomeCode("O1"),
            f" {PLAN} ",
            (GapOption("Challenge exam", " 120 CAD"), GapOption(" ", "5")),
        ),
        GapStep(OutcomeCode("O2"), "  "),
    )
    assert plan_as_kept(steps) == [
        {
            "outcome": "O1",
            "shows": PLAN,
            "options": [{"text": "Challenge exam", "price": "120 CAD"}],
        }
    ]
