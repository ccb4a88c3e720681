"""Whether a case's evidence is shut because its learner asked for it to be erased."""

from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.tables import ErasurePlan

SHUT = "This evidence is not shown any more: its owner asked for it to be erased."


def is_shut(tx: Transaction, case_id: UUID) -> bool:
    """Whether an erasure was asked for by the learner, or is being carried out."""
    found = tx.session.exec(
        select(ErasurePlan.id).where(
            ErasurePlan.case_id == case_id,
            col(ErasurePlan.undone_at).is_(None),
            col(ErasurePlan.asked_by).is_not(None) | col(ErasurePlan.begun_at).is_not(None),
        )
    ).first()
    return found is not None


def still_open(tx: Transaction, case_id: UUID) -> None:
    """Raise NotFound when the evidence of the case is shut to everyone but its learner."""
    if is_shut(tx, case_id):
        raise NotFound(SHUT)
