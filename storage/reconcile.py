"""What is written against what is stored, both ways, and whether kept bytes are still themselves.

    compare(db, vault)        every row has its object, every object its row
    rehash(db, vault, limit)  the bytes longest unchecked still have their digest

Nothing is removed here. That an object is missing, or is back, is written to its row, so that pages
can say so. What looks wrong is looked at twice, because files come and go meanwhile.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, update
from sqlmodel import col, select

from storage.database import Database, Transaction
from storage.tables import EvidenceItem, SealedObject, Upload
from storage.vault import INCOMING, SEALED, ObjectFacts, ObjectMissing, Vault
from storage.vocabulary import EvidenceState

BATCH = 1000
LEFT_FOR = timedelta(days=1)
KEPT_INCOMING = (EvidenceState.STORED.value, EvidenceState.QUARANTINED.value)


class Fault(StrEnum):
    """How rows and objects can disagree."""

    MISSING = "missing"
    """bytes that are sealed by the rows are not in the store"""
    UNSEALED_MISSING = "unsealed_missing"
    """an uploaded file that waits for its seal, or is quarantined, is not in the store"""
    WRONG_SIZE = "wrong_size"
    WRONG_DIGEST = "wrong_digest"
    """the bytes are not the ones that were sealed"""
    NO_ROW = "no_row"
    """a sealed object that no row knows"""
    LEFT_OVER = "left_over"
    """uploaded bytes that nothing needs any more; the sweeper removes them"""


HARMLESS = frozenset({Fault.NO_ROW, Fault.LEFT_OVER})
"""Nothing that anyone relies on is lost or wrong."""


@dataclass(frozen=True)
class Discrepancy:
    """One thing that is wrong, the object's key, and facts that help to mend it."""

    fault: Fault
    key: str
    detail: str = ""


@dataclass(frozen=True)
class _Expected:
    """An object that a row speaks of. `needed`: someone relies on its being there."""

    key: str
    needed: bool
    sha256: str = ""
    size: int = 0
    marked_missing: bool = False


Rows = Callable[[Transaction, ColumnElement[bool] | None, str], list[_Expected]]


def compare(db: Database, vault: Vault) -> Iterator[Discrepancy]:
    """Everything about which rows and objects disagree, as it is found. Raises StoreAway."""
    for row, found in _side_by_side(_all(db, _sealed), vault.list_keys(SEALED)):
        yield from _about_sealed(db, vault, row, found)
    for row, found in _side_by_side(_all(db, _incoming), vault.list_keys(INCOMING)):
        yield from _about_incoming(db, vault, row, found)


def rehash(
    db: Database, vault: Vault, limit: int, heard: Callable[[str], object] = lambda _: None
) -> Iterator[Discrepancy]:
    """Read the sealed bytes that were longest unchecked and compare them with their digest.

    `heard` is told each key before it is read. What is known to be missing is left to `compare`.
    Raises StoreAway.
    """
    with db.reading() as tx:
        rows = tx.session.exec(
            select(SealedObject)
            .where(
                col(SealedObject.erasing_at).is_(None),
                col(SealedObject.missing_at).is_(None),
                _has_sealed_item(),
            )
            .order_by(col(SealedObject.checked_at).asc().nulls_first())
            .limit(limit)
        ).all()
    for row in rows:
        heard(row.key)
        digest = _digest(vault, row.key)
        if digest is None:
            expected = _Expected(row.key, True, row.sha256, row.size)
            yield from _about_sealed(db, vault, expected, None)
        elif digest != row.sha256:
            yield Discrepancy(Fault.WRONG_DIGEST, row.key, f"its bytes have the digest {digest}")
        else:
            _confirm(db, row.sha256)


def _about_sealed(
    db: Database, vault: Vault, row: _Expected | None, found: ObjectFacts | None
) -> Iterator[Discrepancy]:
    if row is None and found is not None:
        if _again(db, _sealed, found.key) is None:
            yield Discrepancy(Fault.NO_ROW, found.key, f"{found.size} bytes")
    elif row is not None and found is None:
        again = _again(db, _sealed, row.key)
        if again is not None and again.needed and vault.find(row.key) is None:
            _mark(db, row.sha256, missing=True)
            yield Discrepancy(Fault.MISSING, row.key, _whose(db, row.sha256))
    elif row is not None and found is not None:
        if row.size != found.size:
            detail = f"{found.size} bytes instead of {row.size}; {_whose(db, row.sha256)}"
            yield Discrepancy(Fault.WRONG_SIZE, found.key, detail)
        if row.marked_missing:
            _mark(db, row.sha256, missing=False)


def _about_incoming(
    db: Database, vault: Vault, row: _Expected | None, found: ObjectFacts | None
) -> Iterator[Discrepancy]:
    if found is None and row is not None and row.needed:
        again = _again(db, _incoming, row.key)
        if again is not None and again.needed and vault.find(row.key) is None:
            yield Discrepancy(Fault.UNSEALED_MISSING, row.key)
    elif found is not None and (row is None or not row.needed):
        again = _again(db, _incoming, found.key)
        old = found.modified_at < db.clock.now() - LEFT_FOR
        if old and (again is None or not again.needed):
            yield Discrepancy(Fault.LEFT_OVER, found.key, f"{found.size} bytes")


def _side_by_side(
    rows: Iterator[_Expected], objects: Iterator[ObjectFacts]
) -> Iterator[tuple[_Expected | None, ObjectFacts | None]]:
    """Rows and objects by key, both in the order of the keys' bytes, with None where one lacks."""
    row, found = next(rows, None), next(objects, None)
    while row is not None or found is not None:
        row_key = row.key.encode() if row else None
        key = found.key.encode() if found else None
        if key is None or (row_key is not None and row_key < key):
            yield row, None
            row = next(rows, None)
        elif row_key is None or key < row_key:
            yield None, found
            found = next(objects, None)
        else:
            yield row, found
            row, found = next(rows, None), next(objects, None)


def _all(db: Database, rows: Rows) -> Iterator[_Expected]:
    """All rows by key, read in batches so that no transaction stays open meanwhile."""
    after = ""
    while True:
        with db.reading() as tx:
            batch = rows(tx, None, after)
        yield from batch
        if len(batch) < BATCH:
            return
        after = batch[-1].key


def _again(db: Database, rows: Rows, key: str) -> _Expected | None:
    """What the row with this key says now."""
    column = SealedObject.key if rows is _sealed else Upload.key
    with db.reading() as tx:
        return next(iter(rows(tx, col(column) == key, "")), None)


def _sealed(tx: Transaction, which: ColumnElement[bool] | None, after: str) -> list[_Expected]:
    key = col(SealedObject.key).collate("C")
    rows = tx.session.exec(
        select(SealedObject, _has_sealed_item())
        .where(key > after if which is None else which)
        .order_by(key)
        .limit(BATCH)
    ).all()
    return [
        _Expected(row.key, needed, row.sha256, row.size, row.missing_at is not None)
        for row, needed in rows
    ]


def _incoming(tx: Transaction, which: ColumnElement[bool] | None, after: str) -> list[_Expected]:
    key = col(Upload.key).collate("C")
    rows = tx.session.exec(
        select(Upload.key, EvidenceItem.state, Upload.completed_at)
        .join(EvidenceItem, col(EvidenceItem.id) == col(Upload.item_id))
        .where(key > after if which is None else which)
        .order_by(key)
        .limit(BATCH)
    ).all()
    return [
        _Expected(name, completed_at is not None and state in KEPT_INCOMING)
        for name, state, completed_at in rows
    ]


def _has_sealed_item() -> ColumnElement[bool]:
    return exists().where(
        col(EvidenceItem.sha256) == col(SealedObject.sha256),
        col(EvidenceItem.state) == EvidenceState.SEALED.value,
    )


def _digest(vault: Vault, key: str) -> str | None:
    """The SHA-256 of an object's bytes; None when there is no object."""
    digest = hashlib.sha256()
    try:
        for chunk in vault.open_stream(key):
            digest.update(chunk)
    except ObjectMissing:
        return None
    return digest.hexdigest()


def _whose(db: Database, sha256: str) -> str:
    """Which items have these bytes, for whoever mends it."""
    with db.reading() as tx:
        ids = tx.session.exec(
            select(EvidenceItem.id).where(
                EvidenceItem.sha256 == sha256, EvidenceItem.state == EvidenceState.SEALED.value
            )
        ).all()
    return "items " + ", ".join(map(str, ids))


def _mark(db: Database, sha256: str, *, missing: bool) -> None:
    with db.transaction() as tx:
        row = tx.session.get(SealedObject, sha256, with_for_update=True)
        if row is not None:
            row.missing_at = (row.missing_at or tx.now) if missing else None


def _confirm(db: Database, sha256: str) -> None:
    with db.transaction() as tx:
        tx.session.execute(
            update(SealedObject)
            .where(col(SealedObject.sha256) == sha256)
            .values(checked_at=tx.now, missing_at=None)
        )
