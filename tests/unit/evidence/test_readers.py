"""Until when each of those who may read a case's evidence may go on doing so."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.vocabulary import CaseState, PeopleShown, Role
from workflows.evidence.readers import JUDGING, LEFT, OVER, Standing, closed_to

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STAFF = (Role.COORDINATOR, Role.MODERATOR, Role.DECIDER, Role.REGISTRAR)


@pytest.mark.parametrize("state", list(CaseState))
def test_the_learner_and_an_auditor_always_read(state: CaseState) -> None:
    for role in (Role.LEARNER, Role.AUDITOR):
        assert closed_to(role, Standing(state), NOW) == ""


@pytest.mark.parametrize("state", sorted(LEFT))
def test_when_a_case_was_left_nobody_else_reads(state: CaseState) -> None:
    for role in (*STAFF, Role.ASSESSOR):
        assert "left this case" in closed_to(role, Standing(state), NOW)


@pytest.mark.parametrize("state", list(CaseState))
def test_an_assessor_reads_while_the_case_is_judged(state: CaseState) -> None:
    assert (closed_to(Role.ASSESSOR, Standing(state), NOW) == "") == (state in JUDGING)


@pytest.mark.parametrize("state", sorted(OVER))
def test_and_for_some_days_after_the_decision(state: CaseState) -> None:
    standing = Standing(state, decided_at=NOW, reading_days=90)
    assert closed_to(Role.ASSESSOR, standing, NOW + timedelta(days=89)) == ""
    assert "days" in closed_to(Role.ASSESSOR, standing, NOW + timedelta(days=90))


def test_what_people_have_not_agreed_to_is_its_learners_alone() -> None:
    held = Standing(CaseState.ASSESSMENT, people=PeopleShown.WAITING)
    assert closed_to(Role.LEARNER, held, NOW) == ""
    for role in (*STAFF, Role.ASSESSOR, Role.AUDITOR):
        assert "have not agreed" in closed_to(role, held, NOW)
