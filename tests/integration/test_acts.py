"""Every act on a case, tried in every state by every role: the table of states says which change
anything, and all others are refused without a row being changed."""

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import CriterionCode
from storage.vocabulary import AppealGround, AppealResult, CaseState, Role
from tests.fixtures.appealed import allow_new_evidence
from tests.fixtures.panel import WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SIGNED, SITE, World
from workflows.access.rules import Actor
from workflows.assessment.moderation import ask_third_assessor, conclude_moderation
from workflows.cases import commands as cases
from workflows.cases.states import TRANSITIONS, Transition, transition
from workflows.decisions.appeal_answers import AppealAnswer, answer_appeal
from workflows.decisions.appeals import (
    AppealRequest,
    appeal_case,
    receive_appeal,
    take_back_appeal,
)
from workflows.decisions.commands import decide_case, release_case

S = CaseState
A = "CNC1.a"
CODE = CriterionCode(A)
REFUSALS = (Conflict, Forbidden, NotFound, InvalidInput)
ROLES = [role for role in Role if role is not Role.SYSTEM]
TABLES = [
    "plar_case",
    "event",
    "outbox",
    "mail",
    "assignment",
    "score_sheet",
    "score",
    "agreement",
    "decision",
    "outcome_decision",
    "appeal",
    "appeal_point",
    "manifest",
    "evidence_item",
    "self_rating",
]


def _draft(panel: Panel) -> None:
    panel.learner = panel.world.person(Role.LEARNER)
    panel.case_id = panel.world.case(panel.learner)
    panel.world.full_evidence(panel.case_id)


def _submitted(panel: Panel) -> None:
    _draft(panel)
    cases.submit_case(panel.db, SITE, panel.learner, panel.case_id, SIGNED)


def _screening(panel: Panel) -> None:
    _submitted(panel)
    cases.begin_screening(panel.db, panel.coordinator, panel.case_id)


def _returned(panel: Panel) -> None:
    _screening(panel)
    cases.return_case(panel.db, SITE, panel.coordinator, panel.case_id, WHY)


def _assessment(panel: Panel) -> None:
    panel.allocate()


def _moderation(panel: Panel) -> None:
    panel.scored({A: 2}, {A: 3})


def _settled(panel: Panel) -> None:
    _moderation(panel)
    panel.settle_discussion(A, 3)


def _decision(panel: Panel) -> None:
    panel.scored()


def _decided(panel: Panel) -> None:
    _decision(panel)
    panel.decide()


def _released(panel: Panel) -> None:
    _decided(panel)
    panel.release()


def _closed(panel: Panel) -> None:
    panel.scored({A: 1}, {A: 1})
    panel.decide()
    panel.release()


def _appeal(panel: Panel) -> None:
    _appealed(panel, AppealGround.RUBRIC)


def _appealed(panel: Panel, ground: AppealGround) -> None:
    """An appeal that was received; from here on the decider is who was appointed to answer it."""
    _closed(panel)
    allow_new_evidence(panel)
    appeal_case(panel.db, SITE, panel.learner, panel.case_id, _request(panel, ground))
    panel.decider = panel.world.person(Role.DECIDER)
    reviewer = panel.decider.account_id
    assert reviewer is not None
    receive_appeal(panel.db, SITE, panel.coordinator, panel.case_id, reviewer)


def _with_evidence(panel: Panel) -> None:
    _appealed(panel, AppealGround.NEW_EVIDENCE)


def _reopened(panel: Panel) -> None:
    _with_evidence(panel)
    _answer(AppealResult.REOPENED)(panel, panel.decider)


def _request(panel: Panel, ground: AppealGround = AppealGround.RUBRIC) -> AppealRequest:
    return AppealRequest({panel.world.definition.outcomes[0].code: ground}, WHY)


def _answer(result: AppealResult) -> "Act":
    given = AppealAnswer(result, WHY)
    return lambda p, who: answer_appeal(p.db, SITE, who, p.case_id, given)


def _withdrawn(panel: Panel) -> None:
    cases.withdraw_case(panel.db, panel.learner, panel.case_id)


REACHED: Mapping[CaseState, Callable[[Panel], None]] = {
    S.DRAFT: _draft,
    S.SUBMITTED: _submitted,
    S.SCREENING: _screening,
    S.RETURNED: _returned,
    S.ASSESSMENT: _assessment,
    S.MODERATION: _settled,
    S.DECISION: _decision,
    S.DECIDED: _decided,
    S.RELEASED: _released,
    S.CLOSED: _closed,
    S.APPEAL: _appeal,
    S.WITHDRAWN: _withdrawn,
}
"""How a case comes to each state by its people's own acts."""

NEEDED = {
    (S.APPEAL, "reopen_case"): _with_evidence,
    (S.RETURNED, "take_back_appeal"): _reopened,
}
"""Where an act needs more than the state: how a case comes there."""

Act = Callable[[Panel, Actor], object]
ACTS: Mapping[str, Act] = {
    "submit_case": lambda p, who: cases.submit_case(p.db, SITE, who, p.case_id, SIGNED),
    "begin_screening": lambda p, who: cases.begin_screening(p.db, who, p.case_id),
    "return_case": lambda p, who: cases.return_case(p.db, SITE, who, p.case_id, WHY),
    "accept_for_assessment": lambda p, who: cases.accept_for_assessment(p.db, who, p.case_id),
    "ask_third_assessor": lambda p, who: ask_third_assessor(p.db, who, p.case_id, [CODE], WHY),
    "conclude_moderation": lambda p, who: conclude_moderation(p.db, who, p.case_id),
    "decide_case": lambda p, who: decide_case(p.db, who, p.case_id, p.good_choices(), summary=WHY),
    "release_case": lambda p, who: release_case(p.db, SITE, who, p.case_id),
    "withdraw_case": lambda p, who: cases.withdraw_case(p.db, who, p.case_id),
    "appeal_case": lambda p, who: appeal_case(p.db, SITE, who, p.case_id, _request(p)),
    "take_back_appeal": lambda p, who: take_back_appeal(p.db, SITE, who, p.case_id),
    "uphold_decision": _answer(AppealResult.CONFIRMED),
    "redecide_case": _answer(AppealResult.REDECIDED),
    "reassess_case": _answer(AppealResult.REASSESSED),
    "reopen_case": _answer(AppealResult.REOPENED),
}
BY_ROLE = {
    Role.LEARNER: "learner",
    Role.COORDINATOR: "coordinator",
    Role.ASSESSOR: "first",
    Role.MODERATOR: "moderator",
    Role.DECIDER: "decider",
    Role.REGISTRAR: "registrar",
}


def test_every_act_of_a_person_in_the_table_is_tried() -> None:
    of_people = {step.command for step in TRANSITIONS if step.role is not Role.SYSTEM}
    assert set(ACTS) == of_people


@pytest.mark.parametrize("state", list(REACHED))
def test_in_every_state_only_the_tables_acts_of_the_tables_roles_change_anything(
    recall: Recall, world: World, state: CaseState
) -> None:
    panel = recall(Panel)
    REACHED[state](panel)
    assert panel.state() is state
    people = {
        role: getattr(panel, BY_ROLE[role]) if role in BY_ROLE else world.person(role)
        for role in ROLES
    }
    before = _fingerprint(panel.db)
    for name, act in ACTS.items():
        step = transition(state, name)
        for role, who in people.items():
            if step is not None and step.role is role:
                continue
            with pytest.raises(REFUSALS):
                act(panel, who)
            assert _fingerprint(panel.db) == before, (state, name, role)


@pytest.mark.parametrize(
    "step",
    [step for step in TRANSITIONS if step.role is not Role.SYSTEM],
    ids=lambda step: f"{step.source}-{step.command}",
)
def test_the_tables_acts_by_the_tables_roles_lead_where_it_says(
    recall: Recall, step: Transition
) -> None:
    panel = recall(Panel)
    NEEDED.get((step.source, step.command), REACHED[step.source])(panel)
    ACTS[step.command](panel, getattr(panel, BY_ROLE[step.role]))
    assert panel.state() is step.target


def _fingerprint(db: Database) -> Mapping[str, str]:
    """A digest of all rows of the tables that acts write."""
    with db.reading() as tx:
        return {
            name: str(
                tx.session.execute(
                    text(
                        f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                        f" FROM {name} t"
                    )
                ).scalar_one()
            )
            for name in TABLES
        }
