"""What assessors and staff are shown: enough to go on, blind where it must be, few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from storage.database import Database
from storage.errors import Forbidden, NotFound
from storage.events import Who, record
from storage.ids import AccountId, AssignmentId, CaseId, CriterionCode, OutcomeCode, SheetId, new_id
from storage.tables import Attestation, EvidenceItem, OutboxRow
from storage.vocabulary import (
    CaseState,
    ConflictAnswer,
    EvidenceKind,
    EvidenceState,
    OutcomeResult,
    Role,
    VoiceState,
)
from tests.fixtures.panel import REASON, WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SIGNED, SITE, World
from workflows.access.permissions import Permission
from workflows.access.rules import Actor
from workflows.assessment import commands as seats
from workflows.assessment.queries import (
    Place,
    PlaceStep,
    SheetView,
    assignment_brief,
    places_of,
    sheet_view,
)
from workflows.assessment.rules import ScoreEntry
from workflows.assessment.scoring import finalise_sheet, save_score
from workflows.cases import commands as cases
from workflows.cases.queries import history, history_for_learner
from workflows.decisions.queries import StaffCase, read_plan, staff_case
from workflows.decisions.steps import Seat, StaffStep, staff_step
from workflows.decisions.worklist import StaffHome, StaffPage, staff_cases, staff_home
from workflows.evidence.coverage import CoverageStatus

A = CriterionCode("CNC1.a")
CNC1 = OutcomeCode("CNC1")


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


def places(panel: Panel, who: Actor) -> list[Place]:
    account_id = who.account_id
    assert account_id is not None
    with panel.db.reading() as tx:
        return list(places_of(tx, AccountId(account_id)))


def sheet(panel: Panel, who: Actor) -> SheetView:
    sheet_id = panel.sheet(who)
    with panel.db.reading() as tx:
        return sheet_view(tx, who, sheet_id)


def staff(panel: Panel, who: Actor) -> StaffCase:
    with panel.db.reading() as tx:
        return staff_case(tx, who, panel.case_id)


def home(panel: Panel, who: Actor) -> StaffHome:
    with panel.db.reading() as tx:
        return staff_home(tx, who)


def listed(panel: Panel, who: Actor, state: CaseState | None = None, page: int = 1) -> StaffPage:
    with panel.db.reading() as tx:
        return staff_cases(tx, who, state, page)


@contextmanager
def counting(db: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        if "TRANSACTION" not in statement:
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


class TestPlaces:
    def test_each_place_says_what_is_next(self, panel: Panel) -> None:
        def step() -> PlaceStep:
            return places(panel, panel.first)[0].step

        panel.allocate()
        assert step() is PlaceStep.DECLARE
        panel.declare(panel.first)
        assert step() is PlaceStep.SCORE
        panel.fill(panel.first)
        assert step() is PlaceStep.FINALISE
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        (place,) = places(panel, panel.first)
        assert (place.step, place.due_at) == (PlaceStep.DONE, None)
        assert place.finalised_at is not None

    def test_before_the_declaration_a_place_says_names_only(self, panel: Panel) -> None:
        panel.allocate()
        (place,) = places(panel, panel.first)
        assert (place.title, place.learner) == (panel.world.definition.title, "Ana Souza")
        assert (place.asked, place.scored, place.sheet_id) == (0, 0, None)

    def test_a_possible_conflict_waits_and_a_declined_place_is_over(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
        assert places(panel, panel.first)[0].step is PlaceStep.WAIT
        seats.decline_assignment(panel.db, SITE, panel.second, panel.place(panel.second), WHY)
        assert places(panel, panel.second)[0].step is PlaceStep.OVER
        cases.withdraw_case(panel.db, panel.learner, panel.case_id)
        assert places(panel, panel.first)[0].step is PlaceStep.OVER

    def test_what_is_to_be_done_comes_first(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        other = Panel(panel.world)
        other.allocate(panel.first, other.second)
        assert [one.step for one in places(panel, panel.first)] == [
            PlaceStep.DECLARE,
            PlaceStep.DONE,
        ]

    def test_two_statements_whatever_the_number(self, panel: Panel) -> None:
        panel.allocate()
        for _ in range(3):
            Panel(panel.world).allocate(panel.first)
        with counting(panel.db) as sent:
            assert len(places(panel, panel.first)) == 4
        assert len(sent) == 2


class TestBrief:
    def test_it_holds_names_and_nothing_else(self, panel: Panel) -> None:
        panel.allocate()
        with panel.db.transaction() as tx:
            tx.session.add(_given(tx.now, panel.case_id, "Lars Berg"))
        with panel.db.reading() as tx:
            brief = assignment_brief(tx, panel.first, panel.place(panel.first))
        assert (brief.learner, brief.witnesses) == ("Ana Souza", ("Lars Berg",))
        assert (brief.title, brief.institution) == (
            panel.world.definition.title,
            "Northbridge College",
        )
        assert brief.sheet_id is None and brief.conflict is None

    def test_anyone_elses_is_not_there(self, panel: Panel) -> None:
        panel.allocate()
        place = panel.place(panel.first)
        for who in (panel.second, panel.coordinator, panel.learner):
            with panel.db.reading() as tx, pytest.raises(NotFound):
                assignment_brief(tx, who, place)
        with panel.db.reading() as tx, pytest.raises(NotFound):
            assignment_brief(tx, panel.first, AssignmentId(new_id()))


class TestSheet:
    def test_it_shows_evidence_beside_each_outcomes_rubric_and_how_far_one_is(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        sheet_id = panel.sheet(panel.first)
        entry = ScoreEntry(decided=True, level=2, reason=REASON)
        save_score(panel.db, panel.first, sheet_id, A, entry)
        shown = sheet(panel, panel.first)
        assert [row.criterion.code for row in shown.criteria] == panel.codes
        assert (shown.scored, shown.asked) == (1, len(panel.codes))
        assert list(shown.problems) == [code for code in panel.codes if code != A]
        first = shown.outcomes[0]
        assert first.criteria[0].entry == entry
        assert [item.title for item in first.evidence] == [
            "Video of the job",
            "Marked drawing",
            "Demonstration",
        ]
        assert all(len(item.sha256) == 64 and item.readable for item in first.evidence)
        assert first.coverage.status is CoverageStatus.COVERED

    def test_what_came_after_the_submission_is_not_shown(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.world.item(panel.case_id, "CNC1", title="Too late")
        titles = [item.title for item in sheet(panel, panel.first).outcomes[0].evidence]
        assert "Too late" not in titles

    def test_an_item_held_back_since_is_shown_as_such_and_does_not_count(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with panel.db.transaction() as tx:
            item_id = sheet(panel, panel.first).outcomes[0].evidence[0].id
            item = tx.session.get_one(EvidenceItem, item_id)
            item.state = EvidenceState.QUARANTINED.value
            item.reason = "Malware was found: %(name)s."
            item.reason_params = {"name": "Eicar"}
        held = sheet(panel, panel.first).outcomes[0]
        assert not held.evidence[0].readable
        assert str(held.evidence[0].reason) == "Malware was found: Eicar."
        assert item_id not in held.coverage.counted

    def test_a_supervisors_words_are_read_where_they_count(self, world: World) -> None:
        learner, coordinator = world.person(Role.LEARNER), world.person(Role.COORDINATOR)
        case_id = world.case(learner)
        world.full_evidence(case_id)
        said = world.item(case_id, "CNC1", kind=EvidenceKind.ATTESTATION, title="Word of Lars Berg")
        with world.db.transaction() as tx:
            given = _given(tx.now, case_id, "Lars Berg")
            given.item_id = said
            tx.session.add(given)
            tx.session.get_one(EvidenceItem, said).attestation_id = given.id
        panel = Panel(world)
        panel.learner, panel.coordinator, panel.case_id = learner, coordinator, case_id
        cases.submit_case(world.db, SITE, learner, case_id, SIGNED)
        cases.begin_screening(world.db, coordinator, case_id)
        cases.accept_for_assessment(world.db, coordinator, case_id)
        panel.allocate()
        panel.declare(panel.first)
        (item,) = [one for one in sheet(panel, panel.first).outcomes[0].evidence if one.statement]
        assert item.statement is not None and item.statement.name == "Lars Berg"
        assert not item.direct

    def test_a_third_assessor_sees_only_what_is_asked_and_no_scores(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 4})
        account_id = panel.third.account_id
        assert account_id is not None
        seats.offer_third_assessor(
            panel.db, SITE, panel.coordinator, panel.case_id, AccountId(account_id)
        )
        panel.declare(panel.third)
        shown = sheet(panel, panel.third)
        assert [row.criterion.code for row in shown.criteria] == [A]
        assert shown.criteria[0].entry == ScoreEntry()

    def test_anyone_elses_is_not_there(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.declare(panel.second)
        sheet_id = panel.sheet(panel.first)
        for who in (panel.second, panel.coordinator, panel.learner):
            with panel.db.reading() as tx, pytest.raises(NotFound):
                sheet_view(tx, who, sheet_id)
        with panel.db.reading() as tx, pytest.raises(NotFound):
            sheet_view(tx, panel.first, SheetId(new_id()))

    def test_a_constant_number_of_statements(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        sheet_id = panel.sheet(panel.first)

        def count() -> int:
            with counting(panel.db) as sent, panel.db.reading() as tx:
                sheet_view(tx, panel.first, sheet_id)
            return len(sent)

        before = count()
        panel.fill(panel.first)
        assert count() == before <= 13


class TestBlindness:
    def test_nothing_that_one_assessor_sees_changes_by_what_the_other_does(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.fill(panel.first)

        def seen() -> object:
            with panel.db.reading() as tx:
                brief = assignment_brief(tx, panel.first, panel.place(panel.first))
            return places(panel, panel.first), brief, asdict(sheet(panel, panel.first))

        before = seen()
        panel.world.clock.advance(timedelta(minutes=5))
        panel.declare(panel.second)
        assert seen() == before
        panel.fill(panel.second)
        assert seen() == before
        finalise_sheet(panel.db, panel.second, panel.sheet(panel.second))
        assert seen() == before

    def test_an_assessor_who_is_also_staff_is_kept_from_staffs_pages_of_that_case(
        self, panel: Panel
    ) -> None:
        both = panel.world.person(
            Role.ASSESSOR, Role.COORDINATOR, Role.REGISTRAR, Role.AUDITOR, Role.DECIDER
        )
        panel.allocate(panel.first, both)
        with pytest.raises(Forbidden):
            staff(panel, both)
        assert listed(panel, both).lines == []
        assert (home(panel, both).turns, home(panel, both).late) == ([], [])

    def test_assessors_have_no_staff_page(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with pytest.raises(Forbidden):
            staff(panel, panel.first)
        with pytest.raises(NotFound):
            staff(panel, panel.third)


class TestWorklist:
    def test_each_step_is_somebodys_turn(self, panel: Panel) -> None:
        def turns(who: Actor) -> list[StaffStep]:
            return [line.step for line in home(panel, who).turns]

        assert turns(panel.coordinator) == [StaffStep.ALLOCATE]
        panel.allocate()
        assert turns(panel.coordinator) == []
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
        assert turns(panel.coordinator) == [StaffStep.SETTLE_CONFLICT]
        seats.settle_conflict(
            panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=True, why=WHY
        )
        (line,) = listed(panel, panel.coordinator).lines
        assert (line.step, line.at_it) == (
            StaffStep.WAIT_ASSESSORS,
            ("Ines Duarte", "Noah Lindqvist"),
        )
        panel.fill(panel.first, {A: 2})
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        panel.score(panel.second, {A: 4})
        panel.settle()
        assert turns(panel.coordinator) == [StaffStep.ASK_THIRD]

    def test_decisions_and_releases_are_the_turn_of_those_who_may(self, panel: Panel) -> None:
        panel.scored()
        both = panel.world.person(Role.DECIDER, Role.REGISTRAR)
        assert [line.step for line in home(panel, panel.decider).turns] == [StaffStep.DECIDE]
        assert home(panel, panel.registrar).turns == []
        panel.decider = both
        panel.decide()
        assert home(panel, both).turns == []
        assert [line.step for line in home(panel, panel.registrar).turns] == [StaffStep.RELEASE]

    def test_what_is_late_is_said_and_how_long_it_takes(self, panel: Panel) -> None:
        assert home(panel, panel.coordinator).late == []
        panel.world.clock.advance(timedelta(days=40))
        (line,) = home(panel, panel.coordinator).late
        assert (line.late, line.days) == (True, 40)
        assert home(panel, panel.coordinator).counts == {CaseState.ASSESSMENT: 1}

    def test_lists_by_state_and_page(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        panel.world.case(panel.world.person(Role.LEARNER))
        assert listed(panel, panel.coordinator).total == 1
        assert listed(panel, panel.coordinator, CaseState.DRAFT).total == 1
        assert listed(panel, panel.coordinator, CaseState.CLOSED).lines == []
        Panel(panel.world)
        monkeypatch.setattr("workflows.decisions.worklist.PAGE", 1)
        first, second = (listed(panel, panel.coordinator, page=number) for number in (1, 99))
        assert (first.page, second.page, first.pages) == (1, 2, 2)
        assert first.lines[0].id != second.lines[0].id

    def test_another_institutions_staff_sees_none_of_it(self, panel: Panel) -> None:
        stranger = Actor(panel.coordinator.account_id, None, frozenset({Role.COORDINATOR}))
        assert (listed(panel, stranger).lines, home(panel, stranger).counts) == ([], {})

    def test_a_constant_number_of_statements(self, panel: Panel) -> None:
        panel.allocate()
        with counting(panel.db) as few:
            home(panel, panel.coordinator)
        for _ in range(3):
            Panel(panel.world).allocate()
        with counting(panel.db) as many:
            home(panel, panel.coordinator)
        assert len(few) == len(many)


class TestStaffCase:
    def test_scores_are_shown_once_every_sheet_is_final(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first, {A: 4})
        panel.declare(panel.second)
        shown = staff(panel, panel.coordinator)
        assert list(shown.agreement) == []
        assert [(place.scored, place.asked) for place in shown.live_places] == [
            (len(panel.codes), len(panel.codes)),
            (0, len(panel.codes)),
        ]
        panel.fill(panel.second)
        finalise_sheet(panel.db, panel.second, panel.sheet(panel.second))
        panel.settle()
        row = staff(panel, panel.coordinator).agreement[0]
        assert [(one.name, one.level, one.reason) for one in row.scores] == [
            ("Ines Duarte", 4, REASON),
            ("Noah Lindqvist", 3, REASON),
        ]
        assert (row.level, row.settled) == (3, True)

    def test_a_thirds_score_is_not_shown_before_it_counts(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 4})
        account_id = panel.third.account_id
        assert account_id is not None
        seats.offer_third_assessor(
            panel.db, SITE, panel.coordinator, panel.case_id, AccountId(account_id)
        )
        panel.score(panel.third)
        assert len(staff(panel, panel.coordinator).agreement[0].scores) == 2
        panel.settle()
        assert len(staff(panel, panel.coordinator).agreement[0].scores) == 3

    def test_a_moderation_shows_who_settled_it_and_why(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 3})
        shown = staff(panel, panel.moderator)
        assert (shown.step, shown.turn) == (StaffStep.MODERATE, True)
        assert shown.agreement[0].choices == (2, 3)
        panel.settle_discussion(A, 3)
        row = staff(panel, panel.moderator).agreement[0]
        assert (row.moderator, row.why, row.level) == ("Ruth Adeyemi", WHY, 3)

    def test_a_decider_sees_what_it_rests_on_and_what_may_be_chosen(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 2})
        shown = staff(panel, panel.decider)
        assert shown.turn and Permission.DECIDE_CASE in shown.allowed
        assert Permission.RELEASE_CASE not in shown.allowed
        first, second = shown.outcomes[:2]
        assert first.suggestion.result is OutcomeResult.NOT_YET
        assert OutcomeResult.RECOGNISED not in first.choices
        assert second.choices[0] is OutcomeResult.RECOGNISED
        assert shown.decision is None and first.decided is None and first.label == ""

    def test_a_decision_and_its_release_are_shown_with_their_people(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 2})
        panel.decide()
        panel.release()
        shown = staff(panel, panel.registrar)
        assert shown.decision is not None
        assert (shown.decision.decider, shown.decision.released_by) == (
            "Piotr Zielinski",
            "Sara Lindholm",
        )
        assert not shown.decision.earned
        assert [step.code for step in shown.decision.gap_plan] == [CNC1]
        assert shown.outcomes[0].decided is not None and shown.outcomes[0].label == ""
        assert shown.outcomes[1].label == "Meets"

    def test_a_plan_keeps_its_options(self, panel: Panel) -> None:
        (step,) = read_plan(
            [{"outcome": "CNC1", "shows": "A drawing.", "options": [{"text": "Lab", "price": "9"}]}]
        )
        assert (step.code, step.options[0].text, step.options[0].price) == ("CNC1", "Lab", "9")

    def test_declarations_and_refusals_stay_readable(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, "She is my sister.")
        seats.decline_assignment(panel.db, SITE, panel.second, panel.place(panel.second), WHY)
        given_up = staff(panel, panel.coordinator).places
        assert [(one.live, one.conflict, one.decline_reason) for one in given_up] == [
            (False, ConflictAnswer.YES, ""),
            (False, None, WHY),
        ]
        assert given_up[0].conflict_detail == "She is my sister."

    def test_work_that_was_given_up_is_said(self, panel: Panel) -> None:
        panel.scored()
        panel.decide()
        panel.release()
        assert list(staff(panel, panel.registrar).given_up) == []
        with panel.db.transaction() as tx:
            row = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == "issue_credential")
            ).one()
            row.dead_at = tx.now
        assert [work.kind for work in staff(panel, panel.registrar).given_up] == [
            "issue_credential"
        ]

    def test_before_submission_there_is_nothing_to_cover(self, panel: Panel) -> None:
        panel.case_id = panel.world.case(panel.world.person(Role.LEARNER))
        shown = staff(panel, panel.coordinator)
        assert (list(shown.submitted.items), shown.step) == ([], StaffStep.WAIT_LEARNER)

    def test_a_constant_number_of_statements(self, panel: Panel) -> None:
        panel.allocate()
        with counting(panel.db) as few:
            staff(panel, panel.coordinator)
        panel.score(panel.first, {A: 2})
        panel.score(panel.second, {A: 3})
        panel.settle()
        with counting(panel.db) as more:
            staff(panel, panel.coordinator)
        assert len(more) - len(few) == 1
        assert len(few) <= 19


class TestLearnersHistory:
    def test_it_tells_the_way_of_the_case_and_nobody_elses_business(self, panel: Panel) -> None:
        panel.allocate(panel.third)
        panel.declare(panel.third, ConflictAnswer.YES, "She is my sister.")
        panel.scored({A: 2}, {A: 3})
        panel.settle_discussion(A, 3)
        with panel.db.reading() as tx:
            lines = history_for_learner(tx, panel.case_id)
            everything = history(tx, panel.case_id)
        assert [line.kind for line in lines] == [
            "open_case",
            "submit_case",
            "begin_screening",
            "accept_for_assessment",
            "begin_moderation",
        ]
        told = " ".join(f"{line.actor} {line.why}" for line in lines)
        assert "Ines" not in told and WHY not in told
        assert {"declare_conflict", "settle_discussion"} <= {line.kind for line in everything}

    def test_a_note_that_was_written_for_them_is_shown(self, world: World) -> None:
        learner, coordinator = world.person(Role.LEARNER), world.person(Role.COORDINATOR)
        case_id = world.submitted(learner)
        cases.begin_screening(world.db, coordinator, case_id)
        cases.return_case(world.db, SITE, coordinator, case_id, "Date the inspection sheet.")
        with world.db.reading() as tx:
            assert history_for_learner(tx, case_id)[-1].why == "Date the inspection sheet."


def test_having_looked_at_a_file_is_no_part_in_a_case(panel: Panel) -> None:
    both = panel.world.person(Role.COORDINATOR, Role.DECIDER, Role.ASSESSOR)
    with panel.db.transaction() as tx:
        record(
            tx,
            Who(Role.COORDINATOR, both.account_id),
            "open_evidence",
            ("case", panel.case_id),
            case_id=panel.case_id,
        )
    panel.scored()
    panel.decider = both
    panel.decide()
    assert panel.state() is CaseState.DECIDED


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (CaseState.DRAFT, StaffStep.WAIT_LEARNER),
        (CaseState.SUBMITTED, StaffStep.BEGIN_SCREENING),
        (CaseState.SCREENING, StaffStep.SCREEN),
        (CaseState.RELEASED, StaffStep.WAIT_CREDENTIAL),
        (CaseState.CLOSED, StaffStep.NOTHING),
        (CaseState.APPEAL, StaffStep.RECEIVE_APPEAL),
    ],
)
def test_outside_assessment_the_state_says_what_is_next(state: CaseState, step: StaffStep) -> None:
    seats_taken: list[Seat] = []
    assert staff_step(state, seats_taken, third_wanted=True) is step


def _given(at: datetime, case_id: CaseId, name: str) -> Attestation:
    statement = {
        "format": "assay-attestation/1",
        "id": str(case_id),
        "case": 1001,
        "learner": "Ana Souza",
        "credential": "CNC Technician",
        "institution": "Northbridge College",
        "locale": "en",
        "name": name,
        "role": "Foreman",
        "organisation": "Halden Works",
        "relation": "supervisor",
        "frequency": "daily",
        "since": "2020",
        "until": None,
        "ratings": [{"outcome": "CNC1", "statement": "Reads.", "act": "Reads.", "level": 3}],
        "example_high": "",
        "example_low": "",
        "public": False,
        "identity": {"mail_confirmed": True, "domain": "halden.example", "free_mail": False},
        "given_at": "2026-03-01T09:00:00Z",
    }
    return Attestation(
        id=new_id(),
        case_id=case_id,
        state=VoiceState.GIVEN.value,
        supervisor_name=name,
        supervisor_email="lars@halden.example",
        outcome_codes=["CNC1"],
        asked_at=at,
        statement=statement,
    )
