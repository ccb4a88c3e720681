"""What becomes of a statement's evidence item when its giver takes the statement back."""

from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.tables import Attestation, EvidenceItem
from storage.vocabulary import EvidenceState, VoiceState

WITHDRAWN = "The person who gave this statement has withdrawn it."


def retract_withdrawn(tx: Transaction, case_id: UUID) -> None:
    """Let withdrawn statements of a case count no more; their items stay, with the reason.

    For a case that is with its learner: what was submitted stays as it was submitted.
    """
    items = tx.session.exec(
        select(EvidenceItem)
        .join(Attestation, col(Attestation.item_id) == col(EvidenceItem.id))
        .where(
            EvidenceItem.case_id == case_id,
            EvidenceItem.state == EvidenceState.SEALED.value,
            Attestation.state == VoiceState.WITHDRAWN.value,
        )
        .with_for_update(of=EvidenceItem)
    ).all()
    for item in items:
        item.state = EvidenceState.REJECTED.value
        item.reason = WITHDRAWN
        item.version += 1
