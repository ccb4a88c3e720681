"""Evidence that was erased, for those who may know that it was there."""

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import Gone
from storage.tables import ErasurePlan, Event, EvidenceItem
from storage.vocabulary import EvidenceState

ERASING = ("remove_evidence", "replace_evidence")
"""Acts upon one item after which it is erased; a case's erasure is in its plan."""


def not_erased(tx: Transaction, item: EvidenceItem) -> None:
    """Return when the item is still there; raise Gone with the day when it was erased."""
    if item.state != EvidenceState.ERASED.value:
        return
    removed = tx.session.exec(
        select(func.max(col(Event.at))).where(
            Event.subject_id == item.id, col(Event.kind).in_(ERASING)
        )
    ).one()
    with_the_case = tx.session.exec(
        select(func.max(col(ErasurePlan.begun_at))).where(ErasurePlan.case_id == item.case_id)
    ).one()
    at = removed or with_the_case or item.created_at
    raise Gone(
        "This file was erased on %(day)s. That it was there stays on record, and nothing of what "
        "it held.",
        {"day": at.date().isoformat()},
    )
