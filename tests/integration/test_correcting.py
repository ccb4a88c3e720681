"""A corrected credential takes the place of the old one at one moment and says what it replaces."""

import multiprocessing
import os
from contextlib import suppress
from typing import cast

import pytest
from sqlmodel import col, select

from credentials.digests import sha256_from_multibase
from credentials.documents import JsonObject, load_json
from credentials.verify import Outcome
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import CredentialId, OutboxId, new_id, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import Credential, CredentialNote, Mail, OutboxRow, StatusEntry
from storage.vocabulary import CredentialState
from tests.fixtures.issued import ISSUER, Issued, nothing, run_corrections
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE
from workflows.issuance.commands import change_and_publish, change_credential
from workflows.issuance.correcting import Correction, correct_credential, issue_correction
from workflows.issuance.published import verify_own
from workflows.issuance.queries import CredentialView, public_credential
from workflows.issuance.rules import REASONS, Reason
from workflows.work import Work

RIGHT = Correction("Ana Souza Lima", "She married in May; Omar saw the certificate.")


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def correct(issued: Issued) -> CredentialId:
    return correct_credential(issued.db, ISSUER, issued.registrar, issued.credential_id, RIGHT)


def view(issued: Issued, credential_id: CredentialId) -> CredentialView:
    with issued.db.reading() as tx:
        return public_credential(tx, SITE, credential_id)


def outcome(issued: Issued, credential_id: CredentialId) -> Outcome:
    return verify_own(issued.db, SITE, view(issued, credential_id), nothing).outcome


def test_until_it_is_there_the_old_one_stands_and_then_only_the_new_one(issued: Issued) -> None:
    new = correct(issued)
    assert outcome(issued, issued.credential_id) is Outcome.VALID
    with pytest.raises(NotFound):
        view(issued, new)
    assert run_corrections(issued.world) == 1
    old_view, new_view = view(issued, issued.credential_id), view(issued, new)
    assert (old_view.replaced_by, new_view.replaces) == (new, issued.credential_id)
    assert old_view.public_reason == REASONS[Reason.REPLACED]
    assert (outcome(issued, new), outcome(issued, issued.credential_id)) == (
        Outcome.VALID,
        Outcome.NOT_VALID,
    )
    assert (new_view.learner, new_view.valid_until) == ("Ana Souza Lima", old_view.valid_until)


def test_the_new_document_names_the_old_one_with_the_digest_of_its_bytes(issued: Issued) -> None:
    new = correct(issued)
    run_corrections(issued.world)
    document = load_json(view(issued, new).document)
    (related,) = cast(list[JsonObject], document["relatedResource"])
    assert related["id"] == f"{SITE.credential(issued.credential_id)}.json"
    old = view(issued, issued.credential_id).document
    assert sha256_from_multibase(cast(str, related["digestMultibase"])) == sha256_of(old)


def test_the_learner_is_told_once_and_the_note_is_not(issued: Issued) -> None:
    correct(issued)
    run_corrections(issued.world)
    with issued.db.reading() as tx:
        (mail,) = tx.session.exec(select(Mail).where(col(Mail.subject).contains("corrected"))).all()
        (note,) = tx.session.exec(select(CredentialNote)).all()
        bodies = tx.session.exec(select(Mail.body)).all()
    assert mail.recipient == issued.learner.email
    assert note.note == RIGHT.note
    assert not any("married" in body for body in bodies)


def test_nothing_else_is_done_to_one_that_is_being_corrected(issued: Issued) -> None:
    correct(issued)
    with pytest.raises(Conflict):
        correct(issued)
    with pytest.raises(Conflict):
        change_credential(
            issued.db,
            SITE,
            issued.registrar,
            issued.credential_id,
            act="revoke_credential",
            reason=Reason.HOLDER_ASKED,
        )


def test_a_corrected_one_can_be_corrected_again(issued: Issued) -> None:
    second = correct(issued)
    run_corrections(issued.world)
    third = correct_credential(issued.db, ISSUER, issued.registrar, second, Correction("A. Lima"))
    run_corrections(issued.world)
    assert view(issued, second).replaced_by == third
    assert outcome(issued, third) is Outcome.VALID
    with pytest.raises(Conflict):
        correct(issued)


def test_only_the_registrar_corrects_and_only_with_a_name(issued: Issued) -> None:
    for actor in (issued.learner, issued.panel.decider):
        with pytest.raises(Forbidden):
            correct_credential(issued.db, ISSUER, actor, issued.credential_id, RIGHT)
    with pytest.raises(InvalidInput):
        correct_credential(
            issued.db, ISSUER, issued.registrar, issued.credential_id, Correction(" ")
        )
    with pytest.raises(NotFound):
        correct_credential(issued.db, ISSUER, issued.registrar, CredentialId(new_id()), RIGHT)


@pytest.mark.parametrize("point", ["correct.signed", "job.before_commit", "job.after_commit"])
def test_a_crash_anywhere_leaves_exactly_one_in_force(issued: Issued, point: str) -> None:
    new = correct(issued)
    with issued.db.reading() as tx:
        promise = tx.session.exec(
            select(OutboxRow).where(OutboxRow.kind == Work.CORRECT_CREDENTIAL.value)
        ).one()

    def job() -> None:
        os.environ.update(ASSAY_ENV="test", ASSAY_CRASH_AT=point)
        issued.db.forget_connections()
        issue_correction(issued.db, ISSUER, new, OutboxId(promise.id))

    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join(60)
    assert process.exitcode == 137
    assert in_force(issued) == 1
    with suppress(AlreadyDone):
        issue_correction(issued.db, ISSUER, new, OutboxId(promise.id))
    assert in_force(issued) == 1
    assert view(issued, new).state is CredentialState.PUBLISHED
    with issued.db.reading() as tx:
        assert len(tx.session.exec(select(StatusEntry)).all()) == 4


def in_force(issued: Issued) -> int:
    with issued.db.reading() as tx:
        return len(
            tx.session.exec(
                select(Credential).where(Credential.state == CredentialState.PUBLISHED.value)
            ).all()
        )


def test_a_change_is_published_by_the_act_itself(issued: Issued) -> None:
    change_and_publish(
        issued.db,
        ISSUER,
        issued.registrar,
        issued.credential_id,
        act="suspend_credential",
        reason=Reason.REVIEW,
    )
    assert outcome(issued, issued.credential_id) is Outcome.NOT_VALID
