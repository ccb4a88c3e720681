"""Assessors on a real database: seats, declarations, blind sheets, agreement, moderation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.events import SYSTEM
from storage.ids import AccountId, AssignmentId, CriterionCode, OutboxId, SheetId, new_id
from storage.outbox import AlreadyDone
from storage.tables import (
    Agreement,
    Assignment,
    Attestation,
    Event,
    Mail,
    OutboxRow,
    Score,
    ScoreSheet,
)
from storage.vocabulary import AgreementRule as R
from storage.vocabulary import (
    AssignmentState,
    CaseState,
    ConflictAnswer,
    Role,
    SheetState,
    VoiceState,
)
from tests.fixtures.panel import REASON, WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import DEFINITIONS, SITE
from workflows.access.rules import Actor
from workflows.assessment import commands as seats
from workflows.assessment import moderation, scoring
from workflows.assessment.agreement import RULE_VERSION
from workflows.assessment.allocation import Candidate, candidates
from workflows.assessment.rules import MAX_TEXT, ScoreEntry
from workflows.cases import commands as cases
from workflows.cases.load import find_case
from workflows.frameworks.commands import import_definition, publish_definition
from workflows.work import Work, promise_work

A, B = CriterionCode("CNC1.a"), CriterionCode("CNC2.a")
FULL = ScoreEntry(decided=True, level=3, reason=REASON)


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


def rows(panel: Panel) -> dict[str, Agreement]:
    with panel.db.reading() as tx:
        found = tx.session.exec(select(Agreement)).all()
    return {row.criterion_code: row for row in found}


def candidate(panel: Panel, who: Actor) -> Candidate:
    with panel.db.reading() as tx:
        found = candidates(tx, find_case(tx, panel.case_id))
    return next(one for one in found if one.id == who.account_id)


def mails_to(panel: Panel, who: Actor) -> list[Mail]:
    with panel.db.reading() as tx:
        return list(tx.session.exec(select(Mail).where(Mail.recipient == who.email)).all())


def account(who: Actor) -> AccountId:
    assert who.account_id is not None
    return who.account_id


def outcomes_of(*acts: Callable[[], object]) -> list[str]:
    """What comes of acts that are done at once: "done" or the error's name, sorted."""

    def attempt(act: Callable[[], object]) -> str:
        try:
            act()
        except (Conflict, Forbidden, NotFound) as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(attempt, acts))


class TestAllocation:
    def test_two_assessors_are_asked_for_every_criterion_and_told_by_mail(
        self, panel: Panel
    ) -> None:
        places = panel.allocate()
        with panel.db.reading() as tx:
            found = [tx.session.get_one(Assignment, place) for place in places]
        assert [(one.seat, one.assessor_id, one.state) for one in found] == [
            (1, panel.first.account_id, "offered"),
            (2, panel.second.account_id, "offered"),
        ]
        assert found[0].criteria == panel.codes
        for who, place in zip((panel.first, panel.second), places, strict=True):
            (mail,) = mails_to(panel, who)
            assert SITE.assignment(place) in mail.body
        assert panel.second.name not in mails_to(panel, panel.first)[0].body

    def test_the_least_busy_experts_come_first(self, panel: Panel) -> None:
        busy = Panel(panel.world)
        busy.allocate(panel.first, panel.second)
        with panel.db.reading() as tx:
            found = candidates(tx, find_case(tx, panel.case_id))
        fit = [one for one in found if one.fit]
        assert [one.load for one in fit] == sorted(one.load for one in fit)
        assert candidate(panel, panel.first).load == 1
        assert candidate(panel, panel.third).load == 0

    def test_a_final_sheet_is_no_load_any_more(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        assert candidate(panel, panel.first).load == 0
        assert candidate(panel, panel.second).load == 1

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda p: p.world.person(Role.ASSESSOR, employer=" halden  WORKS."), "employer"),
            (lambda p: p.first, "Was asked"),
            (lambda p: p.coordinator, "another part"),
            (lambda p: p.learner, "own case"),
        ],
    )
    def test_who_stands_too_near_is_not_asked(
        self, panel: Panel, make: Callable[[Panel], Actor], reason: str
    ) -> None:
        panel.allocate(panel.first)
        near = make(panel)
        _grant(panel, near, Role.ASSESSOR)
        found = candidate(panel, near)
        assert not found.fit and any(reason in said for said in found.refusals)
        with pytest.raises(InvalidInput, match=r"cannot assess this case|someone else scores"):
            panel.allocate(near)

    def test_a_witness_of_the_case_is_not_asked(self, panel: Panel) -> None:
        with panel.db.transaction() as tx:
            tx.session.add(
                Attestation(
                    id=new_id(),
                    case_id=panel.case_id,
                    state=VoiceState.ASKED.value,
                    supervisor_name=panel.third.name,
                    supervisor_email=panel.third.email.replace("@", "+work@"),
                    outcome_codes=[],
                    asked_at=tx.now,
                )
            )
        assert candidate(panel, panel.third).refusals == ("Is a witness in this case.",)

    def test_who_is_no_expert_for_this_credential_is_not_asked(self, panel: Panel) -> None:
        with panel.db.transaction() as tx:
            tx.session.execute(
                text("DELETE FROM competence WHERE account_id = :who"),
                {"who": panel.third.account_id},
            )
        with pytest.raises(InvalidInput, match="expert"):
            panel.allocate(panel.third)

    def test_who_is_no_assessor_any_more_is_not_on_the_list(self, panel: Panel) -> None:
        with panel.db.transaction() as tx:
            tx.session.execute(
                text("UPDATE role_grant SET revoked_at = now() WHERE account_id = :who"),
                {"who": panel.third.account_id},
            )
        with pytest.raises(InvalidInput, match="Choose from the list"):
            panel.allocate(panel.third)

    def test_nobody_too_many_or_one_twice_is_refused(self, panel: Panel) -> None:
        for people in ([], [panel.first, panel.second, panel.third], [panel.first, panel.first]):
            with pytest.raises(InvalidInput):
                seats.allocate_assessors(
                    panel.db,
                    SITE,
                    panel.coordinator,
                    panel.case_id,
                    [account(who) for who in people],
                )

    def test_a_coordinator_does_not_ask_themselves(self, panel: Panel) -> None:
        both = panel.world.person(Role.COORDINATOR, Role.ASSESSOR)
        with pytest.raises(InvalidInput, match="someone else scores"):
            seats.allocate_assessors(panel.db, SITE, both, panel.case_id, [account(both)])

    def test_two_coordinators_at_once_fill_the_seats_once(self, panel: Panel) -> None:
        def ask(one: Actor, other: Actor) -> Callable[[], object]:
            def act() -> object:
                try:
                    return panel.allocate(one, other)
                except InvalidInput as refusal:
                    raise Conflict(refusal.message) from refusal

            return act

        fourth = panel.world.person(Role.ASSESSOR)
        acts = (ask(panel.first, panel.second), ask(panel.third, fourth))
        assert outcomes_of(*acts) == ["Conflict", "done"]

    def test_before_and_after_assessment_nobody_is_asked(self, panel: Panel) -> None:
        other = panel.world.submitted(panel.world.person(Role.LEARNER))
        with pytest.raises(Conflict):
            seats.allocate_assessors(
                panel.db, SITE, panel.coordinator, other, [account(panel.first)]
            )
        panel.scored()
        with pytest.raises(Conflict):
            panel.allocate(panel.third)

    def test_only_a_coordinator_asks(self, panel: Panel) -> None:
        for who in (panel.first, panel.decider, panel.learner):
            with pytest.raises((Forbidden, NotFound)):
                seats.allocate_assessors(panel.db, SITE, who, panel.case_id, [account(panel.third)])


class TestReplacing:
    def test_a_place_goes_to_someone_else_and_the_open_sheet_counts_no_more(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.fill(panel.first)
        old = panel.sheet(panel.first)
        seats.replace_assessor(
            panel.db,
            SITE,
            panel.coordinator,
            panel.place(panel.first),
            account(panel.third),
            why=WHY,
        )
        with panel.db.reading() as tx:
            assert tx.session.get_one(ScoreSheet, old).state == SheetState.SUPERSEDED
            assert tx.session.get_one(Assignment, panel.place(panel.first)).settled_why == WHY
            assert tx.session.get_one(Assignment, panel.place(panel.third)).seat == 1
        assert "someone else" in mails_to(panel, panel.first)[-1].body
        with pytest.raises(Conflict):
            scoring.save_score(panel.db, panel.first, old, A, FULL)

    def test_a_final_sheet_is_not_taken_away(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        with pytest.raises(Conflict, match="final"):
            seats.replace_assessor(
                panel.db,
                SITE,
                panel.coordinator,
                panel.place(panel.first),
                account(panel.third),
                why=WHY,
            )

    def test_it_needs_a_reason_and_a_live_place(self, panel: Panel) -> None:
        (place, _) = panel.allocate()
        again = (panel.db, SITE, panel.coordinator, place, account(panel.third))
        with pytest.raises(InvalidInput, match="replaced"):
            seats.replace_assessor(*again, why="")
        seats.replace_assessor(*again, why=WHY)
        with pytest.raises(Conflict):
            seats.replace_assessor(*again, why=WHY)

    def test_a_place_that_is_not_there_is_not_found(self, panel: Panel) -> None:
        with pytest.raises(NotFound):
            seats.replace_assessor(
                panel.db,
                SITE,
                panel.coordinator,
                AssignmentId(new_id()),
                account(panel.third),
                why=WHY,
            )


class TestDeclaring:
    def test_without_a_conflict_the_sheet_is_opened_with_the_rubrics_hash(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with panel.db.reading() as tx:
            place = tx.session.get_one(Assignment, panel.place(panel.first))
            sheet = tx.session.get_one(ScoreSheet, panel.sheet(panel.first))
        assert (place.state, place.conflict) == ("cleared", "none")
        assert place.declared_at is not None
        assert len(sheet.definition_hash) == 64

    def test_a_conflict_excludes_frees_the_seat_and_calls_the_coordinator(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES)
        assert "conflict" in mails_to(panel, panel.coordinator)[-1].body
        with panel.db.reading() as tx:
            assert tx.session.exec(select(ScoreSheet)).all() == []
        with pytest.raises(InvalidInput, match="Declared a conflict"):
            panel.allocate(panel.first)
        panel.allocate(panel.third)

    def test_a_possible_conflict_waits_for_the_coordinator(self, panel: Panel) -> None:
        panel.allocate()
        with pytest.raises(InvalidInput):
            panel.declare(panel.first, ConflictAnswer.POSSIBLE, "taught")
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "I taught her a course in 2011.")
        with panel.db.reading() as tx:
            assert tx.session.exec(select(ScoreSheet)).all() == []
        seats.settle_conflict(
            panel.db,
            SITE,
            panel.coordinator,
            panel.place(panel.first),
            clear=True,
            why="Fifteen years ago, and one course of many.",
        )
        panel.fill(panel.first)
        assert "cleared" in mails_to(panel, panel.first)[-1].body

    def test_the_coordinator_may_give_the_case_to_someone_else(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
        place = panel.place(panel.first)
        with pytest.raises(InvalidInput):
            seats.settle_conflict(panel.db, SITE, panel.coordinator, place, clear=False, why=" ")
        seats.settle_conflict(panel.db, SITE, panel.coordinator, place, clear=False, why=WHY)
        assert "someone else" in mails_to(panel, panel.first)[-1].body
        with pytest.raises(Conflict):
            seats.settle_conflict(panel.db, SITE, panel.coordinator, place, clear=True, why=WHY)
        panel.allocate(panel.third)

    def test_nobody_settles_what_they_declared_themselves(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.POSSIBLE, "We sit in the same choir.")
        both = _with_role(panel.first, Role.COORDINATOR)
        with pytest.raises(Forbidden, match="asked to assess"):
            seats.settle_conflict(
                panel.db, SITE, both, panel.place(panel.first), clear=True, why=WHY
            )

    def test_a_declaration_stands(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with pytest.raises(Conflict, match="declared already"):
            panel.declare(panel.first)

    def test_another_assessors_place_does_not_exist(self, panel: Panel) -> None:
        panel.allocate()
        place = panel.place(panel.first)
        for who in (panel.second, panel.third, panel.coordinator, panel.learner):
            with pytest.raises(NotFound):
                seats.declare_conflict(panel.db, SITE, who, place, ConflictAnswer.NONE)
            with pytest.raises(NotFound):
                seats.decline_assignment(panel.db, SITE, who, place, WHY)

    def test_who_lost_the_role_declares_nothing(self, panel: Panel) -> None:
        panel.allocate()
        gone = Actor(panel.first.account_id, panel.first.institution_id, frozenset())
        with pytest.raises((Forbidden, NotFound)):
            seats.declare_conflict(
                panel.db, SITE, gone, panel.place(panel.first), ConflictAnswer.NONE
            )

    def test_after_withdrawal_there_is_nothing_to_declare(self, panel: Panel) -> None:
        panel.allocate()
        cases.withdraw_case(panel.db, panel.learner, panel.case_id)
        with pytest.raises(Conflict):
            panel.declare(panel.first)


class TestDeclining:
    def test_a_declined_place_is_free_again_and_the_coordinator_hears_of_it(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        with pytest.raises(InvalidInput):
            seats.decline_assignment(panel.db, SITE, panel.first, panel.place(panel.first), "no")
        seats.decline_assignment(panel.db, SITE, panel.first, panel.place(panel.first), WHY)
        assert "declined" in mails_to(panel, panel.coordinator)[-1].body
        panel.allocate(panel.third)
        with panel.db.reading() as tx:
            assert tx.session.get_one(Assignment, panel.place(panel.third)).seat == 1

    def test_declining_in_the_middle_ends_the_sheet(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        seats.decline_assignment(panel.db, SITE, panel.first, panel.place(panel.first), WHY)
        with panel.db.reading() as tx:
            assert tx.session.exec(select(ScoreSheet.state)).one() == "superseded"

    def test_a_final_sheet_cannot_be_given_back(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        with pytest.raises(Conflict, match="final"):
            seats.decline_assignment(panel.db, SITE, panel.first, panel.place(panel.first), WHY)


class TestScoring:
    def test_a_score_is_kept_as_it_is_typed_and_the_same_twice_changes_nothing(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        sheet = panel.sheet(panel.first)
        steps = [
            ScoreEntry(reason="Reads the"),
            ScoreEntry(decided=True, level=3, reason="Reads the"),
            ScoreEntry(decided=True, level=None, reason="Reads the"),
            FULL,
            FULL,
        ]
        for entry in steps:
            scoring.save_score(panel.db, panel.first, sheet, A, entry)
        with panel.db.reading() as tx:
            kept = tx.session.exec(select(Score)).one()
            saved = tx.session.exec(select(Event).where(Event.kind == "save_score")).all()
            assert tx.session.get_one(ScoreSheet, sheet).version == 5
        assert (kept.decided, kept.level, kept.reason) == (True, 3, REASON)
        assert len(saved) == 4
        assert all("level" not in event.data for event in saved)

    @pytest.mark.parametrize(
        "entry",
        [
            ScoreEntry(decided=True, level=5, reason=REASON),
            ScoreEntry(decided=True, level=0, reason=REASON),
            ScoreEntry(decided=False, level=3, reason=REASON),
            ScoreEntry(decided=True, level=3, reason="x" * (MAX_TEXT + 1)),
        ],
    )
    def test_a_level_that_does_not_exist_or_a_novel_is_refused(
        self, panel: Panel, entry: ScoreEntry
    ) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with pytest.raises(InvalidInput):
            scoring.save_score(panel.db, panel.first, panel.sheet(panel.first), A, entry)

    def test_a_criterion_that_was_not_asked_for_is_not_there(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with pytest.raises(NotFound):
            scoring.save_score(
                panel.db, panel.first, panel.sheet(panel.first), CriterionCode("X"), FULL
            )

    def test_another_assessors_sheet_does_not_exist(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.declare(panel.second)
        sheet = panel.sheet(panel.first)
        for who in (panel.second, panel.coordinator, panel.learner):
            with pytest.raises(NotFound):
                scoring.save_score(panel.db, who, sheet, A, FULL)
            with pytest.raises(NotFound):
                scoring.finalise_sheet(panel.db, who, sheet)
        with pytest.raises(NotFound):
            scoring.finalise_sheet(panel.db, panel.first, SheetId(new_id()))

    def test_a_sheet_is_final_only_when_all_is_said(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        sheet = panel.sheet(panel.first)
        scoring.save_score(panel.db, panel.first, sheet, A, FULL)
        scoring.save_score(
            panel.db, panel.first, sheet, B, ScoreEntry(decided=True, level=2, reason="short")
        )
        with pytest.raises(InvalidInput) as caught:
            scoring.finalise_sheet(panel.db, panel.first, sheet)
        fields = [problem.field for problem in caught.value.problems]
        assert fields == [code for code in panel.codes if code != A]
        assert "characters" in str(caught.value.problems[fields.index(B)])

    def test_final_is_final(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        sheet = panel.sheet(panel.first)
        with pytest.raises(Conflict, match="final"):
            scoring.save_score(panel.db, panel.first, sheet, A, FULL)
        with pytest.raises(Conflict, match="final"):
            scoring.finalise_sheet(panel.db, panel.first, sheet)

    def test_a_check_page_of_an_older_sheet_is_told_so(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.fill(panel.first)
        sheet = panel.sheet(panel.first)
        with pytest.raises(Conflict, match="changed since"):
            scoring.finalise_sheet(panel.db, panel.first, sheet, expected_version=1)
        scoring.finalise_sheet(panel.db, panel.first, sheet, expected_version=1 + len(panel.codes))

    def test_a_withdrawn_case_takes_no_scores(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        cases.withdraw_case(panel.db, panel.learner, panel.case_id)
        with pytest.raises(Conflict):
            scoring.save_score(panel.db, panel.first, panel.sheet(panel.first), A, FULL)

    def test_the_rubric_edited_meanwhile_leaves_the_sheet_as_it_was(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        with panel.db.reading() as tx:
            before = tx.session.get_one(ScoreSheet, panel.sheet(panel.first)).definition_hash
        changed = DEFINITIONS[0] | {"outcomes": DEFINITIONS[0]["outcomes"][:1]}
        edited = import_definition(panel.db, SYSTEM, panel.world.institution_id, changed)
        publish_definition(panel.db, SYSTEM, edited)
        panel.fill(panel.first)
        panel.score(panel.second)
        scoring.finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        with panel.db.reading() as tx:
            hashes = tx.session.exec(select(ScoreSheet.definition_hash)).all()
        assert set(hashes) == {before}
        panel.settle()
        assert set(rows(panel)) == set(panel.codes)

    def test_the_last_two_sheets_made_final_at_once_promise_the_settling_once(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        for who in (panel.first, panel.second):
            panel.declare(who)
            panel.fill(who)
        assert outcomes_of(
            lambda: scoring.finalise_sheet(panel.db, panel.first, panel.sheet(panel.first)),
            lambda: scoring.finalise_sheet(panel.db, panel.second, panel.sheet(panel.second)),
        ) == ["done", "done"]
        assert len(panel.promised()) == 1

    def test_the_same_score_saved_many_times_at_once_is_one_row(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        sheet = panel.sheet(panel.first)
        acts = [lambda: scoring.save_score(panel.db, panel.first, sheet, A, FULL)] * 6
        assert outcomes_of(*acts) == ["done"] * 6
        with panel.db.reading() as tx:
            assert len(tx.session.exec(select(Score)).all()) == 1


class TestSettling:
    def test_one_final_sheet_settles_nothing(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        assert panel.promised() == []

    def test_agreement_leads_to_the_decision_and_says_which_rule_fired(self, panel: Panel) -> None:
        panel.scored({A: 4, B: None}, {A: 3, B: None})
        found = rows(panel)
        assert (found[A].rule, found[A].level, found[A].levels) == (R.ADJACENT_LOWER, 3, [4, 3])
        assert (found[B].rule, found[B].level, found[B].settled) == (R.NOT_ASSESSED, None, True)
        assert {row.rule_version for row in found.values()} == {RULE_VERSION}
        assert set(found) == set(panel.codes)
        case = panel.case()
        assert case.state == CaseState.DECISION and case.due_at is not None

    def test_scores_on_both_sides_of_the_threshold_lead_to_moderation(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 3})
        assert panel.state() is CaseState.MODERATION
        assert (rows(panel)[A].rule, rows(panel)[A].level) == (R.DISCUSSION, None)

    def test_the_job_runs_once(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        panel.score(panel.second)
        (outbox_id,) = panel.promised()

        def run() -> None:
            try:
                moderation.settle_agreement(panel.db, panel.case_id, outbox_id)
            except AlreadyDone as done:
                raise Conflict("done already") from done

        assert outcomes_of(run, run) == ["Conflict", "done"]
        assert len(rows(panel)) == len(panel.codes)

    def test_settling_and_withdrawal_at_once_leave_a_case_that_makes_sense(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.score(panel.first)
        panel.score(panel.second)
        outcomes_of(
            panel.settle,
            lambda: cases.withdraw_case(panel.db, panel.learner, panel.case_id),
        )
        assert panel.state() is CaseState.WITHDRAWN
        assert panel.promised() == []

    def test_a_job_that_comes_late_changes_nothing(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        panel.score(panel.second)
        cases.withdraw_case(panel.db, panel.learner, panel.case_id)
        panel.settle()
        assert (panel.state(), rows(panel)) == (CaseState.WITHDRAWN, {})

    def test_a_job_that_comes_while_a_sheet_is_open_changes_nothing(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        panel.declare(panel.second)
        panel.fill(panel.second)
        with panel.db.transaction() as tx:
            promise_work(tx, Work.SETTLE_AGREEMENT, panel.case_id)
        panel.settle()
        assert (panel.state(), rows(panel)) == (CaseState.ASSESSMENT, {})

    def test_a_job_that_nobody_promised_does_nothing(self, panel: Panel) -> None:
        with pytest.raises(AlreadyDone):
            moderation.settle_agreement(panel.db, panel.case_id, OutboxId(new_id()))


class TestThirdAssessor:
    def test_two_levels_apart_wait_for_a_third_who_scores_only_that(self, panel: Panel) -> None:
        panel.scored({A: 2}, {A: 4})
        assert panel.state() is CaseState.ASSESSMENT
        assert rows(panel)[A].rule == R.THIRD_ASSESSOR
        place = seats.offer_third_assessor(
            panel.db, SITE, panel.coordinator, panel.case_id, account(panel.third)
        )
        with panel.db.reading() as tx:
            asked = tx.session.get_one(Assignment, place)
        assert (asked.seat, asked.criteria) == (3, [A])
        panel.score(panel.third, {A: 3})
        panel.settle()
        row = rows(panel)[A]
        assert (row.rule, row.level, row.levels) == (R.MEDIAN, 3, [2, 4, 3])
        assert panel.state() is CaseState.DECISION

    def test_a_third_is_offered_once_and_only_when_needed(self, panel: Panel) -> None:
        offer = (panel.db, SITE, panel.coordinator, panel.case_id)
        with pytest.raises(Conflict, match="No criterion"):
            seats.offer_third_assessor(*offer, account(panel.third))
        panel.scored({A: 1}, {A: 4})
        with pytest.raises(InvalidInput, match="cannot assess"):
            seats.offer_third_assessor(*offer, account(panel.first))
        seats.offer_third_assessor(*offer, account(panel.third))
        fourth = panel.world.person(Role.ASSESSOR)
        with pytest.raises(Conflict, match="asked already"):
            seats.offer_third_assessor(*offer, account(fourth))

    def test_a_third_who_declines_is_followed_by_another(self, panel: Panel) -> None:
        panel.scored({A: 1}, {A: 4})
        offer = (panel.db, SITE, panel.coordinator, panel.case_id)
        place = seats.offer_third_assessor(*offer, account(panel.third))
        seats.decline_assignment(panel.db, SITE, panel.third, place, WHY)
        fourth = panel.world.person(Role.ASSESSOR)
        seats.offer_third_assessor(*offer, account(fourth))
        panel.score(fourth, default=None)
        panel.settle()
        assert rows(panel)[A].levels == [1, 4, None]
        assert (panel.state(), rows(panel)[A].rule) == (CaseState.MODERATION, R.DISCUSSION)


class TestModeration:
    @pytest.fixture
    def discussed(self, panel: Panel) -> Panel:
        panel.scored({A: 2}, {A: 3})
        return panel

    def test_the_moderator_settles_signs_and_the_old_scores_stay(self, discussed: Panel) -> None:
        panel = discussed
        with pytest.raises(Conflict, match="not settled"):
            moderation.conclude_moderation(panel.db, panel.moderator, panel.case_id)
        moderation.settle_discussion(
            panel.db, panel.moderator, panel.case_id, A, 3, why="The second part shows it."
        )
        row = rows(panel)[A]
        assert (row.rule, row.level, row.levels, row.moderator_id) == (
            R.MODERATED,
            3,
            [2, 3],
            panel.moderator.account_id,
        )
        moderation.conclude_moderation(
            panel.db,
            panel.moderator,
            panel.case_id,
            expected_version=panel.case().version,
        )
        assert panel.state() is CaseState.DECISION

    def test_only_levels_between_the_scores_and_with_a_reason(self, discussed: Panel) -> None:
        panel = discussed
        for level, why in ((1, WHY), (4, WHY), (None, WHY), (3, "so")):
            with pytest.raises(InvalidInput):
                moderation.settle_discussion(
                    panel.db, panel.moderator, panel.case_id, A, level, why=why
                )
        assert rows(panel)[A].rule == R.DISCUSSION

    def test_what_was_agreed_is_not_up_for_discussion(self, discussed: Panel) -> None:
        panel = discussed
        with pytest.raises(Conflict):
            moderation.settle_discussion(panel.db, panel.moderator, panel.case_id, B, 3, why=WHY)
        for code in (B, CriterionCode("X")):
            with pytest.raises((Conflict, NotFound)):
                moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [code], WHY)
        with pytest.raises(NotFound):
            moderation.settle_discussion(
                panel.db, panel.moderator, panel.case_id, CriterionCode("X"), 3, why=WHY
            )

    def test_a_moderator_may_think_again_and_another_does_not_overwrite(
        self, discussed: Panel
    ) -> None:
        panel = discussed
        for level in (3, 2):
            moderation.settle_discussion(
                panel.db, panel.moderator, panel.case_id, A, level, why=WHY
            )
        other = panel.world.person(Role.MODERATOR)
        with pytest.raises(Conflict, match="Another moderator"):
            moderation.settle_discussion(panel.db, other, panel.case_id, A, 3, why=WHY)
        assert rows(panel)[A].level == 2

    def test_what_cannot_be_settled_goes_to_a_third_assessor(self, discussed: Panel) -> None:
        panel = discussed
        with pytest.raises(InvalidInput, match="No third"):
            moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [], WHY)
        with pytest.raises(InvalidInput, match="No third"):
            moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [A], "")
        moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [A], WHY)
        assert panel.state() is CaseState.ASSESSMENT
        seats.offer_third_assessor(
            panel.db, SITE, panel.coordinator, panel.case_id, account(panel.third)
        )
        panel.score(panel.third, {A: None})
        panel.settle()
        assert (panel.state(), rows(panel)[A].levels) == (CaseState.MODERATION, [2, 3, None])
        with pytest.raises(Conflict, match="has scored"):
            moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [A], WHY)
        moderation.settle_discussion(
            panel.db, panel.moderator, panel.case_id, A, None, why="Nothing shows it clearly."
        )
        moderation.conclude_moderation(panel.db, panel.moderator, panel.case_id)
        assert panel.state() is CaseState.DECISION

    def test_discussion_comes_before_a_third_who_then_scores_all_that_is_left(
        self, panel: Panel
    ) -> None:
        panel.scored({A: 2, B: 1}, {A: 3, B: 4})
        assert panel.state() is CaseState.MODERATION
        moderation.settle_discussion(
            panel.db, panel.moderator, panel.case_id, A, 2, why="The datum is misread."
        )
        with pytest.raises(Conflict, match="not settled"):
            moderation.conclude_moderation(panel.db, panel.moderator, panel.case_id)
        moderation.ask_third_assessor(panel.db, panel.moderator, panel.case_id, [], WHY)
        seats.offer_third_assessor(
            panel.db, SITE, panel.coordinator, panel.case_id, account(panel.third)
        )
        panel.score(panel.third, {B: 3})
        panel.settle()
        found = rows(panel)
        assert (found[A].rule, found[A].level) == (R.MODERATED, 2)
        assert (found[B].rule, found[B].level) == (R.MEDIAN, 3)
        assert panel.state() is CaseState.DECISION

    def test_who_scored_does_not_moderate_also_after_a_change_of_role(
        self, discussed: Panel
    ) -> None:
        panel = discussed
        turned = Actor(
            panel.first.account_id,
            panel.first.institution_id,
            frozenset({Role.MODERATOR}),
            panel.first.name,
        )
        with pytest.raises((Forbidden, NotFound)):
            moderation.settle_discussion(panel.db, turned, panel.case_id, A, 3, why=WHY)
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(
                text("UPDATE agreement SET moderator_id = :who"), {"who": turned.account_id}
            )

    def test_who_declared_a_conflict_does_not_moderate_later(self, panel: Panel) -> None:
        panel.allocate(panel.third)
        panel.declare(panel.third, ConflictAnswer.YES)
        panel.scored({A: 2}, {A: 3})
        turned = Actor(
            panel.third.account_id,
            panel.third.institution_id,
            frozenset({Role.MODERATOR}),
            panel.third.name,
        )
        with pytest.raises((Forbidden, NotFound)):
            moderation.settle_discussion(panel.db, turned, panel.case_id, A, 3, why=WHY)

    def test_outside_moderation_nothing_is_moderated(self, panel: Panel) -> None:
        who, case_id = panel.moderator, panel.case_id
        with pytest.raises(Conflict):
            moderation.settle_discussion(panel.db, who, case_id, A, 3, why=WHY)
        with pytest.raises(Conflict):
            moderation.ask_third_assessor(panel.db, who, case_id, [A], WHY)
        with pytest.raises(Conflict):
            moderation.conclude_moderation(panel.db, who, case_id)


class TestImpossible:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE score SET level = 4",
            "DELETE FROM score",
            "UPDATE score_sheet SET state = 'open'",
            "UPDATE score_sheet SET definition_hash = 'other'",
            "UPDATE assignment SET conflict = NULL",
            "UPDATE agreement SET settled = false",
            "UPDATE agreement SET rule = 'moderated'",
            "UPDATE agreement SET rule = 'by_dice'",
            "UPDATE plar_case SET state = 'released'",
            "UPDATE assignment SET seat = 4",
            "UPDATE assignment SET seat = 1",
        ],
    )
    def test_what_must_never_be_is_refused_by_the_database_itself(
        self, panel: Panel, statement: str
    ) -> None:
        panel.scored({A: 4}, {A: 3})
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(text(statement))

    def test_two_open_sheets_of_one_assessor_on_one_case_are_refused(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.declare(panel.second)
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(
                text("UPDATE score_sheet SET assessor_id = :who"),
                {"who": panel.first.account_id},
            )

    @pytest.mark.parametrize("state", [AssignmentState.OFFERED, AssignmentState.DECLARED])
    def test_a_sheet_before_clearance_is_refused(
        self, panel: Panel, state: AssignmentState
    ) -> None:
        panel.allocate()
        with panel.db.transaction() as tx:
            place = tx.session.get_one(Assignment, panel.place(panel.first))
            place.state = state.value
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.add(
                ScoreSheet(
                    id=new_id(),
                    case_id=panel.case_id,
                    assignment_id=panel.place(panel.first),
                    assessor_id=account(panel.first),
                    round=1,
                    seat=1,
                    definition_hash="x",
                    state="open",
                    opened_at=tx.now,
                )
            )


def _with_role(who: Actor, role: Role) -> Actor:
    return Actor(who.account_id, who.institution_id, who.roles | {role}, who.name, who.email)


def _grant(panel: Panel, who: Actor, role: Role) -> None:
    with panel.db.transaction() as tx:
        tx.session.execute(
            text(
                "INSERT INTO role_grant (id, account_id, institution_id, role, granted_at)"
                " VALUES (:id, :who, :where, :role, now()) ON CONFLICT DO NOTHING"
            ),
            {
                "id": new_id(),
                "who": who.account_id,
                "where": panel.world.institution_id,
                "role": role.value,
            },
        )


def test_every_promise_of_settling_has_its_receipt(panel: Panel) -> None:
    panel.scored()
    with panel.db.reading() as tx:
        rows = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "settle_agreement")).all()
    assert [row.done_at is not None for row in rows] == [True]
