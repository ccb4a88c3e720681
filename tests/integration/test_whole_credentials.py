"""Statements, renewals, stacks, names and transcripts: from a whole case to what strangers read."""

import json
from datetime import timedelta
from typing import cast

import pytest
from sqlmodel import select

from credentials.documents import JsonObject, JsonValue, children, load_json
from credentials.verify import Finding, Outcome, verify
from storage.errors import Conflict, NotFound
from storage.ids import AccountId, CaseId, CredentialId, DecisionId
from storage.tables import (
    Case,
    Credential,
    DefinitionVersion,
    EvidenceItem,
    Mail,
    OutboxRow,
    StatusList,
)
from storage.vault import Vault
from storage.vocabulary import CaseState, EvidenceState, Role
from tests.fixtures.issued import ISSUER, Issued, nothing, run_promised, sign_lists
from tests.fixtures.keeping import erase, with_bytes
from tests.fixtures.panel import Panel
from tests.fixtures.world import DEFINITIONS, SIGNED, SITE, World
from workflows.cases import commands as cases
from workflows.frameworks.definition import read_definition
from workflows.issuance.claims import read_frozen
from workflows.issuance.commands import change_credential, issue_credential
from workflows.issuance.correcting import Correction, correct_credential, issue_correction
from workflows.issuance.naming import ask_without_name, asked_unnamed, choose_name
from workflows.issuance.published import local_fetcher, verify_own
from workflows.issuance.queries import public_credential
from workflows.issuance.renewing import open_renewal, running_out, tell_running_out
from workflows.issuance.rules import Reason
from workflows.issuance.stacking import stacks_for
from workflows.issuance.status import renew_lists
from workflows.issuance.transcript import make_transcript
from workflows.work import Work


def offer(world: World, **change: object) -> None:
    """Let the cases of this world be for another definition."""
    body = {**DEFINITIONS[0], **change}
    world.definition_id = world.offer(body)
    world.definition = read_definition(body)


def holds(issued: Issued, credential_id: CredentialId) -> None:
    """A stranger comes to “valid”."""
    with issued.db.reading() as tx:
        view = public_credential(tx, SITE, credential_id)
    verdict = verify_own(issued.db, SITE, view, nothing)
    assert verdict.outcome is Outcome.VALID, [check.text for check in verdict.checks]


def text_of(document: JsonObject) -> str:
    """The document as text."""
    return json.dumps(document, ensure_ascii=False)


def subject_of(document: JsonObject) -> dict[str, list[JsonObject]]:
    """The credential's subject."""
    return cast(dict[str, list[JsonObject]], document["credentialSubject"])


class TestStatements:
    def test_partial_recognition_is_stated_and_signed(self, world: World) -> None:
        unmet, *_ = world.definition.outcomes
        issued = Issued(world, {row.code: 1 for row in unmet.criteria})
        row = issued.row()
        text = text_of(issued.document())
        assert not row.whole
        assert unmet.statement not in text
        assert world.definition.outcomes[1].statement in text
        assert unmet.code not in read_frozen(row.claims).outcomes
        holds(issued, issued.credential_id)
        with issued.db.reading() as tx:
            assert tx.session.get_one(Case, row.case_id).state == "closed"
            mails = tx.session.exec(select(Mail.subject)).all()
        assert any(subject.startswith("Your statement is here") for subject in mails)

    def test_a_definition_may_want_no_statement(self, world: World) -> None:
        offer(world, partial_statement=False)
        unmet, *_ = world.definition.outcomes
        panel = Panel(world)
        levels = {row.code: 1 for row in unmet.criteria}
        panel.scored(levels, levels)
        panel.decide()
        assert not panel.release()
        with world.db.reading() as tx:
            kinds = tx.session.exec(select(OutboxRow.kind)).all()
        assert Work.ISSUE_CREDENTIAL.value not in kinds


class TestNames:
    def test_who_asks_before_gets_a_credential_without_the_name(self, world: World) -> None:
        def unnamed(panel: Panel) -> None:
            choose_name(world.db, panel.learner, panel.case_id, in_clear=False)

        issued = Issued(world, before=unnamed)
        assert "Ana Souza" not in text_of(issued.document())
        with issued.db.reading() as tx:
            assert public_credential(tx, SITE, issued.credential_id).learner == "The holder"
        holds(issued, issued.credential_id)
        with pytest.raises(Conflict, match="does not stand"):
            ask_without_name(issued.db, issued.learner, issued.credential_id)
        transcript = make_transcript(issued.db, ISSUER, issued.learner)
        assert "Ana Souza" not in transcript.decode()

    def test_who_asks_afterwards_gets_another_one(self, world: World) -> None:
        issued = Issued(world)
        assert "Ana Souza" in text_of(issued.document())
        with pytest.raises(Conflict, match="issued already"):
            choose_name(issued.db, issued.learner, issued.panel.case_id, in_clear=False)
        with pytest.raises(NotFound):
            ask_without_name(issued.db, world.person(Role.LEARNER), issued.credential_id)
        for _ in range(2):
            ask_without_name(issued.db, issued.learner, issued.credential_id)
        institution_id = world.institution_id
        with issued.db.reading() as tx:
            (asked,) = asked_unnamed(tx, institution_id)
        assert asked.credential_id == issued.credential_id
        correction = Correction("Ana Souza")
        new = correct_credential(
            issued.db, ISSUER, issued.registrar, issued.credential_id, correction
        )
        run_promised(
            world,
            Work.CORRECT_CREDENTIAL,
            lambda one, outbox_id: issue_correction(
                issued.db, ISSUER, CredentialId(one), outbox_id
            ),
        )
        with issued.db.reading() as tx:
            assert asked_unnamed(tx, institution_id) == []
            view = public_credential(tx, SITE, new)
        assert "Ana Souza" not in view.document.decode()
        assert view.learner == "The holder"
        assert str(issued.credential_id) not in view.document.decode()
        assert view.replaces is None


class TestRenewals:
    def test_fresh_evidence_for_some_outcomes_renews_the_whole(self, world: World) -> None:
        first = DEFINITIONS[0]["outcomes"][0]
        offer(world, renewal={"outcomes": [first["code"]], "notice_days": 20}, validity_months=1)
        issued = Issued(world)
        old, learner_id = issued.row(), AccountId(issued.row().learner_id)
        with issued.db.reading() as tx:
            assert running_out(tx, learner_id) == ()
        with pytest.raises(Conflict, match="from 20"):
            open_renewal(issued.db, issued.learner, issued.credential_id)
        world.clock.advance(timedelta(days=15))
        assert [tell_running_out(issued.db, SITE) for _ in range(2)] == [1, 0]
        with pytest.raises(NotFound):
            open_renewal(issued.db, world.person(Role.LEARNER), issued.credential_id)
        case_id = open_renewal(issued.db, issued.learner, issued.credential_id)
        with pytest.raises(Conflict, match="open case"):
            open_renewal(issued.db, issued.learner, issued.credential_id)
        with issued.db.reading() as tx:
            (line,) = running_out(tx, learner_id)
        assert line.case_id == case_id
        assert [outcome.code for outcome in line.outcomes] == [first["code"]]
        new = self._renewed(world, issued, case_id)
        before, after = (read_frozen(row.claims).credential_claims() for row in (old, new))
        assert new.definition_id == old.definition_id
        assert after.achievement == before.achievement
        assert len(after.results) == len(before.results)
        assert {one.sha256 for one in before.evidence} < {one.sha256 for one in after.evidence}
        assert after.valid_until and before.valid_until and after.valid_until > before.valid_until
        renew_lists(issued.db)
        sign_lists(world)
        holds(issued, CredentialId(new.id))
        with issued.db.reading() as tx:
            assert running_out(tx, learner_id) == ()

    def test_nothing_is_carried_over_from_one_that_was_taken_back(self, world: World) -> None:
        first = DEFINITIONS[0]["outcomes"][0]
        offer(world, renewal={"outcomes": [first["code"]], "notice_days": 20}, validity_months=1)
        issued = Issued(world)
        world.clock.advance(timedelta(days=15))
        case_id = open_renewal(issued.db, issued.learner, issued.credential_id)
        change_credential(
            issued.db,
            SITE,
            issued.registrar,
            issued.credential_id,
            act="revoke_credential",
            reason=Reason.ISSUED_IN_ERROR,
        )
        self._decided(world, issued, case_id)
        with pytest.raises(Conflict, match="not in force"):
            issued.panel.release()
        with world.db.reading() as tx:
            assert tx.session.get_one(Case, case_id).state == CaseState.DECIDED

    def _renewed(self, world: World, issued: Issued, case_id: CaseId) -> Credential:
        self._decided(world, issued, case_id)
        assert issued.panel.release()
        run_promised(
            world,
            Work.ISSUE_CREDENTIAL,
            lambda one, outbox_id: issue_credential(world.db, ISSUER, DecisionId(one), outbox_id),
        )
        with world.db.reading() as tx:
            return tx.session.exec(select(Credential).where(Credential.case_id == case_id)).one()

    @staticmethod
    def _decided(world: World, issued: Issued, case_id: CaseId) -> None:
        panel = issued.panel
        with world.db.reading() as tx:
            case = tx.session.get_one(Case, case_id)
            version = tx.session.get_one(DefinitionVersion, case.definition_id)
            world.definition = read_definition(version.body)
        today = world.clock.now().date()
        for outcome in world.definition.outcomes:
            for number in range(3):
                world.item(case_id, outcome.code, title=f"Fresh {number}", worked=today)
        cases.submit_case(world.db, SITE, panel.learner, case_id, SIGNED)
        cases.begin_screening(world.db, panel.coordinator, case_id)
        cases.accept_for_assessment(world.db, panel.coordinator, case_id)
        panel.case_id = case_id
        panel.scored()
        panel.decide()


class TestStacks:
    def test_what_belongs_together_is_named_and_its_progress_drawn(self, world: World) -> None:
        code = str(DEFINITIONS[0]["code"])
        other = {"code": "MC-OTHER", "title": "Another", "required": False}
        part = {"code": code, "title": "CNC"}
        world.offer({**DEFINITIONS[1], "code": "STACK", "parts": [part, other], "parts_needed": 2})
        issued = Issued(world)
        related = cast(
            list[JsonObject],
            cast(JsonObject, subject_of(issued.document())["achievement"])["related"],
        )
        assert len(related) == 1
        with issued.db.reading() as tx:
            (progress,) = stacks_for(tx, AccountId(issued.row().learner_id))
            assert stacks_for(tx, AccountId(world.person(Role.LEARNER).account_id)) == ()  # type: ignore[arg-type]
        assert (progress.code, progress.held, progress.needed) == ("STACK", 1, 2)
        assert not progress.complete
        assert [one.held for one in progress.parts] == [True, False]


class TestTranscripts:
    def test_it_holds_what_is_in_force_and_is_signed(self, world: World) -> None:
        issued = Issued(world)
        document = load_json(make_transcript(issued.db, ISSUER, issued.learner))
        (member,) = subject_of(document)["verifiableCredential"]
        assert member == issued.document()
        with issued.db.reading() as tx:
            view = public_credential(tx, SITE, issued.credential_id)
        assert load_json(view.document) == member
        with pytest.raises(NotFound):
            make_transcript(issued.db, ISSUER, world.person(Role.LEARNER))


class TestErasure:
    def test_after_it_the_holders_credential_still_verifies_with_its_files(
        self, world: World, vault: Vault
    ) -> None:
        """Their copy and their files: nothing of ours but keys and status is needed for it."""
        issued = Issued(world)
        held = (issued.row().document or "").encode()
        items = with_bytes(issued.panel, vault)
        erase(issued.panel, vault)
        renew_lists(issued.db)
        sign_lists(world)
        with issued.db.reading() as tx:
            states = tx.session.exec(select(EvidenceItem.state)).all()
        assert set(states) == {EvidenceState.ERASED.value}
        files = {item.file_name + str(number): item.sha256 for number, item in enumerate(items)}
        verdict = verify(
            held,
            fetch=local_fetcher(issued.db, SITE, nothing),
            now=world.clock.now(),
            evidence={name: digest for name, digest in files.items() if digest},
        )
        assert verdict.outcome is Outcome.VALID, [check.text for check in verdict.checks]
        compared = verdict.of("evidence")
        assert [check.outcome for check in compared] == [Finding.PASSED] * len(items)
        with issued.db.reading() as tx:
            view = public_credential(tx, SITE, issued.credential_id)
        assert view.document == held
        assert not any(item.openable for item in view.items)

    def test_no_address_and_no_status_list_holds_anything_personal(self, world: World) -> None:
        issued = Issued(world)
        learner = issued.learner
        with issued.db.reading() as tx:
            lists = tx.session.exec(select(StatusList)).all()
        told = [*addresses_in(issued.document()), *(one.document or "" for one in lists)]
        assert len(lists) == 2
        for personal in (
            learner.name,
            *learner.name.split(),
            learner.email,
            str(learner.account_id),
        ):
            assert not any(personal.lower() in text.lower() for text in told)


def addresses_in(value: JsonValue) -> list[str]:
    """Every address in a document."""
    if isinstance(value, str):
        return [value] if value.startswith(("http", "did:", "urn:")) else []
    return [found for child in children(value) for found in addresses_in(child)]
