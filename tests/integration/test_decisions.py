"""Deciding and releasing on a real database: two keys, one winner, nothing above the agreement."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from storage.errors import AssayError, Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import CaseId, CriterionCode, OutcomeCode, new_id
from storage.tables import Decision, Event, Mail, OutboxRow, OutcomeDecision
from storage.vocabulary import CaseState, OutcomeResult, Role
from tests.fixtures.panel import WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.assessment.moderation import settle_discussion
from workflows.cases.commands import withdraw_case
from workflows.cases.load import lock_case
from workflows.decisions.commands import close_case, decide_case, release_case
from workflows.decisions.rules import GapOption, GapStep, OutcomeChoice

A = CriterionCode("CNC1.a")
FIRST = OutcomeCode("CNC1")
SUMMARY = "What was shown meets the standard."


def agreed(world: World) -> Panel:
    made = Panel(world)
    made.scored({A: 4}, {A: 3})
    return made


def not_met(world: World) -> Panel:
    made = Panel(world)
    made.scored({A: 2}, {A: 2})
    return made


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(agreed)


@pytest.fixture
def partial(recall: Recall) -> Panel:
    """A case in which the first outcome was not met."""
    return recall(not_met)


def outcomes(panel: Panel) -> dict[str, OutcomeDecision]:
    with panel.db.reading() as tx:
        found = tx.session.exec(select(OutcomeDecision)).all()
    return {row.outcome_code: row for row in found}


def decisions(panel: Panel) -> list[Decision]:
    with panel.db.reading() as tx:
        return list(tx.session.exec(select(Decision)).all())


def issuing(panel: Panel) -> list[OutboxRow]:
    with panel.db.reading() as tx:
        found = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "issue_credential"))
        return list(found.all())


def learners_last_mail(panel: Panel) -> str:
    with panel.db.reading() as tx:
        mails = tx.session.exec(
            select(Mail)
            .where(Mail.recipient == panel.learner.email)
            .order_by(col(Mail.created_at), col(Mail.id))
        ).all()
    return mails[-1].body


def turned(who: Actor, *roles: Role) -> Actor:
    """The same person with other roles."""
    return Actor(who.account_id, who.institution_id, frozenset(roles), who.name, who.email)


def at_once(*acts: Callable[[], object]) -> list[str]:
    def attempt(act: Callable[[], object]) -> str:
        try:
            act()
        except AssayError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(attempt, acts))


class TestDeciding:
    def test_every_outcome_gets_its_result_and_the_lowest_agreed_level(self, panel: Panel) -> None:
        decision_id = panel.decide()
        found = outcomes(panel)
        assert set(found) == {outcome.code for outcome in panel.world.definition.outcomes}
        assert {row.result for row in found.values()} == {"recognised"}
        assert found[FIRST].level == 3
        case = panel.case()
        assert (case.state, case.decision_id, case.due_at) == ("decided", decision_id, None)

    def test_what_is_wrong_is_said_per_field_and_nothing_is_kept(self, panel: Panel) -> None:
        raised = [OutcomeChoice(FIRST, OutcomeResult.RECOGNISED, 4), *panel.choices()[1:]]
        with pytest.raises(InvalidInput) as caught:
            panel.decide(raised)
        assert [problem.field for problem in caught.value.problems] == ["CNC1.result"]
        assert (decisions(panel), panel.state()) == ([], CaseState.DECISION)

    def test_partial_recognition_keeps_its_reasons_and_its_plan(self, partial: Panel) -> None:
        choices = partial.choices()
        plan = [
            GapStep(FIRST, "A marked drawing of your own.", (GapOption("Challenge exam", "120"),))
        ]
        decide_case(
            partial.db,
            partial.decider,
            partial.case_id,
            choices,
            summary=SUMMARY,
            gap_plan=plan,
            expected_version=partial.case().version,
        )
        row = outcomes(partial)[FIRST]
        assert (row.result, row.level, row.reason) == ("not_yet", None, WHY)
        (decision,) = decisions(partial)
        assert decision.gap_plan == [
            {
                "outcome": "CNC1",
                "shows": "A marked drawing of your own.",
                "options": [{"text": "Challenge exam", "price": "120"}],
            }
        ]

    def test_a_page_of_an_older_version_is_told_so(self, panel: Panel) -> None:
        with pytest.raises(Conflict, match="moved on"):
            decide_case(
                panel.db,
                panel.decider,
                panel.case_id,
                panel.choices(),
                summary=SUMMARY,
                expected_version=1,
            )

    def test_a_case_that_is_still_being_assessed_is_not_decided(self, world: World) -> None:
        early = Panel(world)
        with pytest.raises(Conflict):
            decide_case(early.db, early.decider, early.case_id, [], summary=SUMMARY)
        with pytest.raises(NotFound):
            decide_case(early.db, early.decider, CaseId(new_id()), [], summary=SUMMARY)

    def test_two_deciders_at_once_make_one_decision(self, panel: Panel) -> None:
        choices, other = panel.choices(), panel.world.person(Role.DECIDER)

        def decide(who: Actor) -> Callable[[], object]:
            return lambda: decide_case(panel.db, who, panel.case_id, choices, summary=SUMMARY)

        assert at_once(decide(panel.decider), decide(other)) == ["Conflict", "done"]
        assert len(decisions(panel)) == 1

    def test_decision_and_withdrawal_at_once_leave_one_winner(self, panel: Panel) -> None:
        choices = panel.choices()
        result = at_once(
            lambda: panel.decide(choices),
            lambda: withdraw_case(panel.db, panel.learner, panel.case_id),
        )
        assert result == ["Conflict", "done"]
        decided = panel.state() is CaseState.DECIDED
        assert decided == bool(decisions(panel))

    @pytest.mark.parametrize("part", ["first", "coordinator", "learner"])
    def test_who_had_a_part_in_the_case_does_not_decide_it_also_after_a_change_of_role(
        self, panel: Panel, part: str
    ) -> None:
        who = turned(getattr(panel, part), Role.DECIDER)
        with pytest.raises((Forbidden, NotFound)):
            decide_case(panel.db, who, panel.case_id, panel.choices(), summary=SUMMARY)
        both = turned(getattr(panel, part), Role.DECIDER, *getattr(panel, part).roles)
        with pytest.raises(Forbidden):
            decide_case(panel.db, both, panel.case_id, panel.choices(), summary=SUMMARY)

    def test_who_moderated_does_not_decide(self, world: World) -> None:
        panel = Panel(world)
        panel.scored({A: 2}, {A: 3})
        settle_discussion(panel.db, panel.moderator, panel.case_id, A, 3, why=WHY)
        with panel.db.transaction() as tx:
            case = lock_case(tx, panel.case_id)
            case.state = CaseState.DECISION.value
        with pytest.raises((Forbidden, NotFound)):
            decide_case(
                panel.db,
                turned(panel.moderator, Role.DECIDER),
                panel.case_id,
                panel.choices(),
                summary=SUMMARY,
            )

    def test_a_case_with_an_open_criterion_cannot_be_decided(self, world: World) -> None:
        panel = Panel(world)
        panel.scored({A: 2}, {A: 3})
        with panel.db.transaction() as tx:
            lock_case(tx, panel.case_id).state = CaseState.DECISION.value
        with pytest.raises(Conflict, match="not settled"):
            decide_case(panel.db, panel.decider, panel.case_id, [], summary=SUMMARY)


class TestReleasing:
    def test_the_second_key_issues_what_was_earned_once_and_tells_the_learner(
        self, panel: Panel
    ) -> None:
        decision_id = panel.decide()
        assert panel.release() is True
        (row,) = issuing(panel)
        assert (row.subject_id, row.dedupe_key) == (decision_id, f"issue:{decision_id}")
        assert panel.state() is CaseState.RELEASED
        (decision,) = decisions(panel)
        assert decision.released_by == panel.registrar.account_id
        assert "earned the credential" in learners_last_mail(panel)
        assert SITE.case(panel.case_id) in learners_last_mail(panel)

    def test_without_a_credential_the_case_closes_with_its_statement(self, partial: Panel) -> None:
        partial.decide()
        assert partial.release() is False
        case = partial.case()
        assert case.state == "closed" and case.closed_at is not None
        assert len(issuing(partial)) == 1  # of the signed statement
        assert "plan" in learners_last_mail(partial)

    def test_two_registrars_at_once_release_once(self, panel: Panel) -> None:
        panel.decide()
        other = panel.world.person(Role.REGISTRAR)
        result = at_once(panel.release, lambda: release_case(panel.db, SITE, other, panel.case_id))
        assert result == ["Conflict", "done"]
        assert len(issuing(panel)) == 1

    def test_who_decided_does_not_hold_the_second_key(self, panel: Panel) -> None:
        panel.decide()
        both = turned(panel.decider, Role.REGISTRAR, Role.DECIDER)
        with pytest.raises(Forbidden, match="second key"):
            release_case(panel.db, SITE, both, panel.case_id)
        with pytest.raises(Forbidden):
            release_case(panel.db, SITE, panel.coordinator, panel.case_id)

    def test_a_page_of_an_older_version_is_told_so(self, panel: Panel) -> None:
        panel.decide()
        with pytest.raises(Conflict, match="moved on"):
            release_case(panel.db, SITE, panel.registrar, panel.case_id, expected_version=1)

    def test_before_the_decision_there_is_nothing_to_release(self, panel: Panel) -> None:
        with pytest.raises(Conflict):
            panel.release()

    def test_a_case_is_closed_once_and_only_after_release(self, panel: Panel) -> None:
        panel.decide()
        with panel.db.transaction() as tx, pytest.raises(Conflict):
            close_case(tx, lock_case(tx, panel.case_id))
        panel.release()
        with panel.db.transaction() as tx:
            close_case(tx, lock_case(tx, panel.case_id))
        with panel.db.transaction() as tx, pytest.raises(Conflict):
            close_case(tx, lock_case(tx, panel.case_id))
        with panel.db.reading() as tx:
            closed = tx.session.exec(select(Event).where(Event.kind == "close_case")).all()
        assert len(closed) == 1


class TestImpossible:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE decision SET released_by = decider_id, released_at = now()",
            "UPDATE decision SET released_at = now()",
            "UPDATE plar_case SET decision_id = NULL",
            "UPDATE outcome_decision SET result = 'not_yet'",
            "UPDATE outcome_decision SET level = NULL",
            "UPDATE plar_case SET state = 'released'",
            "UPDATE decision SET decider_id = (SELECT assessor_id FROM score_sheet LIMIT 1)",
            "UPDATE decision SET decider_id = (SELECT learner_id FROM plar_case)",
            "UPDATE score_sheet SET assessor_id = (SELECT decider_id FROM decision)",
            "UPDATE agreement SET moderator_id = (SELECT assessor_id FROM score_sheet LIMIT 1)",
        ],
    )
    def test_what_must_never_be_is_refused_by_the_database_itself(
        self, panel: Panel, statement: str
    ) -> None:
        panel.decide()
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(text(statement))

    def test_two_live_decisions_of_one_round_are_refused(self, panel: Panel) -> None:
        panel.decide()
        decider_id = panel.decider.account_id
        assert decider_id is not None
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.add(
                Decision(
                    id=new_id(),
                    case_id=panel.case_id,
                    round=1,
                    decider_id=decider_id,
                    decided_at=tx.now,
                    summary=SUMMARY,
                    gap_plan=[],
                )
            )
