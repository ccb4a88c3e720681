"""Issuing, and what becomes of a credential afterwards.

Issuing goes by steps that each may be the last before a crash: claims frozen, document signed and
stored, lists signed, published. Running it again takes it up where it stopped; from frozen claims
the same key makes the same bytes.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import col, select

from credentials.documents import JsonObject, dump_json
from credentials.openbadges import build_credential
from credentials.proofs import add_proof, check_proof
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound
from storage.events import SYSTEM, record
from storage.ids import (
    CaseId,
    CredentialId,
    CriterionCode,
    DecisionId,
    DefinitionId,
    InstitutionId,
    OutboxId,
    OutcomeCode,
    new_id,
    sha256_of,
)
from storage.outbox import receive
from storage.tables import (
    Account,
    Agreement,
    Case,
    Credential,
    Decision,
    DefinitionVersion,
    EvidenceItem,
    Institution,
    OutcomeDecision,
)
from storage.vocabulary import CaseState, CredentialState, Disclosure, OutcomeResult
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import lock_case, state_of
from workflows.decisions.commands import close_case
from workflows.frameworks.definition import read_definition
from workflows.issuance import mails
from workflows.issuance.addresses import Site
from workflows.issuance.claims import (
    Facts,
    Learner,
    freeze,
    frozen_body,
    issuer_profile,
    read_frozen,
)
from workflows.issuance.items import issued_items
from workflows.issuance.keys import (
    Issuer,
    SigningKey,
    ensure_issuer_key,
    live_key_id,
    signing_key,
)
from workflows.issuance.rules import change, read_reason
from workflows.issuance.status import allocate, set_status, sign_status_list, unsigned_lists


def issue_credential(
    db: Database, issuer: Issuer, decision_id: DecisionId, outbox_id: OutboxId
) -> None:
    """The job: make the credential of a released decision and publish it.

    Raises AlreadyDone, NotFound, Conflict (the decision was not released, or was replaced), BadKey.
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
    with db.reading() as tx:
        unsigned = unsigned_lists(tx, credential_id)
    for list_id in unsigned:
        sign_status_list(db, issuer, list_id)
    crash_point("issue.listed")
    _publish(db, issuer.site, credential_id, outbox_id)


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
            select(Credential.id).where(Credential.decision_id == decision_id)
        ).one_or_none()
        if known is not None:
            return CredentialId(known)
        if decision.released_at is None or decision.replaced_at is not None:
            raise Conflict("This decision is not in force: nothing is issued from it.")
        credential = _frozen(tx, site, decision)
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
    document = build_credential(frozen.credential_claims())
    signed = add_proof(document, key.private, key.verification_method, frozen.created)
    _check(signed, key)
    crash_point("issue.before_store")
    _store(db, credential_id, dump_json(signed).decode())


@command
def change_credential(
    db: Database, site: Site, actor: Actor, credential_id: CredentialId, *, act: str, reason: str
) -> None:
    """Suspend, unsuspend or revoke (`rules.CHANGES`), with a reason that everyone can read.

    The status lists are signed anew by a job, and the learner is told. Raises NotFound, Forbidden,
    Conflict (it has changed meanwhile), InvalidInput (no reason).
    """
    why = read_reason(reason)
    with db.transaction() as tx:
        credential = _hold(tx, credential_id)
        case = tx.session.get_one(Case, credential.case_id)
        resource = case_resource(tx, case)
        who = acting(actor, Permission.CHANGE_CREDENTIAL_STATUS, resource)
        found = change(credential.state, act)
        credential.state = found.target.value
        credential.version += 1
        credential.public_reason = "" if found.target is CredentialState.PUBLISHED else why
        credential.suspended_at = tx.now if found.target is CredentialState.SUSPENDED else None
        credential.revoked_at = tx.now if found.target is CredentialState.REVOKED else None
        for purpose, value in found.bits.items():
            set_status(tx, credential.id, purpose, value)
        record(tx, who, act, ("credential", credential.id), case_id=CaseId(case.id), why=why)
        mails.tell_changed(tx, site, credential, why)


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
        credential = _hold(tx, credential_id)
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
        credential = _hold(tx, credential_id)
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
        if state_of(case) is CaseState.RELEASED:
            close_case(tx, case)
        mails.tell_published(tx, site, credential)


@command
def _store(db: Database, credential_id: CredentialId, document: str) -> None:
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
                signed_at=tx.now,
            )
        )


def _check(signed: JsonObject, key: SigningKey) -> None:
    """Read the proof back as a stranger would: nothing is stored that does not verify."""
    check_proof(signed, lambda _: key.private.public_key())


def _hold(tx: Transaction, credential_id: CredentialId) -> Credential:
    credential = tx.session.get(Credential, credential_id, with_for_update=True)
    if credential is None:
        raise NotFound(NOT_YOURS)
    return credential


def _frozen(tx: Transaction, site: Site, decision: Decision) -> Credential:
    case = tx.session.get_one(Case, decision.case_id)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    institution = tx.session.get_one(Institution, case.institution_id)
    learner = tx.session.get_one(Account, case.learner_id)
    credential_id = CredentialId(new_id())
    institution_id = InstitutionId(institution.id)
    recognised = _recognised(tx, decision)
    place = allocate(tx, institution_id, credential_id)
    facts = Facts(
        credential_id=credential_id,
        site=site,
        issuer=issuer_profile(institution, site),
        definition_id=DefinitionId(version.id),
        definition_hash=version.content_hash,
        definition=read_definition(version.body),
        learner=Learner(learner.name, learner.email, secrets.token_hex(8)),
        recognised=recognised,
        levels=_agreed(tx, decision),
        items=issued_items(tx, case, decision.round, recognised),
        status=place.claims(site),
        decided_at=decision.decided_at,
        at=tx.now,
    )
    return Credential(
        id=credential_id,
        case_id=case.id,
        decision_id=decision.id,
        institution_id=institution.id,
        learner_id=case.learner_id,
        definition_id=version.id,
        state=CredentialState.PENDING.value,
        claims=frozen_body(freeze(facts, live_key_id(tx, institution_id))),
        created_at=tx.now,
    )


def _recognised(tx: Transaction, decision: Decision) -> frozenset[OutcomeCode]:
    rows = tx.session.exec(
        select(OutcomeDecision.outcome_code).where(
            OutcomeDecision.decision_id == decision.id,
            OutcomeDecision.result == OutcomeResult.RECOGNISED.value,
        )
    ).all()
    return frozenset(OutcomeCode(code) for code in rows)


def _agreed(tx: Transaction, decision: Decision) -> dict[CriterionCode, int]:
    """The agreed level of each criterion, of the latest round in which it was settled."""
    rows: Sequence[Agreement] = tx.session.exec(
        select(Agreement)
        .where(
            Agreement.case_id == decision.case_id,
            Agreement.round <= decision.round,
            col(Agreement.settled).is_(True),
        )
        .order_by(col(Agreement.round))
    ).all()
    return {CriterionCode(row.criterion_code): row.level for row in rows if row.level is not None}
