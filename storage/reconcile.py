"""What is written against what is stored, both ways, and whether kept bytes are still themselves.

    compare(db, vault)        every row has its object, every object its row
    rehash(db, vault, limit)  the bytes longest unchecked still have their digest
    remove_orphans(db, vault) pictures that no row knows go, after a grace period

That an object is missing, wrong or whole again is written to its row and to the history of its
cases, so that pages can say so. What looks wrong is looked at twice, because files come and go
meanwhile. Rows and objects are read a few at a time, however many there are.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

from sqlalchemy import ColumnElement, exists, func, tuple_, update
from sqlmodel import col, select

from storage.database import Database, Transaction
from storage.events import SYSTEM, record
from storage.ids import CaseId
from storage.tables import EvidenceItem, Preview, SealedObject, Upload
from storage.vault import INCOMING, PREVIEWS, SEALED, ObjectFacts, ObjectMissing, Vault
from storage.vocabulary import EvidenceState

BATCH = 1000
LEFT_FOR = timedelta(days=1)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
TOLD_AS = {"missing_at": "miss_evidence", "wrong_at": "find_evidence_changed"}
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
    PREVIEW_MISSING = "preview_missing"
    """a picture that we made is not in the store; it can be made again"""
    PREVIEW_LEFT_OVER = "preview_left_over"
    """a picture whose bytes are erased, or that was never written down"""


HARMLESS = frozenset(
    {Fault.NO_ROW, Fault.LEFT_OVER, Fault.PREVIEW_MISSING, Fault.PREVIEW_LEFT_OVER}
)
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


def compare(
    db: Database, vault: Vault, heard: Callable[[str], object] = lambda _: None
) -> Iterator[Discrepancy]:
    """Everything about which rows and objects disagree, as it is found.

    `heard` is told each key that is compared. Raises StoreAway.
    """
    for row, found in _side_by_side(_all(db, _sealed), vault.list_keys(SEALED)):
        heard(row.key if row else found.key if found else "")
        yield from _about_sealed(db, vault, row, found)
    for row, found in _side_by_side(_all(db, _incoming), vault.list_keys(INCOMING)):
        heard(row.key if row else found.key if found else "")
        yield from _about_incoming(db, vault, row, found)
    for row, found in _side_by_side(_all(db, _previews), vault.list_keys(PREVIEWS)):
        heard(row.key if row else found.key if found else "")
        yield from _about_preview(db, vault, row, found)


def rehash(
    db: Database,
    vault: Vault,
    limit: int,
    heard: Callable[[str], object] = lambda _: None,
    *,
    most_bytes: int | None = None,
    unchecked_for: timedelta = timedelta(0),
) -> Iterator[Discrepancy]:
    """Read the sealed bytes that were longest unchecked and compare them with their digest.

    No more than `limit` objects, and none is begun once `most_bytes` were read; those that were
    checked within `unchecked_for` are left out. `heard` is told each key before it is read. What
    is known to be missing is left to `compare`. Raises StoreAway.
    """
    read = taken = 0
    for row in _longest_unchecked(db, db.clock.now() - unchecked_for):
        if taken >= limit or (most_bytes is not None and read >= most_bytes):
            return
        taken, read = taken + 1, read + row.size
        heard(row.key)
        digest = _digest(vault, row.key)
        if digest is None:
            yield from _about_sealed(
                db, vault, _Expected(row.key, True, row.sha256, row.size), None
            )
        elif digest != row.sha256:
            _mark(db, row.sha256, "wrong_at", so=True)
            detail = f"its bytes have the digest {digest}; {_whose(db, row.sha256)}"
            yield Discrepancy(Fault.WRONG_DIGEST, row.key, detail)
        else:
            _confirm(db, row.sha256)


def remove_orphans(db: Database, vault: Vault, grace: timedelta = LEFT_FOR) -> Iterator[str]:
    """Remove pictures that no row knows, when they are old enough; the keys that went.

    What was uploaded is cleared by the sweeper's own rule. Sealed objects are never touched.
    Raises StoreAway.
    """
    before = db.clock.now() - grace
    for row, found in _side_by_side(_all(db, _previews), vault.list_keys(PREVIEWS)):
        if row is not None or found is None or found.modified_at >= before:
            continue
        if _again(db, _previews, found.key) is None:
            vault.delete(found.key)
            yield found.key


def _longest_unchecked(db: Database, before: datetime) -> Iterator[SealedObject]:
    """Sealed objects that were not checked since, the longest unchecked first, in batches.

    What is confirmed meanwhile moves to the end; it is not read a second time.
    """
    checked = func.coalesce(col(SealedObject.checked_at), NEVER)
    unchecked = [
        col(SealedObject.erasing_at).is_(None),
        col(SealedObject.missing_at).is_(None),
        _has_sealed_item(),
        checked <= before,
    ]
    with db.reading() as tx:
        left = tx.session.exec(select(func.count(col(SealedObject.sha256))).where(*unchecked)).one()
    after: tuple[datetime, str] | None = None
    while left > 0:
        chosen = list(unchecked)
        if after is not None:
            chosen.append(tuple_(checked, col(SealedObject.sha256)) > tuple_(*after))
        with db.reading() as tx:
            batch = tx.session.exec(
                select(SealedObject)
                .where(*chosen)
                .order_by(checked, col(SealedObject.sha256))
                .limit(min(BATCH, left))
            ).all()
        if not batch:
            return
        left -= len(batch)
        after = (batch[-1].checked_at or NEVER, batch[-1].sha256)
        yield from batch


def _about_sealed(
    db: Database, vault: Vault, row: _Expected | None, found: ObjectFacts | None
) -> Iterator[Discrepancy]:
    if row is None and found is not None:
        upload = _again(db, _incoming, found.key)
        if _again(db, _sealed, found.key) is not None:
            return
        if upload is None:
            yield Discrepancy(Fault.NO_ROW, found.key, f"{found.size} bytes")
        else:
            yield from _about_incoming(db, vault, upload, found)
    elif row is not None and found is None:
        again = _again(db, _sealed, row.key)
        if again is not None and again.needed and vault.find(row.key) is None:
            _mark(db, row.sha256, "missing_at", so=True)
            yield Discrepancy(Fault.MISSING, row.key, _whose(db, row.sha256))
    elif row is not None and found is not None:
        if row.size != found.size:
            detail = f"{found.size} bytes instead of {row.size}; {_whose(db, row.sha256)}"
            yield Discrepancy(Fault.WRONG_SIZE, found.key, detail)
        if row.marked_missing:
            _mark(db, row.sha256, "missing_at", so=False)


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


def _about_preview(
    db: Database, vault: Vault, row: _Expected | None, found: ObjectFacts | None
) -> Iterator[Discrepancy]:
    if found is None and row is not None:
        again = _again(db, _previews, row.key)
        if again is not None and vault.find(row.key) is None:
            yield Discrepancy(Fault.PREVIEW_MISSING, row.key)
    elif row is None and found is not None:
        old = found.modified_at < db.clock.now() - LEFT_FOR
        if old and _again(db, _previews, found.key) is None:
            yield Discrepancy(Fault.PREVIEW_LEFT_OVER, found.key, f"{found.size} bytes")


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
    columns: dict[Rows, str] = {
        _sealed: SealedObject.key,
        _incoming: Upload.key,
        _previews: Preview.key,
    }
    column = columns[rows]
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


def _previews(tx: Transaction, which: ColumnElement[bool] | None, after: str) -> list[_Expected]:
    key = col(Preview.key).collate("C")
    rows = tx.session.exec(
        select(Preview.key, Preview.size)
        .where(key > after if which is None else which)
        .order_by(key)
        .limit(BATCH)
    ).all()
    return [_Expected(name, True, size=size) for name, size in rows]


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


def _mark(db: Database, sha256: str, what: Literal["missing_at", "wrong_at"], *, so: bool) -> None:
    """Write down that bytes are missing or wrong, or not any more; once, and in their cases too."""
    with db.transaction() as tx:
        row = tx.session.get(SealedObject, sha256, with_for_update=True)
        if row is None or (getattr(row, what) is not None) == so:
            return
        setattr(row, what, tx.now if so else None)
        items = tx.session.exec(
            select(EvidenceItem).where(
                EvidenceItem.sha256 == sha256, EvidenceItem.state == EvidenceState.SEALED.value
            )
        ).all()
        for item in items:
            kind = TOLD_AS[what] if so else "recover_evidence"
            record(tx, SYSTEM, kind, ("evidence_item", item.id), case_id=CaseId(item.case_id))


def _confirm(db: Database, sha256: str) -> None:
    _mark(db, sha256, "wrong_at", so=False)
    with db.transaction() as tx:
        tx.session.execute(
            update(SealedObject)
            .where(col(SealedObject.sha256) == sha256)
            .values(checked_at=tx.now, missing_at=None)
        )
