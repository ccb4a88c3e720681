"""Erasing bytes that no item needs any more, and never those that one does.

An item that is erased, or was removed while it was sealed, promises this. Bytes that several items
share go with the last of them.
"""

from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import col, func, select

from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Unavailable
from storage.ids import ItemId, OutboxId
from storage.outbox import receive
from storage.tables import EvidenceItem, OutboxRow, SealedObject, Upload
from storage.vault import Vault
from storage.vocabulary import EvidenceState
from workflows.evidence.kept import begin_erasing, kept_among
from workflows.looking.forgetting import (
    after_its_look,
    forget_look,
    forget_previews,
    remove_previews,
)
from workflows.work import Work


@dataclass(frozen=True)
class _Remains:
    """What is left of an erased item in the store. `sealed_key` only when nobody else needs it."""

    uploads: tuple[tuple[str, str], ...]
    sha256: str | None = None
    sealed_key: str | None = None


def erase_evidence(db: Database, vault: Vault, item_id: ItemId, outbox_id: OutboxId) -> None:
    """Remove an erased item's uploads, and its sealed bytes unless another item shares them.

    Of a key that is being erased nobody makes use again, so a run that stalls anywhere in here and
    goes on when everything is over removes nothing that was kept since. Raises StoreAway,
    StillLocked (the store holds the bytes until their lock ends), AlreadyDone.
    """
    remains = _claim(db, item_id)
    crash_point("erase.claimed")
    for key, store_upload_id in remains.uploads:
        if store_upload_id:
            vault.abort(key, store_upload_id)
        vault.delete(key)
    if remains.sealed_key:
        vault.delete(remains.sealed_key)
        remove_previews(vault, remains.sealed_key)
    crash_point("erase.erased")
    _record(db, item_id, outbox_id, remains)


@command
def _claim(db: Database, item_id: ItemId) -> _Remains:
    """Find out what goes. Bytes that go are marked, so that nobody begins to share them."""
    with db.transaction() as tx:
        item = tx.session.get(EvidenceItem, item_id)
        if item is None or item.state != EvidenceState.ERASED.value:
            return _Remains(())
        _after_its_seal(tx, item_id)
        after_its_look(tx, item_id)
        uploads = _uploads(tx, item_id)
        if item.sha256 is None:
            return _Remains(uploads)
        sealed = tx.session.get(SealedObject, item.sha256, with_for_update=True)
        if sealed is None or _needed(tx, sealed.sha256):
            return _Remains(uploads, item.sha256)
        begin_erasing(tx, sealed)
        return _Remains(uploads, sealed.sha256, sealed.key)


def _uploads(tx: Transaction, item_id: ItemId) -> tuple[tuple[str, str], ...]:
    """Where the item's files arrived, but for those that stayed there as what is kept."""
    arrived = tx.session.exec(
        select(Upload.key, Upload.store_upload_id).where(Upload.item_id == item_id)
    ).all()
    kept = kept_among(tx, [key for key, _ in arrived])
    return tuple((key, begun) for key, begun in arrived if key not in kept)


@command
def _record(db: Database, item_id: ItemId, outbox_id: OutboxId, remains: _Remains) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        tx.session.execute(
            update(Upload)
            .where(
                col(Upload.item_id) == item_id,
                col(Upload.completed_at).is_(None),
                col(Upload.aborted_at).is_(None),
            )
            .values(aborted_at=tx.now)
        )
        forget_look(tx, item_id)
        bytes_gone = _still_ours(tx, remains)
        gone = [col(EvidenceItem.id) == item_id]
        if bytes_gone:
            gone = [col(EvidenceItem.sha256) == remains.sha256]
        tx.session.execute(
            update(EvidenceItem)
            .where(*gone, col(EvidenceItem.state) == EvidenceState.ERASED.value)
            .values(sha256=None)
        )
        if bytes_gone and remains.sha256:
            forget_previews(tx, remains.sha256)
            tx.session.execute(
                delete(SealedObject).where(col(SealedObject.sha256) == remains.sha256)
            )


def _still_ours(tx: Transaction, remains: _Remains) -> bool:
    """Whether the row is the one whose object was removed.

    Another run may have ended first, and the same bytes may have been sealed anew since, under a
    key of their own: then the row is theirs.
    """
    if remains.sealed_key is None:
        return False
    row = tx.session.get(SealedObject, remains.sha256, with_for_update=True)
    return row is not None and row.key == remains.sealed_key and row.erasing_at is not None


def _after_its_seal(tx: Transaction, item_id: ItemId) -> None:
    """A seal that runs may still copy the bytes. Raises Unavailable until it has ended."""
    running = tx.session.exec(
        select(OutboxRow.id).where(
            OutboxRow.kind == Work.SEAL_EVIDENCE.value,
            OutboxRow.subject_id == item_id,
            col(OutboxRow.done_at).is_(None),
            col(OutboxRow.dead_at).is_(None),
        )
    ).first()
    if running is not None:
        raise Unavailable("The file is being checked just now; this waits for that.")


def _needed(tx: Transaction, sha256: str) -> bool:
    """Whether an item that is not erased has, or is about to have, these bytes."""
    return (
        tx.session.exec(
            select(func.count()).where(
                EvidenceItem.sha256 == sha256,
                EvidenceItem.state != EvidenceState.ERASED.value,
            )
        ).one()
        > 0
    )
