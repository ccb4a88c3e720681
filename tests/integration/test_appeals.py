"""Appeals: when one can be made, who answers, what is assessed anew by whom, and what stays."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import DefinitionId, OutcomeCode
from storage.tables import Appeal, Decision, Mail, Manifest, OutboxRow, OutcomeDecision
from storage.vocabulary import AppealGround, AppealResult, CaseState, OutcomeResult, Role
from tests.fixtures.appealed import Appealed, allow_new_evidence
from tests.fixtures.panel import WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE
from workflows.access.rules import Actor
from workflows.assessment.allocation import candidates
from workflows.cases.commands import open_case, submit_case, withdraw_case
from workflows.cases.load import find_case
from workflows.cases.queries import history_for_learner, manifest_of
from workflows.cases.rules import Declaration
from workflows.decisions.appeal_answers import end_late_appeals
from workflows.decisions.appeal_queries import appeal_standing
from workflows.decisions.appeals import NOT_NEW, appeal_case, take_back_appeal
from workflows.decisions.queries import staff_case
from workflows.decisions.results import result_for_learner
from workflows.decisions.steps import StaffStep
from workflows.decisions.worklist import StaffHome, staff_home
from workflows.invariants import broken
from workflows.keeping.commands import ask_erasure
from workflows.people.commands import grant_role
from workflows.work import Work


@pytest.fixture
def panel(recall: Recall) -> Appealed:
    return recall(Appealed)


def whole(panel: Panel) -> None:
    with panel.db.reading() as tx:
        assert list(broken(tx)) == []


def letters(panel: Panel, who: Actor | None = None) -> list[str]:
    with panel.db.reading() as tx:
        return list(
            tx.session.exec(
                select(Mail.subject)
                .where(Mail.recipient == (who or panel.learner).email)
                .order_by(col(Mail.created_at), col(Mail.id))
            ).all()
        )


def home(panel: Panel, who: Actor) -> StaffHome:
    with panel.db.reading() as tx:
        return staff_home(tx, who)


def turns(panel: Panel, who: Actor) -> list[StaffStep]:
    return [line.step for line in home(panel, who).turns]


class TestAsking:
    def test_a_released_decision_can_be_appealed_once_and_the_learner_hears_until_when(
        self, panel: Appealed
    ) -> None:
        assert panel.state() is CaseState.CLOSED
        with panel.db.reading() as tx:
            ends_at = appeal_standing(tx, panel.case_id).until
        assert ends_at == panel.world.clock.now() + timedelta(days=60)
        panel.appeal()
        case = panel.case()
        assert (case.state, case.closed_at) == (CaseState.APPEAL, None)
        assert case.due_at is not None and case.due_at > panel.world.clock.now()
        assert letters(panel)[-1].startswith("Your appeal in case")
        with panel.db.reading() as tx:
            standing = appeal_standing(tx, panel.case_id)
            result = result_for_learner(tx, panel.case_id)
        assert standing.until is None and standing.waiting is not None
        (point,) = standing.waiting.points
        assert (point.code, point.ground) == (panel.outcome, AppealGround.RUBRIC)
        assert result is not None, "the decision stands meanwhile"
        with pytest.raises(Conflict):
            panel.appeal()
        whole(panel)

    def test_after_its_days_it_is_too_late(self, panel: Appealed) -> None:
        panel.world.clock.advance(timedelta(days=60))
        with panel.db.reading() as tx:
            assert appeal_standing(tx, panel.case_id).until is None
        with pytest.raises(Conflict, match="is over"):
            panel.appeal()

    def test_only_its_learner_asks_and_says_why(self, panel: Appealed) -> None:
        for other in (panel.world.person(Role.LEARNER), panel.decider, panel.registrar):
            with pytest.raises((NotFound, Forbidden)):
                appeal_case(panel.db, SITE, other, panel.case_id, panel.asked())
        asked = panel.asked()
        for wrong in (
            panel.asked(said="Unfair."),
            replace(asked, points={}),
            replace(asked, points={OutcomeCode("ELSE"): AppealGround.BIAS}),
            panel.asked(AppealGround.NEW_EVIDENCE),
        ):
            with pytest.raises(InvalidInput):
                appeal_case(panel.db, SITE, panel.learner, panel.case_id, wrong)
        assert panel.state() is CaseState.CLOSED

    def test_what_is_about_to_be_erased_is_not_looked_at_anew(self, panel: Appealed) -> None:
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with pytest.raises(Conflict, match="erased"):
            panel.appeal()

    def test_an_open_case_for_the_same_credential_stands_against_it(self, panel: Appealed) -> None:
        open_case(panel.db, panel.learner, DefinitionId(panel.case().definition_id))
        with panel.db.reading() as tx:
            assert appeal_standing(tx, panel.case_id).until is None
        with pytest.raises(Conflict, match="not both"):
            panel.appeal()

    def test_taken_back_it_can_be_made_again(self, panel: Appealed) -> None:
        panel.appeal()
        take_back_appeal(panel.db, SITE, panel.learner, panel.case_id)
        assert (panel.state(), panel.running()) == (CaseState.CLOSED, None)
        with pytest.raises(Conflict):
            take_back_appeal(panel.db, SITE, panel.learner, panel.case_id)
        panel.appeal()
        assert panel.state() is CaseState.APPEAL
        whole(panel)


class TestReceiving:
    def test_a_coordinator_appoints_somebody_who_had_no_part(self, panel: Appealed) -> None:
        panel.appeal()
        assert turns(panel, panel.coordinator) == [StaffStep.RECEIVE_APPEAL]
        for other in (panel.decider, panel.first, panel.moderator):
            with pytest.raises(InvalidInput):
                panel.receive(other)
        assert turns(panel, panel.reviewer) == []
        panel.receive()
        assert turns(panel, panel.coordinator) == []
        assert turns(panel, panel.reviewer) == [StaffStep.ANSWER_APPEAL]
        assert letters(panel)[-1].endswith("was received")
        assert letters(panel, panel.reviewer)[-1].startswith("An appeal to answer")
        whole(panel)

    def test_nobody_else_answers_and_nobody_before_they_are_appointed(
        self, panel: Appealed
    ) -> None:
        another = panel.world.person(Role.DECIDER, name="Otto Lang")
        panel.appeal()
        with pytest.raises(Forbidden, match="appointed"):
            panel.answer(AppealResult.CONFIRMED)
        panel.receive()
        for other in (another, panel.decider, panel.first, panel.moderator, panel.registrar):
            with pytest.raises((NotFound, Forbidden)):
                panel.answer(AppealResult.CONFIRMED, by=other)
        panel.receive(another)
        panel.answer(AppealResult.CONFIRMED, by=another)
        assert panel.state() is CaseState.CLOSED

    def test_an_answer_that_is_due_is_on_the_list_of_what_is_late(self, panel: Appealed) -> None:
        panel.appeal()
        assert home(panel, panel.coordinator).late == []
        panel.world.clock.advance(timedelta(days=30))
        (line,) = home(panel, panel.coordinator).late
        assert (line.id, line.state) == (panel.case_id, CaseState.APPEAL)


class TestAnswering:
    def test_confirmed_the_decision_stays_and_the_learner_reads_why(self, panel: Appealed) -> None:
        panel.appeal()
        panel.receive()
        with pytest.raises(InvalidInput):
            panel.answer(AppealResult.CONFIRMED, why="No.")
        with pytest.raises(InvalidInput):
            panel.answer(AppealResult.REOPENED)
        panel.answer(AppealResult.CONFIRMED)
        case = panel.case()
        assert (case.state, case.decision_id) == (CaseState.CLOSED, panel.first_decision)
        assert letters(panel)[-1].endswith("the decision stays")
        with panel.db.reading() as tx:
            said = {line.kind: line.why for line in history_for_learner(tx, panel.case_id)}
        assert said["uphold_decision"] == WHY
        with pytest.raises(Conflict, match="once already"):
            panel.appeal()
        whole(panel)

    def test_two_answers_at_once_are_one(self, panel: Appealed) -> None:
        panel.appeal()
        panel.receive()
        with ThreadPoolExecutor(2) as pool:
            answers = (AppealResult.CONFIRMED, AppealResult.REASSESSED)
            tried = [pool.submit(panel.answer, one) for one in answers]
        errors = [one.exception() for one in tried]
        assert sorted(type(one).__name__ for one in errors) == ["Conflict", "NoneType"]
        with panel.db.reading() as tx:
            (appeal,) = tx.session.exec(select(Appeal)).all()
            manifests = tx.session.exec(select(Manifest)).all()
        assert appeal.answered_by == panel.reviewer.account_id
        assert len(manifests) == (2 if appeal.result == "reassessed" else 1)
        whole(panel)


class TestAnew:
    def test_new_people_assess_the_same_evidence_as_of_the_same_day(self, panel: Appealed) -> None:
        panel.appeal()
        panel.receive()
        panel.world.clock.advance(timedelta(days=9))
        with panel.db.reading() as tx:
            before = staff_case(tx, panel.reviewer, panel.case_id)
            first = manifest_of(tx, panel.case_id, 1)
        panel.answer(AppealResult.REASSESSED)
        with panel.db.reading() as tx:
            after = staff_case(tx, panel.reviewer, panel.case_id)
            again = manifest_of(tx, panel.case_id, 2)
            fit = {one.id for one in candidates(tx, find_case(tx, panel.case_id)) if one.fit}
        assert (panel.state(), panel.case().round) == (CaseState.ASSESSMENT, 2)
        assert first is not None and again is not None
        assert (again.digest, again.body) == (first.digest, first.body)
        assert after.submitted.as_of == before.submitted.as_of
        assert (after.decision, after.agreement) == (None, [])
        assert fit == {one.account_id for one in (panel.third, panel.fourth, panel.fifth)}
        with pytest.raises(InvalidInput):
            panel.allocate(panel.first, panel.fourth)
        with pytest.raises(Conflict, match="decided before"):
            withdraw_case(panel.db, panel.learner, panel.case_id)
        with pytest.raises(Conflict):
            take_back_appeal(panel.db, SITE, panel.learner, panel.case_id)
        whole(panel)

    def test_the_new_decision_replaces_the_first_from_its_release_on(self, panel: Appealed) -> None:
        panel.reassess()
        first_decider = panel.decider
        panel.assessed_anew()
        panel.decider = first_decider
        with pytest.raises(Forbidden):
            panel.decide()
        panel.decider = panel.reviewer
        second = panel.decide()
        with panel.db.reading() as tx:
            meanwhile = result_for_learner(tx, panel.case_id)
            first = tx.session.get_one(Decision, panel.first_decision)
        assert meanwhile is not None and meanwhile.replaces is None
        assert first.replaced_at is not None
        assert panel.running() is not None
        whole(panel)
        assert panel.release()
        with panel.db.reading() as tx:
            now = result_for_learner(tx, panel.case_id)
            (appeal,) = tx.session.exec(select(Appeal)).all()
        assert now is not None and now.replaces == first.released_at
        assert {row.result for row in now.rows} == {OutcomeResult.RECOGNISED}
        assert (appeal.changed, appeal.ended_at) == (True, now.released_at)
        with panel.db.reading() as tx:
            promised = tx.session.exec(
                select(OutboxRow.subject_id).where(
                    OutboxRow.kind == Work.ISSUE_CREDENTIAL.value, OutboxRow.subject_id == second
                )
            ).all()
        assert len(promised) == 1
        whole(panel)

    def test_decided_anew_from_the_same_scores_by_somebody_else(self, panel: Appealed) -> None:
        panel.appeal(AppealGround.PROCEDURE)
        panel.receive()
        panel.answer(AppealResult.REDECIDED)
        case = panel.case()
        assert (case.state, case.round) == (CaseState.DECISION, 1)
        assert turns(panel, panel.decider) == []
        assert turns(panel, panel.reviewer) == [StaffStep.DECIDE]
        with panel.db.reading() as tx:
            shown = staff_case(tx, panel.reviewer, panel.case_id)
        assert shown.decision is None and shown.agreement != []
        with pytest.raises(Forbidden):
            panel.decide()
        panel.decider = panel.reviewer
        panel.decide()
        panel.release()
        with panel.db.reading() as tx:
            (appeal,) = tx.session.exec(select(Appeal)).all()
        assert (appeal.changed, panel.state()) == (False, CaseState.CLOSED)
        assert letters(panel)[-1].startswith("The decision on your case")
        whole(panel)

    def test_who_released_the_decision_neither_answers_nor_decides_anew(
        self, panel: Appealed
    ) -> None:
        registrar = panel.registrar.account_id
        assert registrar is not None
        admin = panel.world.person(Role.ADMINISTRATOR)
        grant_role(panel.db, admin, registrar, Role.DECIDER)
        both = replace(panel.registrar, roles=frozenset({Role.REGISTRAR, Role.DECIDER}))
        panel.appeal(AppealGround.PROCEDURE)
        with pytest.raises(InvalidInput) as refused:
            panel.receive(both)
        assert [problem.message for problem in refused.value.problems] == [NOT_NEW]
        panel.receive()
        panel.answer(AppealResult.REDECIDED)
        panel.decider = both
        with pytest.raises(Forbidden, match="had a part"):
            panel.decide()
        panel.decider = panel.reviewer
        panel.decide()
        panel.release()
        assert panel.state() is CaseState.CLOSED, "releasing again is still theirs"

    def test_what_was_recognised_stays_at_its_level(self, panel: Appealed) -> None:
        panel.reassess()
        panel.assessed_anew(default=1)
        second = panel.decide()
        with panel.db.reading() as tx:
            rows = {
                decision: {
                    row.outcome_code: (row.result, row.level)
                    for row in tx.session.exec(
                        select(OutcomeDecision).where(OutcomeDecision.decision_id == decision)
                    ).all()
                }
                for decision in (panel.first_decision, second)
            }
        first, later = rows.values()
        recognised = {code for code, (result, _) in first.items() if result == "recognised"}
        assert recognised
        assert {code: later[code] for code in recognised} == {
            code: first[code] for code in recognised
        }
        with panel.db.reading() as tx:
            plan = tx.session.get_one(Decision, second).gap_plan
        assert {str(step["outcome"]) for step in plan} == set(later) - recognised
        whole(panel)


class TestNewEvidence:
    @pytest.fixture
    def panel(self, panel: Appealed) -> Appealed:
        allow_new_evidence(panel)
        panel.appeal(AppealGround.NEW_EVIDENCE)
        panel.receive()
        panel.answer(AppealResult.REOPENED)
        return panel

    def test_where_the_policy_allows_it_the_learner_hands_in_anew(self, panel: Appealed) -> None:
        case = panel.case()
        assert (case.state, case.round, case.note_to_learner) == (CaseState.RETURNED, 2, WHY)
        signed = Declaration(True, panel.learner.name, with_gaps=True)
        submit_case(panel.db, SITE, panel.learner, panel.case_id, signed)
        assert panel.state() is CaseState.SUBMITTED
        with pytest.raises(Conflict):
            take_back_appeal(panel.db, SITE, panel.learner, panel.case_id)
        whole(panel)

    def test_taken_back_or_late_the_decision_stays(self, panel: Appealed) -> None:
        assert end_late_appeals(panel.db, SITE) == 0
        panel.world.clock.advance(timedelta(days=60))
        assert end_late_appeals(panel.db, SITE) == 1
        case = panel.case()
        assert (case.state, case.round, case.note_to_learner) == (CaseState.CLOSED, 1, "")
        assert letters(panel)[-1].endswith("has ended")
        assert (panel.running(), end_late_appeals(panel.db, SITE)) == (None, 0)
        with pytest.raises(Conflict):
            panel.appeal(AppealGround.NEW_EVIDENCE)
        whole(panel)
