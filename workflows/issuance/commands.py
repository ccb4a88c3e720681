"""Issuing, and what becomes of a credential afterwards.

Issuing goes by steps that each may be the last before a crash: claims frozen, document signed and
stored, lists signed, published. Running it again takes it up where it stopped; from frozen claims
the same key makes the same bytes.
"""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from credentials.errors import CredentialError
from credentials.openbadges import build_credential
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import AssayError, Conflict, InvalidInput, NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import (
    CaseId,
    CredentialId,
    DecisionId,
    InstitutionId,
    OutboxId,
    new_id,
    sha256_of,
)
from storage.outbox import receive
from storage.tables import Case, Credential, CredentialNote, Decision, EvidenceItem
from storage.vocabulary import CaseState, CredentialState, Disclosure
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import lock_case, state_of
from workflows.decisions.appealed import running_appeal
from workflows.decisions.closing import close_case
from workflows.issuance import mails
from workflows.issuance.addresses import Site
from workflows.issuance.claims import freeze, read_frozen
from workflows.issuance.facts import Source, facts_of, pending_credential
from workflows.issuance.keys import Issuer, ensure_issuer_key, live_key_id, signing_key
from workflows.issuance.rules import REASONS, Reason, change, read_note, read_reason
from workflows.issuance.signing import sign_alone
from workflows.issuance.status import (
    allocate,
    changed_lists,
    set_status,
    sign_status_list,
    unsigned_lists,
)
from workflows.webhooks.announcing import Published, announce_change, announce_issued


def issue_credential(
    db: Database, issuer: Issuer, decision_id: DecisionId, outbox_id: OutboxId
) -> None:
    """The job: make the credential of a released decision and publish it.

    Raises AlreadyDone, NotFound, Conflict (the decision was not released, or was replaced),
    Unavailable.
    """
    with db.reading() as tx:
        decision = tx.session.get(Decision, decision_id)
        if decision is None:
            raise NotFound(NOT_YOURS)
        institution_id = InstitutionId(tx.session.get_one(Case, decision.case_id).institution_id)
    ensure_issuer_key(db, issuer, institution_id)
    credential_id = freeze_claims(db, issuer.site, decision_id)
    crash_point("issue.frozen")
    sign_credential(db, issuer, credential_id)
    crash_point("issue.signed")
    publish_lists_of(db, issuer, credential_id)
    crash_point("issue.listed")
    _publish(db, issuer.site, credential_id, outbox_id)


def publish_lists_of(db: Database, issuer: Issuer, credential_id: CredentialId) -> None:
    """Sign those of a credential's status lists that have never been published."""
    with db.reading() as tx:
        unsigned = unsigned_lists(tx, credential_id)
    for list_id in unsigned:
        sign_status_list(db, issuer, list_id)


@command
def freeze_claims(db: Database, site: Site, decision_id: DecisionId) -> CredentialId:
    """Fix what the credential will say, its key, its places in the status lists and its time.

    A second time it is the first credential. Raises NotFound, Conflict.
    """
    with db.transaction() as tx:
        decision = tx.session.get(Decision, decision_id, with_for_update={"key_share": True})
        if decision is None:
            raise NotFound(NOT_YOURS)
        known = tx.session.exec(
            select(Credential.id).where(
                Credential.decision_id == decision_id, col(Credential.replaces_id).is_(None)
            )
        ).one_or_none()
        if known is not None:
            return CredentialId(known)
        if decision.released_at is None or decision.replaced_at is not None:
            raise Conflict("This decision is not in force: nothing is issued from it.")
        credential = _pending(tx, site, decision)
        tx.session.add(credential)
        record(
            tx,
            SYSTEM,
            "freeze_claims",
            ("credential", credential.id),
            case_id=CaseId(decision.case_id),
        )
        return CredentialId(credential.id)


def sign_credential(db: Database, issuer: Issuer, credential_id: CredentialId) -> None:
    """Sign the frozen claims and store the document. Does nothing when that was done."""
    with db.reading() as tx:
        credential = tx.session.get_one(Credential, credential_id)
        if credential.document is not None:
            return
        frozen = read_frozen(credential.claims)
        key = signing_key(tx, issuer, frozen.key_id)
    document = sign_alone(build_credential(frozen.credential_claims()), key, frozen.created)
    crash_point("issue.before_store")
    _store(db, credential_id, document, key.id)


@command
def change_credential(
    db: Database,
    site: Site,
    actor: Actor,
    credential_id: CredentialId,
    *,
    act: str,
    reason: str = "",
    note: str = "",
) -> None:
    """Suspend, unsuspend or revoke (`rules.CHANGES`), for a reason of the list that everyone reads.

    The note is for staff alone. The status lists are signed anew by a job, and the learner is told.
    Raises NotFound, Forbidden, Conflict (it has changed meanwhile, or is being corrected),
    InvalidInput (no such reason, a long note).
    """
    why, kept_note = read_reason(act, reason), read_note(note)
    with db.transaction() as tx:
        credential = hold_credential(tx, credential_id)
        case = tx.session.get_one(Case, credential.case_id)
        resource = case_resource(tx, case)
        who = acting(actor, Permission.CHANGE_CREDENTIAL_STATUS, resource)
        not_being_corrected(tx, credential_id)
        if why is Reason.APPEAL and running_appeal(tx, case.id) is None:
            raise Conflict("The decision behind this credential is not under appeal.")
        turn_credential(tx, who, credential, act, why)
        keep_note(tx, who, credential_id, act, kept_note)
        mails.tell_changed(tx, site, credential)


def change_and_publish(
    db: Database,
    issuer: Issuer,
    actor: Actor,
    credential_id: CredentialId,
    *,
    act: str,
    reason: str = "",
    note: str = "",
) -> None:
    """`change_credential`, and its lists signed right away where that can be done.

    Where it cannot, or this process ends in between, the promised work does it.
    """
    change_credential(db, issuer.site, actor, credential_id, act=act, reason=reason, note=note)
    publish_changes(db, issuer, credential_id)


def publish_changes(db: Database, issuer: Issuer, subject_id: UUID) -> None:
    """Sign those lists of a subject whose bits have turned; what fails is left to the promise."""
    with db.reading() as tx:
        changed = changed_lists(tx, subject_id)
    for list_id in changed:
        with suppress(AssayError, CredentialError):
            sign_status_list(db, issuer, list_id)


def turn_credential(
    tx: Transaction, who: Who, credential: Credential, act: str, why: Reason | None
) -> None:
    """Do an act of `rules.CHANGES` to a credential that is held: its state, its bits, the event.

    Raises Conflict when its state does not allow it.
    """
    found = change(credential.state, act)
    credential.state = found.target.value
    credential.version += 1
    credential.public_reason = why.value if why else ""
    credential.suspended_at = tx.now if found.target is CredentialState.SUSPENDED else None
    credential.revoked_at = tx.now if found.target is CredentialState.REVOKED else None
    for purpose, value in found.bits.items():
        set_status(tx, credential.id, purpose, value)
    record(
        tx,
        who,
        act,
        ("credential", credential.id),
        case_id=CaseId(credential.case_id),
        why=REASONS[why] if why else "",
        data={"reason": why.value} if why else {},
    )
    announce_change(tx, credential, act)


def keep_note(tx: Transaction, who: Who, credential_id: CredentialId, act: str, note: str) -> None:
    """Keep what staff write to themselves of an act; nothing when it is empty."""
    if note:
        tx.session.add(
            CredentialNote(
                id=new_id(),
                credential_id=credential_id,
                act=act,
                note=note,
                author_id=who.account_id,
                at=tx.now,
            )
        )


def not_being_corrected(tx: Transaction, credential_id: CredentialId) -> None:
    """Raise Conflict when another credential replaces this one, or is about to."""
    if tx.session.exec(
        select(Credential.id).where(Credential.replaces_id == credential_id)
    ).first():
        raise Conflict("A corrected credential is being made of this one, or has replaced it.")


@command
def choose_disclosure(
    db: Database, actor: Actor, credential_id: CredentialId, *, slug: str, disclosure: str
) -> None:
    """Let the world have more or less of one evidence item, from now on.

    Raises NotFound, InvalidInput.
    """
    if disclosure not in set(Disclosure):
        raise InvalidInput("Choose how much of this item others may have.")
    with db.transaction() as tx:
        credential = hold_credential(tx, credential_id)
        case = tx.session.get_one(Case, credential.case_id)
        who = acting(actor, Permission.SHARE_CREDENTIAL, case_resource(tx, case))
        item_id = read_frozen(credential.claims).items.get(slug)
        item = tx.session.get(EvidenceItem, item_id, with_for_update=True) if item_id else None
        if item is None:
            raise NotFound(NOT_YOURS)
        item.disclosure = disclosure
        record(
            tx,
            who,
            "choose_disclosure",
            ("evidence_item", item.id),
            case_id=CaseId(case.id),
            data={"disclosure": disclosure},
        )


@command
def _publish(db: Database, site: Site, credential_id: CredentialId, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        credential = hold_credential(tx, credential_id)
        if credential.state != CredentialState.SIGNED:
            return
        credential.state = CredentialState.PUBLISHED.value
        credential.version += 1
        credential.published_at = tx.now
        case = lock_case(tx, credential.case_id)
        record(
            tx,
            SYSTEM,
            "publish_credential",
            ("credential", credential.id),
            case_id=CaseId(case.id),
            data={"sha256": credential.document_sha256},
        )
        published = Published(credential.id, credential.definition_id)
        announce_issued(tx, credential.institution_id, [published])
        if state_of(case) is CaseState.RELEASED:
            close_case(tx, case)
        mails.tell_published(tx, site, credential)


@command
def _store(db: Database, credential_id: CredentialId, document: str, key_id: UUID) -> None:
    with db.transaction() as tx:
        tx.session.execute(
            update(Credential)
            .where(
                col(Credential.id) == credential_id,
                col(Credential.state) == CredentialState.PENDING.value,
            )
            .values(
                state=CredentialState.SIGNED.value,
                version=Credential.version + 1,
                document=document,
                document_sha256=sha256_of(document.encode()),
                key_id=key_id,
                signed_at=tx.now,
            )
        )


def hold_credential(tx: Transaction, credential_id: CredentialId) -> Credential:
    """The credential, held against all others. Raises NotFound."""
    credential = tx.session.get(Credential, credential_id, with_for_update=True)
    if credential is None:
        raise NotFound(NOT_YOURS)
    return credential


def _pending(tx: Transaction, site: Site, decision: Decision) -> Credential:
    """The credential of a decision with its claims frozen, before anything is signed."""
    case = tx.session.get_one(Case, decision.case_id)
    institution_id = InstitutionId(case.institution_id)
    credential_id = CredentialId(new_id())
    place = allocate(tx, institution_id, credential_id)
    frozen_from = Source(decision, case, credential_id, place)
    (facts,) = facts_of(tx, site, institution_id, [frozen_from])
    return pending_credential(frozen_from, freeze(facts, live_key_id(tx, institution_id)), tx.now)
