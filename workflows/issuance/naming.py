"""Whether a learner's name stands in their credential: chosen before, or asked for afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import record
from storage.ids import CaseId, CredentialId, InstitutionId
from storage.tables import Account, Case, Credential
from storage.vocabulary import CaseState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.cases.load import lock_case
from workflows.issuance.claims import read_frozen
from workflows.issuance.commands import hold_credential
from workflows.issuance.rules import REPLACEABLE


@dataclass(frozen=True)
class AskedUnnamed:
    """A holder who waits for a credential without their name."""

    credential_id: CredentialId
    learner: str
    asked_at: datetime


@command
def choose_name(db: Database, actor: Actor, case_id: CaseId, *, in_clear: bool) -> None:
    """Say whether the name shall stand in what this case earns.

    Raises NotFound, Forbidden, Conflict (it was issued already: then it is asked for).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.SHARE_CREDENTIAL, case_resource(tx, case))
        issued = tx.session.exec(select(Credential.id).where(Credential.case_id == case_id))
        if issued.first() is not None:
            raise Conflict("Your credential is issued already. Ask for a new one on its page.")
        case.name_in_clear = in_clear
        data = {"in_clear": in_clear}
        record(tx, who, "choose_name", ("case", case.id), case_id=case_id, data=data)


@command
def ask_without_name(db: Database, actor: Actor, credential_id: CredentialId) -> None:
    """Ask the registrar to issue one's credential anew, without the name in clear.

    Raises NotFound, Forbidden, Conflict (not in force, or there is no name in it). A second time it
    is the same request.
    """
    with db.transaction() as tx:
        credential = hold_credential(tx, credential_id)
        case = lock_case(tx, credential.case_id)
        who = acting(actor, Permission.SHARE_CREDENTIAL, case_resource(tx, case))
        if credential.state not in REPLACEABLE:
            raise Conflict("Only a credential that is in force can be issued anew.")
        if not read_frozen(credential.claims).named:
            raise Conflict("Your name does not stand in this credential.")
        case.name_in_clear = False
        if credential.asked_unnamed_at is None:
            credential.asked_unnamed_at = tx.now
            about = ("credential", credential.id)
            record(tx, who, "ask_without_name", about, case_id=CaseId(case.id))


def asked_unnamed(tx: Transaction, institution_id: InstitutionId) -> Sequence[AskedUnnamed]:
    """Who waits for a credential without their name, the longest first; a new one ends it."""
    rows = tx.session.exec(
        select(Credential, Account)
        .join(Account, col(Account.id) == col(Credential.learner_id))
        .join(Case, col(Case.id) == col(Credential.case_id))
        .where(
            Credential.institution_id == institution_id,
            col(Credential.asked_unnamed_at).is_not(None),
            col(Credential.state).in_([state.value for state in REPLACEABLE]),
        )
        .order_by(col(Credential.asked_unnamed_at))
    ).all()
    return [
        AskedUnnamed(CredentialId(credential.id), account.name, credential.asked_unnamed_at)
        for credential, account in rows
        if credential.asked_unnamed_at is not None
    ]


def name_choice(tx: Transaction, case_id: CaseId) -> bool | None:
    """Whether the name shall stand in what a case earns; None when there is no choice any more."""
    ended = [CaseState.CLOSED.value, CaseState.WITHDRAWN.value, CaseState.EXPIRED.value]
    return tx.session.exec(
        select(Case.name_in_clear).where(
            Case.id == case_id,
            col(Case.state).not_in(ended),
            col(Case.id).not_in(select(Credential.case_id).where(Credential.case_id == case_id)),
        )
    ).one_or_none()
