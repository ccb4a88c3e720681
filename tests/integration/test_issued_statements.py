"""What a credential tells of a supervisor's statement: what they said yes to, and nothing more."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import col, select

from credentials.errors import CannotFetch
from credentials.verify import Outcome
from storage.errors import NotFound
from storage.ids import AccountId, AttestationId, CaseId, DecisionId, ItemId, OrganisationId, new_id
from storage.tables import Case, DefinitionVersion, EvidenceItem, Institution, Mail
from storage.vault import Vault
from storage.vocabulary import Disclosure, Role
from tests.fixtures.issued import Issued, nothing, run_promised
from tests.fixtures.panel import Panel
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.attestations.commands import (
    Ask,
    ask_attestation,
    give_attestation,
    open_attestation,
    save_attestation,
    send_attestation_code,
    withdraw_attestation,
)
from workflows.attestations.rules import rating_field
from workflows.attestations.sealing import seal_attestation
from workflows.issuance.artefacts import certificate, house_of
from workflows.issuance.bundle import gather
from workflows.issuance.commands import choose_disclosure
from workflows.issuance.opening import open_item
from workflows.issuance.published import achievement, institution_did, own_documents, verify_own
from workflows.issuance.queries import CredentialView, PublicItem, public_credential
from workflows.work import Work

JO = "jo.berg@northern.example"
Prepared = Callable[..., Issued]


def newest_mail(world: World, pattern: str) -> str:
    with world.db.reading() as tx:
        mails = tx.session.exec(
            select(Mail.body).where(Mail.recipient == JO).order_by(col(Mail.id).desc())
        ).all()
    return next(found[1] for body in mails for found in re.finditer(pattern, body, re.MULTILINE))


def word_of_a_supervisor(world: World, vault: Vault, case_id: CaseId, public: bool) -> str:
    """Have a supervisor speak for a case, from question to seal; returns the link's token."""
    codes = [str(outcome.code) for outcome in world.definition.outcomes]
    with world.db.reading() as tx:
        learner_id = AccountId(tx.session.get_one(Case, case_id).learner_id)
    learner = Actor(learner_id, world.institution_id, frozenset({Role.LEARNER}), "Ana Souza")
    ask_attestation(world.db, SITE, learner, case_id, Ask("Jo Berg", JO, tuple(codes)))
    token = newest_mail(world, r"/attest/(\S+)")
    open_attestation(world.db, token)
    form = {
        "relation": "supervisor",
        "role": "Shift lead",
        "organisation": "Northern Machining",
        "since": "2021-04",
        "frequency": "daily",
        "example_high": "She planned the flange job and saved a whole operation.",
        "public": "yes" if public else "",
        **{rating_field(code): "3" for code in codes},
    }
    save_attestation(world.db, token, form)
    send_attestation_code(world.db, token)
    give_attestation(world.db, SITE, token, "Jo Berg", newest_mail(world, r"^(\d{6})$"))
    run_promised(
        world,
        Work.SEAL_ATTESTATION,
        lambda subject, outbox_id: seal_attestation(
            world.db, SITE, vault, AttestationId(subject), outbox_id
        ),
    )
    return token


@pytest.fixture
def prepared(world: World, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """Makes a published credential whose case has a supervisor's word among its evidence."""
    own_evidence = world.full_evidence

    def make(*, public: bool, withdrawn: bool = False) -> Issued:
        tokens: list[str] = []

        def evidence(case_id: CaseId) -> list[ItemId]:
            tokens.append(word_of_a_supervisor(world, vault, case_id, public))
            return own_evidence(case_id)

        monkeypatch.setattr(world, "full_evidence", evidence)
        decide = Panel.decide

        def decide_after(panel: Panel) -> DecisionId:
            if withdrawn:
                withdraw_attestation(world.db, SITE, tokens[0])
            return decide(panel)

        monkeypatch.setattr(Panel, "decide", decide_after)
        return Issued(world)

    return make


def view(issued: Issued) -> CredentialView:
    with issued.db.reading() as tx:
        return public_credential(tx, SITE, issued.credential_id)


def statement_in(issued: Issued) -> PublicItem:
    (found,) = [one for one in view(issued).items if one.kind == "attestation"]
    return found


def test_a_witness_who_said_yes_is_named(prepared: Prepared) -> None:
    issued = prepared(public=True)
    assert statement_in(issued).name == "Statement by Jo Berg, Shift lead"
    assert verify_own(issued.db, SITE, view(issued), nothing).outcome is Outcome.VALID


def test_a_witness_who_did_not_say_yes_is_not_named_anywhere_in_the_document(
    prepared: Prepared,
) -> None:
    issued = prepared(public=False)
    assert statement_in(issued).name == "Statement by a supervisor"
    assert b"Jo Berg" not in view(issued).document


def test_the_learner_alone_cannot_open_the_words_of_such_a_witness(
    prepared: Prepared, vault: Vault
) -> None:
    issued = prepared(public=False)
    slug = statement_in(issued).slug
    choose_disclosure(
        issued.db, issued.learner, issued.credential_id, slug=slug, disclosure="open_link"
    )
    assert statement_in(issued).disclosure is Disclosure.ON_REQUEST
    with pytest.raises(NotFound):
        open_item(issued.db, SITE, vault, issued.credential_id, slug)


def test_an_opened_statement_is_handed_out_as_it_was_sealed(
    prepared: Prepared, vault: Vault
) -> None:
    issued = prepared(public=True)
    slug = statement_in(issued).slug
    choose_disclosure(
        issued.db, issued.learner, issued.credential_id, slug=slug, disclosure="open_link"
    )
    assert "X-Amz-Signature" in open_item(issued.db, SITE, vault, issued.credential_id, slug)
    assert [one.slug for one in gather(issued.db, SITE, issued.credential_id).opened] == [slug]


def test_a_word_that_was_taken_back_before_the_decision_is_not_told(prepared: Prepared) -> None:
    issued = prepared(public=True, withdrawn=True)
    assert [one for one in view(issued).items if one.kind == "attestation"] == []
    assert len(view(issued).items) == 3


def test_an_item_that_is_gone_from_the_house_keeps_its_digest_in_the_document(
    world: World,
) -> None:
    issued = Issued(world)
    with world.db.transaction() as tx:
        item = tx.session.exec(select(EvidenceItem)).first()
        assert item is not None
        item.state, item.sha256 = "erased", None
    shown = view(issued).items
    assert len(shown) == 3
    assert all(one.sha256 for one in shown)
    assert verify_own(issued.db, SITE, view(issued), nothing).outcome is Outcome.VALID


def test_an_odd_colour_is_left_out_of_badge_and_certificate(world: World) -> None:
    issued = Issued(world)
    assert house_of(replace(view(issued), colour="red; x")) == house_of(view(issued))
    plain = certificate(view(issued))
    with world.db.transaction() as tx:
        tx.session.get_one(Institution, world.institution_id).profile = {"colour": "#5f1f1f"}
    assert certificate(view(issued)) != plain


def test_definitions_that_were_never_published_have_no_address(world: World) -> None:
    with world.db.transaction() as tx:
        version = tx.session.get_one(DefinitionVersion, world.definition_id)
        found = own_documents(tx, SITE, SITE.achievement(world.definition_id))
        assert found == achievement(tx, SITE, world.definition_id).document
        version.published_at = None
        tx.session.flush()
        with pytest.raises(NotFound):
            achievement(tx, SITE, world.definition_id)


def test_nothing_is_published_of_organisations_and_houses_that_are_not_there(
    world: World,
) -> None:
    with world.db.reading() as tx:
        unknown = SITE.did_document(OrganisationId(new_id()))
        with pytest.raises(CannotFetch):
            own_documents(tx, SITE, unknown)
        with pytest.raises(NotFound):
            institution_did(tx, SITE)
