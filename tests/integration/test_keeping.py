"""For years: what comes due, what an erasure takes and leaves, undoing it, holds, its receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from app.jobs.sweeper import plan_what_is_due
from storage.database import Database
from storage.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound, Unavailable
from storage.ids import CaseId, ItemId, OutboxId, new_id, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import (
    Attestation,
    Case,
    ErasurePlan,
    EvidenceItem,
    Mail,
    OutboxRow,
    ScoreSheet,
    SealedObject,
)
from storage.vault import Vault, sealed_key
from storage.vocabulary import (
    CaseState,
    CoverageBasis,
    EvidenceKind,
    EvidenceState,
    HoldKind,
    Role,
    SheetState,
)
from tests.fixtures.intake import Intake, noise
from tests.fixtures.keeping import (
    WEEK,
    erase,
    everything_kept,
    items_of,
    panel_parts,
    promised,
    run_erasure,
    run_files,
    with_bytes,
    withdrawn,
)
from tests.fixtures.panel import REASON, WHY, Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.assessment.moderation import settle_agreement
from workflows.canonical import content_hash
from workflows.cases.commands import rate_self, withdraw_case
from workflows.cases.queries import manifest_of
from workflows.evidence.coverage_kept import kept_coverage
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.erasing import erase_evidence
from workflows.invariants import broken
from workflows.issuance.addresses import Site
from workflows.keeping.commands import (
    ask_erasure,
    erase_case,
    hold_case,
    lift_hold,
    plan_if_due,
    undo_erasure,
)
from workflows.keeping.plan import Stays
from workflows.keeping.queries import coming_due, erasure_of, nearly_over, receipt_for
from workflows.keeping.rules import Asked, KeptAs
from workflows.work import Work


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(Panel)


class TestACookWhoWithdraws:
    """PLAR.md, case 7."""

    def test_the_plan_names_what_goes_and_what_stays_and_until_when_it_can_be_undone(
        self, panel: Panel
    ) -> None:
        withdrawn(panel)
        with panel.db.reading() as tx:
            before = erasure_of(tx, panel.case_id)
        assert before.may_ask
        assert before.due_at is None
        assert {one.title for one in before.plan.files} == {
            "Video of the job",
            "Marked drawing",
            "Demonstration",
        }
        assert before.plan.size == sum(item.size or 0 for item in items_of(panel))
        assert before.plan.stays == (Stays.DIGESTS, Stays.HISTORY, Stays.ACCOUNT)
        due = ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        assert due == panel.world.clock.now() + WEEK
        with panel.db.reading() as tx:
            after = erasure_of(tx, panel.case_id)
        assert (after.undoable, after.may_ask, after.asked) == (True, False, Asked.LEARNER)

    def test_with_one_of_two_sheets_done_all_of_it_ends_in_a_receipt(
        self, panel: Panel, vault: Vault, clean: Callable[..., None]
    ) -> None:
        items = with_bytes(panel, vault)
        panel.allocate()
        panel.score(panel.first)
        panel.declare(panel.second)
        panel.fill(panel.second)
        withdrawn(panel)
        assert promised(panel, Work.SETTLE_AGREEMENT) == []
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        for other in (panel.first, panel.second, panel.coordinator):
            with pytest.raises((NotFound, Forbidden)):
                link_to_evidence(panel.db, vault, other, ItemId(items[0].id), "download")
        assert link_to_evidence(panel.db, vault, panel.learner, ItemId(items[0].id), "download")
        panel.world.clock.advance(WEEK)
        with pytest.raises(Unavailable, match="receipt follows"):
            run_erasure(panel)
        run_files(panel, vault)
        run_erasure(panel)
        assert [vault.find(sealed_key(sha256_of(item.id.bytes))) for item in items] == [None] * 3
        with pytest.raises(Gone):
            link_to_evidence(panel.db, vault, panel.learner, ItemId(items[0].id), "download")
        with panel.db.reading() as tx:
            sheets = tx.session.exec(select(ScoreSheet).order_by(col(ScoreSheet.seat))).all()
            receipt = receipt_for(tx, panel.case_id)
        assert [sheet.state for sheet in sheets] == [SheetState.FINAL, SheetState.SUPERSEDED]
        gone = receipt["gone"]
        assert isinstance(gone, dict)
        assert {(one["sha256"], one["bytes"]) for one in gone["files"]} == {
            (item.sha256, "removed") for item in items
        }
        unsigned = {name: value for name, value in receipt.items() if name != "sha256"}
        assert content_hash(unsigned) == receipt["sha256"]
        clean(panel_parts(panel, vault))

    def test_nothing_that_they_wrote_or_were_called_is_left(
        self, panel: Panel, vault: Vault
    ) -> None:
        with_bytes(panel, vault)
        statement(panel)
        panel.allocate()
        panel.score(panel.first)
        withdrawn(panel)
        with panel.db.transaction() as tx:
            tx.session.execute(text("UPDATE mail SET sent_at = created_at"))
        asked_at = panel.world.clock.now()
        panel.world.clock.advance(timedelta(minutes=1))
        words = (
            "Video of the job",
            "Marked drawing",
            "evidence.mp4",
            "I did all of it.",
            "I moved to another town.",
            "Olive Trent",
            "olive@works.example",
            "She leads the night shift.",
            REASON,
        )
        before = everything_kept(panel)
        assert [word for word in words if word not in before] == []
        erase(panel, vault)
        after = everything_kept(panel)
        assert [word for word in words if word in after] == []
        assert "Ana Souza" not in everything_kept(panel, but=frozenset({"account", "mail"}))
        with panel.db.reading() as tx:
            letters = tx.session.exec(select(Mail).where(col(Mail.created_at) <= asked_at)).all()
        assert [one for one in letters if "Ana Souza" in one.subject + one.body] == []

    def test_the_manifest_keeps_digests_and_its_own(self, panel: Panel, vault: Vault) -> None:
        with_bytes(panel, vault)
        with panel.db.reading() as tx:
            whole = manifest_of(tx, panel.case_id, 1)
        assert whole is not None
        withdrawn(panel)
        erase(panel, vault)
        with panel.db.reading() as tx:
            left = manifest_of(tx, panel.case_id, 1)
            assert list(broken(tx)) == []
        assert left is not None
        assert left.digest == whole.digest == content_hash(whole.body)
        assert "erased_at" in left.body
        assert [one["sha256"] for one in left.body["items"]] == [  # type: ignore[attr-defined]
            one["sha256"]
            for one in whole.body["items"]  # type: ignore[attr-defined]
        ]


def statement(panel: Panel) -> None:
    """A supervisor who declined and was written of, and a letter to them."""
    with panel.db.transaction() as tx:
        tx.session.add(
            Attestation(
                id=new_id(),
                case_id=panel.case_id,
                state="declined",
                supervisor_name="Olive Trent",
                supervisor_email="olive@works.example",
                message="Please tell them what you saw.",
                decline_note="She leads the night shift.",
                outcome_codes=[],
                asked_at=tx.now,
            )
        )
        for number, recipient in enumerate(("olive@works.example", panel.learner.email)):
            tx.session.add(
                Mail(
                    id=new_id(),
                    message_id=str(number),
                    recipient=recipient,
                    subject="Ana Souza asks what you saw" if not number else "Olive Trent cannot",
                    body="Ana Souza asks you.\n",
                    created_at=tx.now,
                    sent_at=tx.now,
                )
            )


class TestAsking:
    def test_a_case_that_people_work_with_is_not_erased(self, panel: Panel) -> None:
        with pytest.raises(Conflict, match="under way"):
            ask_erasure(panel.db, SITE, panel.learner, panel.case_id)

    def test_only_its_learner_asks(self, panel: Panel, world: World) -> None:
        withdrawn(panel)
        for other in (panel.registrar, panel.coordinator, world.person(Role.LEARNER)):
            with pytest.raises((NotFound, Forbidden)):
                ask_erasure(panel.db, SITE, other, panel.case_id)

    def test_asking_twice_is_told(self, panel: Panel) -> None:
        withdrawn(panel)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with pytest.raises(Conflict, match="asked for already"):
            ask_erasure(panel.db, SITE, panel.learner, panel.case_id)

    def test_undone_in_time_everything_is_as_it_was_and_the_job_ends_without_error(
        self, panel: Panel, vault: Vault
    ) -> None:
        items = with_bytes(withdrawn(panel), vault)
        before = everything_kept(panel, but=frozenset({"event", "mail", "outbox", "erasure_plan"}))
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        panel.world.clock.advance(WEEK - timedelta(minutes=1))
        undo_erasure(panel.db, SITE, panel.learner, panel.case_id)
        panel.world.clock.advance(timedelta(hours=1))
        run_erasure(panel)
        assert promised(panel, Work.ERASE_CASE) == []
        after = everything_kept(
            panel, but=frozenset({"event", "mail", "outbox", "erasure_plan", "job_receipt"})
        )
        assert after == before
        assert all(vault.find(sealed_key(sha256_of(item.id.bytes))) for item in items)
        with pytest.raises(Conflict, match="No erasure is planned"):
            undo_erasure(panel.db, SITE, panel.learner, panel.case_id)
        assert ask_erasure(panel.db, SITE, panel.learner, panel.case_id)

    def test_before_its_time_nothing_is_done(self, panel: Panel) -> None:
        withdrawn(panel)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with pytest.raises(Unavailable):
            run_erasure(panel)
        assert {item.state for item in items_of(panel)} == {EvidenceState.SEALED}

    def test_once_begun_it_is_not_undone(self, panel: Panel, vault: Vault) -> None:
        with_bytes(withdrawn(panel), vault)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        panel.world.clock.advance(WEEK)
        with pytest.raises(Unavailable):
            run_erasure(panel)
        with pytest.raises(Conflict, match="has begun"):
            undo_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with pytest.raises(Conflict, match="has begun"):
            hold_case(panel.db, panel.registrar, panel.case_id, HoldKind.LEGAL, WHY)

    def test_a_second_run_of_the_same_job_changes_nothing(self, panel: Panel, vault: Vault) -> None:
        with_bytes(withdrawn(panel), vault)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        (row,) = promised(panel, Work.ERASE_CASE)
        panel.world.clock.advance(WEEK)
        with pytest.raises(Unavailable):
            run_erasure(panel)
        run_files(panel, vault)
        run_erasure(panel)
        with panel.db.reading() as tx:
            receipt = receipt_for(tx, panel.case_id)
        with pytest.raises(AlreadyDone):
            erase_case(panel.db, SITE, row.subject_id, OutboxId(row.id))
        with panel.db.reading() as tx:
            assert receipt_for(tx, panel.case_id) == receipt

    def test_when_all_is_gone_there_is_nothing_more_to_ask(
        self, panel: Panel, vault: Vault
    ) -> None:
        with_bytes(withdrawn(panel), vault)
        erase(panel, vault)
        with pytest.raises(Conflict, match="nothing left"):
            ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with panel.db.reading() as tx:
            now = erasure_of(tx, panel.case_id)
        assert (now.may_ask, now.due_at, len(now.gone)) == (False, None, 3)

    def test_bytes_that_another_case_needs_stay_and_the_receipt_says_so(
        self, intake: Intake, world: World
    ) -> None:
        body = noise(1000)
        mine = intake.sealed(body)
        other = Intake(world, intake.vault, world.person(Role.LEARNER), CaseId(mine.case_id))
        other.case_id = world.case(other.learner)
        theirs = other.sealed(body)
        withdraw_case(world.db, intake.learner, intake.case_id)
        ask_erasure(world.db, SITE, intake.learner, intake.case_id)
        world.clock.advance(WEEK)
        with world.db.reading() as tx:
            plan = tx.session.exec(select(ErasurePlan)).one()
            row = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "erase_case")).one()
        with pytest.raises(Unavailable):
            erase_case(world.db, SITE, plan.id, OutboxId(row.id))
        intake.erase(ItemId(mine.id))
        erase_case(world.db, SITE, plan.id, OutboxId(row.id))
        with world.db.reading() as tx:
            done = erasure_of(tx, intake.case_id)
        assert [one.bytes for one in done.gone] == ["shared"]
        assert intake.vault.find(sealed_key(sha256_of(body))) is not None
        assert intake.item(ItemId(theirs.id)).state == EvidenceState.SEALED

    def test_bytes_that_the_store_keeps_locked_are_in_the_receipt_with_the_day(
        self, panel: Panel, vault: Vault
    ) -> None:
        first, *others = with_bytes(withdrawn(panel), vault)
        until = panel.world.clock.now() + timedelta(days=90)
        with panel.db.transaction() as tx:
            tx.session.get_one(SealedObject, first.sha256).locked_until = until
        with panel.db.reading() as tx:
            assert Stays.LOCKED in erasure_of(tx, panel.case_id).plan.stays
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        panel.world.clock.advance(WEEK)
        with pytest.raises(Unavailable):
            run_erasure(panel)
        for row in promised(panel, Work.ERASE_EVIDENCE):
            if row.subject_id != first.id:
                erase_evidence(panel.db, vault, ItemId(row.subject_id), OutboxId(row.id))
        run_erasure(panel)
        with panel.db.reading() as tx:
            gone = {one.item: one for one in erasure_of(tx, panel.case_id).gone}
        assert (gone[ItemId(first.id)].bytes, gone[ItemId(first.id)].locked_until) == (
            "locked",
            until,
        )
        assert {gone[ItemId(one.id)].bytes for one in others} == {"removed"}

    def test_a_decided_case_keeps_its_decision_and_its_reasons(
        self, world: World, vault: Vault
    ) -> None:
        panel = with_an_old_ticket(world)
        with_bytes(panel, vault)
        panel.scored()
        panel.decide()
        with panel.db.transaction() as tx:
            release = "UPDATE decision SET released_by = :who, released_at = now()"
            tx.session.execute(text(release), {"who": panel.registrar.account_id})
            over = "UPDATE plar_case SET state = 'closed', closed_at = now()"
            tx.session.execute(text(over))
        with panel.db.reading() as tx:
            assert Stays.DECISION in erasure_of(tx, panel.case_id).plan.stays
        erase(panel, vault)
        left = everything_kept(panel)
        assert REASON in left
        assert "What was shown meets the standard." in left
        words = ("I did all of it.", "Crane ticket", "2023-05-18", "2024-05-17")
        assert [word for word in words if word in left] == []
        with panel.db.reading() as tx:
            kept = kept_coverage(tx, panel.case_id, 1, CoverageBasis.DECISION)
        assert kept is not None
        assert len(kept.outcomes[0].counted) == 2
        refused = {one.why.message: one for one in kept.outcomes[0].refused}
        expired = refused["“%(title)s” does not count: it expired on %(date)s."]
        assert expired.item_id in {item.id for item in items_of(panel)}
        assert expired.why.params == {"title": "—", "date": "—"}


def with_an_old_ticket(world: World) -> Panel:
    """A case with a paper in it that had expired when it was handed in."""
    usual = world.full_evidence

    def and_a_ticket(case_id: CaseId) -> list[ItemId]:
        codes = [str(outcome.code) for outcome in world.definition.outcomes]
        ticket = world.item(case_id, *codes, title="Crane ticket", kind=EvidenceKind.DOCUMENT)
        with world.db.transaction() as tx:
            item = tx.session.get_one(EvidenceItem, ticket)
            item.issued_on = item.consented_on = date(2023, 5, 18)
            item.expires_on = date(2024, 5, 17)
        return [*usual(case_id), ticket]

    world.full_evidence = and_a_ticket  # type: ignore[method-assign]
    return Panel(world)


class TestHolds:
    def test_a_hold_stops_an_erasure_and_its_end_lets_it_go_on(
        self, panel: Panel, vault: Vault
    ) -> None:
        with_bytes(withdrawn(panel), vault)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        hold_case(panel.db, panel.registrar, panel.case_id, HoldKind.INTEGRITY, WHY)
        panel.world.clock.advance(WEEK)
        run_erasure(panel)
        assert promised(panel, Work.ERASE_CASE) == []
        assert {item.state for item in items_of(panel)} == {EvidenceState.SEALED}
        with panel.db.reading() as tx:
            held = erasure_of(tx, panel.case_id).hold
        assert held is not None
        assert (held.kind, held.why) == (HoldKind.INTEGRITY, WHY)
        lift_hold(panel.db, panel.registrar, panel.case_id, WHY)
        with pytest.raises(Unavailable):
            run_erasure(panel)
        run_files(panel, vault)
        run_erasure(panel)
        assert {item.state for item in items_of(panel)} == {EvidenceState.ERASED}

    def test_a_hold_needs_a_reason_a_registrar_and_is_there_once(self, panel: Panel) -> None:
        hold = (panel.case_id, HoldKind.LEGAL)
        with pytest.raises(InvalidInput):
            hold_case(panel.db, panel.registrar, *hold, "short")
        with pytest.raises(Forbidden):
            hold_case(panel.db, panel.coordinator, *hold, WHY)
        with pytest.raises(Conflict, match="not held"):
            lift_hold(panel.db, panel.registrar, panel.case_id, WHY)
        hold_case(panel.db, panel.registrar, *hold, WHY)
        with pytest.raises(Conflict, match="held already"):
            hold_case(panel.db, panel.registrar, *hold, WHY)


class TestRetention:
    def test_what_has_come_due_is_planned_with_notice_and_never_silently(
        self, panel: Panel, vault: Vault
    ) -> None:
        with_bytes(withdrawn(panel), vault)
        clock = panel.world.clock
        assert list(nearly_over(panel.db)) == []
        assert not plan_if_due(panel.db, SITE, panel.case_id)
        clock.advance(timedelta(days=150))
        assert list(nearly_over(panel.db)) == [panel.case_id]
        assert plan_if_due(panel.db, SITE, panel.case_id)
        assert not plan_if_due(panel.db, SITE, panel.case_id)
        assert list(nearly_over(panel.db)) == []
        with panel.db.reading() as tx:
            letter = tx.session.exec(select(Mail).order_by(col(Mail.created_at).desc())).first()
            planned = erasure_of(tx, panel.case_id)
        assert letter is not None
        assert letter.recipient == panel.learner.email
        assert "Take a copy" in " ".join(letter.body.split())
        assert (planned.asked, planned.undoable) == (Asked.RETENTION, False)
        clock.advance(timedelta(days=30))
        with pytest.raises(Unavailable):
            run_erasure(panel)
        run_files(panel, vault)
        run_erasure(panel)
        with panel.db.reading() as tx:
            assert receipt_for(tx, panel.case_id)["asked_by"] == "retention"

    def test_a_held_case_is_not_planned(self, panel: Panel) -> None:
        withdrawn(panel)
        hold_case(panel.db, panel.registrar, panel.case_id, HoldKind.APPEAL, WHY)
        panel.world.clock.advance(timedelta(days=1000))
        assert not plan_if_due(panel.db, SITE, panel.case_id)

    def test_a_draft_that_is_taken_up_again_after_the_notice_is_kept(
        self, world: World, clock: object
    ) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        world.full_evidence(case_id)
        world.clock.advance(timedelta(days=340))
        assert plan_if_due(world.db, SITE, case_id)
        rate(world, learner, case_id)
        world.clock.advance(timedelta(days=30))
        with world.db.reading() as tx:
            row = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "erase_case")).one()
        erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))
        with world.db.reading() as tx:
            assert tx.session.get_one(Case, case_id).state == CaseState.DRAFT
            assert erasure_of(tx, case_id).due_at is None

    def test_a_draft_that_nobody_took_up_expires_with_its_files(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        world.full_evidence(case_id)
        world.clock.advance(timedelta(days=340))
        assert plan_if_due(world.db, SITE, case_id)
        world.clock.advance(timedelta(days=30))
        with world.db.reading() as tx:
            row = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "erase_case")).one()
        with pytest.raises(Unavailable):
            erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))
        with world.db.reading() as tx:
            assert tx.session.get_one(Case, case_id).state == CaseState.EXPIRED
            assert list(broken(tx)) == []

    def test_an_empty_draft_is_told_of_its_end_and_expires_unless_it_is_taken_up(
        self, world: World
    ) -> None:
        left, taken_up = (world.person(Role.LEARNER) for _ in range(2))
        ends, goes_on = world.case(left), world.case(taken_up)
        world.clock.advance(timedelta(days=149))
        assert plan_what_is_due(Parts(world.db)) == 0
        world.clock.advance(timedelta(days=1))
        assert plan_what_is_due(Parts(world.db)) == 2
        assert plan_what_is_due(Parts(world.db)) == 0
        rate(world, taken_up, goes_on)
        letters = mails_to(world, left)
        assert letters[0].subject.startswith("Your case") and "ends" in letters[0].body
        world.clock.advance(timedelta(days=30))
        with world.db.reading() as tx:
            rows = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "erase_case")).all()
        for row in rows:
            erase_case(world.db, SITE, row.subject_id, OutboxId(row.id))
        with world.db.reading() as tx:
            assert tx.session.get_one(Case, ends).state == CaseState.EXPIRED
            assert tx.session.get_one(Case, goes_on).state == CaseState.DRAFT
            assert list(broken(tx)) == []
        assert [one.subject for one in mails_to(world, left)][1:] == [
            f"Your case {number_of(world, ends)} has ended"
        ]
        assert world.case(left) != ends
        world.clock.advance(timedelta(days=119))
        assert plan_what_is_due(Parts(world.db)) == 0
        world.clock.advance(timedelta(days=1))
        assert plan_what_is_due(Parts(world.db)) == 1

    def test_staff_see_what_comes_due_with_what_is_planned_and_held(self, panel: Panel) -> None:
        withdrawn(panel)
        institution = panel.world.institution_id
        with panel.db.reading() as tx:
            assert coming_due(tx, institution) == ([], False)
        panel.world.clock.advance(timedelta(days=100))
        with panel.db.reading() as tx:
            (line,), more = coming_due(tx, institution)
        assert (line.id, line.kept_as, line.planned_for) == (panel.case_id, KeptAs.WITHDRAWN, None)
        assert not more
        hold_case(panel.db, panel.registrar, panel.case_id, HoldKind.LEGAL, WHY)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with panel.db.reading() as tx:
            (line,), _ = coming_due(tx, institution)
        assert (line.held, line.asked) == (HoldKind.LEGAL, Asked.LEARNER)


@dataclass(frozen=True)
class Parts:
    """What the sweeper needs to look for what comes due."""

    db: Database
    site: Site = SITE


def mails_to(world: World, learner: Actor) -> list[Mail]:
    """The letters to a person, the first one first."""
    with world.db.reading() as tx:
        return list(
            tx.session.exec(
                select(Mail)
                .where(Mail.recipient == learner.email)
                .order_by(col(Mail.created_at), col(Mail.id))
            ).all()
        )


def number_of(world: World, case_id: CaseId) -> int:
    with world.db.reading() as tx:
        return tx.session.get_one(Case, case_id).number


def rate(world: World, learner: Actor, case_id: CaseId) -> None:
    """Do something on the case, as its learner."""
    rate_self(world.db, learner, case_id, {})


class TestTheDatabase:
    """Nothing leaves what is frozen or append-only but while its very case is erased."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE event SET why = '', actor_label = ''",
            "UPDATE manifest SET signed_name = '', body = body || '{\"erased_at\": \"x\"}'",
            "UPDATE score SET reason = ''",
        ],
    )
    def test_without_a_plan_that_is_carried_out_nothing_leaves(
        self, panel: Panel, statement: str
    ) -> None:
        panel.allocate()
        panel.score(panel.first)
        withdrawn(panel)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(text(statement))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE event SET kind = 'other', why = ''",
            "UPDATE event SET data = data || '{\"x\": 1}'",
            "UPDATE event SET why = 'other'",
            "DELETE FROM event",
            "UPDATE manifest SET digest = ''",
            "UPDATE manifest SET signed_name = '', body = '{\"erased_at\": 1, \"items\": []}'",
            "UPDATE score SET reason = '', level = 4",
        ],
    )
    def test_while_it_is_carried_out_only_words_leave(self, panel: Panel, statement: str) -> None:
        panel.allocate()
        panel.score(panel.first)
        withdrawn(panel)
        ask_erasure(panel.db, SITE, panel.learner, panel.case_id)
        with panel.db.transaction() as tx:
            tx.session.execute(text("UPDATE erasure_plan SET begun_at = now()"))
        with pytest.raises(Conflict), panel.db.transaction() as tx:
            tx.session.execute(text(statement))


def test_a_settling_that_was_promised_before_ends_without_error(panel: Panel) -> None:
    panel.allocate()
    panel.score(panel.first)
    panel.score(panel.second)
    withdrawn(panel)
    for outbox_id in panel.promised():
        settle_agreement(panel.db, panel.case_id, outbox_id)
    assert panel.promised() == []
