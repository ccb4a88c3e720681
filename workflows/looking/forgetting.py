"""What was found in a file and drawn of it goes when the file goes."""

from sqlalchemy import delete
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Unavailable
from storage.ids import ItemId
from storage.tables import Inspection, OutboxRow, Preview, SameBytes
from storage.vault import Vault, previews_of
from workflows.work import Work

LOOKS = (Work.INSPECT_EVIDENCE.value, Work.DRAW_PAGES.value, Work.MAKE_RENDITION.value)


def after_its_look(tx: Transaction, item_id: ItemId) -> None:
    """A look that runs may still store what it draws. Raises Unavailable until it has ended.

    One that has not begun finds the item erased and does nothing.
    """
    running = tx.session.exec(
        select(OutboxRow.id).where(
            col(OutboxRow.kind).in_(LOOKS),
            OutboxRow.subject_id == item_id,
            col(OutboxRow.held_until) > tx.now,
            col(OutboxRow.done_at).is_(None),
            col(OutboxRow.dead_at).is_(None),
        )
    ).first()
    if running is not None:
        raise Unavailable("The file is being looked into just now; this waits for that.")


def remove_previews(vault: Vault, sealed_key: str) -> None:
    """Remove from the store all that was made of these sealed bytes. Raises StoreAway."""
    for made in list(vault.list_keys(previews_of(sealed_key))):
        vault.delete(made.key)


def forget_previews(tx: Transaction, sha256: str) -> None:
    """Forget what was made of bytes that are gone."""
    tx.session.execute(delete(Preview).where(col(Preview.sha256) == sha256))


def forget_look(tx: Transaction, item_id: ItemId) -> None:
    """Forget what was found in an erased item: names, days and places of people stand in it."""
    tx.session.execute(delete(Inspection).where(col(Inspection.item_id) == item_id))
    tx.session.execute(delete(SameBytes).where(col(SameBytes.item_id) == item_id))
