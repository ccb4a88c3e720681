"""An employer of a checked organisation endorses a credential, the learner answers, strangers
verify it, and it can be taken back; in a real database."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlmodel import col, select

from credentials.documents import JsonObject, load_json
from credentials.status_list import get_bit
from credentials.verify import Finding, Outcome
from storage.errors import AssayError, Conflict, Forbidden, InvalidInput, NotFound, TooMany
from storage.ids import CredentialId, EndorsementId, OrganisationId, OutboxId, new_id
from storage.outbox import AlreadyDone
from storage.tables import Endorsement, Event, Mail, OutboxRow, StatusList
from storage.vocabulary import EndorsementVisibility, LearnerAnswer, Role, VoiceState
from tests.fixtures.issued import (
    ISSUER,
    Issued,
    nothing,
    run_corrections,
    sign_endorsements,
    sign_lists,
)
from tests.fixtures.recall import Recall
from tests.fixtures.shared import SHARED, needs_shared
from tests.fixtures.world import SITE, World
from workflows.endorsements.commands import (
    AskEmployer,
    answer_endorsement,
    ask_endorsement,
    decline_endorsement,
    expire_endorsements,
    give_endorsement,
    open_endorsement,
    save_endorsement,
    send_endorsement_code,
    take_back_endorsement,
    withdraw_endorsement,
)
from workflows.endorsements.queries import (
    EndorsementView,
    endorsement_question,
    endorsement_receipt,
    endorsements_of,
    public_endorsements,
    waiting_answers,
)
from workflows.endorsements.rules import EndorsementForm, answers_for, read_words
from workflows.endorsements.signing import sign_endorsement
from workflows.issuance.commands import change_credential
from workflows.issuance.correcting import Correction, correct_credential
from workflows.issuance.published import (
    endorsement_document,
    endorsement_documents,
    local_fetcher,
    organisation_did,
    verify_own,
)
from workflows.issuance.queries import public_credential
from workflows.issuance.status import place_of
from workflows.people.links import LinkEnd, LinkEnded
from workflows.people.organisations import (
    OrganisationForm,
    verified_organisation,
    verified_organisation_at,
    verified_organisations,
    verify_organisation,
)
from workflows.work import Work

EVA = "eva.lund@northern.example"
NORTHERN = OrganisationForm("Northern Machining", "northern.example", "NO 914 782 007")


class Endorsing:
    """A published credential, a checked organisation, and somebody there who was asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.db = world.db
        self.issued = Issued(world)
        self.learner = self.issued.learner
        self.codes = [str(outcome.code) for outcome in world.definition.outcomes]
        self.organisation_id = verify_organisation(self.db, self.issued.registrar, NORTHERN)
        self.endorsement_id = self.ask()
        self.token = self.link(EVA)
        self.form = EndorsementForm(
            outcomes=tuple(self.codes[:2]),
            relation="employs",
            title="Head of production",
            since="2019-04",
            until="",
            comment="We rely on her for every new part. “She set up our line.”",
            visibility="counted",
        )

    def ask(self, email: str = EVA) -> EndorsementId:
        """Ask somebody about the first outcome."""
        ask = AskEmployer(self.organisation_id, "Eva Lund", email, (self.codes[0],), "Would you?")
        return ask_endorsement(self.db, SITE, self.learner, self.issued.credential_id, ask)

    def mails(self, email: str) -> list[Mail]:
        """What was written to somebody, the oldest first."""
        with self.db.reading() as tx:
            query = select(Mail).where(Mail.recipient == email).order_by(col(Mail.id))
            return list(tx.session.exec(query).all())

    def link(self, email: str) -> str:
        """The token of the newest link that was mailed to somebody."""
        bodies = [mail.body for mail in self.mails(email)]
        return [found[1] for body in bodies for found in re.finditer(r"/endorse/(\S+)", body)][-1]

    def code(self) -> str:
        """The newest code that was mailed to the employer."""
        send_endorsement_code(self.db, self.token)
        found = re.search(r"^\d{6}$", self.mails(EVA)[-1].body, re.MULTILINE)
        assert found is not None
        return found[0]

    def give(self, **changed: str) -> None:
        """Open, fill in and sign."""
        open_endorsement(self.db, self.token)
        save_endorsement(self.db, self.token, replace(self.form, **changed))
        give_endorsement(self.db, SITE, self.token, "Eva Lund", self.code())

    def given(self, answer: str = "accepted", **changed: str) -> None:
        """Give, make the document, and let the learner answer."""
        self.give(**changed)
        sign_endorsements(self.world)
        answer_endorsement(self.db, self.learner, self.endorsement_id, answer)

    def view(self) -> EndorsementView:
        """The endorsement as the learner sees it."""
        with self.db.reading() as tx:
            return endorsements_of(tx, self.issued.credential_id)[0]

    def public(self) -> list[EndorsementView]:
        """What stands on the credential's page."""
        with self.db.reading() as tx:
            return list(public_endorsements(tx, self.issued.credential_id))


@pytest.fixture
def endorsing(recall: Recall) -> Endorsing:
    return recall(Endorsing)


class TestOrganisations:
    def test_a_checked_organisation_is_found_by_its_domain_and_its_parts(
        self, endorsing: Endorsing
    ) -> None:
        with endorsing.db.reading() as tx:
            found = verified_organisation_at(tx, "x@mail.northern.example")
            assert found is not None
            assert found.id == endorsing.organisation_id
            assert verified_organisation_at(tx, "x@notnorthern.example") is None
            assert verified_organisation(tx, endorsing.organisation_id) == found
            assert list(verified_organisations(tx)) == [found]
            with pytest.raises(NotFound):
                verified_organisation(tx, OrganisationId(new_id()))

    @pytest.mark.parametrize(
        ("changed", "fields"),
        [
            ({"name": " "}, {"name"}),
            ({"domain": "gmail.com"}, {"domain"}),
            ({"domain": "not a domain"}, {"domain"}),
            ({"registry_number": ""}, {"registry_number"}),
            ({"url": "http://northern.example"}, {"url"}),
        ],
    )
    def test_what_proves_nothing_is_refused(
        self, world: World, changed: dict[str, str], fields: set[str]
    ) -> None:
        registrar = world.person(Role.REGISTRAR)
        with pytest.raises(InvalidInput) as refused:
            verify_organisation(world.db, registrar, replace(NORTHERN, **changed))
        assert {problem.field for problem in refused.value.problems} == fields

    def test_only_staff_check_and_a_domain_is_checked_once(self, endorsing: Endorsing) -> None:
        with pytest.raises(Conflict):
            verify_organisation(endorsing.db, endorsing.issued.registrar, NORTHERN)
        with pytest.raises(Forbidden):
            verify_organisation(endorsing.db, endorsing.learner, NORTHERN)
        elsewhere = replace(endorsing.issued.registrar, institution_id=None)
        with pytest.raises(NotFound):
            verify_organisation(endorsing.db, elsewhere, replace(NORTHERN, domain="x.example"))


class TestAsking:
    def test_only_an_address_of_the_organisation_is_asked(self, endorsing: Endorsing) -> None:
        with pytest.raises(InvalidInput) as refused:
            endorsing.ask("eva@elsewhere.example")
        assert "@northern.example" in str(refused.value.problems[0])

    def test_nobody_endorses_themselves(self, endorsing: Endorsing) -> None:
        with pytest.raises(InvalidInput) as refused:
            endorsing.ask(endorsing.learner.email)
        assert "yourself" in str(refused.value.problems[0]) or "themselves" in str(refused.value)

    def test_an_organisation_that_nobody_checked_is_not_asked(self, endorsing: Endorsing) -> None:
        ask = AskEmployer(OrganisationId(new_id()), "Eva", EVA, (endorsing.codes[0],))
        with pytest.raises(NotFound):
            ask_endorsement(
                endorsing.db, SITE, endorsing.learner, endorsing.issued.credential_id, ask
            )

    def test_only_recognised_outcomes_are_asked_about(self, endorsing: Endorsing) -> None:
        ask = AskEmployer(endorsing.organisation_id, "Eva", "b@northern.example", ("NOT-ONE",))
        with pytest.raises(InvalidInput):
            ask_endorsement(
                endorsing.db, SITE, endorsing.learner, endorsing.issued.credential_id, ask
            )

    def test_the_same_person_is_not_asked_twice_and_not_the_whole_firm(
        self, endorsing: Endorsing
    ) -> None:
        with pytest.raises(Conflict):
            endorsing.ask()
        for number in range(19):
            endorsing.ask(f"person{number}@northern.example")
        with pytest.raises(TooMany):
            endorsing.ask("one.more@northern.example")

    def test_a_stranger_asks_and_answers_nothing(self, endorsing: Endorsing) -> None:
        stranger = endorsing.world.person(Role.LEARNER)
        ask = AskEmployer(endorsing.organisation_id, "Eva", EVA, (endorsing.codes[0],))
        with pytest.raises(NotFound):
            ask_endorsement(endorsing.db, SITE, stranger, endorsing.issued.credential_id, ask)
        with pytest.raises(NotFound):
            ask_endorsement(endorsing.db, SITE, stranger, CredentialId(new_id()), ask)
        with pytest.raises(NotFound):
            answer_endorsement(endorsing.db, stranger, endorsing.endorsement_id, "accepted")
        with pytest.raises(NotFound):
            take_back_endorsement(endorsing.db, stranger, endorsing.endorsement_id)
        with pytest.raises(NotFound):
            take_back_endorsement(endorsing.db, endorsing.learner, EndorsementId(new_id()))

    def test_a_credential_that_is_not_in_force_is_not_endorsed(self, endorsing: Endorsing) -> None:
        open_endorsement(endorsing.db, endorsing.token)
        save_endorsement(endorsing.db, endorsing.token, endorsing.form)
        code = endorsing.code()
        change_credential(
            endorsing.db,
            SITE,
            endorsing.issued.registrar,
            endorsing.issued.credential_id,
            act="suspend_credential",
            reason="review",
        )
        with pytest.raises(Conflict):
            give_endorsement(endorsing.db, SITE, endorsing.token, "Eva Lund", code)
        with pytest.raises(Conflict):
            endorsing.ask("new@northern.example")

    def test_taking_it_back_and_running_out_end_the_link(self, endorsing: Endorsing) -> None:
        second = endorsing.ask("kim@northern.example")
        take_back_endorsement(endorsing.db, endorsing.learner, second)
        with pytest.raises(LinkEnded):
            open_endorsement(endorsing.db, endorsing.link("kim@northern.example"))
        endorsing.world.clock.advance(timedelta(days=31))
        assert expire_endorsements(endorsing.db) == 1
        assert endorsing.view().state is VoiceState.EXPIRED
        with pytest.raises(LinkEnded) as refused:
            open_endorsement(endorsing.db, endorsing.token)
        assert refused.value.end is LinkEnd.EXPIRED


class TestGiving:
    def test_the_employer_sees_what_is_asked_and_may_choose_other_outcomes(
        self, endorsing: Endorsing
    ) -> None:
        open_endorsement(endorsing.db, endorsing.token)
        open_endorsement(endorsing.db, endorsing.token)
        with endorsing.db.reading() as tx:
            asked = endorsement_question(tx, endorsing.token)
        assert asked.form.outcomes == (endorsing.codes[0],)
        assert [str(o.code) for o in asked.recognised] == endorsing.codes
        save_endorsement(endorsing.db, endorsing.token, endorsing.form)
        assert list(endorsing.view().outcomes) == endorsing.codes[:2]

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"outcomes": ()}, "outcomes"),
            ({"relation": "friend"}, "relation"),
            ({"title": ""}, "title"),
            ({"comment": "Great!"}, "comment"),
            ({"comment": "x" * 1201}, "comment"),
            ({"visibility": "everyone"}, "visibility"),
            ({"since": ""}, "since"),
            ({"until": "2018-01"}, "until"),
        ],
    )
    def test_what_is_not_whole_is_not_kept(
        self, endorsing: Endorsing, changed: dict[str, str], field: str
    ) -> None:
        open_endorsement(endorsing.db, endorsing.token)
        with pytest.raises(InvalidInput) as refused:
            save_endorsement(
                endorsing.db, endorsing.token, cast(EndorsementForm, _with(endorsing.form, changed))
            )
        assert [problem.field for problem in refused.value.problems] == [field]
        with pytest.raises(InvalidInput):
            send_endorsement_code(endorsing.db, endorsing.token)

    def test_before_the_learner_answers_nobody_else_sees_it(self, endorsing: Endorsing) -> None:
        endorsing.give()
        assert endorsing.view().answers == ()
        sign_endorsements(endorsing.world)
        assert endorsing.public() == []
        with endorsing.db.reading() as tx:
            with pytest.raises(NotFound):
                endorsement_document(tx, endorsing.endorsement_id)
            waiting = waiting_answers(tx, [endorsing.issued.credential_id])
        assert waiting == {str(endorsing.issued.credential_id): 1}
        assert "Nobody sees it until" in endorsing.mails(endorsing.learner.email)[-1].body

    def test_an_accepted_endorsement_is_a_signed_document_that_verifies(
        self, endorsing: Endorsing
    ) -> None:
        endorsing.given()
        checks = verdict_checks(endorsing)
        assert checks["endorsement.signature"] is Finding.PASSED
        assert checks["endorsement.status.revocation"] is Finding.PASSED
        assert checks["endorsement.subject"] is Finding.PASSED
        document = load_json(document_of(endorsing))
        issuer = cast(JsonObject, document["issuer"])
        assert issuer["id"] == SITE.did(endorsing.organisation_id)
        subject = cast(JsonObject, document["credentialSubject"])
        assert "She set up our line" in cast(str, subject["endorsementComment"])
        assert "Signed by Eva Lund, Head of production" in cast(str, subject["endorsementComment"])

    @needs_shared
    def test_it_has_the_form_that_its_own_json_schema_asks_for(self, endorsing: Endorsing) -> None:
        import json

        from jsonschema import Draft201909Validator

        endorsing.given()
        file = SHARED / "data/schemas/ob_v3p0_endorsementcredential_schema.json"
        validator = Draft201909Validator(json.loads(file.read_bytes()))
        assert list(validator.iter_errors(load_json(document_of(endorsing)))) == []

    def test_the_credential_itself_is_unchanged_by_it(self, endorsing: Endorsing) -> None:
        before = endorsing.issued.row()
        endorsing.given()
        assert endorsing.issued.row() == before

    def test_what_is_for_the_learner_alone_is_never_on_the_page(self, endorsing: Endorsing) -> None:
        endorsing.given(visibility="private")
        assert endorsing.public() == []
        assert endorsing.view().comment

    def test_counted_is_only_what_others_may_rely_on(self, endorsing: Endorsing) -> None:
        endorsing.given(visibility="named")
        assert [one.counted for one in endorsing.public()] == [False]

    def test_two_presses_at_once_give_once(self, endorsing: Endorsing) -> None:
        open_endorsement(endorsing.db, endorsing.token)
        save_endorsement(endorsing.db, endorsing.token, endorsing.form)
        code = endorsing.code()

        def press(_: int) -> str:
            try:
                give_endorsement(endorsing.db, SITE, endorsing.token, "Eva Lund", code)
            except AssayError as error:
                return type(error).__name__
            return "given"

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(press, range(4))).count("given") == 1

    def test_declining_tells_the_learner_why_and_ends_the_link(self, endorsing: Endorsing) -> None:
        open_endorsement(endorsing.db, endorsing.token)
        with pytest.raises(InvalidInput):
            decline_endorsement(endorsing.db, SITE, endorsing.token, "no")
        decline_endorsement(endorsing.db, SITE, endorsing.token, "policy")
        told = " ".join(endorsing.mails(endorsing.learner.email)[-1].body.split())
        assert "Our organisation does not endorse individuals" in told
        with pytest.raises(LinkEnded):
            open_endorsement(endorsing.db, endorsing.token)
        with pytest.raises(Conflict):
            withdraw_endorsement(endorsing.db, SITE, endorsing.token)

    def test_nothing_is_saved_before_the_link_was_opened(self, endorsing: Endorsing) -> None:
        with pytest.raises(Conflict):
            save_endorsement(endorsing.db, endorsing.token, endorsing.form)

    def test_signing_twice_makes_one_document(self, endorsing: Endorsing) -> None:
        endorsing.given()
        before = document_of(endorsing)
        with endorsing.db.reading() as tx:
            outbox_id = tx.session.exec(
                select(OutboxRow.id).where(OutboxRow.kind == Work.SIGN_ENDORSEMENT.value)
            ).one()
        with pytest.raises(AlreadyDone):
            sign_endorsement(endorsing.db, ISSUER, endorsing.endorsement_id, OutboxId(outbox_id))
        assert document_of(endorsing) == before

    def test_a_run_that_stopped_after_taking_its_place_goes_on_with_it(
        self, endorsing: Endorsing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endorsing.give()

        def crash(point: str) -> None:
            if point == "endorse.signed":
                raise KeyboardInterrupt

        monkeypatch.setattr("workflows.endorsements.signing.crash_point", crash)
        with pytest.raises(KeyboardInterrupt):
            sign_endorsements(endorsing.world)
        taken = endorsing.issued.endorsement(endorsing.endorsement_id).status_index
        monkeypatch.undo()
        sign_endorsements(endorsing.world)
        kept = endorsing.issued.endorsement(endorsing.endorsement_id)
        assert (kept.status_index, kept.document is None) == (taken, False)
        with endorsing.db.reading() as tx:
            own = tx.session.exec(
                select(StatusList).where(col(StatusList.organisation_id).is_not(None))
            ).all()
        assert len(own) == 1


class TestWithdrawing:
    def test_the_page_says_from_when_to_when_and_strangers_see_it_revoked(
        self, endorsing: Endorsing
    ) -> None:
        endorsing.given()
        endorsing.world.clock.advance(timedelta(days=20))
        withdraw_endorsement(endorsing.db, SITE, endorsing.token)
        withdraw_endorsement(endorsing.db, SITE, endorsing.token)
        sign_lists(endorsing.world)
        (shown,) = endorsing.public()
        assert shown.withdrawn_at is not None
        assert shown.given_at is not None
        assert not shown.counted
        assert verdict_checks(endorsing)["endorsement.status.revocation"] is Finding.NOTED
        told = [m for m in endorsing.mails(endorsing.learner.email) if "withdrawn" in m.subject]
        assert len(told) == 1
        with endorsing.db.reading() as tx:
            history = tx.session.exec(
                select(Event.kind).where(Event.subject_id == endorsing.endorsement_id)
            ).all()
        assert "give_endorsement" in history
        assert history.count("withdraw_endorsement") == 1

    def test_the_credential_stays_valid(self, endorsing: Endorsing) -> None:
        endorsing.given()
        withdraw_endorsement(endorsing.db, SITE, endorsing.token)
        sign_lists(endorsing.world)
        assert verdict(endorsing) is Outcome.VALID

    def test_the_learner_may_hide_it_and_not_show_it_as_live_again(
        self, endorsing: Endorsing
    ) -> None:
        endorsing.given()
        withdraw_endorsement(endorsing.db, SITE, endorsing.token)
        assert endorsing.view().answers == (LearnerAnswer.HIDDEN,)
        answer_endorsement(endorsing.db, endorsing.learner, endorsing.endorsement_id, "hidden")
        assert endorsing.public() == []
        with pytest.raises(Conflict):
            answer_endorsement(
                endorsing.db, endorsing.learner, endorsing.endorsement_id, "accepted"
            )

    def test_withdrawn_before_it_was_signed_no_document_is_made(self, endorsing: Endorsing) -> None:
        endorsing.give()
        withdraw_endorsement(endorsing.db, SITE, endorsing.token)
        assert sign_endorsements(endorsing.world) == 1
        assert endorsing.issued.endorsement(endorsing.endorsement_id).document is None
        with endorsing.db.reading() as tx:
            assert endorsement_receipt(tx, endorsing.token).view.state is VoiceState.WITHDRAWN


class TestAnswering:
    def test_hidden_and_shown_again_as_often_as_one_likes_and_refused_for_good(
        self, endorsing: Endorsing
    ) -> None:
        endorsing.given()
        for answer, public in (("hidden", 0), ("accepted", 1), ("refused", 0)):
            answer_endorsement(endorsing.db, endorsing.learner, endorsing.endorsement_id, answer)
            assert len(endorsing.public()) == public
        assert endorsing.view().answers == ()
        with pytest.raises(Conflict):
            answer_endorsement(
                endorsing.db, endorsing.learner, endorsing.endorsement_id, "accepted"
            )

    def test_what_was_not_given_is_not_answered(self, endorsing: Endorsing) -> None:
        with pytest.raises(Conflict):
            answer_endorsement(
                endorsing.db, endorsing.learner, endorsing.endorsement_id, "accepted"
            )
        assert answers_for(VoiceState.WITHDRAWN, LearnerAnswer.HIDDEN) == ()


def _with(form: EndorsementForm, changed: dict[str, object]) -> EndorsementForm:
    return replace(form, **changed)  # type: ignore[arg-type]


def document_of(endorsing: Endorsing) -> bytes:
    with endorsing.db.reading() as tx:
        return endorsement_document(tx, endorsing.endorsement_id)


def verdict_checks(endorsing: Endorsing) -> dict[str, Finding]:
    with endorsing.db.reading() as tx:
        view = public_credential(tx, SITE, endorsing.issued.credential_id)
        assert len(endorsement_documents(tx, endorsing.issued.credential_id)) == 1
        assert b"publicKeyMultibase" in organisation_did(tx, SITE, endorsing.organisation_id)
    found = verify_own(endorsing.db, SITE, view, nothing)
    assert found.outcome is Outcome.VALID
    return {check.code: check.outcome for check in found.checks}


def verdict(endorsing: Endorsing) -> Outcome:
    with endorsing.db.reading() as tx:
        view = public_credential(tx, SITE, endorsing.issued.credential_id)
    return verify_own(endorsing.db, SITE, view, nothing).outcome


def test_an_open_end_is_written_as_an_interval(endorsing: Endorsing) -> None:
    codes = tuple(o.code for o in endorsing.world.definition.outcomes)
    words = read_words(endorsing.form, codes, endorsing.world.clock.now().date())
    assert (words.period, words.visibility) == ("2019-04/..", EndorsementVisibility.COUNTED)
    assert local_fetcher(endorsing.db, SITE, lambda url: b"x")("https://x.example") == b"x"


def test_who_endorsed_a_credential_that_was_corrected_is_asked_to_endorse_the_new_one(
    endorsing: Endorsing,
) -> None:
    endorsing.given()
    issued = endorsing.issued
    right = Correction("Ana Souza Lima")
    new = correct_credential(issued.db, ISSUER, issued.registrar, issued.credential_id, right)
    run_corrections(issued.world)
    with issued.db.reading() as tx:
        anew = tx.session.exec(select(Endorsement).where(Endorsement.credential_id == new)).one()
    assert (anew.state, anew.replaces_id) == (VoiceState.ASKED, endorsing.endorsement_id)
    assert "corrected" in endorsing.mails(EVA)[-1].subject
    endorsing.token = endorsing.link(EVA)
    with issued.db.reading() as tx:
        assert endorsement_question(tx, endorsing.token).form.comment == endorsing.form.comment
    assert not is_set(endorsing)
    open_endorsement(issued.db, endorsing.token)
    give_endorsement(issued.db, SITE, endorsing.token, "Eva Lund", endorsing.code())
    sign_endorsements(issued.world)
    assert is_set(endorsing)


def is_set(endorsing: Endorsing) -> bool:
    """Whether the status of the first endorsement says that it does not stand any more."""
    with endorsing.db.reading() as tx:
        place = place_of(tx, endorsing.endorsement_id)
        assert place is not None
        return get_bit(tx.session.get_one(StatusList, place.lists[0][1]).bits, place.index)
