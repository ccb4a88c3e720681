"""People in evidence: what is held back until they agree, a copy in its stead, and what is kept."""

from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import ItemId, OutcomeCode, new_id
from storage.tables import Case, CoverageRecord, Event, EvidenceItem, EvidenceMapping, TimeSpan
from storage.vocabulary import EvidenceKind, EvidenceState, PeopleShown, Role
from tests.fixtures.issued import Issued
from tests.fixtures.panel import Panel
from tests.fixtures.world import SIGNED, SITE, World
from workflows.access.rules import Actor
from workflows.assessment.evidence import submitted
from workflows.assessment.queries import SheetOutcome, sheet_view
from workflows.cases import commands as cases
from workflows.cases import queries
from workflows.cases.overview import learner_overview
from workflows.cases.rules import Declaration
from workflows.decisions.queries import staff_case
from workflows.decisions.results import result_for_learner
from workflows.evidence.consent import give_consent, withdraw_consent
from workflows.evidence.coverage import CoverageStatus
from workflows.evidence.disclosure import readable_item
from workflows.evidence.queries import case_items, item_row
from workflows.evidence.replacing import replace_with_copy
from workflows.issuance.items import issued_items
from workflows.issuance.queries import public_credential

NOTE = "The parents of both children signed our form."
GAPS = Declaration(agreed=True, signed_name="Ana Souza", with_gaps=True)


@pytest.fixture
def panel(world: World) -> Panel:
    return Panel(world)


def hold(world: World, item_id: ItemId) -> None:
    """Say that people in an item have not agreed yet."""
    with world.db.transaction() as tx:
        tx.session.get_one(EvidenceItem, item_id).people = PeopleShown.WAITING.value


def item(world: World, item_id: ItemId) -> EvidenceItem:
    with world.db.reading() as tx:
        return tx.session.get_one(EvidenceItem, item_id)


def first_outcome(panel: Panel) -> SheetOutcome:
    with panel.db.reading() as tx:
        return sheet_view(tx, panel.first, panel.sheet(panel.first)).outcomes[0]


def may_read(world: World, actor: Actor, item_id: ItemId) -> bool:
    with world.db.reading() as tx:
        try:
            readable_item(tx, actor, item_id)
        except Forbidden:
            return False
    return True


class TestConsent:
    def test_it_lifts_the_hold_and_leaves_the_manifest_as_it_was(self, world: World) -> None:
        ana = world.person(Role.LEARNER)
        case_id = world.case(ana)
        (film, *_) = world.full_evidence(case_id)
        hold(world, film)
        digest = cases.submit_case(world.db, SITE, ana, case_id, GAPS)
        omar = world.person(Role.COORDINATOR)
        readers = [omar, world.person(Role.AUDITOR), world.person(Role.REGISTRAR)]
        assert may_read(world, ana, film)
        assert not any(may_read(world, reader, film) for reader in readers)
        assert give_consent(world.db, ana, film, NOTE, date(2026, 1, 2)) == case_id
        assert all(may_read(world, reader, film) for reader in readers)
        with world.db.reading() as tx:
            manifest = queries.manifest_of(tx, case_id, 1)
            event = tx.session.exec(select(Event).where(Event.kind == "give_consent")).one()
        assert manifest is not None and manifest.digest == digest
        assert manifest.body["items"][0]["people"] == "waiting"  # type: ignore[index]
        assert (event.subject_id, event.actor_id) == (film, ana.account_id)
        kept = item(world, film)
        assert (kept.people, kept.consent_note) == ("agreed", NOTE)
        assert kept.consented_on == date(2026, 1, 2)

    def test_withdrawn_it_is_held_back_again_from_that_moment(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        before = first_outcome(panel)
        film = before.evidence[0].id
        assert may_read(panel.world, panel.first, film)
        withdraw_consent(panel.db, panel.learner, film, "The client changed her mind.")
        after = first_outcome(panel)
        assert film in before.coverage.counted and film not in after.coverage.counted
        shown = next(row for row in after.evidence if row.id == film)
        assert not shown.readable and "held back" in str(shown.reason)
        assert not may_read(panel.world, panel.first, film)
        assert may_read(panel.world, panel.learner, film)
        with pytest.raises(Conflict, match="already"):
            withdraw_consent(panel.db, panel.learner, film)

    def test_it_says_who_agreed_and_is_given_once_by_the_learner_alone(self, world: World) -> None:
        ana = world.person(Role.LEARNER)
        case_id = world.case(ana)
        film = world.item(case_id, "CNC1")
        hold(world, film)
        with pytest.raises(InvalidInput, match="Say who agreed"):
            give_consent(world.db, ana, film, "  yes  ")
        with pytest.raises(InvalidInput, match="not come yet"):
            give_consent(world.db, ana, film, NOTE, date(2199, 1, 1))
        for stranger in (world.person(Role.LEARNER), world.person(Role.COORDINATOR)):
            with pytest.raises((NotFound, Forbidden)):
                give_consent(world.db, stranger, film, NOTE)
        with pytest.raises(NotFound):
            give_consent(world.db, ana, ItemId(new_id()), NOTE)
        give_consent(world.db, ana, film, NOTE)
        with pytest.raises(Conflict, match="already"):
            give_consent(world.db, ana, film, NOTE)

    def test_of_an_item_that_was_removed_there_is_none(self, world: World) -> None:
        ana = world.person(Role.LEARNER)
        gone = world.item(world.case(ana), "CNC1", state=EvidenceState.ERASED)
        with pytest.raises(Conflict, match="was removed"):
            give_consent(world.db, ana, gone, NOTE)

    def test_what_waits_counts_for_nothing_and_the_learner_reads_why(self, world: World) -> None:
        ana = world.person(Role.LEARNER)
        case_id = world.case(ana)
        (film, *_) = world.full_evidence(case_id)
        hold(world, film)
        with world.db.reading() as tx:
            view = queries.case_view(tx, case_id)
            rows = queries.case_coverage(tx, case_id, view.definition, tx.now.date())
            (card,) = learner_overview(tx, view.learner_id, tx.now.date())
        thin = next(row for row in rows if row.code == "CNC2")
        assert thin.status is not CoverageStatus.COVERED
        assert "people in it have not agreed" in " ".join(map(str, thin.missing))
        assert card.step in {"rate_yourself", "fill_gaps"}
        with pytest.raises(InvalidInput, match="submit with these gaps"):
            cases.submit_case(world.db, SITE, ana, case_id, SIGNED)

    def test_a_credential_names_nothing_that_is_held_back(self, world: World) -> None:
        panel = Panel(world)
        panel.scored()
        with world.db.reading() as tx:
            rows = case_items(tx, panel.case_id)
        film = rows[0].id
        withdraw_consent(world.db, panel.learner, film)
        panel.decide()
        with world.db.reading() as tx:
            case = tx.session.get_one(Case, panel.case_id)
            codes = frozenset(outcome.code for outcome in world.definition.outcomes)
            named = [one.item_id for one in issued_items(tx, case, 1, codes)]
        assert film not in named and len(named) == len(rows) - 1

    def test_an_open_file_of_a_credential_closes_when_consent_is_withdrawn(
        self, world: World
    ) -> None:
        issued = Issued(world)
        with world.db.transaction() as tx:
            for row in tx.session.exec(select(EvidenceItem)).all():
                row.disclosure = "open_link"
        with world.db.reading() as tx:
            shown = public_credential(tx, SITE, issued.credential_id).items
        assert all(one.openable for one in shown)
        withdraw_consent(world.db, issued.learner, shown[0].item_id)
        with world.db.reading() as tx:
            after = public_credential(tx, SITE, issued.credential_id).items
        assert [one.openable for one in after] == [False] + [True] * (len(shown) - 1)


class TestCopy:
    def held(self, world: World) -> tuple[Actor, ItemId, ItemId]:
        """A learner with an item that is held back, mapped and marked, and a copy of it."""
        ana = world.person(Role.LEARNER)
        case_id = world.case(ana)
        film = world.item(case_id, "CNC1", "CNC2", title="Circle time")
        hold(world, film)
        assert ana.account_id is not None
        with world.db.transaction() as tx:
            tx.session.add(
                TimeSpan(
                    id=new_id(),
                    item_id=film,
                    account_id=ana.account_id,
                    role=Role.LEARNER.value,
                    outcome_code="CNC1",
                    start_ms=133_000,
                    end_ms=220_000,
                    created_at=tx.now,
                )
            )
        copy = world.item(case_id, title="circle-time-blurred", kind=EvidenceKind.DOCUMENT)
        return ana, film, copy

    def test_it_takes_over_what_was_said_and_its_digest_is_the_one_that_counts(
        self, world: World
    ) -> None:
        ana, film, copy = self.held(world)
        case_id = replace_with_copy(world.db, ana, film, copy, keep_first=True)
        with world.db.reading() as tx:
            row, first = item_row(tx, copy), item_row(tx, film)
            marks = tx.session.exec(select(TimeSpan).where(TimeSpan.item_id == copy)).all()
            counted = [one.id for one in queries.counted_items(tx, case_id)]
        assert (row.title, row.kind, row.outcomes) == ("Circle time", "video", ("CNC1", "CNC2"))
        assert row.people is PeopleShown.NOBODY and row.replaces_id == film
        assert [(mark.start_ms, mark.outcome_code) for mark in marks] == [(133_000, "CNC1")]
        assert counted == [copy] and first.replaced and first.held
        digest = cases.submit_case(world.db, SITE, ana, case_id, GAPS)
        with world.db.reading() as tx:
            manifest = queries.manifest_of(tx, case_id, 1)
        assert manifest is not None and manifest.digest == digest
        (frozen,) = manifest.body["items"]  # type: ignore[misc]
        assert (frozen["sha256"], frozen["replaces"]) == (row.sha256, str(film))
        with world.db.reading() as tx, pytest.raises(NotFound):
            readable_item(tx, world.person(Role.COORDINATOR), film)

    def test_the_first_is_erased_in_words_and_in_bytes_unless_it_is_kept(
        self, world: World
    ) -> None:
        ana, film, copy = self.held(world)
        replace_with_copy(world.db, ana, film, copy)
        gone = item(world, film)
        assert (gone.state, gone.title, gone.own_part) == (EvidenceState.ERASED, "", "")
        with world.db.reading() as tx:
            left = tx.session.exec(
                select(EvidenceMapping.outcome_code)
                .where(EvidenceMapping.item_id == copy)
                .order_by(col(EvidenceMapping.outcome_code))
            ).all()
        assert left == ["CNC1", "CNC2"]

    def test_only_another_sealed_item_of_the_case_can_stand_for_it(self, world: World) -> None:
        ana, film, copy = self.held(world)
        case_id = item(world, film).case_id
        elsewhere = world.item(world.case(world.person(Role.LEARNER)), "CNC1")
        unsealed = world.item(case_id, state=EvidenceState.STORED)
        word = world.item(case_id, kind=EvidenceKind.ATTESTATION)
        same = world.item(case_id, content=film.bytes)
        for wrong in (film, elsewhere, unsealed, word, same):
            with pytest.raises(InvalidInput):
                replace_with_copy(world.db, ana, film, wrong)
        with pytest.raises(NotFound):
            replace_with_copy(world.db, ana, word, copy)
        with pytest.raises(NotFound):
            replace_with_copy(world.db, world.person(Role.LEARNER), film, copy)
        replace_with_copy(world.db, ana, film, copy, keep_first=True)
        with pytest.raises(Conflict, match="already"):
            replace_with_copy(world.db, ana, film, copy)

    def test_one_of_an_earlier_round_stays_out_of_what_others_read(self, world: World) -> None:
        ana = world.person(Role.LEARNER)
        case_id = world.submitted(ana)
        omar = world.person(Role.COORDINATOR)
        with world.db.reading() as tx:
            film = case_items(tx, case_id)[0].id
        assert may_read(world, omar, film)
        cases.begin_screening(world.db, omar, case_id)
        cases.return_case(world.db, SITE, omar, case_id, "A child can be recognised in the video.")
        copy = world.item(case_id, title="blurred")
        replace_with_copy(world.db, ana, film, copy, keep_first=True)
        assert not may_read(world, omar, film)
        cases.submit_case(world.db, SITE, ana, case_id, SIGNED)
        with world.db.reading() as tx:
            case = tx.session.get_one(Case, case_id)
            rows = submitted(tx, case, world.definition).items
        assert copy in [row.id for row in rows] and film not in [row.id for row in rows]


class TestKeptCoverage:
    def test_a_later_clock_makes_no_evidence_older(self, panel: Panel) -> None:
        panel.allocate()
        panel.declare(panel.first)
        before = first_outcome(panel).coverage
        assert before.status is CoverageStatus.COVERED
        panel.world.clock.advance(timedelta(days=365 * 9))
        assert first_outcome(panel).coverage == before

    def test_ages_are_reckoned_as_of_the_acceptance_for_assessment(self, world: World) -> None:
        ana, omar = world.person(Role.LEARNER), world.person(Role.COORDINATOR)
        case_id = world.submitted(ana)
        world.clock.advance(timedelta(days=365 * 3))
        cases.begin_screening(world.db, omar, case_id)
        cases.accept_for_assessment(world.db, omar, case_id)
        with world.db.reading() as tx:
            frozen = submitted(tx, tx.session.get_one(Case, case_id), world.definition)
            days = tx.session.exec(
                select(CoverageRecord.basis, CoverageRecord.as_of).order_by(
                    col(CoverageRecord.recorded_at)
                )
            ).all()
        assert [basis for basis, _ in days] == ["submission", "assessment"]
        assert frozen.as_of == world.clock.now().date() == days[1][1]
        old = next(row for row in frozen.coverage if row.code == "CNC2")
        assert old.status is CoverageStatus.MISSING
        assert "older than 24 months" in " ".join(map(str, old.missing))

    def test_the_decision_and_the_learner_read_the_words_that_were_kept(self, world: World) -> None:
        panel = Panel(world)
        panel.scored()
        with world.db.reading() as tx:
            outcome = staff_case(tx, panel.decider, panel.case_id).outcomes[1]
        assert outcome.kept.status is CoverageStatus.COVERED and not outcome.changed
        with world.db.reading() as tx:
            film = case_items(tx, panel.case_id)[0].id
        withdraw_consent(world.db, panel.learner, film)
        with world.db.reading() as tx:
            outcome = staff_case(tx, panel.decider, panel.case_id).outcomes[1]
        assert outcome.changed and outcome.kept.status is CoverageStatus.COVERED
        now = outcome.coverage
        panel.decide()
        panel.release()
        give_consent(world.db, panel.learner, film, NOTE)
        world.clock.advance(timedelta(days=365 * 9))
        with world.db.reading() as tx:
            result = result_for_learner(tx, panel.case_id)
        assert result is not None and result.as_of == date(2026, 3, 2)
        told = {row.code: row.evidence for row in result.rows}
        assert told[OutcomeCode("CNC2")] == now
