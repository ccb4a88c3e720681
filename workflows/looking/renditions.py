"""Renditions: recordings that browsers cannot play, once more as they can. A queue and a worker of
their own, so that no one's thumbnail waits for an hour of film."""

import time
from contextlib import suppress

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Unavailable
from storage.ids import ItemId, OutboxId, Sha256
from storage.outbox import Promised, receive
from storage.tables import Inspection, Preview
from storage.vault import Vault
from storage.vocabulary import PreviewKind
from workflows.looking.keeping import (
    Kept,
    SealedItem,
    keep_previews,
    put_drawn,
    sealed_item,
    source_of,
)
from workflows.looking.looks import Facts
from workflows.ports import Looker

PROGRESS_SECONDS = 3.0


def make_rendition(
    db: Database, vault: Vault, looker: Looker, item_id: ItemId, outbox_id: OutboxId
) -> None:
    """Make a rendition of a sealed recording; where that is too much, its look says so.

    Raises AlreadyDone, StoreAway, ObjectMissing, ObjectChanged.
    """
    item = _still_without(db, item_id)
    if item is None:
        _record(db, None, outbox_id, [])
        return
    progress = _Progress(db, item.sha256)
    with looker.render(source_of(vault, item.key), progress.tell) as seen:
        kept = put_drawn(vault, item, seen.drawn)
        _record(db, item, outbox_id, kept)


def rendition_failed(tx: Transaction, promised: Promised) -> None:
    """The rendition was given up: the player offers the original as a download."""
    item = sealed_item(tx, ItemId(promised.subject_id))
    if item is not None:
        _say(tx, item.sha256, {"rendition": "skipped"})


class _Progress:
    """Writes down every few seconds how far a rendition has come."""

    def __init__(self, db: Database, sha256: Sha256) -> None:
        self._db = db
        self._sha256 = sha256
        self._told_at = time.monotonic()

    def tell(self, percent: int) -> None:
        """So much is done."""
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = time.monotonic()
        with suppress(Unavailable), self._db.transaction() as tx:
            _say(tx, self._sha256, {"rendition_percent": percent})


def _still_without(db: Database, item_id: ItemId) -> SealedItem | None:
    """The item, unless it is gone or its bytes have a rendition already."""
    with db.reading() as tx:
        item = sealed_item(tx, item_id, hold=False)
        if item is None or _has_rendition(tx, item.sha256):
            return None
        return item


def _has_rendition(tx: Transaction, sha256: Sha256) -> bool:
    found = tx.session.exec(
        select(Preview.id).where(
            Preview.sha256 == sha256, Preview.kind == PreviewKind.RENDITION.value
        )
    ).first()
    return found is not None


@command
def _record(db: Database, item: SealedItem | None, outbox_id: OutboxId, kept: list[Kept]) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        if item is None or sealed_item(tx, item.item_id) is None:
            return
        keep_previews(tx, item.sha256, kept)
        _say(tx, item.sha256, {"rendition": "done" if kept else "skipped"})


def _say(tx: Transaction, sha256: Sha256, said: dict[str, object]) -> None:
    """Write it to the looks at all items that share the bytes."""
    rows = tx.session.exec(
        select(Inspection)
        .where(Inspection.sha256 == sha256)
        .order_by(col(Inspection.item_id))
        .with_for_update()
    )
    for row in rows:
        facts = Facts.model_validate({**row.facts, **said})
        row.facts = facts.model_dump(mode="json", exclude_defaults=True)
