"""Very many at once: released and issued, or signed anew, once each, whatever stops in between."""

import multiprocessing
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlmodel import col, func, select

from credentials.documents import load_json
from credentials.verify import Outcome, verify
from storage.database import Database, Transaction
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.events import SYSTEM
from storage.ids import CaseId, CredentialId, OutboxId, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import (
    Batch,
    BatchMember,
    BatchSlice,
    Case,
    Credential,
    EarlierDocument,
    Event,
    Mail,
    OutboxRow,
    OutcomeDecision,
    StatusEntry,
)
from storage.vocabulary import BatchKind, CaseState, OutcomeResult, Role
from tests.fixtures.decided import decided_twins
from tests.fixtures.issued import ISSUER, nothing, run_promised, sign_lists
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.decisions.commands import release_case
from workflows.issuance import batches
from workflows.issuance.batches import (
    begin_releases,
    begin_resigning,
    go_on_with_batch,
    stop_batch,
)
from workflows.issuance.keys import did_document, rotate_key
from workflows.issuance.progress import Progress, batches_of, progress_of
from workflows.issuance.published import local_fetcher
from workflows.issuance.releasing import release_slice
from workflows.issuance.resigning import resign_slice
from workflows.work import Work

TWINS = 6
AT_ONCE = 3


@dataclass
class Decided:
    """Seven decided cases of one definition, in slices of three."""

    world: World
    panel: Panel
    case_ids: list[CaseId]

    @property
    def db(self) -> Database:
        return self.world.db

    @property
    def registrar(self) -> Actor:
        return self.panel.registrar

    def begin(self) -> UUID:
        return begin_releases(self.db, ISSUER, self.registrar, self.case_ids)

    def progress(self, batch_id: UUID) -> Progress:
        with self.db.reading() as tx:
            return progress_of(tx, self.registrar, batch_id)


def decided_cases(world: World) -> Decided:
    panel = Panel(world)
    panel.scored()
    panel.decide()
    twins = decided_twins(world.db, panel.case_id, TWINS)
    return Decided(world, panel, [panel.case_id, *twins])


@pytest.fixture
def decided(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> Decided:
    monkeypatch.setattr(batches, "RELEASED_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(batches, "SIGNED_AT_ONCE", AT_ONCE)
    return recall(decided_cases)


def run(decided: Decided, work: Work, job: Callable[..., None]) -> int:
    return run_promised(
        decided.world, work, lambda subject, promise: job(decided.db, ISSUER, subject, promise)
    )


def run_releases(decided: Decided) -> int:
    return run(decided, Work.RELEASE_SLICE, release_slice)


def run_resigning(decided: Decided) -> int:
    return run(decided, Work.RESIGN_SLICE, resign_slice)


def rows(db: Database) -> list[Credential]:
    with db.reading() as tx:
        return list(tx.session.exec(select(Credential).order_by(col(Credential.id))).all())


def outcome(decided: Decided, row: Credential) -> Outcome:
    fetch = local_fetcher(decided.db, SITE, nothing)
    return verify((row.document or "").encode(), fetch=fetch, now=decided.world.clock.now()).outcome


def once_each(decided: Decided) -> None:
    """Every case has one published credential that verifies, one place, one mail, and is closed."""
    found = rows(decided.db)
    assert sorted(row.case_id for row in found) == sorted(decided.case_ids)
    assert {outcome(decided, row) for row in found} == {Outcome.VALID}
    assert all(row.document_sha256 == sha256_of((row.document or "").encode()) for row in found)
    with decided.db.reading() as tx:
        states = set(tx.session.exec(select(Case.state)).all())
        places = tx.session.exec(select(StatusEntry.position)).all()
        mails = tx.session.exec(select(Mail).where(col(Mail.subject).contains("is here"))).all()
        sends = tx.session.exec(
            select(func.count())
            .select_from(OutboxRow)
            .where(col(OutboxRow.subject_id).in_([mail.id for mail in mails]))
        ).one()
    assert states == {CaseState.CLOSED.value}
    assert len(places) == 2 * len(set(places)) == 2 * len(found)
    assert len({mail.recipient for mail in mails}) == len(mails) == sends == len(found)


class TestReleasing:
    def test_many_decisions_are_released_and_issued_as_one_act(self, decided: Decided) -> None:
        batch_id = decided.begin()
        before = decided.progress(batch_id)
        assert (before.total, before.done, before.percent, before.under_way) == (7, 0, 0, True)
        assert run_releases(decided) == 3
        after = decided.progress(batch_id)
        assert (after.done, after.passed_over, after.percent) == (7, 0, 100)
        assert after.done_at is not None and not after.under_way
        once_each(decided)

    def test_the_registrar_turned_the_second_key_of_each(self, decided: Decided) -> None:
        decided.begin()
        run_releases(decided)
        with decided.db.reading() as tx:
            events = tx.session.exec(select(Event).where(Event.kind == "release_case")).all()
        assert {event.case_id for event in events} == set(decided.case_ids)
        assert {event.actor_id for event in events} == {decided.registrar.account_id}

    def test_a_slice_run_twice_issues_nothing_twice(self, decided: Decided) -> None:
        decided.begin()
        with decided.db.reading() as tx:
            slices = tx.session.exec(select(BatchSlice.id)).all()
            promises = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.RELEASE_SLICE.value)
            ).all()
        run_releases(decided)
        for promise in promises:
            with pytest.raises(AlreadyDone):
                release_slice(decided.db, ISSUER, promise.subject_id, OutboxId(promise.id))
        assert len(slices) == 3
        once_each(decided)

    @pytest.mark.parametrize(
        "point", ["batch.placed", "batch.signed", "job.before_commit", "job.after_commit"]
    )
    def test_a_worker_that_is_killed_leaves_none_doubled_and_none_lost(
        self, decided: Decided, point: str
    ) -> None:
        decided.begin()
        with decided.db.reading() as tx:
            promise = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.RELEASE_SLICE.value)
            ).first()
        assert promise is not None
        assert killed_at(decided.db, promise, point) == 137
        with suppress(AlreadyDone):
            release_slice(decided.db, ISSUER, promise.subject_id, OutboxId(promise.id))
        run_releases(decided)
        once_each(decided)

    def test_what_a_killed_worker_released_without_a_credential_is_no_problem(
        self, decided: Decided
    ) -> None:
        batch_id = decided.begin()
        with decided.db.transaction() as tx:
            promise = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.RELEASE_SLICE.value)
            ).all()[0]
            case_id = tx.session.exec(
                select(BatchMember.case_id).where(BatchMember.slice_id == promise.subject_id)
            ).all()[0]
            earned_nothing(tx, case_id)
        assert killed_at(decided.db, promise, "batch.released") == 137
        run_releases(decided)
        told = decided.progress(batch_id)
        assert (told.done, told.passed_over, list(told.problems)) == (7, 0, [])
        assert case_id not in {row.case_id for row in rows(decided.db)}
        assert len(rows(decided.db)) == 6
        with decided.db.reading() as tx:
            assert tx.session.get_one(Case, case_id).state == CaseState.CLOSED.value
            times = tx.session.exec(
                select(func.count()).where(Event.kind == "release_case", Event.case_id == case_id)
            ).one()
        assert times == 1

    def test_it_stops_between_slices_and_goes_on_where_it_was(self, decided: Decided) -> None:
        batch_id = decided.begin()
        with decided.db.reading() as tx:
            first = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.RELEASE_SLICE.value)
            ).first()
        assert first is not None
        release_slice(decided.db, ISSUER, first.subject_id, OutboxId(first.id))
        stop_batch(decided.db, decided.registrar, batch_id)
        with pytest.raises(Conflict):
            stop_batch(decided.db, decided.registrar, batch_id)
        run_releases(decided)
        stopped = decided.progress(batch_id)
        assert (stopped.done, stopped.under_way, len(rows(decided.db))) == (
            stopped.done,
            False,
            stopped.done,
        )
        assert 0 < stopped.done < stopped.total
        go_on_with_batch(decided.db, decided.registrar, batch_id)
        with pytest.raises(Conflict):
            go_on_with_batch(decided.db, decided.registrar, batch_id)
        run_releases(decided)
        assert decided.progress(batch_id).done_at is not None
        once_each(decided)

    def test_what_was_released_meanwhile_is_passed_over_and_named(self, decided: Decided) -> None:
        batch_id = decided.begin()
        release_case(decided.db, SITE, decided.registrar, decided.case_ids[0])
        run_releases(decided)
        told = decided.progress(batch_id)
        assert (told.done, told.passed_over) == (7, 1)
        assert [one.case_id for one in told.problems] == [decided.case_ids[0]]
        assert len(rows(decided.db)) == 6

    def test_what_the_registrar_may_not_release_is_passed_over(self, decided: Decided) -> None:
        both = decided.world.person(Role.REGISTRAR)
        with decided.db.transaction() as tx:
            case = tx.session.get_one(Case, decided.case_ids[1])
            case.learner_id = both.account_id  # type: ignore[assignment]
        batch_id = begin_releases(decided.db, ISSUER, both, decided.case_ids)
        run_releases(decided)
        with decided.db.reading() as tx:
            told = progress_of(tx, both, batch_id)
        assert [one.case_id for one in told.problems] == [decided.case_ids[1]]
        assert len(rows(decided.db)) == 6

    def test_one_who_lost_the_role_releases_nothing_more(self, decided: Decided) -> None:
        batch_id = decided.begin()
        with decided.db.transaction() as tx:
            tx.session.get_one(Batch, batch_id).started_by = decided.panel.decider.account_id
        run_releases(decided)
        assert decided.progress(batch_id).passed_over == 7
        assert rows(decided.db) == []

    def test_only_the_registrar_begins_one_and_sees_it(self, decided: Decided) -> None:
        with pytest.raises(Forbidden):
            begin_releases(decided.db, ISSUER, decided.panel.decider, decided.case_ids)
        with pytest.raises(InvalidInput):
            begin_releases(decided.db, ISSUER, decided.registrar, [])
        batch_id = decided.begin()
        with decided.db.reading() as tx:
            assert [one.id for one in batches_of(tx, decided.world.institution_id)] == [batch_id]
            with pytest.raises(NotFound):
                progress_of(tx, Actor(), batch_id)


class TestSigningAnew:
    @pytest.fixture
    def issued(self, decided: Decided) -> Decided:
        decided.begin()
        run_releases(decided)
        return decided

    def test_everything_in_force_is_signed_anew_and_the_earlier_text_is_kept(
        self, issued: Decided
    ) -> None:
        db, institution = issued.db, issued.world.institution_id
        before = {row.id: row.document for row in rows(db)}
        with pytest.raises(Conflict):
            begin_resigning(db, SYSTEM, institution)
        rotate_key(db, ISSUER, SYSTEM, institution)
        begin_resigning(db, SYSTEM, institution)
        with pytest.raises(Conflict):
            begin_resigning(db, SYSTEM, institution)
        assert run_resigning(issued) == 3
        sign_lists(issued.world)
        after = rows(db)
        assert {outcome(issued, row) for row in after} == {Outcome.VALID}
        for row in after:
            old, new = (
                load_json((before[row.id] or "").encode()),
                load_json((row.document or "").encode()),
            )
            assert {**old, "proof": 0} == {**new, "proof": 0}
            assert "key-2" in str(new["proof"])
        with db.reading() as tx:
            kept = tx.session.exec(select(EarlierDocument)).all()
            did = did_document(tx, SITE, institution)
        assert {one.subject_id: one.document for one in kept} == before
        assert len(list(did["assertionMethod"])) == 2  # type: ignore[arg-type]

    def test_a_killed_worker_leaves_each_signed_anew_once(self, issued: Decided) -> None:
        db, institution = issued.db, issued.world.institution_id
        rotate_key(db, ISSUER, SYSTEM, institution)
        batch_id = begin_resigning(db, SYSTEM, institution)
        with db.reading() as tx:
            promise = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.RESIGN_SLICE.value)
            ).first()
        assert promise is not None
        assert killed_at(db, promise, "resign.signed", resign_slice) == 137
        run_resigning(issued)
        told = issued.progress(batch_id)
        assert (told.kind, told.done, told.key) == (BatchKind.RESIGN, 7, "key-2")
        with db.reading() as tx:
            times = tx.session.exec(
                select(func.count()).where(Event.kind == "resign_credential")
            ).one()
        assert times == 7

    def test_a_key_that_was_retired_meanwhile_signs_nothing_more(self, issued: Decided) -> None:
        db, institution = issued.db, issued.world.institution_id
        rotate_key(db, ISSUER, SYSTEM, institution)
        begin_resigning(db, SYSTEM, institution)
        rotate_key(db, ISSUER, SYSTEM, institution)
        run_resigning(issued)
        assert all(
            "key-3" in str(load_json((row.document or "").encode())["proof"]) for row in rows(db)
        )

    def test_what_is_revoked_keeps_its_bytes(self, issued: Decided) -> None:
        first = rows(issued.db)[0]
        with issued.db.transaction() as tx:
            tx.session.get_one(Credential, first.id).state = "revoked"
        rotate_key(issued.db, ISSUER, SYSTEM, issued.world.institution_id)
        begin_resigning(issued.db, SYSTEM, issued.world.institution_id)
        run_resigning(issued)
        documents = {row.id: row.document for row in rows(issued.db)}
        assert documents[first.id] == first.document
        assert CredentialId(first.id) in documents


def earned_nothing(tx: Transaction, case_id: UUID) -> None:
    """Have it decided that nothing is recognised of a case yet."""
    decision_id = tx.session.get_one(Case, case_id).decision_id
    for row in tx.session.exec(
        select(OutcomeDecision).where(OutcomeDecision.decision_id == decision_id)
    ):
        row.result, row.level = OutcomeResult.NOT_YET.value, None


def killed_at(
    db: Database, promise: OutboxRow, point: str, job: Callable[..., None] = release_slice
) -> int:
    """Do a slice in a process of its own that ends at a point, as by SIGKILL; its exit code."""

    def work() -> None:
        os.environ.update(ASSAY_ENV="test", ASSAY_CRASH_AT=point)
        db.forget_connections()
        job(db, ISSUER, promise.subject_id, OutboxId(promise.id))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    return process.exitcode or 0
