"""Credentials as tokens (VC-JWT, RS256), for software that reads only those, and their keys.

A token says what the signed document says. It is made when it is asked for; the same document and
key make the same bytes. The key is kept in the database, sealed, also where the others lie in a
key service. Retired keys stay published, each at its own address.
"""

from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from sqlmodel import col, select

from credentials.documents import JsonObject, dump_json, load_json
from credentials.jwt import write_vc_jwt
from credentials.keys import seal_bytes
from credentials.rsa import generate_rsa, public_jwk, rsa_bytes, rsa_from_bytes
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import CredentialId, InstitutionId, new_id
from storage.tables import Credential, Institution, TokenKey
from workflows.issuance.keys import Issuer, open_token_key
from workflows.issuance.rules import PUBLIC


@dataclass(frozen=True)
class _Made:
    """A key that is not in the database yet."""

    id: UUID
    institution_id: InstitutionId
    public_jwk: JsonObject
    sealed_key: bytes = field(repr=False)


def credential_token(db: Database, issuer: Issuer, credential_id: CredentialId) -> str:
    """A published credential as VC-JWT, signed with the institution's RSA key.

    Raises NotFound; Unavailable when no secret of ours sealed the key.
    """
    with db.reading() as tx:
        credential = tx.session.get(Credential, credential_id)
        if credential is None or credential.state not in PUBLIC or not credential.document:
            raise NotFound("There is no such credential.")
        document = load_json(credential.document.encode())
        institution_id = InstitutionId(credential.institution_id)
    key_id = ensure_token_key(db, issuer, institution_id)
    with db.reading() as tx:
        kept = tx.session.get_one(TokenKey, key_id)
        private = rsa_from_bytes(open_token_key(kept, issuer))
        kid = str(kept.public_jwk["kid"])
    return write_vc_jwt(document, private, kid)


def ensure_token_key(db: Database, issuer: Issuer, institution_id: InstitutionId) -> UUID:
    """The id of the live key, which is made if there is none. Raises NotFound."""
    with db.reading() as tx:
        live = _live(tx, institution_id)
        if live is not None:
            return live.id
    return _keep(db, _new(issuer, institution_id), SYSTEM, rotate=False, why="")


def rotate_token_key(
    db: Database, issuer: Issuer, who: Who, institution_id: InstitutionId, *, why: str = ""
) -> UUID | None:
    """Retire the live key and make a new one, if there is one; what it signed stays valid."""
    with db.reading() as tx:
        if _live(tx, institution_id) is None:
            return None
    return _keep(db, _new(issuer, institution_id), who, rotate=True, why=why)


def published_token_key(tx: Transaction, key_id: UUID) -> bytes:
    """The public key at its address, a JWK. Raises NotFound."""
    kept = tx.session.get(TokenKey, key_id)
    if kept is None:
        raise NotFound("No key is published here.")
    return dump_json(cast(JsonObject, kept.public_jwk))


def _new(issuer: Issuer, institution_id: InstitutionId) -> _Made:
    """A key that is not in the database yet: making one takes a while, and needs no transaction."""
    private, key_id = generate_rsa(), new_id()
    published = public_jwk(private, issuer.site.token_key(key_id))
    sealed = seal_bytes(rsa_bytes(private), issuer.key_secret, str(key_id)).encode()
    return _Made(key_id, institution_id, published, sealed)


@command
def _keep(db: Database, made: _Made, who: Who, *, rotate: bool, why: str) -> UUID:
    with db.transaction() as tx:
        _hold(tx, made.institution_id)
        live = _live(tx, made.institution_id)
        if live is not None and not rotate:
            return live.id
        if live is not None:
            live.retired_at = tx.now
            record(tx, who, "retire_key", ("token_key", live.id), why=why)
            tx.session.flush()
        tx.session.add(
            TokenKey(
                id=made.id,
                institution_id=made.institution_id,
                public_jwk=dict(made.public_jwk),
                sealed_key=made.sealed_key,
                created_at=tx.now,
            )
        )
        tx.session.flush()
        record(tx, who, "make_key", ("token_key", made.id))
        return made.id


def _live(tx: Transaction, institution_id: InstitutionId) -> TokenKey | None:
    return tx.session.exec(
        select(TokenKey).where(
            TokenKey.institution_id == institution_id, col(TokenKey.retired_at).is_(None)
        )
    ).one_or_none()


def _hold(tx: Transaction, institution_id: InstitutionId) -> None:
    """One at a time, so that there is never a second live key."""
    held = tx.session.get(Institution, institution_id, with_for_update={"key_share": True})
    if held is None:
        raise NotFound("There is no such institution.")
