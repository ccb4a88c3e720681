"""Overrides with two keys, and conflicts that are declared after scoring began, on a database."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import AccountId, CaseId, new_id
from storage.tables import Account, Assignment, Attestation, Event, Mail, Score, ScoreSheet
from storage.vocabulary import (
    AssignmentState,
    CaseState,
    ConflictAnswer,
    OverrideAnswer,
    Role,
    SheetState,
    VoiceState,
)
from tests.fixtures.panel import WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE
from workflows.access.rules import Actor
from workflows.assessment import commands as seats
from workflows.assessment import scoring
from workflows.assessment.allocation import candidates
from workflows.assessment.late import declare_late, report_late_conflict
from workflows.assessment.overrides import (
    OverrideRow,
    answer_override,
    barred,
    overrides,
    propose_override,
)
from workflows.assessment.queries import PlaceStep, places_of
from workflows.cases.load import find_case

NEAR = "We worked in the same shop until last spring."
YES, NO = OverrideAnswer.CONFIRMED, OverrideAnswer.REFUSED


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


def account(who: Actor) -> AccountId:
    assert who.account_id is not None
    return who.account_id


def propose(panel: Panel, assessor: Actor, *, by: Actor | None = None) -> OverrideRow:
    proposer = by or panel.coordinator
    row_id = propose_override(panel.db, proposer, panel.case_id, account(assessor), why=WHY)
    return next(row for row in read(panel, panel.registrar) if row.id == row_id)


def answer(
    panel: Panel, row: OverrideRow, by: Actor, said: OverrideAnswer = YES, why: str = WHY
) -> None:
    answer_override(panel.db, SITE, by, panel.case_id, row.id, answer=said, why=why)


def read(panel: Panel, who: Actor) -> list[OverrideRow]:
    with panel.db.reading() as tx:
        return list(overrides(tx, who))


def names_barred(panel: Panel) -> set[str]:
    with panel.db.reading() as tx:
        return {one.name for one in barred(tx, find_case(tx, panel.case_id))}


def place(panel: Panel, who: Actor) -> Assignment:
    with panel.db.reading() as tx:
        return tx.session.get_one(Assignment, panel.place(who))


def state_of_sheet(panel: Panel, who: Actor) -> str:
    with panel.db.reading() as tx:
        return tx.session.get_one(ScoreSheet, panel.sheet(who)).state


def kinds(panel: Panel) -> list[str]:
    with panel.db.reading() as tx:
        rows = tx.session.exec(select(Event).where(Event.case_id == panel.case_id)).all()
    return [row.kind for row in rows]


def letters(panel: Panel, who: Actor) -> list[Mail]:
    with panel.db.reading() as tx:
        return list(tx.session.exec(select(Mail).where(Mail.recipient == who.email)).all())


def work_at(panel: Panel, who: Actor, employer: str) -> None:
    with panel.db.transaction() as tx:
        tx.session.get_one(Account, account(who)).employer = employer


class TestTwoKeys:
    def test_who_declared_a_conflict_scores_when_two_people_say_so(self, panel: Panel) -> None:
        """A small town: one assessor worked for the employer, nobody else can judge the work."""
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        row = propose(panel, panel.first)
        answer(panel, row, panel.registrar)
        seated = place(panel, panel.first)
        assert (seated.state, seated.conflict, seated.override_id) == ("cleared", "yes", row.id)
        panel.fill(panel.first)
        scoring.finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        panel.score(panel.second)
        panel.settle()
        assert panel.state() is CaseState.DECISION
        assert kinds(panel).count("propose_override") == kinds(panel).count("answer_override") == 1
        assert "cleared" in letters(panel, panel.first)[-1].body
        assert WHY in letters(panel, panel.coordinator)[-1].body

    def test_until_the_second_key_nothing_is_open(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        propose(panel, panel.first)
        assert place(panel, panel.first).state == "excluded"
        with panel.db.reading() as tx:
            assert tx.session.exec(select(ScoreSheet)).all() == []
        with pytest.raises(InvalidInput, match="cannot assess"):
            panel.allocate(panel.first)

    def test_refused_it_stays_as_it_was_and_may_be_proposed_again(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        row = propose(panel, panel.first)
        with pytest.raises(Conflict, match="waits"):
            propose(panel, panel.first)
        answer(panel, row, panel.moderator, NO)
        assert place(panel, panel.first).state == "excluded"
        with pytest.raises(Conflict):
            answer(panel, row, panel.registrar)
        assert "refused" in letters(panel, panel.coordinator)[-1].body
        assert propose(panel, panel.first).answer is None

    def test_the_second_person_has_no_other_part(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        other = panel.world.person(Role.COORDINATOR)
        row = propose(panel, panel.first, by=other)
        witness = panel.world.person(Role.REGISTRAR)
        with panel.db.transaction() as tx:
            tx.session.add(
                Attestation(
                    id=new_id(),
                    case_id=panel.case_id,
                    state=VoiceState.ASKED.value,
                    supervisor_name=witness.name,
                    supervisor_email=witness.email,
                    outcome_codes=[],
                    asked_at=tx.now,
                )
            )
        roles = frozenset({Role.COORDINATOR, Role.MODERATOR, Role.REGISTRAR})
        for one in (other, panel.coordinator, panel.first, panel.second, panel.learner, witness):
            keyed = Actor(
                one.account_id, one.institution_id, roles | one.roles, one.name, one.email
            )
            with pytest.raises(Forbidden):
                answer(panel, row, keyed)
        for outsider in (panel.decider, panel.third):
            with pytest.raises((Forbidden, NotFound)):
                answer(panel, row, outsider)
        answer(panel, row, panel.world.person(Role.COORDINATOR))

    def test_both_keys_are_turned_in_words(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        with pytest.raises(InvalidInput, match="proposed"):
            propose_override(
                panel.db, panel.coordinator, panel.case_id, account(panel.first), why="ok"
            )
        row = propose(panel, panel.first)
        with pytest.raises(InvalidInput, match="answered"):
            answer(panel, row, panel.registrar, why=" ")
        assert read(panel, panel.registrar)[0].answer is None

    def test_a_seat_that_is_taken_meanwhile_is_not_taken_away(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        row = propose(panel, panel.first)
        panel.allocate(panel.third)
        with pytest.raises(Conflict, match="No seat is free"):
            answer(panel, row, panel.registrar)
        assert read(panel, panel.registrar)[0].answer is None
        answer(panel, row, panel.registrar, NO)

    def test_another_cases_override_is_not_there(self, panel: Panel) -> None:
        other = Panel(panel.world)
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        row = propose(panel, panel.first)
        with pytest.raises(NotFound):
            answer_override(
                panel.db,
                SITE,
                panel.registrar,
                CaseId(other.case_id),
                row.id,
                answer=YES,
                why=WHY,
            )


class TestKnownConflicts:
    def test_the_same_employer_is_asked_once_it_is_confirmed(self, panel: Panel) -> None:
        work_at(panel, panel.first, "Halden Works")
        with pytest.raises(InvalidInput, match="cannot assess"):
            panel.allocate(panel.first)
        answer(panel, propose(panel, panel.first), panel.registrar)
        panel.allocate(panel.first)
        assert place(panel, panel.first).state == AssignmentState.OFFERED
        with panel.db.reading() as tx:
            found = {one.name: one for one in candidates(tx, find_case(tx, panel.case_id))}
        assert found[panel.first.name].overridden and not found[panel.second.name].overridden

    def test_what_is_declared_later_is_another_matter(self, panel: Panel) -> None:
        work_at(panel, panel.first, "Halden Works")
        answer(panel, propose(panel, panel.first), panel.registrar)
        panel.allocate(panel.first)
        panel.world.clock.advance(timedelta(minutes=5))
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        assert panel.first.name in names_barred(panel)
        with pytest.raises(InvalidInput, match="cannot assess"):
            panel.allocate(panel.first)

    def test_a_conflict_that_comes_up_while_it_waits_is_not_confirmed_with_it(
        self, panel: Panel
    ) -> None:
        work_at(panel, panel.first, "Halden Works")
        row = propose(panel, panel.first)
        work_at(panel, panel.first, "Elsewhere")
        panel.allocate(panel.first)
        panel.world.clock.advance(timedelta(minutes=5))
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        with pytest.raises(Conflict, match="propose it anew"):
            answer(panel, row, panel.registrar)

    def test_two_parts_in_a_case_are_never_overridden(self, panel: Panel) -> None:
        work_at(panel, panel.third, "Halden Works")
        with panel.db.transaction() as tx:
            tx.session.add(
                Attestation(
                    id=new_id(),
                    case_id=panel.case_id,
                    state=VoiceState.ASKED.value,
                    supervisor_name=panel.third.name,
                    supervisor_email=panel.third.email,
                    outcome_codes=[],
                    asked_at=tx.now,
                )
            )
        assert names_barred(panel) == set()
        for who in (panel.third, panel.second, panel.learner):
            with pytest.raises(InvalidInput, match="proposed"):
                propose(panel, who)


class TestThePage:
    def test_auditors_read_all_and_who_assesses_reads_none_of_their_case(
        self, panel: Panel
    ) -> None:
        panel.allocate()
        panel.declare(panel.first, ConflictAnswer.YES, NEAR)
        row = propose(panel, panel.first)
        auditor = panel.world.person(Role.AUDITOR)
        (shown,) = read(panel, auditor)
        assert (shown.assessor, shown.proposed_by, shown.why, shown.mine_to_answer) == (
            panel.first.name,
            panel.coordinator.name,
            WHY,
            False,
        )
        assert read(panel, panel.moderator)[0].mine_to_answer
        assert not read(panel, panel.coordinator)[0].mine_to_answer
        both = Actor(
            panel.second.account_id, panel.second.institution_id, frozenset({Role.COORDINATOR})
        )
        assert read(panel, both) == []
        answer(panel, row, panel.moderator)
        (told,) = read(panel, auditor)
        assert (told.answer, told.answered_by) == (YES, panel.moderator.name)


class TestLate:
    def test_the_scores_wait_and_count_again_when_they_are_kept(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        panel.declare(panel.second)
        panel.fill(panel.second)
        self._late(panel, panel.first, ConflictAnswer.POSSIBLE)
        scoring.finalise_sheet(panel.db, panel.second, panel.sheet(panel.second))
        assert panel.promised() == []
        with panel.db.reading() as tx:
            assert [one.step for one in places_of(tx, account(panel.first))] == [PlaceStep.DONE]
        seats.settle_conflict(
            panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=True, why=WHY
        )
        panel.settle()
        assert panel.state() is CaseState.DECISION

    def test_an_open_sheet_is_closed_to_its_assessor_meanwhile(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        panel.fill(panel.first)
        self._late(panel, panel.first, ConflictAnswer.POSSIBLE)
        with pytest.raises(Forbidden):
            scoring.finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        with panel.db.reading() as tx:
            assert [one.step for one in places_of(tx, account(panel.first))] == [PlaceStep.WAIT]
        assert "possible conflict" in letters(panel, panel.coordinator)[-1].body
        seats.settle_conflict(
            panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=True, why=WHY
        )
        scoring.finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))

    def test_set_aside_nothing_is_deleted_and_someone_new_scores(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        self._late(panel, panel.first, ConflictAnswer.YES)
        scored = self._scores(panel)
        seats.settle_conflict(
            panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=False, why=WHY
        )
        assert self._scores(panel) == scored > 0
        assert state_of_sheet(panel, panel.first) == SheetState.SUPERSEDED
        assert panel.first.name not in names_barred(panel)
        panel.allocate(panel.third)
        panel.score(panel.third)
        panel.score(panel.second)
        panel.settle()
        assert panel.state() is CaseState.DECISION

    def test_a_certain_conflict_takes_two_people_to_keep_the_scores(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        self._late(panel, panel.first, ConflictAnswer.YES)
        with pytest.raises(Conflict, match="two people"):
            seats.settle_conflict(
                panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=True, why=WHY
            )
        answer(panel, propose(panel, panel.first), panel.registrar)
        assert place(panel, panel.first).state == "cleared"
        assert state_of_sheet(panel, panel.first) == SheetState.FINAL
        panel.score(panel.second)
        panel.settle()
        assert panel.state() is CaseState.DECISION

    def test_scores_that_were_set_aside_are_not_let_in_again(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        self._late(panel, panel.first, ConflictAnswer.YES)
        row = propose(panel, panel.first)
        seats.settle_conflict(
            panel.db, SITE, panel.coordinator, panel.place(panel.first), clear=False, why=WHY
        )
        with pytest.raises(Conflict, match="set aside"):
            answer(panel, row, panel.registrar)
        assert place(panel, panel.first).state == "excluded"

    def test_the_coordinator_may_report_it_and_others_may_not(self, panel: Panel) -> None:
        panel.allocate()
        panel.score(panel.first)
        late = (panel.place(panel.first), ConflictAnswer.POSSIBLE)
        for who in (panel.second, panel.registrar):
            with pytest.raises((Forbidden, NotFound)):
                report_late_conflict(panel.db, who, *late, detail=NEAR)
        with pytest.raises(NotFound):
            declare_late(panel.db, SITE, panel.second, *late, detail=NEAR)
        report_late_conflict(panel.db, panel.coordinator, *late, detail=NEAR)
        assert NEAR in letters(panel, panel.first)[-1].body
        assert kinds(panel).count("declare_late") == 1

    def test_it_is_for_what_is_scored_and_not_yet_compared(self, panel: Panel) -> None:
        panel.allocate()
        with pytest.raises(Conflict, match="nothing to review"):
            self._late(panel, panel.first, ConflictAnswer.POSSIBLE)
        panel.score(panel.first)
        for said, detail in ((ConflictAnswer.NONE, NEAR), (ConflictAnswer.YES, "us")):
            with pytest.raises(InvalidInput):
                declare_late(
                    panel.db, SITE, panel.first, panel.place(panel.first), said, detail=detail
                )
        panel.score(panel.second)
        panel.settle()
        with pytest.raises(Conflict):
            self._late(panel, panel.first, ConflictAnswer.POSSIBLE)

    def _late(self, panel: Panel, who: Actor, said: ConflictAnswer) -> None:
        declare_late(panel.db, SITE, who, panel.place(who), said, detail=NEAR)

    def _scores(self, panel: Panel) -> int:
        with panel.db.reading() as tx:
            rows = tx.session.exec(
                select(Score).where(Score.sheet_id == panel.sheet(panel.first))
            ).all()
        return len(rows)
