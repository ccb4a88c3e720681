"""What a learner asks of employers, what these do with their link, and what the learner answers.

A job makes the signed document of what was given (`signing.py`). Withdrawing turns the document's
own status bit; what was said and when stays in the history.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound, Problem, TooMany
from storage.events import SYSTEM, record
from storage.ids import (
    CaseId,
    CredentialId,
    EndorsementId,
    OrganisationId,
    new_id,
)
from storage.tables import Credential, Endorsement, MailLink, Organisation
from storage.vocabulary import CredentialState, LinkPurpose, VoiceState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.attestations.rules import identity_of
from workflows.endorsements import mails
from workflows.endorsements.load import (
    Held,
    by_link,
    by_used_link,
    hold,
    named,
    subject,
    turn,
)
from workflows.endorsements.rules import (
    DECLINE_REASONS,
    DeclineReason,
    EndorsementForm,
    Words,
    may_answer,
    read_words,
    saved_form,
    stands_shown,
)
from workflows.issuance.addresses import Site
from workflows.issuance.status import (
    REVOCATION_ONLY,
    place_of,
    set_status,
)
from workflows.people.addresses import of_domain, read_address, same_mailbox
from workflows.people.links import (
    check_code,
    make_code,
    make_link,
    open_link,
    revoke_links,
    use_link,
)
from workflows.people.rules import read_name
from workflows.voices import LIVE
from workflows.webhooks.announcing import announce_endorsement
from workflows.work import Work, promise_work

LINK_DAYS = 30
MOST_ASKED = 20
LONGEST_MESSAGE = 1000


@dataclass(frozen=True)
class AskEmployer:
    """Who is asked at which organisation, about which outcomes, with which words."""

    organisation_id: OrganisationId
    name: str
    email: str
    outcomes: tuple[str, ...]
    message: str = ""


@command
def ask_endorsement(
    db: Database, site: Site, actor: Actor, credential_id: CredentialId, ask: AskEmployer
) -> EndorsementId:
    """Ask somebody of a checked organisation to endorse outcomes of a published credential.

    Raises NotFound, Conflict (not in force; asked already), TooMany, and InvalidInput (an address
    outside of the organisation's domain, the learner's own, no outcome).
    """
    with db.transaction() as tx:
        tx.session.get(Credential, credential_id, with_for_update=True)
        about = subject(tx, credential_id)
        who = acting(actor, Permission.ASK_ENDORSEMENT, case_resource(tx, about.case))
        if about.credential.state != CredentialState.PUBLISHED:
            raise Conflict("Only a credential that is in force can be endorsed.")
        organisation = _verified(tx, ask.organisation_id)
        name = read_name(ask.name)
        address = _address(ask.email, organisation, about.learner.email)
        chosen = [str(code) for code in about.recognised if code in ask.outcomes]
        if not chosen:
            problem = Problem("outcomes", "Choose at least one outcome.")
            raise InvalidInput("What should they endorse?", problems=[problem])
        _not_asked_twice(tx, credential_id, address)
        endorsement = Endorsement(
            id=new_id(),
            credential_id=credential_id,
            organisation_id=organisation.id,
            state=VoiceState.ASKED.value,
            endorser_name=name,
            endorser_email=address,
            message=ask.message.strip()[:LONGEST_MESSAGE],
            outcome_codes=chosen,
            asked_at=tx.now,
        )
        tx.session.add(endorsement)
        tx.session.flush()
        record(
            tx,
            who,
            "ask_endorsement",
            ("endorsement", endorsement.id),
            case_id=CaseId(about.case.id),
            data={"organisation": organisation.name, "outcomes": chosen},
        )
        token = make_link(
            tx, LinkPurpose.ENDORSE, endorsement.id, address, timedelta(days=LINK_DAYS)
        )
        mails.ask_employer(
            tx, endorsement, named(about, organisation), site.endorse(token), LINK_DAYS
        )
        return EndorsementId(endorsement.id)


@command
def take_back_endorsement(db: Database, actor: Actor, endorsement_id: EndorsementId) -> None:
    """Ask no longer: the link ends. Raises NotFound, and Conflict when it was answered."""
    with db.transaction() as tx:
        held = hold(tx, endorsement_id)
        who = acting(actor, Permission.ASK_ENDORSEMENT, case_resource(tx, held.case))
        turn(tx, held, "take_back", who)
        revoke_links(tx, LinkPurpose.ENDORSE, endorsement_id)


@command
def answer_endorsement(
    db: Database, actor: Actor, endorsement_id: EndorsementId, answer: str
) -> None:
    """Show, hide or refuse an endorsement. Raises NotFound, Conflict."""
    with db.transaction() as tx:
        held = hold(tx, endorsement_id)
        who = acting(actor, Permission.ANSWER_ENDORSEMENT, case_resource(tx, held.case))
        endorsement = held.endorsement
        was_shown = stands_shown(endorsement)
        endorsement.answer = may_answer(endorsement.state, endorsement.answer, answer).value
        endorsement.answered_at = tx.now
        endorsement.version += 1
        record(
            tx,
            who,
            "answer_endorsement",
            ("endorsement", endorsement_id),
            case_id=CaseId(held.case.id),
            data={"answer": endorsement.answer},
        )
        if stands_shown(endorsement) != was_shown:
            announce_endorsement(tx, endorsement, shown=not was_shown)


@command
def open_endorsement(db: Database, token: str) -> None:
    """Note that the link was opened; nothing is promised by that. Raises LinkEnded."""
    with db.transaction() as tx:
        open_link(tx, LinkPurpose.ENDORSE, token)
        held, _ = by_link(tx, token, locked=True)
        if held.endorsement.state == VoiceState.ASKED:
            turn(tx, held, "open", held.employer)
            held.endorsement.opened_at = tx.now


@command
def save_endorsement(db: Database, token: str, form: EndorsementForm) -> Words:
    """Keep a whole form for the preview. Raises LinkEnded, Conflict, InvalidInput."""
    with db.transaction() as tx:
        held, _ = _opened(tx, token)
        said = read_words(form, held.recognised, tx.now.date())
        kept = held.endorsement
        kept.outcome_codes = [str(code) for code in said.outcomes]
        kept.relation, kept.endorser_title = said.relation.value, said.title
        kept.period, kept.comment = said.period, said.comment
        kept.visibility = said.visibility.value
        return said


@command
def decline_endorsement(db: Database, site: Site, token: str, reason: str) -> None:
    """Decline, which ends the link. Raises LinkEnded, Conflict, InvalidInput (no reason)."""
    if reason not in set(DeclineReason):
        problem = Problem("reason", "Say why, with one of these.")
        raise InvalidInput("A reason helps the learner.", problems=[problem])
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        use_link(tx, link)
        held.endorsement.decline_reason = DeclineReason(reason).value
        turn(tx, held, "decline", held.employer, why=DECLINE_REASONS[DeclineReason(reason)])
        mails.tell_declined(tx, held.endorsement, held.around, site.my_credentials())


@command
def send_endorsement_code(db: Database, token: str) -> None:
    """Mail six digits to the employer's address, for signing.

    Raises LinkEnded, Conflict, and InvalidInput while the form is not whole.
    """
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        read_words(saved_form(held.endorsement), held.recognised, tx.now.date())
        mails.send_code(tx, held.endorsement, held.around, make_code(tx, link, token))


def give_endorsement(
    db: Database, site: Site, token: str, typed_name: str, code: str
) -> EndorsementId:
    """Sign what was saved. A job makes the signed document; the learner answers after that.

    Raises LinkEnded, Conflict, TooMany (five wrong codes), InvalidInput.
    """
    name = read_name(typed_name, "typed_name")
    check_code(db, LinkPurpose.ENDORSE, token, code)
    return _give(db, site, token, name)


@command
def withdraw_endorsement(db: Database, site: Site, token: str) -> None:
    """Take an endorsement back, with the link of the first mail; a second time does nothing.

    Raises LinkEnded, Conflict (it was declined).
    """
    with db.transaction() as tx:
        held = by_used_link(tx, token, locked=True)
        if held.endorsement.state == VoiceState.WITHDRAWN:
            return
        was_shown = stands_shown(held.endorsement)
        turn(tx, held, "withdraw", held.employer)
        held.endorsement.withdrawn_at = tx.now
        if place_of(tx, held.id) is not None:
            set_status(tx, held.id, REVOCATION_ONLY[0], True)
        if was_shown:
            announce_endorsement(tx, held.endorsement, shown=False)
        mails.tell_withdrawn(tx, held.endorsement, held.around, site.my_credentials())


@command
def expire_endorsements(db: Database, limit: int = 200) -> int:
    """End the questions whose link has run out; returns how many."""
    with db.transaction() as tx:
        still_open = (
            select(MailLink.id)
            .where(
                MailLink.subject_id == Endorsement.id,
                MailLink.purpose == LinkPurpose.ENDORSE.value,
                col(MailLink.revoked_at).is_(None),
                col(MailLink.expires_at) > tx.now,
            )
            .exists()
        )
        rows = tx.session.exec(
            select(Endorsement.id)
            .where(col(Endorsement.state).in_(LIVE), ~still_open)
            .order_by(col(Endorsement.asked_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for endorsement_id in rows:
            turn(tx, hold(tx, EndorsementId(endorsement_id)), "expire", SYSTEM)
        return len(rows)


@command
def _give(db: Database, site: Site, token: str, name: str) -> EndorsementId:
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        read_words(saved_form(held.endorsement), held.recognised, tx.now.date())
        if held.credential.state != CredentialState.PUBLISHED:
            raise Conflict("This credential is not in force at present.")
        use_link(tx, link)
        given = held.endorsement
        given.endorser_name = name
        given.given_at = tx.now
        given.identity = asdict(identity_of(given.endorser_email, held.organisation.name))
        turn(tx, held, "give", held.employer)
        promise_work(tx, Work.SIGN_ENDORSEMENT, given.id, dedupe_key=f"sign_endorsement:{given.id}")
        mails.thank_employer(tx, given, held.around, site.endorse(token))
        return held.id


def _verified(tx: Transaction, organisation_id: OrganisationId) -> Organisation:
    organisation = tx.session.get(Organisation, organisation_id)
    if organisation is None or organisation.verified_at is None:
        raise NotFound("There is no such organisation among those that staff have checked.")
    return organisation


def _address(email: str, organisation: Organisation, learner_email: str) -> str:
    address = read_address(email)
    if same_mailbox(address, learner_email):
        problem = Problem("email", "This is your own address. Nobody endorses themselves.")
        raise InvalidInput("Someone else has to endorse you.", problems=[problem])
    if not of_domain(address, organisation.domain):
        problem = Problem(
            "email",
            "Write an address of %(organisation)s: it ends in @%(domain)s.",
            {"organisation": organisation.name, "domain": organisation.domain},
        )
        raise InvalidInput("This address is not the organisation's.", problems=[problem])
    return address


def _not_asked_twice(tx: Transaction, credential_id: CredentialId, address: str) -> None:
    live = tx.session.exec(
        select(Endorsement).where(
            Endorsement.credential_id == credential_id,
            col(Endorsement.state).in_([*LIVE, VoiceState.GIVEN]),
        )
    ).all()
    if any(same_mailbox(one.endorser_email, address) for one in live):
        raise Conflict("This person has been asked to endorse this credential already.")
    if len(live) >= MOST_ASKED:
        raise TooMany("Twenty people are asked about this credential already. That is enough.")


def _opened(tx: Transaction, token: str) -> tuple[Held, MailLink]:
    held, link = by_link(tx, token, locked=True)
    if held.endorsement.state != VoiceState.OPENED:
        raise Conflict("Open the link from the mail first.")
    return held, link
