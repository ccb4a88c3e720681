"""A credential that says something wrong, corrected and issued anew; each names the other.

What replaces it is frozen first and signed by a job. The last transaction of that job publishes the
new one and takes the old one out of force at once: there is no moment with both, or with neither.
While it is on its way nothing else is done to the old one.
"""

from dataclasses import dataclass, replace
from typing import cast

from sqlmodel import select

from credentials.claims import ReplacedClaim, claims_to_json
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import CaseId, CredentialId, InstitutionId, OutboxId, new_id
from storage.outbox import receive
from storage.tables import Account, Case, Credential, Decision
from storage.vocabulary import CredentialState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.endorsements.asking_anew import ask_anew
from workflows.issuance import mails
from workflows.issuance.addresses import Site
from workflows.issuance.claims import FrozenCredential, freeze, read_frozen
from workflows.issuance.commands import (
    hold_credential,
    keep_note,
    not_being_corrected,
    publish_changes,
    publish_lists_of,
    sign_credential,
    turn_credential,
)
from workflows.issuance.facts import Source, facts_of, pending_credential
from workflows.issuance.keys import Issuer, ensure_issuer_key, live_key_id
from workflows.issuance.rules import REPLACEABLE, Reason, read_note
from workflows.issuance.status import allocate
from workflows.people.rules import read_name
from workflows.webhooks.announcing import announce_correction
from workflows.work import Work, promise_work

MOVED_ON = "This credential has changed meanwhile. Reload the page to see its status."


@dataclass(frozen=True)
class Correction:
    """What is to be right from now on: the holder's name as it shall stand.

    Everything else is made anew of what is kept now: evidence that was withdrawn is left out, and
    the institution is named as it is named today.
    """

    name: str
    note: str = ""


def correct_credential(
    db: Database, issuer: Issuer, actor: Actor, credential_id: CredentialId, correction: Correction
) -> CredentialId:
    """Have a credential replaced by a corrected one; returns the new one's id.

    Raises NotFound, Forbidden, Conflict (not in force, or being corrected already), InvalidInput
    (no name, a long note).
    """
    with db.reading() as tx:
        found = tx.session.get(Credential, credential_id)
        if found is None:
            raise NotFound("There is no such credential.")
        institution_id = InstitutionId(found.institution_id)
    ensure_issuer_key(db, issuer, institution_id)
    return _promise(db, issuer.site, actor, credential_id, correction)


@command
def _promise(
    db: Database, site: Site, actor: Actor, credential_id: CredentialId, correction: Correction
) -> CredentialId:
    name, note = read_name(correction.name), read_note(correction.note)
    with db.transaction() as tx:
        old = hold_credential(tx, credential_id)
        case = tx.session.get_one(Case, old.case_id)
        who = acting(actor, Permission.CHANGE_CREDENTIAL_STATUS, case_resource(tx, case))
        if CredentialState(old.state) not in REPLACEABLE:
            raise Conflict(MOVED_ON)
        new = _replace(tx, site, who, old, case=case, name=name)
        keep_note(tx, who, credential_id, "correct_credential", note)
        return new


def correct_by_decision(
    tx: Transaction, site: Site, who: Who, old: Credential, case: Case
) -> CredentialId:
    """Have a credential that is held replaced by what the decision in force says.

    In the transaction of the decision's release. The holder is named as they were. Raises Conflict
    (another correction is on its way).
    """
    before = read_frozen(old.claims)
    name = before.learner if before.named else tx.session.get_one(Account, old.learner_id).name
    return _replace(tx, site, who, old, case=case, name=name)


def _replace(
    tx: Transaction, site: Site, who: Who, old: Credential, *, case: Case, name: str
) -> CredentialId:
    """Freeze what takes the place of a credential, and promise that it is signed."""
    not_being_corrected(tx, CredentialId(old.id))
    new = _replacement(tx, site, old, case, name)
    tx.session.add(new)
    tx.session.flush()
    record(
        tx,
        who,
        "correct_credential",
        ("credential", old.id),
        case_id=CaseId(case.id),
        data={"by": str(new.id)},
    )
    key = f"correct:{new.id}"
    promise_work(tx, Work.CORRECT_CREDENTIAL, new.id, dedupe_key=key, urgent=True)
    return CredentialId(new.id)


def issue_correction(
    db: Database, issuer: Issuer, credential_id: CredentialId, outbox_id: OutboxId
) -> None:
    """The job: sign the corrected credential and let it take the place of the old one.

    Raises AlreadyDone, Conflict (the old one is not in force any more), Unavailable.
    """
    sign_credential(db, issuer, credential_id)
    crash_point("correct.signed")
    publish_lists_of(db, issuer, credential_id)
    old_id = _take_place(db, issuer.site, credential_id, outbox_id)
    if old_id is not None:
        publish_changes(db, issuer, old_id)


@command
def _take_place(
    db: Database, site: Site, new_id_: CredentialId, outbox_id: OutboxId
) -> CredentialId | None:
    """Publish the new one and end the old one, whose id is returned; None when it was done."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
        new = hold_credential(tx, new_id_)
        if new.state != CredentialState.SIGNED or new.replaces_id is None:
            return None
        old = hold_credential(tx, CredentialId(new.replaces_id))
        turn_credential(tx, SYSTEM, old, "revoke_credential", Reason.REPLACED)
        new.state = CredentialState.PUBLISHED.value
        new.version += 1
        new.published_at = tx.now
        record(
            tx,
            SYSTEM,
            "publish_credential",
            ("credential", new.id),
            case_id=CaseId(new.case_id),
            data={"sha256": new.document_sha256, "replaces": str(old.id)},
        )
        announce_correction(tx, new)
        ask_anew(tx, site, CredentialId(old.id), new_id_)
        mails.tell_corrected(tx, site, new, old)
        return CredentialId(old.id)


def _replacement(tx: Transaction, site: Site, old: Credential, case: Case, name: str) -> Credential:
    """The corrected credential with its claims frozen.

    It ends when the old one would have, but where another decision is behind it.
    """
    institution_id = InstitutionId(old.institution_id)
    credential_id = CredentialId(new_id())
    decision = _decision_in_force(tx, case)
    place = allocate(tx, institution_id, credential_id)
    source = Source(decision, case, credential_id, place)
    (facts,) = facts_of(tx, site, institution_id, [source])
    named = replace(facts, learner=replace(facts.learner, name=name))
    frozen = freeze(named, live_key_id(tx, institution_id))
    before = read_frozen(old.claims)
    earlier = before.credential_claims()
    said = frozen.credential_claims()
    claims = replace(
        said,
        valid_until=earlier.valid_until if old.decision_id == decision.id else said.valid_until,
        replaces=None if before.named and not frozen.named else _replaced(site, old),
    )
    told: FrozenCredential = frozen.model_copy(
        update={"claims": cast(dict[str, object], claims_to_json(claims))}
    )
    new = pending_credential(source, told, tx.now)
    new.replaces_id = old.id
    return new


def _replaced(site: Site, old: Credential) -> ReplacedClaim:
    """The old document, as the new one names it.

    Where the new one is without the name, the old one would give it away and is not named.
    """
    address = f"{site.credential(CredentialId(old.id))}.json"
    return ReplacedClaim(url=address, sha256=old.document_sha256 or "")


def _decision_in_force(tx: Transaction, case: Case) -> Decision:
    decision = tx.session.exec(
        select(Decision).where(Decision.id == case.decision_id)
    ).one_or_none()
    if decision is None or decision.released_at is None or decision.replaced_at is not None:
        raise Conflict("The decision behind this credential is not in force: nothing is issued.")
    return decision
