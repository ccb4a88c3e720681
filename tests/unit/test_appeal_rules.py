"""The rules of appeals, by themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from storage.errors import Conflict, InvalidInput
from storage.ids import OutcomeCode, new_id
from storage.tables import OutcomeDecision
from storage.vocabulary import AppealGround, AppealResult, CaseState, OutcomeResult
from workflows.cases.states import TRANSITIONS
from workflows.decisions import appeal_rules as rules
from workflows.decisions.appeal_answers import ACTS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SAID = "The drawing was not looked at."
A, B = OutcomeCode("A"), OutcomeCode("B")


def decided(levels: Mapping[OutcomeCode, int | None]) -> list[OutcomeDecision]:
    met, unmet = OutcomeResult.RECOGNISED.value, OutcomeResult.NOT_YET.value
    return [
        OutcomeDecision(
            decision_id=new_id(), outcome_code=code, result=met if level else unmet, level=level
        )
        for code, level in levels.items()
    ]


@pytest.mark.parametrize("state", [one for one in CaseState if one is not CaseState.CLOSED])
def test_only_a_closed_case_can_be_appealed(state: CaseState) -> None:
    ends_at = NOW + timedelta(days=1)
    rules.may_appeal(CaseState.CLOSED, ends_at, NOW, asked_before=False, erasing=False)
    with pytest.raises(Conflict, match="no decision"):
        rules.may_appeal(state, ends_at, NOW, asked_before=False, erasing=False)


def test_a_withdrawn_or_undecided_case_has_nothing_to_appeal() -> None:
    with pytest.raises(Conflict, match="no decision"):
        rules.may_appeal(CaseState.CLOSED, None, NOW, asked_before=False, erasing=False)


def test_the_last_moment_is_too_late() -> None:
    ends_at = rules.until(NOW, 30)
    just = ends_at - timedelta(seconds=1)
    rules.may_appeal(CaseState.CLOSED, ends_at, just, asked_before=False, erasing=False)
    with pytest.raises(Conflict, match="is over"):
        rules.may_appeal(CaseState.CLOSED, ends_at, ends_at, asked_before=False, erasing=False)


def test_new_evidence_is_a_ground_only_where_the_policy_says_so() -> None:
    points = {A: AppealGround.NEW_EVIDENCE}
    rules.fit_to_ask(points, SAID, [A, B], new_evidence=True)
    with pytest.raises(InvalidInput):
        rules.fit_to_ask(points, SAID, [A, B], new_evidence=False)
    assert AppealGround.NEW_EVIDENCE not in rules.grounds(new_evidence=False)


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("ground", AppealGround)
def test_evidence_is_let_in_only_for_that_ground_and_where_it_is_allowed(
    ground: AppealGround, allowed: bool
) -> None:
    possible = rules.answers([ground], new_evidence=allowed)
    opens = allowed and ground is AppealGround.NEW_EVIDENCE
    assert (AppealResult.REOPENED in possible) is opens
    assert AppealResult.TAKEN_BACK not in possible


def test_an_answer_has_a_reason_that_is_not_a_novel() -> None:
    for said in ("", "No.", "x" * (rules.MAX_WORDS + 1)):
        with pytest.raises(InvalidInput):
            rules.fit_to_answer(AppealResult.CONFIRMED, said, [], new_evidence=False)


def test_every_answer_is_an_act_of_the_table_of_states() -> None:
    ways = {one.command for one in TRANSITIONS if one.source is CaseState.APPEAL}
    assert set(ACTS) == set(rules.ANSWERS)
    assert set(ACTS.values()) == ways - {"take_back_appeal"}


@pytest.mark.parametrize(
    ("before", "found", "stands"),
    [(3, 1, 3), (3, None, 3), (2, 3, 3), (None, 3, 3), (None, None, None), (2, 2, 2)],
)
def test_nothing_that_was_recognised_is_lost(
    before: int | None, found: int | None, stands: int | None
) -> None:
    (row,) = rules.nothing_lost(decided({A: before}), decided({A: found}))
    assert row.level == stands
    assert row.result == (OutcomeResult.RECOGNISED if stands else OutcomeResult.NOT_YET)
    assert (row.reason == rules.STILL_THERE) is (stands is not None and stands != found)


def test_decisions_differ_by_a_result_or_a_level() -> None:
    first = decided({A: 2, B: None})
    assert not rules.differs(first, decided({B: None, A: 2}))
    assert rules.differs(first, decided({A: 3, B: None}))
    assert rules.differs(first, decided({A: 2, B: 2}))
