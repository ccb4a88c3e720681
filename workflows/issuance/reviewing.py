"""What becomes of an issued credential when the decision behind it was appealed.

A new decision that differs has it corrected and issued anew, each naming the other; one that does
not leaves it as it is, and a suspension for the appeal ends.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Conflict
from storage.events import SYSTEM, Who
from storage.ids import CredentialId
from storage.tables import Case, Credential, Decision
from storage.vocabulary import CredentialState
from workflows.decisions.appealed import end_appeal, running_appeal
from workflows.issuance import mails
from workflows.issuance.addresses import Site
from workflows.issuance.commands import hold_credential, turn_credential
from workflows.issuance.correcting import correct_by_decision
from workflows.issuance.rules import REPLACEABLE, Reason

UNFINISHED = frozenset({CredentialState.PENDING, CredentialState.SIGNED})


class Follows(StrEnum):
    """What the release of a decision means for what is issued."""

    ISSUE = "issue"
    """what was earned is issued, as ever"""
    CORRECTED = "corrected"
    """what was issued before is corrected and issued anew"""
    SAME = "same"
    """a new decision says what the first one said"""


def follow_appeal(tx: Transaction, site: Site, who: Who, case: Case, decision: Decision) -> Follows:
    """End the appeal, if one led to this decision, and see to what was issued by the first one.

    Raises Conflict while the credential of the first decision is still being made.
    """
    appeal = running_appeal(tx, case.id)
    if appeal is None:
        return Follows.ISSUE
    issued = _last_issued(tx, case.id)
    if not end_appeal(tx, appeal, decision.id):
        lift_review(tx, site, case.id)
        return Follows.SAME if issued else Follows.ISSUE
    if any(one.state in UNFINISHED for one in issued):
        raise Conflict("What was issued before is still being made. Release it in a few minutes.")
    old = next((one for one in issued if CredentialState(one.state) in REPLACEABLE), None)
    if old is None:
        return Follows.ISSUE
    correct_by_decision(tx, site, who, hold_credential(tx, CredentialId(old.id)), case)
    return Follows.CORRECTED


def lift_review(tx: Transaction, site: Site, case_id: UUID) -> None:
    """End the suspension of what was suspended because of an appeal, which is over."""
    suspended = tx.session.exec(
        select(Credential)
        .where(
            Credential.case_id == case_id,
            Credential.state == CredentialState.SUSPENDED.value,
            Credential.public_reason == Reason.APPEAL.value,
        )
        .with_for_update()
    ).all()
    for credential in suspended:
        turn_credential(tx, SYSTEM, credential, "unsuspend_credential", None)
        mails.tell_changed(tx, site, credential)


def _last_issued(tx: Transaction, case_id: UUID) -> Sequence[Credential]:
    """What was issued for a case and not replaced, whatever its state."""
    later = aliased(Credential)
    return tx.session.exec(
        select(Credential)
        .outerjoin(later, col(later.replaces_id) == col(Credential.id))
        .where(Credential.case_id == case_id, col(later.id).is_(None))
    ).all()
