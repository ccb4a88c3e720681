"""Credentials as tokens (VC-JWT, RS256), for software that reads only those, and their keys.

A token says what the signed document says. It is made when it is asked for; the same document and
key make the same bytes. The key is kept in the database, sealed, also where the others lie in a
key service. Retired keys stay published, each at its own address.
"""

from typing import cast
from uuid import UUID

from credentials.documents import JsonObject, dump_json, load_json
from credentials.jwt import write_vc_jwt
from credentials.rsa import generate_rsa, public_jwk, rsa_bytes, rsa_from_bytes
from storage.database import Database, Transaction
from storage.errors import NotFound
from storage.events import Who
from storage.ids import CredentialId, InstitutionId
from storage.tables import Credential, TokenKey
from workflows.issuance.kept_keys import KeyKind, ensure_kept_key, rotate_kept_key
from workflows.issuance.keys import Issuer, open_token_key
from workflows.issuance.rules import PUBLIC


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
    return ensure_kept_key(db, issuer, institution_id, TOKEN_KEYS)


def rotate_token_key(
    db: Database, issuer: Issuer, who: Who, institution_id: InstitutionId, *, why: str = ""
) -> UUID | None:
    """Retire the live key and make a new one, if there is one; what it signed stays valid."""
    return rotate_kept_key(db, issuer, who, institution_id, TOKEN_KEYS, why=why)


def published_token_key(tx: Transaction, key_id: UUID) -> bytes:
    """The public key at its address, a JWK. Raises NotFound."""
    kept = tx.session.get(TokenKey, key_id)
    if kept is None:
        raise NotFound("No key is published here.")
    return dump_json(cast(JsonObject, kept.public_jwk))


def _make(issuer: Issuer, key_id: UUID) -> tuple[JsonObject, bytes]:
    private = generate_rsa()
    return public_jwk(private, issuer.site.token_key(key_id)), rsa_bytes(private)


TOKEN_KEYS = KeyKind(TokenKey, "token_key", _make)
