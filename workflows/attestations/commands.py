"""What a learner asks of supervisors, and what supervisors do with their link.

Every act of a supervisor needs nothing but the link; signing also needs the code that goes to the
same address. Declining, handing over, withdrawing and running out end the link.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem, TooMany
from storage.events import SYSTEM, Who, record
from storage.ids import AttestationId, CaseId, OutcomeCode, new_id
from storage.tables import Attestation, Case, MailLink, PolicyVersion
from storage.vocabulary import LinkPurpose, VoiceState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.attestations import mails
from workflows.attestations.document import keep_statement, statement_body
from workflows.attestations.load import (
    Held,
    around,
    by_link,
    by_used_link,
    hold,
    turn,
)
from workflows.attestations.retracting import retract_withdrawn
from workflows.attestations.rules import (
    DECLINE_REASONS,
    DeclineReason,
    flags_of,
    identity_of,
    kept_draft,
    observables,
    read_statement,
)
from workflows.cases.load import find_case, lock_case, state_of, still_editable
from workflows.cases.policy import read_policy
from workflows.cases.states import EDITABLE, FINISHED
from workflows.frameworks.definition import read_definition
from workflows.issuance.addresses import Site
from workflows.people.addresses import read_address, same_mailbox
from workflows.people.links import (
    check_code,
    make_code,
    make_link,
    open_link,
    revoke_links,
    use_link,
)
from workflows.people.organisations import verified_organisation_at
from workflows.people.rules import read_name
from workflows.voices import LIVE
from workflows.work import Work, promise_work

MOST_ASKED = 12
LONGEST_MESSAGE = 1000
LONGEST_NOTE = 1000


@dataclass(frozen=True)
class Ask:
    """Who is asked, about which outcomes, with which words."""

    name: str
    email: str
    outcomes: tuple[str, ...]
    message: str = ""


@dataclass(frozen=True)
class Colleague:
    """Somebody whom a supervisor names in their stead."""

    name: str
    email: str


@dataclass(frozen=True)
class Decline:
    """A no: a `DeclineReason`, a note that the learner does not see, perhaps someone else."""

    reason: str
    note: str = ""
    colleague: Colleague | None = None


@command
def ask_attestation(
    db: Database, site: Site, actor: Actor, case_id: CaseId, ask: Ask
) -> AttestationId:
    """Ask a supervisor what they saw; the mail with the link goes out with this transaction.

    Raises NotFound, Conflict (the case was submitted; this person has been asked), InvalidInput
    (no address, the learner's own, no outcome) and TooMany.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ASK_ATTESTATION, case_resource(tx, case))
        still_editable(case)
        return _ask(tx, site, who, case, ask)


@command
def resend_attestation(
    db: Database, site: Site, actor: Actor, attestation_id: AttestationId
) -> CaseId:
    """Send the question again with a fresh link; the older link ends. Returns the case.

    Raises NotFound, and Conflict when it was answered.
    """
    with db.transaction() as tx:
        held = hold(tx, attestation_id)
        who = acting(actor, Permission.ASK_ATTESTATION, case_resource(tx, held.case))
        _still_live(held)
        if state_of(held.case) in FINISHED:
            raise Conflict("This case is finished, so nobody is asked for it any more.")
        _send_question(tx, site, held.attestation, held.case)
        record(
            tx,
            who,
            "resend_attestation",
            ("attestation", attestation_id),
            case_id=CaseId(held.case.id),
        )
        return CaseId(held.case.id)


@command
def take_back_attestation(db: Database, actor: Actor, attestation_id: AttestationId) -> CaseId:
    """Ask no longer: the link ends. Returns the case.

    Raises NotFound, and Conflict when it was answered.
    """
    with db.transaction() as tx:
        held = hold(tx, attestation_id)
        who = acting(actor, Permission.ASK_ATTESTATION, case_resource(tx, held.case))
        turn(tx, held, "take_back", who)
        revoke_links(tx, LinkPurpose.ATTEST, attestation_id)
        return CaseId(held.case.id)


@command
def open_attestation(db: Database, token: str) -> None:
    """Note that the link was opened; nothing is promised by that. Raises LinkEnded, Conflict."""
    with db.transaction() as tx:
        open_link(tx, LinkPurpose.ATTEST, token)
        held, _ = by_link(tx, token, locked=True)
        if held.attestation.state == VoiceState.ASKED:
            turn(tx, held, "open", held.supervisor)
            held.attestation.opened_at = tx.now


@command
def save_attestation(db: Database, token: str, form: Mapping[str, str]) -> None:
    """Keep what the form holds so far, whole or not. Accepting is the first save.

    Raises LinkEnded, and Conflict when the link was not opened by a person yet.
    """
    with db.transaction() as tx:
        held, _ = _opened(tx, token)
        held.attestation.draft = dict(kept_draft(form, held.outcomes))


@command
def decline_attestation(
    db: Database, site: Site, token: str, decline: Decline
) -> AttestationId | None:
    """Decline, which ends the link; a colleague who is named is asked in the learner's name.

    The note stays with the institution. Returns the id of the new question, if there is one.
    Raises LinkEnded, Conflict, and InvalidInput (no reason; a colleague who cannot be asked).
    """
    if decline.reason not in set(DeclineReason):
        problem = Problem("reason", "Say why, with one of these.")
        raise InvalidInput("A reason helps the learner.", problems=[problem])
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        use_link(tx, link)
        declined, colleague = held.attestation, decline.colleague
        declined.decline_reason = DeclineReason(decline.reason).value
        declined.decline_note = decline.note.strip()[:LONGEST_NOTE]
        declined.draft = None
        turn(tx, held, "decline", held.supervisor, why=_why(declined))
        if colleague is not None:
            declined.handed_to = _hand_over(tx, site, held, colleague)
        named = colleague.name.strip() if colleague else ""
        mails.tell_declined(tx, declined, held.around, named, site.case(CaseId(held.case.id)))
        return AttestationId(declined.handed_to) if declined.handed_to else None


@command
def send_attestation_code(db: Database, token: str) -> None:
    """Mail six digits to the supervisor's address, for signing.

    Raises LinkEnded, Conflict, and InvalidInput while the statement is not whole.
    """
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        read_statement(_draft(held), held.outcomes, tx.now.date())
        mails.send_code(tx, held.attestation, held.around, make_code(tx, link, token))


def give_attestation(
    db: Database, site: Site, token: str, typed_name: str, code: str
) -> AttestationId:
    """Sign the statement that was drafted. It is sealed as evidence by a job.

    Raises LinkEnded, Conflict, TooMany (five wrong codes) and InvalidInput (a wrong code, no
    name, a draft that is not whole).
    """
    name = read_name(typed_name, "typed_name")
    check_code(db, LinkPurpose.ATTEST, token, code)
    return _give(db, site, token, name)


@command
def withdraw_attestation(db: Database, site: Site, token: str) -> None:
    """Take a given statement back, with the link of the first mail; a second time does nothing.

    While the case is with the learner, and when it comes back to them, the statement counts no
    more; what was submitted stays, and everyone who reads it sees that it was withdrawn. Raises
    LinkEnded.
    """
    with db.transaction() as tx:
        held = by_used_link(tx, token, locked=True)
        if held.attestation.state == VoiceState.WITHDRAWN:
            return
        case = lock_case(tx, held.case.id)  # a submission that is under way comes before this
        turn(tx, held, "withdraw", held.supervisor)
        if state_of(case) in EDITABLE:
            retract_withdrawn(tx, case.id)
        mails.tell_withdrawn(tx, held.attestation, held.around, site.case(CaseId(held.case.id)))


@command
def expire_attestations(db: Database, limit: int = 200) -> int:
    """End the questions whose link has run out; returns how many."""
    with db.transaction() as tx:
        rows = tx.session.exec(
            select(Attestation.id)
            .where(
                col(Attestation.state).in_(LIVE),
                ~select(MailLink.id)
                .where(
                    MailLink.subject_id == Attestation.id,
                    MailLink.purpose == LinkPurpose.ATTEST.value,
                    col(MailLink.revoked_at).is_(None),
                    col(MailLink.expires_at) > tx.now,
                )
                .exists(),
            )
            .order_by(col(Attestation.asked_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for attestation_id in rows:
            turn(tx, hold(tx, AttestationId(attestation_id)), "expire", SYSTEM)
        return len(rows)


@command
def _give(db: Database, site: Site, token: str, name: str) -> AttestationId:
    with db.transaction() as tx:
        held, link = _opened(tx, token)
        statement = read_statement(_draft(held), held.outcomes, tx.now.date())
        use_link(tx, link)
        given = held.attestation
        organisation = verified_organisation_at(tx, given.supervisor_email)
        identity = identity_of(given.supervisor_email, organisation.name if organisation else "")
        kept = keep_statement(
            held.id,
            held.case.number,
            held.around,
            statement,
            held.outcomes,
            typed_name=name,
            identity=identity,
            at=tx.now,
        )
        taken = tx.now - (given.opened_at or tx.now)
        flags = flags_of(given.supervisor_email, held.around.learner_email, statement, taken)
        given.statement = statement_body(kept)
        given.identity = {**asdict(identity), "flags": [flag.value for flag in flags]}
        given.draft = None
        turn(tx, held, "give", held.supervisor)
        promise_work(tx, Work.SEAL_ATTESTATION, given.id, dedupe_key=f"seal_attestation:{given.id}")
        mails.thank_supervisor(tx, given, held.around, site.attest(token))
        return held.id


def _ask(tx: Transaction, site: Site, who: Who, case: Case, ask: Ask) -> AttestationId:
    named, version = around(tx, case)
    name, address = read_name(ask.name), read_address(ask.email)
    if same_mailbox(address, named.learner_email):
        problem = Problem("email", "This is the learner's own address. Nobody attests themselves.")
        raise InvalidInput("Someone else has to say what they saw.", problems=[problem])
    asked = observables(read_definition(version.body), ask.outcomes)
    if not asked:
        problem = Problem("outcomes", "Choose at least one outcome that they saw you at.")
        raise InvalidInput("What should they speak about?", problems=[problem])
    _not_asked_twice(tx, case, address)
    attestation = Attestation(
        id=new_id(),
        case_id=case.id,
        state=VoiceState.ASKED.value,
        supervisor_name=name,
        supervisor_email=address,
        message=ask.message.strip()[:LONGEST_MESSAGE],
        outcome_codes=[str(one.code) for one in asked],
        asked_at=tx.now,
    )
    tx.session.add(attestation)
    tx.session.flush()
    codes: list[OutcomeCode] = [one.code for one in asked]
    record(
        tx,
        who,
        "ask_attestation",
        ("attestation", attestation.id),
        case_id=CaseId(case.id),
        data={"outcomes": codes},
    )
    _send_question(tx, site, attestation, case)
    return AttestationId(attestation.id)


def _not_asked_twice(tx: Transaction, case: Case, address: str) -> None:
    live = tx.session.exec(
        select(Attestation).where(
            Attestation.case_id == case.id,
            col(Attestation.state).in_([*LIVE, VoiceState.GIVEN]),
        )
    ).all()
    if any(same_mailbox(one.supervisor_email, address) for one in live):
        raise Conflict("This person has been asked for this case already.")
    if len(live) >= MOST_ASKED:
        raise TooMany("Twelve people are asked for this case already. That is enough.")


def _send_question(tx: Transaction, site: Site, asked: Attestation, case: Case) -> None:
    policy = tx.session.get_one(PolicyVersion, case.policy_id)
    days = read_policy(policy.body).attestation_link_days
    named, _ = around(tx, case)
    token = make_link(
        tx, LinkPurpose.ATTEST, asked.id, asked.supervisor_email, timedelta(days=days)
    )
    mails.ask_supervisor(tx, asked, named, site.attest(token), days)


def _hand_over(tx: Transaction, site: Site, held: Held, colleague: Colleague) -> AttestationId:
    if same_mailbox(colleague.email, held.attestation.supervisor_email):
        problem = Problem("colleague_email", "This is your own address.")
        raise InvalidInput("Name somebody else.", problems=[problem])
    codes = tuple(held.attestation.outcome_codes)
    ask = Ask(colleague.name, colleague.email, codes, held.attestation.message)
    try:
        return _ask(tx, site, held.supervisor, find_case(tx, held.case.id), ask)
    except InvalidInput as refused:
        problems = [
            Problem(f"colleague_{one.field}", one.message, one.params) for one in refused.problems
        ]
        raise InvalidInput(refused.message, refused.params, problems) from refused


def _opened(tx: Transaction, token: str) -> tuple[Held, MailLink]:
    held, link = by_link(tx, token, locked=True)
    if held.attestation.state != VoiceState.OPENED:
        raise Conflict("Open the link from the mail first.")
    return held, link


def _still_live(held: Held) -> None:
    if VoiceState(held.attestation.state) not in LIVE:
        raise Conflict("This was answered already. Reload the page to see how it stands now.")


def _why(declined: Attestation) -> str:
    return DECLINE_REASONS[DeclineReason(declined.decline_reason)]


def _draft(held: Held) -> dict[str, str]:
    return {name: str(value) for name, value in (held.attestation.draft or {}).items()}
