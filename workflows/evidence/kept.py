"""The rows of sealed bytes: held against erasure, and where each one's object is."""

from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound, Unavailable
from storage.ids import Sha256
from storage.tables import ErasedBytes, SealedObject
from storage.vault import sealed_key


def hold_sealed_object(
    tx: Transaction, sha256: Sha256, size: int, lying_at: str = ""
) -> SealedObject:
    """The row of the bytes with this digest, made if need be, held against erasure.

    `lying_at`: a key of this digest under which they are already, and stay if no row is there yet.
    Raises Unavailable while the bytes are being erased.
    """
    made: SealedObject | None = tx.session.scalar(
        insert(SealedObject)
        .values(sha256=sha256, key=lying_at or sealed_key(sha256), size=size, sealed_at=tx.now)
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(SealedObject)
    )
    if made and lying_at:
        return made
    if made:
        # nobody can begin an erasure while our row is not committed: the count stands still
        key = sealed_key(sha256, _erased_before(tx, sha256))
        tx.session.execute(
            update(SealedObject).where(col(SealedObject.sha256) == sha256).values(key=key)
        )
    row = tx.session.exec(
        select(SealedObject)
        .where(SealedObject.sha256 == sha256)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.erasing_at is not None:
        raise Unavailable("The same bytes are being erased just now; this waits for that.")
    return row


def keep_first(tx: Transaction, sha256: Sha256, size: int, key: str) -> bool:
    """Make the row of bytes that were just read under a key of their digest, and stay there.

    False, and nothing is made, when the bytes with this digest have a row already.
    """
    made = tx.session.scalar(
        insert(SealedObject)
        .values(sha256=sha256, key=key, size=size, sealed_at=tx.now, checked_at=tx.now)
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(col(SealedObject.sha256))
    )
    return made is not None


def kept_among(tx: Transaction, keys: Iterable[str]) -> frozenset[str]:
    """Those of the keys under which sealed bytes are kept."""
    return frozenset(
        tx.session.exec(select(SealedObject.key).where(col(SealedObject.key).in_(list(keys))))
    )


def begin_erasing(tx: Transaction, row: SealedObject) -> None:
    """Mark the row, which the caller holds; its key is never used for these bytes again."""
    if row.erasing_at is not None:
        return
    row.erasing_at = tx.now
    tx.session.execute(
        insert(ErasedBytes)
        .values(sha256=row.sha256, times=1, last_at=tx.now)
        .on_conflict_do_update(
            index_elements=["sha256"],
            set_={"times": col(ErasedBytes.times) + 1, "last_at": tx.now},
        )
    )


def kept_key(tx: Transaction, sha256: str) -> str:
    """Where the sealed bytes with this digest are. Raises NotFound."""
    key = tx.session.exec(select(SealedObject.key).where(SealedObject.sha256 == sha256)).first()
    if key is None:
        raise NotFound("These bytes are not kept any more.")
    return key


def _erased_before(tx: Transaction, sha256: Sha256) -> int:
    times = tx.session.exec(select(ErasedBytes.times).where(ErasedBytes.sha256 == sha256)).first()
    return times or 0
