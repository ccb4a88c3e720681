"""Where a case stands, as the learner's page tells it."""

import pytest

from app.web.learner_rows import STEP_OF, stepper
from storage.vocabulary import CaseState

LEFT = {CaseState.WITHDRAWN, CaseState.EXPIRED}


@pytest.mark.parametrize("state", sorted(LEFT))
def test_a_case_that_was_left_claims_no_step(state: CaseState) -> None:
    assert stepper(state) == []


def test_every_other_case_stands_at_a_step() -> None:
    assert set(STEP_OF) == set(CaseState) - LEFT
