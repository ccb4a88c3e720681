"""A supervisor is asked, opens, accepts or declines, signs, and can take it back; in a real
database and a real store."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlmodel import col, select

from storage.database import Database
from storage.errors import AssayError, Conflict, InvalidInput, NotFound, TooMany
from storage.ids import AttestationId, CaseId, OutboxId, new_id, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import Attestation, Event, EvidenceItem, EvidenceMapping, Mail, OutboxRow
from storage.vault import Vault, sealed_key
from storage.vocabulary import CaseState, EvidenceState, Role, VoiceState
from tests.fixtures.issued import run_promised
from tests.fixtures.recall import Recall
from tests.fixtures.world import SIGNED, SITE, World
from workflows.attestations.commands import (
    Ask,
    Colleague,
    Decline,
    ask_attestation,
    decline_attestation,
    expire_attestations,
    give_attestation,
    open_attestation,
    resend_attestation,
    save_attestation,
    send_attestation_code,
    take_back_attestation,
    withdraw_attestation,
)
from workflows.attestations.queries import attestations_of, question, receipt, witnessed
from workflows.attestations.rules import NOT_OBSERVED, Flag, rating_field
from workflows.attestations.sealing import seal_attestation
from workflows.cases import commands as cases
from workflows.cases.load import lock_case
from workflows.cases.queries import case_coverage, case_view, manifest_of
from workflows.people.links import LinkEnd, LinkEnded
from workflows.people.organisations import OrganisationForm, verify_organisation
from workflows.work import Work

JO = "jo.berg@northern.example"


class Asking:
    """A learner with a case who has asked a supervisor."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.db: Database = world.db
        self.learner = world.person(Role.LEARNER, name="Ana Souza")
        self.case_id: CaseId = world.case(self.learner)
        self.codes = [str(outcome.code) for outcome in world.definition.outcomes]
        self.attestation_id = self.ask()
        self.token = self.link(JO)

    def ask(self, email: str = JO, name: str = "Jo Berg", **changed: object) -> AttestationId:
        """Ask somebody about the first two outcomes."""
        ask = Ask(name, email, tuple(self.codes[:2]), "You saw me on the flange job.")
        return ask_attestation(self.db, SITE, self.learner, self.case_id, ask)

    def mails(self, email: str) -> list[Mail]:
        """What was written to somebody, the oldest first."""
        with self.db.reading() as tx:
            query = select(Mail).where(Mail.recipient == email).order_by(col(Mail.id))
            return list(tx.session.exec(query).all())

    def link(self, email: str) -> str:
        """The token of the newest link that was mailed to somebody."""
        bodies = [mail.body for mail in self.mails(email)]
        tokens = [found[1] for body in bodies for found in re.finditer(r"/attest/(\S+)", body)]
        return tokens[-1]

    def code(self) -> str:
        """The newest code that was mailed to the supervisor."""
        send_attestation_code(self.db, self.token)
        found = re.search(r"^\d{6}$", self.mails(JO)[-1].body, re.MULTILINE)
        assert found is not None
        return found[0]

    def filled(self, **changed: str) -> dict[str, str]:
        """A whole form, with some of it changed."""
        whole = {
            "relation": "supervisor",
            "role": "Shift lead",
            "organisation": "Northern Machining",
            "since": "2021-04",
            "until": "2025-11",
            "frequency": "daily",
            rating_field(self.codes[0]): "4",
            rating_field(self.codes[1]): "3",
            "example_high": "She planned the flange job and saved a whole operation.",
            "example_low": "She proved the program alone, block by block, every time.",
        }
        return {**whole, **changed}

    def give(self, **changed: str) -> None:
        """Open, fill in, sign and seal."""
        open_attestation(self.db, self.token)
        save_attestation(self.db, self.token, self.filled(**changed))
        self.world.clock.advance(timedelta(minutes=6))
        give_attestation(self.db, SITE, self.token, "Jo Berg", self.code())

    def row(self, attestation_id: AttestationId | None = None) -> Attestation:
        """An attestation as it stands."""
        with self.db.reading() as tx:
            return tx.session.get_one(Attestation, attestation_id or self.attestation_id)

    def items(self) -> list[EvidenceItem]:
        """The case's items."""
        with self.db.reading() as tx:
            query = select(EvidenceItem).where(EvidenceItem.case_id == self.case_id)
            return list(tx.session.exec(query).all())


@pytest.fixture
def asking(recall: Recall) -> Asking:
    return recall(Asking)


def seal(asking: Asking, vault: Vault) -> int:
    return run_promised(
        asking.world,
        Work.SEAL_ATTESTATION,
        lambda subject, outbox_id: seal_attestation(
            asking.db, SITE, vault, AttestationId(subject), outbox_id
        ),
    )


class TestAsking:
    def test_the_supervisor_gets_one_mail_with_a_link_and_the_learners_words(
        self, asking: Asking
    ) -> None:
        (mail,) = asking.mails(JO)
        assert "Ana Souza" in mail.subject
        assert "> You saw me on the flange job." in mail.body
        assert SITE.attest(asking.token) in mail.body

    @pytest.mark.parametrize(
        ("name", "email", "field"),
        [("Jo", "no address", "email"), ("", JO, "name")],
    )
    def test_who_cannot_be_written_to_is_refused(
        self, asking: Asking, name: str, email: str, field: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            asking.ask(email, name)
        assert refused.value.problems[0].field == field

    def test_nobody_attests_themselves_under_any_spelling(self, asking: Asking) -> None:
        local, _, domain = asking.learner.email.partition("@")
        for email in (asking.learner.email, f"{local}+boss@{domain}"):
            with pytest.raises(InvalidInput) as refused:
                asking.ask(email)
            assert refused.value.problems[0].field == "email"

    def test_somebody_is_asked_about_at_least_one_outcome_of_the_credential(
        self, asking: Asking
    ) -> None:
        ask = Ask("Jo", "other@northern.example", ("NOT-ONE",))
        with pytest.raises(InvalidInput) as refused:
            ask_attestation(asking.db, SITE, asking.learner, asking.case_id, ask)
        assert refused.value.problems[0].field == "outcomes"

    def test_the_same_person_is_not_asked_twice_and_not_the_whole_town(
        self, asking: Asking
    ) -> None:
        with pytest.raises(Conflict):
            asking.ask()
        for number in range(11):
            asking.ask(f"person{number}@northern.example")
        with pytest.raises(TooMany):
            asking.ask("one.more@northern.example")

    def test_after_submission_nobody_is_asked_any_more(self, asking: Asking) -> None:
        asking.world.full_evidence(asking.case_id)
        cases.submit_case(asking.db, SITE, asking.learner, asking.case_id, SIGNED)
        with pytest.raises(Conflict):
            asking.ask("late@northern.example")

    def test_a_stranger_asks_nothing_in_the_learners_name(self, asking: Asking) -> None:
        stranger = asking.world.person(Role.LEARNER)
        with pytest.raises(NotFound):
            ask_attestation(
                asking.db, SITE, stranger, asking.case_id, Ask("Jo", "a@b.example", ("CNC1",))
            )
        for act in (take_back_attestation, lambda d, a, i: resend_attestation(d, SITE, a, i)):
            with pytest.raises(NotFound):
                act(asking.db, stranger, asking.attestation_id)
        with pytest.raises(NotFound):
            take_back_attestation(asking.db, asking.learner, AttestationId(new_id()))

    def test_asking_again_ends_the_older_link(self, asking: Asking) -> None:
        old = asking.token
        resend_attestation(asking.db, SITE, asking.learner, asking.attestation_id)
        assert asking.link(JO) != old
        assert ended(asking, old) is LinkEnd.REVOKED
        open_attestation(asking.db, asking.link(JO))

    def test_for_a_finished_case_nobody_is_asked_again(self, asking: Asking) -> None:
        cases.withdraw_case(asking.db, asking.learner, asking.case_id)
        with pytest.raises(Conflict, match="finished"):
            resend_attestation(asking.db, SITE, asking.learner, asking.attestation_id)

    def test_taking_it_back_ends_the_link(self, asking: Asking) -> None:
        take_back_attestation(asking.db, asking.learner, asking.attestation_id)
        assert ended(asking, asking.token) is LinkEnd.REVOKED
        assert asking.row().state == VoiceState.EXPIRED
        with pytest.raises(Conflict):
            resend_attestation(asking.db, SITE, asking.learner, asking.attestation_id)

    def test_a_link_that_ran_out_is_told_as_expired(self, asking: Asking) -> None:
        assert expire_attestations(asking.db) == 0
        asking.world.clock.advance(timedelta(days=31))
        assert ended(asking, asking.token) is LinkEnd.EXPIRED
        assert expire_attestations(asking.db) == 1
        assert asking.row().state == VoiceState.EXPIRED
        assert expire_attestations(asking.db) == 0


def ended(asking: Asking, token: str) -> LinkEnd:
    with pytest.raises(LinkEnded) as refused:
        open_attestation(asking.db, token)
    return refused.value.end


class TestAnswering:
    def test_the_first_page_says_who_asks_for_what_and_accepting_is_a_step_of_its_own(
        self, asking: Asking
    ) -> None:
        open_attestation(asking.db, asking.token)
        open_attestation(asking.db, asking.token)
        with asking.db.reading() as tx:
            asked = question(tx, asking.token)
        assert (asked.around.learner_name, asked.supervisor) == ("Ana Souza", "Jo Berg")
        assert [one.code for one in asked.outcomes] == asking.codes[:2]
        assert (asked.state, asked.draft) == (VoiceState.OPENED, None)
        save_attestation(asking.db, asking.token, {})
        with asking.db.reading() as tx:
            assert question(tx, asking.token).draft == {}
            assert attestations_of(tx, asking.case_id)[0].accepted

    def test_nothing_is_saved_or_signed_before_the_link_was_opened(self, asking: Asking) -> None:
        with pytest.raises(Conflict):
            save_attestation(asking.db, asking.token, {})
        with pytest.raises(Conflict):
            send_attestation_code(asking.db, asking.token)

    def test_declining_ends_the_link_and_tells_the_learner_the_reason_and_not_the_note(
        self, asking: Asking
    ) -> None:
        open_attestation(asking.db, asking.token)
        no = Decline("not_observed", "Between us: she was never on my shift.")
        assert decline_attestation(asking.db, SITE, asking.token, no) is None
        assert asking.row().state == VoiceState.DECLINED
        assert ended(asking, asking.token) is LinkEnd.USED
        told = asking.mails(asking.learner.email)[-1]
        assert "I did not see this work myself" in " ".join(told.body.split())
        assert "Between us" not in told.body
        with asking.db.reading() as tx:
            assert receipt(tx, asking.token) is None
            (line,) = attestations_of(tx, asking.case_id)
        assert (line.decline_reason, line.expires_at) == ("not_observed", None)

    def test_a_decline_needs_one_of_the_reasons(self, asking: Asking) -> None:
        open_attestation(asking.db, asking.token)
        with pytest.raises(InvalidInput):
            decline_attestation(asking.db, SITE, asking.token, Decline("just because"))
        assert asking.row().state == VoiceState.OPENED

    def test_a_colleague_who_is_named_is_asked_and_the_learner_is_told(
        self, asking: Asking
    ) -> None:
        open_attestation(asking.db, asking.token)
        colleague = Colleague("Kim Aas", "kim@northern.example")
        no = Decline("not_the_right_person", colleague=colleague)
        new = decline_attestation(asking.db, SITE, asking.token, no)
        assert new is not None
        assert asking.row().handed_to == new
        assert asking.row(new).outcome_codes == asking.codes[:2]
        assert "Kim Aas" in asking.mails(asking.learner.email)[-1].body
        open_attestation(asking.db, asking.link("kim@northern.example"))
        with asking.db.reading() as tx:
            by = tx.session.exec(
                select(Event.actor_role).where(
                    Event.kind == "ask_attestation", Event.subject_id == new
                )
            ).one()
        assert by == Role.SUPERVISOR

    @pytest.mark.parametrize("email", ["nobody", JO, "the learner"])
    def test_nobody_is_handed_to_themselves_to_the_learner_or_to_no_address(
        self, asking: Asking, email: str
    ) -> None:
        address = asking.learner.email if email == "the learner" else email
        open_attestation(asking.db, asking.token)
        with pytest.raises(InvalidInput) as refused:
            decline_attestation(
                asking.db, SITE, asking.token, Decline("left", "", Colleague("Kim", address))
            )
        assert refused.value.problems[0].field == "colleague_email"
        assert asking.row().state == VoiceState.OPENED

    def test_a_case_that_was_closed_needs_nothing_any_more(self, asking: Asking) -> None:
        cases.withdraw_case(asking.db, asking.learner, asking.case_id)
        with pytest.raises(Conflict):
            open_attestation(asking.db, asking.token)


class TestGiving:
    def test_a_given_statement_becomes_sealed_evidence_for_what_was_observed(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give(**{rating_field(asking.codes[1]): NOT_OBSERVED, "example_low": ""})
        assert seal(asking, vault) == 1
        (item,) = asking.items()
        assert (item.kind, item.state) == ("attestation", EvidenceState.SEALED)
        assert asking.row().item_id == item.id
        with asking.db.reading() as tx:
            mapped = tx.session.exec(select(EvidenceMapping.outcome_code)).all()
        assert mapped == [asking.codes[0]]
        kept = b"".join(vault.open_stream(sealed_key(item.sha256 or "")))
        assert sha256_of(kept) == item.sha256
        assert b"Jo Berg" in kept
        assert (str(item.work_from), str(item.work_to)) == ("2021-04-01", "2025-11-30")

    def test_it_is_never_enough_alone(self, asking: Asking, vault: Vault) -> None:
        asking.give()
        seal(asking, vault)
        with asking.db.reading() as tx:
            view = case_view(tx, asking.case_id)
            rows = case_coverage(tx, asking.case_id, view.definition, tx.now.date())
        assert {row.status.value for row in rows} <= {"thin", "missing"}

    def test_the_learner_is_told_and_the_supervisor_has_a_receipt(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        seal(asking, vault)
        assert "has said what they saw" in asking.mails(asking.learner.email)[-1].subject
        assert SITE.attest(asking.token) in asking.mails(JO)[-1].body
        with asking.db.reading() as tx:
            given = receipt(tx, asking.token)
        assert given is not None
        assert given.statement.name == "Jo Berg"

    def test_who_speaks_is_kept_as_facts_with_flags_for_staff(self, asking: Asking) -> None:
        registrar = asking.world.person(Role.REGISTRAR)
        form = OrganisationForm("Northern Machining", "northern.example", "NO 914 782 007")
        verify_organisation(asking.db, registrar, form)
        open_attestation(asking.db, asking.token)
        save_attestation(asking.db, asking.token, asking.filled())
        give_attestation(asking.db, SITE, asking.token, "Jo Berg", asking.code())
        with asking.db.reading() as tx:
            (said,) = witnessed(tx, asking.case_id)
        assert said.statement.identity.organisation == "Northern Machining"
        assert said.flags == (Flag.INSTANT,)

    def test_a_wrong_code_signs_nothing_and_five_end_it(self, asking: Asking) -> None:
        open_attestation(asking.db, asking.token)
        save_attestation(asking.db, asking.token, asking.filled())
        right = asking.code()
        wrong = "000000" if right != "000000" else "111111"
        for _ in range(5):
            with pytest.raises(InvalidInput):
                give_attestation(asking.db, SITE, asking.token, "Jo Berg", wrong)
        with pytest.raises(TooMany):
            give_attestation(asking.db, SITE, asking.token, "Jo Berg", right)
        assert asking.row().state == VoiceState.OPENED

    def test_a_draft_that_is_not_whole_gets_no_code_and_is_not_signed(self, asking: Asking) -> None:
        open_attestation(asking.db, asking.token)
        save_attestation(asking.db, asking.token, asking.filled())
        code = asking.code()
        save_attestation(asking.db, asking.token, asking.filled(role=""))
        with pytest.raises(InvalidInput):
            send_attestation_code(asking.db, asking.token)
        with pytest.raises(InvalidInput):
            give_attestation(asking.db, SITE, asking.token, "Jo Berg", code)
        with pytest.raises(InvalidInput) as refused:
            give_attestation(asking.db, SITE, asking.token, " ", code)
        assert refused.value.problems[0].field == "typed_name"

    def test_two_presses_at_once_sign_once(self, asking: Asking) -> None:
        open_attestation(asking.db, asking.token)
        save_attestation(asking.db, asking.token, asking.filled())
        code = asking.code()

        def press(_: int) -> str:
            try:
                give_attestation(asking.db, SITE, asking.token, "Jo Berg", code)
            except AssayError as error:
                return type(error).__name__
            return "given"

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(press, range(4)))
        assert outcomes.count("given") == 1
        with asking.db.reading() as tx:
            promised = tx.session.exec(
                select(OutboxRow).where(OutboxRow.kind == Work.SEAL_ATTESTATION.value)
            ).all()
        assert len(promised) == 1

    def test_sealing_twice_makes_one_item(self, asking: Asking, vault: Vault) -> None:
        asking.give()
        seal(asking, vault)
        with asking.db.reading() as tx:
            outbox_id = tx.session.exec(
                select(OutboxRow.id).where(OutboxRow.kind == Work.SEAL_ATTESTATION.value)
            ).one()
        with pytest.raises(AlreadyDone):
            seal_attestation(asking.db, SITE, vault, asking.attestation_id, OutboxId(outbox_id))
        assert len(asking.items()) == 1

    def test_what_comes_after_submission_belongs_to_the_next_round(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.world.full_evidence(asking.case_id)
        cases.submit_case(asking.db, SITE, asking.learner, asking.case_id, SIGNED)
        asking.give()
        seal(asking, vault)
        late = [item for item in asking.items() if item.kind == "attestation"]
        assert [item.round for item in late] == [2]

    def test_a_statement_for_a_case_that_is_over_is_kept_but_made_no_evidence(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give(until="")
        cases.withdraw_case(asking.db, asking.learner, asking.case_id)
        assert seal(asking, vault) == 1
        assert asking.items() == []
        assert asking.row().state == VoiceState.GIVEN

    def test_there_is_nothing_to_seal_before_it_is_given(
        self, asking: Asking, vault: Vault
    ) -> None:
        with asking.db.transaction() as tx:
            from workflows.work import promise_work

            outbox_id = promise_work(tx, Work.SEAL_ATTESTATION, asking.attestation_id)
        seal_attestation(asking.db, SITE, vault, asking.attestation_id, outbox_id)
        assert asking.items() == []


class TestWithdrawing:
    def test_a_withdrawn_statement_counts_no_more_and_says_why(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        seal(asking, vault)
        withdraw_attestation(asking.db, SITE, asking.token)
        withdraw_attestation(asking.db, SITE, asking.token)
        (item,) = asking.items()
        assert (item.state, "withdrawn" in item.reason) == (EvidenceState.REJECTED, True)
        assert asking.row().state == VoiceState.WITHDRAWN
        told = [mail for mail in asking.mails(asking.learner.email) if "withdrawn" in mail.subject]
        assert len(told) == 1
        with asking.db.reading() as tx:
            (said,) = witnessed(tx, asking.case_id)
        assert said.withdrawn_at is not None

    def test_withdrawn_before_it_was_sealed_it_never_becomes_evidence(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        withdraw_attestation(asking.db, SITE, asking.token)
        seal(asking, vault)
        assert asking.items() == []

    def test_what_was_submitted_stays_as_it_was_submitted(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        seal(asking, vault)
        asking.world.full_evidence(asking.case_id)
        cases.submit_case(asking.db, SITE, asking.learner, asking.case_id, SIGNED)
        withdraw_attestation(asking.db, SITE, asking.token)
        (item,) = [one for one in asking.items() if one.kind == "attestation"]
        assert item.state == EvidenceState.SEALED
        with asking.db.reading() as tx:
            (said,) = witnessed(tx, asking.case_id)
        assert said.state is VoiceState.WITHDRAWN

    def test_in_a_case_that_comes_back_it_counts_no_more(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        seal(asking, vault)
        asking.world.full_evidence(asking.case_id)
        cases.submit_case(asking.db, SITE, asking.learner, asking.case_id, SIGNED)
        withdraw_attestation(asking.db, SITE, asking.token)
        coordinator = asking.world.person(Role.COORDINATOR)
        cases.begin_screening(asking.db, coordinator, asking.case_id)
        cases.return_case(asking.db, SITE, coordinator, asking.case_id, "Date the drawing.")
        (item,) = [one for one in asking.items() if one.kind == "attestation"]
        assert (item.state, "withdrawn" in item.reason) == (EvidenceState.REJECTED, True)
        cases.submit_case(asking.db, SITE, asking.learner, asking.case_id, SIGNED)
        with asking.db.reading() as tx:
            second = manifest_of(tx, asking.case_id, 2)
        assert second is not None
        assert str(item.id) not in str(second.body)

    def test_a_submission_that_is_under_way_comes_first(self, asking: Asking, vault: Vault) -> None:
        asking.give()
        seal(asking, vault)
        with ThreadPoolExecutor(1) as pool:
            with asking.db.transaction() as tx:
                case = lock_case(tx, asking.case_id)
                withdrawing = pool.submit(withdraw_attestation, asking.db, SITE, asking.token)
                with suppress(TimeoutError):
                    withdrawing.result(timeout=1)
                case.state, case.submitted_at = CaseState.SUBMITTED.value, tx.now
            withdrawing.result(timeout=10)
        (item,) = asking.items()
        assert item.state == EvidenceState.SEALED

    def test_a_statement_sealed_while_the_case_is_submitted_is_of_the_next_round(
        self, asking: Asking, vault: Vault
    ) -> None:
        asking.give()
        with ThreadPoolExecutor(1) as pool:
            with asking.db.transaction() as tx:
                case = lock_case(tx, asking.case_id)
                sealing = pool.submit(seal, asking, vault)
                with suppress(TimeoutError):
                    sealing.result(timeout=1)
                case.state, case.submitted_at = CaseState.SUBMITTED.value, tx.now
            sealing.result(timeout=10)
        (item,) = asking.items()
        assert item.round == 2

    def test_a_no_is_not_withdrawn(self, asking: Asking) -> None:
        open_attestation(asking.db, asking.token)
        decline_attestation(asking.db, SITE, asking.token, Decline("no_time"))
        with pytest.raises(Conflict):
            withdraw_attestation(asking.db, SITE, asking.token)
