"""What of a time line a submission freezes: the learner's marks, captions, a transcript."""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import ItemId
from storage.tables import TimeSpan
from storage.vocabulary import Role
from workflows.cases.manifest import ManifestItem, ManifestMark, ManifestWords
from workflows.evidence.captions import words_of


def with_time_line(tx: Transaction, items: Sequence[ManifestItem]) -> list[ManifestItem]:
    """The items with what stands on their time lines now. Two statements."""
    ids = [item.id for item in items]
    marks = _marks(tx, ids)
    words = words_of(tx, ids)
    return [
        replace(
            item,
            marks=marks.get(item.id, ()),
            words=tuple(
                ManifestWords(one.kind.value, one.language, one.sha256)
                for one in words.get(item.id, ())
            ),
        )
        for item in items
    ]


def _marks(tx: Transaction, ids: Sequence[ItemId]) -> dict[ItemId, tuple[ManifestMark, ...]]:
    found: dict[ItemId, tuple[ManifestMark, ...]] = {}
    for row in tx.session.exec(
        select(TimeSpan)
        .where(
            col(TimeSpan.item_id).in_(ids),
            TimeSpan.role == Role.LEARNER.value,
            col(TimeSpan.removed_at).is_(None),
        )
        .order_by(col(TimeSpan.start_ms), col(TimeSpan.created_at), col(TimeSpan.id))
    ):
        mark = ManifestMark(row.start_ms, row.end_ms, row.outcome_code, row.note)
        item_id = ItemId(row.item_id)
        found[item_id] = (*found.get(item_id, ()), mark)
    return found
