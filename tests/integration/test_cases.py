"""Cases in a real database: opened, rated, submitted, screened, withdrawn, and their races."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.database import Database, Transaction
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.events import SYSTEM, Who
from storage.ids import CaseId, DefinitionId, OutcomeCode, new_id
from storage.tables import Appeal, Case, Event, Mail, Manifest, ScoreSheet
from storage.vocabulary import AppealResult, CaseState, EvidenceState, Role
from tests.fixtures.world import DEFINITIONS, SIGNED, SITE, World
from workflows.access.rules import VISITOR, Actor
from workflows.canonical import content_hash
from workflows.cases import commands as cases
from workflows.cases import queries
from workflows.cases.load import find_case, lock_case, move
from workflows.cases.overview import learner_overview, step_of_case
from workflows.cases.policy import Policy
from workflows.cases.states import TRANSITIONS, commands_for, mermaid, transition
from workflows.frameworks.commands import import_definition, import_policy, publish_definition
from workflows.frameworks.queries import (
    catalogue,
    definition_of,
    institution_id,
    offered,
    the_institution,
)

SECOND = timedelta(seconds=1)


def state_of(world: World, case_id: CaseId) -> CaseState:
    with world.db.reading() as tx:
        return queries.case_view(tx, case_id).state


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def omar(world: World) -> Actor:
    return world.person(Role.COORDINATOR, name="Omar Haddad")


class TestOpening:
    def test_a_case_starts_as_a_draft_with_a_number_and_its_history(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        with world.db.reading() as tx:
            view = queries.case_view(tx, case_id)
            lines = queries.history(tx, case_id)
            mine = queries.my_cases(tx, view.learner_id)
        assert (view.state, view.round, view.learner_name) == (CaseState.DRAFT, 1, "Ana Souza")
        assert view.number >= 1001
        assert [(line.kind, line.role, line.actor) for line in lines] == [
            ("open_case", "learner", "Ana Souza")
        ]
        assert [line.id for line in mine] == [case_id]

    def test_only_one_open_case_for_a_credential(self, world: World, ana: Actor) -> None:
        world.case(ana)
        with pytest.raises(Conflict, match="open case"):
            world.case(ana)

    def test_two_clicks_at_once_open_one_case(self, world: World, ana: Actor) -> None:
        def click() -> bool:
            try:
                world.case(ana)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            opened = list(pool.map(lambda _: click(), range(4)))
        assert sum(opened) == 1

    def test_who_is_no_learner_opens_none(self, world: World, omar: Actor) -> None:
        with pytest.raises(Forbidden):
            world.case(omar)
        with pytest.raises(Forbidden, match="sign in"):
            world.case(VISITOR)

    def test_a_definition_that_is_not_offered_cannot_be_applied_for(
        self, world: World, ana: Actor
    ) -> None:
        unpublished = import_definition(
            world.db, SYSTEM, world.institution_id, DEFINITIONS[1] | {"title": "Not yet"}
        )
        for definition_id in (unpublished, DefinitionId(new_id())):
            with pytest.raises(Conflict, match="not offered"):
                cases.open_case(world.db, ana, definition_id)

    def test_a_case_keeps_the_policy_it_was_opened_under(self, world: World, ana: Actor) -> None:
        case_id = world.case(ana)
        world.clock.advance(SECOND)
        import_policy(world.db, SYSTEM, world.institution_id, Policy(on_gap="refuse"))
        later = world.person(Role.LEARNER)
        with world.db.reading() as tx:
            assert queries.case_view(tx, case_id).policy.on_gap == "warn"
        other = world.case(later)
        with world.db.reading() as tx:
            assert queries.case_view(tx, other).policy.on_gap == "refuse"


class TestSelfAssessment:
    def test_ratings_are_kept_and_replaced(self, world: World, ana: Actor) -> None:
        case_id = world.case(ana)
        cases.rate_self(world.db, ana, case_id, {"CNC1": 3, "CNC2": 2})
        cases.rate_self(world.db, ana, case_id, {"CNC1": 4})
        with world.db.reading() as tx:
            assert queries.self_ratings(tx, case_id) == {OutcomeCode("CNC1"): 4}

    def test_levels_that_do_not_exist_are_refused_and_nothing_is_lost(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        cases.rate_self(world.db, ana, case_id, {"CNC1": 3})
        with pytest.raises(InvalidInput):
            cases.rate_self(world.db, ana, case_id, {"CNC1": 9})
        with world.db.reading() as tx:
            assert queries.self_ratings(tx, case_id) == {OutcomeCode("CNC1"): 3}

    def test_someone_elses_case_is_not_there(self, world: World, ana: Actor, omar: Actor) -> None:
        case_id = world.case(ana)
        stranger = world.person(Role.LEARNER)
        with pytest.raises(NotFound):
            cases.rate_self(world.db, stranger, case_id, {})
        with pytest.raises(Forbidden):
            cases.rate_self(world.db, omar, case_id, {})


class TestSubmitting:
    def test_a_submission_freezes_a_manifest_whose_digest_is_its_contents(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        cases.rate_self(world.db, ana, case_id, {"CNC1": 3})
        items = world.full_evidence(case_id)
        world.item(case_id, state=EvidenceState.REJECTED)
        digest = cases.submit_case(world.db, SITE, ana, case_id, SIGNED)
        with world.db.reading() as tx:
            manifest = queries.manifest_of(tx, case_id, 1)
            assert manifest is not None
            mail = tx.session.exec(select(Mail)).one()
            view = queries.case_view(tx, case_id)
        assert manifest.digest == digest == content_hash(manifest.body)
        frozen = manifest.body["items"]
        assert isinstance(frozen, list)
        assert [row["id"] for row in frozen] == [str(item) for item in items]
        assert manifest.body["self_ratings"] == {"CNC1": 3}
        assert digest in mail.body and SITE.case(case_id) in mail.body
        assert view.state is CaseState.SUBMITTED and view.due_at is not None

    def test_what_is_missing_is_said_and_the_case_stays_a_draft(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        with pytest.raises(InvalidInput) as caught:
            cases.submit_case(world.db, SITE, ana, case_id, SIGNED)
        assert "at least one piece of evidence" in str(caught.value)
        assert state_of(world, case_id) is CaseState.DRAFT

    def test_a_page_made_of_an_older_version_is_told_so(self, world: World, ana: Actor) -> None:
        case_id = world.case(ana)
        world.full_evidence(case_id)
        with pytest.raises(Conflict, match="moved on"):
            cases.submit_case(world.db, SITE, ana, case_id, SIGNED, expected_version=7)
        cases.submit_case(world.db, SITE, ana, case_id, SIGNED, expected_version=1)

    def test_twice_is_once(self, world: World, ana: Actor) -> None:
        case_id = world.case(ana)
        world.full_evidence(case_id)

        def press() -> bool:
            try:
                cases.submit_case(world.db, SITE, ana, case_id, SIGNED)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            pressed = list(pool.map(lambda _: press(), range(4)))
        with world.db.reading() as tx:
            manifests = tx.session.exec(select(Manifest)).all()
        assert (sum(pressed), len(manifests)) == (1, 1)

    def test_after_submission_nothing_in_it_changes(self, world: World, ana: Actor) -> None:
        case_id = world.submitted(ana)
        with pytest.raises(Conflict, match="does not change any more"):
            cases.rate_self(world.db, ana, case_id, {"CNC1": 1})


class TestScreening:
    def test_a_returned_case_carries_the_note_and_comes_back_as_a_new_round(
        self, world: World, ana: Actor, omar: Actor
    ) -> None:
        case_id = world.submitted(ana)
        cases.begin_screening(world.db, omar, case_id)
        note = "Please add the inspection sheet of the second part."
        cases.return_case(world.db, SITE, omar, case_id, note)
        with world.db.reading() as tx:
            view = queries.case_view(tx, case_id)
            mails = tx.session.exec(select(Mail)).all()
        assert (view.state, view.round, view.note_to_learner) == (CaseState.RETURNED, 2, note)
        assert any("inspection sheet" in mail.body for mail in mails)
        cases.submit_case(world.db, SITE, ana, case_id, SIGNED)
        with world.db.reading() as tx:
            assert queries.manifest_of(tx, case_id, 1) is not None
            assert queries.manifest_of(tx, case_id, 2) is not None

    def test_a_return_without_words_is_refused(self, world: World, ana: Actor, omar: Actor) -> None:
        case_id = world.submitted(ana)
        cases.begin_screening(world.db, omar, case_id)
        with pytest.raises(InvalidInput):
            cases.return_case(world.db, SITE, omar, case_id, "more")
        assert state_of(world, case_id) is CaseState.SCREENING

    def test_accepting_gives_the_assessment_its_clock(
        self, world: World, ana: Actor, omar: Actor
    ) -> None:
        case_id = world.in_assessment(ana, omar)
        with world.db.reading() as tx:
            view = queries.case_view(tx, case_id)
        assert view.state is CaseState.ASSESSMENT
        assert view.due_at is not None and view.due_at > world.clock.now()

    def test_nobody_screens_their_own_case(self, world: World) -> None:
        both = world.person(Role.LEARNER, Role.COORDINATOR)
        case_id = world.submitted(both)
        with pytest.raises(Forbidden, match="your own case"):
            cases.begin_screening(world.db, both, case_id)

    def test_a_coordinator_of_another_institution_sees_nothing(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.submitted(ana)
        other = Actor(
            world.person().account_id, None, frozenset({Role.COORDINATOR}), "Other", "o@x.example"
        )
        with pytest.raises(NotFound):
            cases.begin_screening(world.db, other, case_id)

    def test_a_case_that_is_not_there_is_not_found(self, world: World, omar: Actor) -> None:
        with pytest.raises(NotFound):
            cases.begin_screening(world.db, omar, CaseId(new_id()))
        with world.db.reading() as tx, pytest.raises(NotFound):
            find_case(tx, new_id())


class TestWithdrawing:
    def test_a_withdrawn_case_is_closed_and_another_may_be_opened(
        self, world: World, ana: Actor, omar: Actor
    ) -> None:
        case_id = world.in_assessment(ana, omar)
        cases.withdraw_case(world.db, ana, case_id, "Found a course instead.")
        with world.db.reading() as tx:
            case = find_case(tx, case_id)
            last = queries.history(tx, case_id)[-1]
        assert case.state == "withdrawn" and case.closed_at is not None and case.due_at is None
        assert (last.kind, last.why) == ("withdraw_case", "Found a course instead.")
        assert world.case(ana) != case_id

    def test_withdrawal_and_acceptance_at_once_leave_one_winner(
        self, world: World, ana: Actor, omar: Actor
    ) -> None:
        case_id = world.submitted(ana)
        cases.begin_screening(world.db, omar, case_id)
        with world.db.reading() as tx:
            version = queries.case_view(tx, case_id).version

        def accept() -> str:
            cases.accept_for_assessment(world.db, omar, case_id, expected_version=version)
            return "accepted"

        def withdraw() -> str:
            cases.withdraw_case(world.db, ana, case_id, expected_version=version)
            return "withdrawn"

        def outcome(act: "object") -> str:
            try:
                return str(act())  # type: ignore[operator]
            except Conflict:
                return "told"

        with ThreadPoolExecutor(2) as pool:
            both = sorted(pool.map(outcome, [accept, withdraw]))
        assert both in (["accepted", "told"], ["told", "withdrawn"])


class TestStates:
    @pytest.mark.parametrize("state", list(CaseState))
    def test_every_state_command_and_role_does_what_the_table_says_and_nothing_else(
        self, world: World, ana: Actor, state: CaseState
    ) -> None:
        case_id = world.case(ana)
        commands = sorted({step.command for step in TRANSITIONS})
        if state not in {CaseState.DRAFT, CaseState.SUBMITTED}:
            _decide_somehow(world.db, world, case_id)
        _put(world.db, case_id, state)
        for name in commands:
            for role in Role:
                step = transition(state, name)
                allowed = step is not None and step.role is role
                assert _try(world.db, case_id, name, role) == (
                    step.target if step is not None and allowed else None
                ), (state, name, role)
                _put(world.db, case_id, state)

    def test_buttons_are_made_from_the_table(self) -> None:
        assert commands_for(CaseState.SCREENING, [Role.COORDINATOR]) == (
            "return_case",
            "accept_for_assessment",
        )
        assert commands_for(CaseState.CLOSED, list(Role)) == ("appeal_case",)
        assert commands_for(CaseState.WITHDRAWN, list(Role)) == ()

    def test_the_diagram_names_every_transition(self) -> None:
        diagram = mermaid()
        assert all(f"{t.source} --> {t.target}: {t.command}" in diagram for t in TRANSITIONS)

    def test_a_decided_case_without_a_decision_cannot_be_written(
        self, world: World, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        with pytest.raises(Conflict):
            _put(world.db, case_id, CaseState.DECIDED)

    def test_history_cannot_be_rewritten(self, world: World, ana: Actor) -> None:
        world.case(ana)
        for statement in ("UPDATE event SET why = 'x'", "DELETE FROM event"):
            with pytest.raises(Conflict), world.db.transaction() as tx:
                tx.session.execute(text(statement))
        with world.db.reading() as tx:
            assert len(tx.session.exec(select(Event).where(Event.kind == "open_case")).all()) == 1


class TestDefinitions:
    def test_the_same_content_is_one_version_and_another_is_another(self, world: World) -> None:
        again = import_definition(world.db, SYSTEM, world.institution_id, DEFINITIONS[0])
        assert again == world.definition_id
        changed = world.offer(DEFINITIONS[0] | {"title": "CNC Technician, revised"})
        with world.db.reading() as tx:
            assert offered(tx, "MC-CNC-TECH").id == changed
            assert definition_of(tx, world.definition_id).title != "CNC Technician, revised"
            assert [each.definition.code for each in catalogue(tx)] == ["MC-CNC-TECH"]

    def test_what_is_not_complete_is_not_published(self, world: World) -> None:
        bare = import_definition(
            world.db, SYSTEM, world.institution_id, DEFINITIONS[0] | {"elements": {}}
        )
        with pytest.raises(InvalidInput, match="cannot be published"):
            publish_definition(world.db, SYSTEM, bare)
        with pytest.raises(NotFound):
            publish_definition(world.db, SYSTEM, DefinitionId(new_id()))

    def test_what_is_not_there_is_not_found(self, world: World) -> None:
        with world.db.reading() as tx:
            for look in (
                lambda: offered(tx, "NOPE"),
                lambda: definition_of(tx, DefinitionId(new_id())),
            ):
                with pytest.raises(NotFound):
                    look()
            assert institution_id(tx) == world.institution_id

    def test_before_set_up_there_is_no_institution(self, db: Database) -> None:
        with db.reading() as tx:
            assert the_institution(tx) is None
            with pytest.raises(NotFound, match="No institution"):
                institution_id(tx)


def test_open_sheets_end_with_the_case(world: World, ana: Actor, omar: Actor) -> None:
    case_id = world.in_assessment(ana, omar)
    assessor = world.person(Role.ASSESSOR)
    with world.db.transaction() as tx:
        tx.session.execute(
            text(
                "INSERT INTO assignment (id, case_id, round, seat, assessor_id, state, offered_at,"
                " offered_by, conflict, declared_at, conflict_detail, settled_why,"
                " decline_reason, criteria)"
                " VALUES (:id, :case, 1, 1, :who, 'cleared', now(), :by, 'none', now(), '', '',"
                " '', '[]')"
            ),
            {
                "id": case_id,
                "case": case_id,
                "who": assessor.account_id,
                "by": omar.account_id,
            },
        )
        tx.session.add(
            ScoreSheet(
                id=new_id(),
                case_id=case_id,
                assignment_id=case_id,
                assessor_id=assessor.account_id,
                round=1,
                seat=1,
                definition_hash="x",
                state="open",
                opened_at=tx.now,
            )
        )
    cases.withdraw_case(world.db, ana, case_id)
    with world.db.reading() as tx:
        assert tx.session.exec(select(ScoreSheet.state)).one() == "superseded"


def _put(db: Database, case_id: CaseId, state: CaseState) -> None:
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        _appeal(tx, case_id, waits=state is CaseState.APPEAL)
        case.state = state.value
        case.submitted_at = tx.now


def _appeal(tx: Transaction, case_id: CaseId, *, waits: bool) -> None:
    """Let the appeal of the case, if it has one, wait for its answer, or be answered."""
    for appeal in tx.session.exec(select(Appeal).where(Appeal.case_id == case_id)).all():
        appeal.result = None if waits else AppealResult.TAKEN_BACK.value
        appeal.answered_at = None if waits else tx.now
    tx.session.flush()


def _try(db: Database, case_id: CaseId, name: str, role: Role) -> CaseState | None:
    try:
        with db.transaction() as tx:
            case = lock_case(tx, case_id)
            step = transition(CaseState(case.state), name)
            _appeal(tx, case_id, waits=step is not None and step.target is CaseState.APPEAL)
            move(tx, case, name, Who(role))
            return CaseState(case.state)
    except Conflict:
        return None


def _decide_somehow(db: Database, world: World, case_id: CaseId) -> None:
    decider, registrar = world.person(Role.DECIDER), world.person(Role.REGISTRAR)
    with db.transaction() as tx:
        tx.session.execute(
            text(
                "INSERT INTO decision (id, case_id, round, decider_id, decided_at, summary,"
                " gap_plan, released_by, released_at)"
                " VALUES (:id, :id, 1, :who, now(), '', '[]', :key, now())"
            ),
            {"id": case_id, "who": decider.account_id, "key": registrar.account_id},
        )
        case = tx.session.get(Case, case_id)
        assert case is not None
        case.decision_id = case_id
        tx.session.add(
            Appeal(id=case_id, case_id=case_id, decision_id=case_id, reason="", asked_at=tx.now)
        )


class TestOverview:
    def test_a_learner_sees_what_is_next_on_each_case(self, world: World, ana: Actor) -> None:
        first = world.case(ana)
        second = cases.open_case(world.db, ana, world.offer(DEFINITIONS[1]))
        cases.rate_self(world.db, ana, first, {"CNC1": 3})
        world.item(first, "CNC1")
        assert ana.account_id is not None
        with world.db.reading() as tx:
            cards = learner_overview(tx, ana.account_id, world.clock.now().date())
            step = step_of_case(tx, first, world.clock.now().date())
            nothing = step_of_case(tx, CaseId(new_id()), world.clock.now().date())
        assert {card.line.id: card.step.value for card in cards} == {
            first: "fill_gaps",
            second: "rate_yourself",
        }
        assert step is not None and step.value == "fill_gaps"
        assert nothing is None
