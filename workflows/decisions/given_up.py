"""Promised work on a case that failed for good, so that its page can say so to staff."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.outbox import Promised
from storage.outbox_reports import waiting_for
from storage.tables import (
    Attestation,
    Case,
    Credential,
    Endorsement,
    ErasurePlan,
    EvidenceItem,
)


def given_up_on(tx: Transaction, case: Case) -> Sequence[Promised]:
    """Given-up work on everything that hangs on a case, the oldest first."""
    subjects: list[UUID] = [case.id]
    if case.decision_id is not None:
        subjects.append(case.decision_id)
    for question in (
        select(EvidenceItem.id).where(EvidenceItem.case_id == case.id),
        select(Attestation.id).where(Attestation.case_id == case.id),
        select(ErasurePlan.id).where(ErasurePlan.case_id == case.id),
        select(Credential.id).where(Credential.case_id == case.id),
        select(Endorsement.id)
        .join(Credential, col(Credential.id) == col(Endorsement.credential_id))
        .where(Credential.case_id == case.id),
    ):
        subjects += tx.session.exec(question).all()
    return [row for row in waiting_for(tx, *subjects) if row.dead_at is not None]
