"""The keys that sign what wallets take: P-256, because every wallet knows ES256.

Kept as the keys of tokens are: in the database, sealed, also where others lie in a key service.
Retired ones stay published, or what they signed could not be checked any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlmodel import col, select

from credentials.documents import JsonObject
from credentials.keys import seal_bytes
from credentials.p256 import generate_p256, p256_bytes, p256_from_bytes, p256_jwk
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import InstitutionId, new_id
from storage.tables import Institution, WalletKey
from workflows.issuance.keys import Issuer, open_token_key


@dataclass(frozen=True)
class _Made:
    """A key that is not in the database yet."""

    id: UUID
    institution_id: InstitutionId
    public_jwk: JsonObject
    sealed_key: bytes = field(repr=False)


def ensure_wallet_key(db: Database, issuer: Issuer, institution_id: InstitutionId) -> UUID:
    """The id of the live key, which is made if there is none. Raises NotFound."""
    with db.reading() as tx:
        live = _live(tx, institution_id)
        if live is not None:
            return live.id
    return _keep(db, _new(issuer, institution_id), SYSTEM, rotate=False, why="")


def rotate_wallet_key(
    db: Database, issuer: Issuer, who: Who, institution_id: InstitutionId, *, why: str = ""
) -> UUID | None:
    """Retire the live key and make a new one, if there is one; what it signed stays valid."""
    with db.reading() as tx:
        if _live(tx, institution_id) is None:
            return None
    return _keep(db, _new(issuer, institution_id), who, rotate=True, why=why)


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


def _new(issuer: Issuer, institution_id: InstitutionId) -> _Made:
    private, key_id = generate_p256(), new_id()
    sealed = seal_bytes(p256_bytes(private), issuer.key_secret, str(key_id)).encode()
    return _Made(key_id, institution_id, p256_jwk(private), sealed)


@command
def _keep(db: Database, made: _Made, who: Who, *, rotate: bool, why: str) -> UUID:
    with db.transaction() as tx:
        _hold(tx, made.institution_id)
        live = _live(tx, made.institution_id)
        if live is not None and not rotate:
            return live.id
        if live is not None:
            live.retired_at = tx.now
            record(tx, who, "retire_key", ("wallet_key", live.id), why=why)
            tx.session.flush()
        tx.session.add(
            WalletKey(
                id=made.id,
                institution_id=made.institution_id,
                public_jwk=dict(made.public_jwk),
                sealed_key=made.sealed_key,
                created_at=tx.now,
            )
        )
        tx.session.flush()
        record(tx, who, "make_key", ("wallet_key", made.id))
        return made.id


def _live(tx: Transaction, institution_id: InstitutionId) -> WalletKey | None:
    return tx.session.exec(
        select(WalletKey).where(
            WalletKey.institution_id == institution_id, col(WalletKey.retired_at).is_(None)
        )
    ).one_or_none()


def _hold(tx: Transaction, institution_id: InstitutionId) -> None:
    """One at a time, so that there is never a second live key."""
    held = tx.session.get(Institution, institution_id, with_for_update={"key_share": True})
    if held is None:
        raise NotFound("There is no such institution.")
