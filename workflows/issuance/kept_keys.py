"""Keys of an institution that are kept in the database, sealed, one live of each kind.

They lie here also where other keys lie in a key service. Retired ones stay published, or what they
signed could not be checked any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from sqlmodel import col, select

from credentials.documents import JsonObject
from credentials.keys import seal_bytes
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import InstitutionId, new_id
from storage.tables import Institution, TokenKey, WalletKey
from workflows.issuance.keys import Issuer

Row = TypeVar("Row", TokenKey, WalletKey)


@dataclass(frozen=True)
class KeyKind(Generic[Row]):
    """A kind of key: its table, what its acts are written down about, and how one is made.

    `make` gives, for an id, what is published (a JWK) and the private half in bytes.
    """

    table: type[Row]
    subject: str
    make: Callable[[Issuer, UUID], tuple[JsonObject, bytes]]


@dataclass(frozen=True)
class _Made:
    """A key that is not in the database yet."""

    id: UUID
    institution_id: InstitutionId
    public_jwk: JsonObject
    sealed_key: bytes = field(repr=False)


def ensure_kept_key(
    db: Database, issuer: Issuer, institution_id: InstitutionId, kind: KeyKind[Row]
) -> UUID:
    """The id of the live key, which is made if there is none. Raises NotFound."""
    with db.reading() as tx:
        live = _live(tx, institution_id, kind)
        if live is not None:
            return live.id
    return _keep(db, kind, _new(issuer, institution_id, kind), SYSTEM, rotate=False, why="")


def rotate_kept_key(
    db: Database,
    issuer: Issuer,
    who: Who,
    institution_id: InstitutionId,
    kind: KeyKind[Row],
    *,
    why: str,
) -> UUID | None:
    """Retire the live key and make a new one, if there is one; what it signed stays valid."""
    with db.reading() as tx:
        if _live(tx, institution_id, kind) is None:
            return None
    return _keep(db, kind, _new(issuer, institution_id, kind), who, rotate=True, why=why)


def _new(issuer: Issuer, institution_id: InstitutionId, kind: KeyKind[Row]) -> _Made:
    """A key that is not in the database yet: making one takes a while, and needs no transaction."""
    key_id = new_id()
    published, private = kind.make(issuer, key_id)
    sealed = seal_bytes(private, issuer.key_secret, str(key_id)).encode()
    return _Made(key_id, institution_id, published, sealed)


@command
def _keep(
    db: Database, kind: KeyKind[Row], made: _Made, who: Who, *, rotate: bool, why: str
) -> UUID:
    with db.transaction() as tx:
        _hold(tx, made.institution_id)
        live = _live(tx, made.institution_id, kind)
        if live is not None and not rotate:
            return live.id
        if live is not None:
            live.retired_at = tx.now
            record(tx, who, "retire_key", (kind.subject, live.id), why=why)
            tx.session.flush()
        tx.session.add(
            kind.table(
                id=made.id,
                institution_id=made.institution_id,
                public_jwk=dict(made.public_jwk),
                sealed_key=made.sealed_key,
                created_at=tx.now,
            )
        )
        tx.session.flush()
        record(tx, who, "make_key", (kind.subject, made.id))
        return made.id


def _live(tx: Transaction, institution_id: InstitutionId, kind: KeyKind[Row]) -> Row | None:
    table = kind.table
    return tx.session.exec(
        select(table).where(table.institution_id == institution_id, col(table.retired_at).is_(None))
    ).one_or_none()


def _hold(tx: Transaction, institution_id: InstitutionId) -> None:
    """One at a time, so that there is never a second live key."""
    held = tx.session.get(Institution, institution_id, with_for_update={"key_share": True})
    if held is None:
        raise NotFound("There is no such institution.")
