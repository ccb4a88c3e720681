"""The keys that sign what wallets take: P-256, because every wallet knows ES256."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlmodel import col, select

from credentials.documents import JsonObject
from credentials.p256 import generate_p256, p256_bytes, p256_from_bytes, p256_jwk
from storage.database import Database, Transaction
from storage.events import Who
from storage.ids import InstitutionId
from storage.tables import WalletKey
from workflows.issuance.kept_keys import KeyKind, ensure_kept_key, rotate_kept_key
from workflows.issuance.keys import Issuer, open_token_key


def ensure_wallet_key(db: Database, issuer: Issuer, institution_id: InstitutionId) -> UUID:
    """The id of the live key, which is made if there is none. Raises NotFound."""
    return ensure_kept_key(db, issuer, institution_id, WALLET_KEYS)


def rotate_wallet_key(
    db: Database, issuer: Issuer, who: Who, institution_id: InstitutionId, *, why: str = ""
) -> UUID | None:
    """Retire the live key and make a new one, if there is one; what it signed stays valid."""
    return rotate_kept_key(db, issuer, who, institution_id, WALLET_KEYS, why=why)


def wallet_key(tx: Transaction, issuer: Issuer, key_id: UUID) -> EllipticCurvePrivateKey:
    """The key in hand. Raises what `open_token_key` raises when no secret of ours sealed it."""
    return p256_from_bytes(open_token_key(tx.session.get_one(WalletKey, key_id), issuer))


def published_wallet_keys(
    tx: Transaction, institution_id: InstitutionId
) -> Sequence[Mapping[str, object]]:
    """The public keys, all that there ever were, as JWKs."""
    return tx.session.exec(
        select(WalletKey.public_jwk)
        .where(WalletKey.institution_id == institution_id)
        .order_by(col(WalletKey.created_at), col(WalletKey.id))
    ).all()


def _make(issuer: Issuer, key_id: UUID) -> tuple[JsonObject, bytes]:
    private = generate_p256()
    return p256_jwk(private), p256_bytes(private)


WALLET_KEYS = KeyKind(WalletKey, "wallet_key", _make)
