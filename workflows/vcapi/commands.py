"""Signing credentials that programs bring, and turning the bits of their statuses."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select

from credentials.documents import JsonObject, as_list, dump_json, text_at
from credentials.envelopes import put_in_envelope
from credentials.fetching import Fetcher
from credentials.keys import did_key, public_multibase
from credentials.proof_sets import append_proof, without_proofs
from credentials.proofs import Canonicalize, add_proof, proof_options
from credentials.related import check_related
from credentials.status_list import (
    LENGTH,
    build_status_entry,
    build_status_list_credential,
    new_bits,
    set_bit,
)
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import Who, record
from storage.ids import InstitutionId, new_id
from storage.tables import ApiCredential, ApiStatusList
from storage.vocabulary import StatusPurpose
from workflows.issuance.keys import Issuer, SigningKey, ensure_issuer_key, signing_key
from workflows.vcapi.rules import Names, Order, fit_to_sign, wants_place

FULL = LENGTH // 2
"""A list with half of its places taken is left for a fresh one: a free place is found soon, and how
many credentials there are cannot be read off it."""


@dataclass(frozen=True)
class Desk:
    """Where programs have credentials signed: for whom, who asks, and how documents are read."""

    issuer: Issuer
    institution_id: InstitutionId
    who: Who
    canonicalize: Canonicalize
    fetch: Fetcher


@dataclass(frozen=True)
class _Claim:
    """What a place is wanted for: `digest` is that of the credential's id, if it has one."""

    key_id: UUID
    issuer: str
    purpose: StatusPurpose
    digest: str | None


def issue_by_api(db: Database, desk: Desk, credential: JsonObject, order: Order) -> JsonObject:
    """The credential in the institution's name, signed, with a place in a status list.

    Raises what `credentials` has against it (CredentialError), Unavailable.
    """
    key_id = ensure_issuer_key(db, desk.issuer, desk.institution_id)
    with db.reading() as tx:
        key = signing_key(tx, desk.issuer, key_id)
    names = names_of(key)
    document = fit_to_sign(credential, order, names)
    check_related(document, desk.fetch)
    desk.canonicalize(without_proofs(document))
    name = issuer_name(document)
    if order.status is not None and wants_place(document, order):
        claim = _Claim(key_id, name, order.status, _digest(document))
        document = {**document, "credentialStatus": _take_place(db, desk, claim)}
    else:
        _note(db, desk.who, key_id)
    if order.enveloped:
        return put_in_envelope(document, key.private, names.method(name))
    options = proof_options(order.cryptosuite, names.method(name), db.clock.now())
    if order.proof_id is not None:
        options["id"] = order.proof_id
    if order.previous:
        options["previousProof"] = list(order.previous)
    signed = append_proof(document, options, key.private, desk.canonicalize)
    proofs = as_list(signed["proof"])
    return {**signed, "proof": proofs[0]} if len(proofs) == 1 else signed


def set_status_by_api(
    db: Database, desk: Desk, credential_id: str, purpose: StatusPurpose, value: bool
) -> None:
    """Turn the bit of a credential that was signed here, and publish it. Raises NotFound."""
    for list_id in _turn(db, desk, credential_id, purpose, value):
        _publish(db, desk.issuer, list_id)


def names_of(key: SigningKey) -> Names:
    """The names of the institution's live key."""
    own = did_key(key.public)
    return Names(
        did_key=own,
        did_web=key.did,
        web_method=key.verification_method,
        key_method=f"{own}#{public_multibase(key.public)}",
    )


def issuer_name(document: JsonObject) -> str:
    """The identifier of whoever issues the document."""
    issuer = document["issuer"]
    return str(issuer["id"] if isinstance(issuer, dict) else issuer)


def _take_place(db: Database, desk: Desk, claim: _Claim) -> JsonObject:
    """A free place at random, in a list that is published by then; the entry that points to it."""
    list_id, index = _allocate(db, desk, claim)
    _publish(db, desk.issuer, list_id)
    address = desk.issuer.site.api_status_list(list_id)
    return build_status_entry(address, index, claim.purpose.value)


@command
def _allocate(db: Database, desk: Desk, claim: _Claim) -> tuple[UUID, int]:
    with db.transaction() as tx:
        list_id = _open_list(tx, desk.institution_id, claim)
        while True:
            index = secrets.randbelow(LENGTH)
            taken = tx.session.execute(
                insert(ApiCredential)
                .values(
                    list_id=list_id,
                    position=index,
                    id_sha256=claim.digest,
                    issued_by=desk.who.account_id,
                    issued_at=tx.now,
                )
                .on_conflict_do_nothing(index_elements=["list_id", "position"])
                .returning(col(ApiCredential.position))
            ).all()
            if taken:
                break
        data = {"place": index}
        record(tx, desk.who, "issue_by_api", ("api_status_list", list_id), data=data)
        return list_id, index


def _open_list(tx: Transaction, institution_id: InstitutionId, claim: _Claim) -> UUID:
    newest = tx.session.exec(
        select(ApiStatusList)
        .where(
            ApiStatusList.institution_id == institution_id,
            ApiStatusList.key_id == claim.key_id,
            ApiStatusList.issuer == claim.issuer,
            ApiStatusList.purpose == claim.purpose.value,
        )
        .order_by(col(ApiStatusList.created_at).desc(), col(ApiStatusList.id).desc())
        .limit(1)
    ).first()
    if newest is not None and _taken(tx, newest.id) < FULL:
        return newest.id
    made = ApiStatusList(
        id=new_id(),
        institution_id=institution_id,
        key_id=claim.key_id,
        issuer=claim.issuer,
        purpose=claim.purpose.value,
        bits=new_bits(),
        created_at=tx.now,
    )
    tx.session.add(made)
    tx.session.flush()
    return made.id


def _taken(tx: Transaction, list_id: UUID) -> int:
    return tx.session.exec(
        select(func.count()).select_from(ApiCredential).where(ApiCredential.list_id == list_id)
    ).one()


@command
def _note(db: Database, who: Who, key_id: UUID) -> None:
    """Write down that something was signed that has no place of ours."""
    with db.transaction() as tx:
        record(tx, who, "issue_by_api", ("issuer_key", key_id))


@command
def _turn(
    db: Database, desk: Desk, credential_id: str, purpose: StatusPurpose, value: bool
) -> Sequence[UUID]:
    with db.transaction() as tx:
        rows = tx.session.exec(
            select(ApiStatusList, ApiCredential.position)
            .join(ApiCredential, col(ApiCredential.list_id) == col(ApiStatusList.id))
            .where(
                ApiStatusList.institution_id == desk.institution_id,
                ApiStatusList.purpose == purpose.value,
                ApiCredential.id_sha256 == _sha256(credential_id),
            )
            .order_by(col(ApiStatusList.id))
            .with_for_update(of=ApiStatusList)
        ).all()
        if not rows:
            raise NotFound("No credential with this id was signed here with such a status.")
        for status_list, position in rows:
            status_list.bits = set_bit(status_list.bits, position, value)
            status_list.version += 1
            data = {"place": position, "value": value}
            about = ("api_status_list", status_list.id)
            record(tx, desk.who, "set_status_by_api", about, data=data)
        return sorted({status_list.id for status_list, _ in rows})


def _publish(db: Database, issuer: Issuer, list_id: UUID) -> None:
    """Sign and publish the list as its bits stand, unless it is published so already."""
    with db.reading() as tx:
        status_list = tx.session.get_one(ApiStatusList, list_id)
        if status_list.signed_version >= status_list.version:
            return
        key = signing_key(tx, issuer, status_list.key_id)
    document = build_status_list_credential(
        issuer.site.api_status_list(list_id),
        status_list.issuer,
        status_list.purpose,
        status_list.bits,
        valid_from=db.clock.now(),
    )
    method = names_of(key).method(status_list.issuer)
    signed = add_proof(document, key.private, method, db.clock.now())
    _keep(db, list_id, status_list.version, dump_json(signed).decode())


@command
def _keep(db: Database, list_id: UUID, version: int, document: str) -> None:
    with db.transaction() as tx:
        tx.session.execute(
            update(ApiStatusList)
            .where(col(ApiStatusList.id) == list_id, col(ApiStatusList.signed_version) < version)
            .values(document=document, signed_version=version)
        )


def _digest(document: JsonObject) -> str | None:
    name = text_at(document, "id")
    return None if name is None else _sha256(name)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
