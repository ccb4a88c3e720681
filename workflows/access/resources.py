"""Things as `may` sees them: whose they are, and who has, or had, a part in their case.

Every loader answers with the Resource of the case the thing belongs to, or raises NotFound in the
same words that `require` uses, so that an id that does not exist looks like one that is not yours.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, literal, union_all
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import (
    AccountId,
    AssignmentId,
    AttestationId,
    CaseId,
    CredentialId,
    EndorsementId,
    InstitutionId,
    ItemId,
    SheetId,
    UploadId,
)
from storage.tables.assessment import Agreement, Assignment, ScoreSheet
from storage.tables.cases import Case
from storage.tables.decisions import Decision
from storage.tables.events import Event
from storage.tables.evidence import EvidenceItem, Upload
from storage.tables.issuance import Credential
from storage.tables.voices import Attestation, Endorsement
from storage.vocabulary import AssignmentState, ConflictAnswer, Role
from workflows.access.rules import NOT_YOURS, Part, Resource

SEATED = (AssignmentState.OFFERED, AssignmentState.DECLARED, AssignmentState.CLEARED)


def case_resource(tx: Transaction, case: Case) -> Resource:
    """A case that is at hand, with everyone's parts in it over all of its rounds."""
    return Resource(
        institution_id=InstitutionId(case.institution_id),
        owner_id=AccountId(case.learner_id),
        parts=_parts(tx, case.id),
    )


def resource_of_case(tx: Transaction, case_id: CaseId) -> Resource:
    """The case of this id. Raises NotFound."""
    return _resource(tx, col(Case.id) == case_id)


def resource_of_item(tx: Transaction, item_id: ItemId) -> Resource:
    """The case an evidence item belongs to. Raises NotFound."""
    return _resource(tx, _is(select(EvidenceItem.case_id).where(EvidenceItem.id == item_id)))


def resource_of_upload(tx: Transaction, upload_id: UploadId) -> Resource:
    """The case an upload belongs to. Raises NotFound."""
    case_of_upload = (
        select(EvidenceItem.case_id)
        .join(Upload, col(Upload.item_id) == col(EvidenceItem.id))
        .where(Upload.id == upload_id)
    )
    return _resource(tx, _is(case_of_upload))


def resource_of_assignment(tx: Transaction, assignment_id: AssignmentId) -> Resource:
    """The case an assessor's place belongs to. Raises NotFound."""
    return _resource(tx, _is(select(Assignment.case_id).where(Assignment.id == assignment_id)))


def resource_of_sheet(tx: Transaction, sheet_id: SheetId) -> Resource:
    """The case a score sheet belongs to. Raises NotFound."""
    return _resource(tx, _is(select(ScoreSheet.case_id).where(ScoreSheet.id == sheet_id)))


def resource_of_attestation(tx: Transaction, attestation_id: AttestationId) -> Resource:
    """The case an attestation was asked for. Raises NotFound."""
    return _resource(tx, _is(select(Attestation.case_id).where(Attestation.id == attestation_id)))


def resource_of_credential(tx: Transaction, credential_id: CredentialId) -> Resource:
    """The case a credential came of. Raises NotFound."""
    return _resource(tx, _is(select(Credential.case_id).where(Credential.id == credential_id)))


def resource_of_endorsement(tx: Transaction, endorsement_id: EndorsementId) -> Resource:
    """The case behind the credential that an endorsement speaks of. Raises NotFound."""
    case_of_endorsement = (
        select(Credential.case_id)
        .join(Endorsement, col(Endorsement.credential_id) == col(Credential.id))
        .where(Endorsement.id == endorsement_id)
    )
    return _resource(tx, _is(case_of_endorsement))


def _is(case_ids: SelectOfScalar[UUID]) -> ColumnElement[bool]:
    return col(Case.id).in_(case_ids)


def _resource(tx: Transaction, which: ColumnElement[bool]) -> Resource:
    case = tx.session.exec(select(Case).where(which)).one_or_none()
    if case is None:
        raise NotFound(NOT_YOURS)
    return case_resource(tx, case)


def _parts(tx: Transaction, case_id: UUID) -> dict[UUID, frozenset[Part]]:
    """One statement, whatever the number of people."""
    assigned = select(
        col(Assignment.assessor_id), literal("assignment"), col(Assignment.state)
    ).where(
        col(Assignment.case_id) == case_id,
        col(Assignment.state).in_([state.value for state in SEATED]),
    )
    conflicted = select(
        col(Assignment.assessor_id), literal(Part.CONFLICTED.value), literal("")
    ).where(
        col(Assignment.case_id) == case_id,
        col(Assignment.state) == AssignmentState.EXCLUDED.value,
        col(Assignment.conflict) != ConflictAnswer.NONE.value,
    )
    screened = (
        select(col(Event.actor_id), literal(Part.SCREENED.value), literal(""))
        .where(
            col(Event.case_id) == case_id,
            col(Event.actor_id).is_not(None),
            col(Event.actor_role) == Role.COORDINATOR.value,
        )
        .distinct()
    )
    scored = select(col(ScoreSheet.assessor_id), literal(Part.SCORED.value), literal("")).where(
        col(ScoreSheet.case_id) == case_id
    )
    moderated = select(
        col(Agreement.moderator_id), literal(Part.MODERATED.value), literal("")
    ).where(col(Agreement.case_id) == case_id, col(Agreement.moderator_id).is_not(None))
    decided = select(col(Decision.decider_id), literal(Part.DECIDED.value), literal("")).where(
        col(Decision.case_id) == case_id
    )
    rows = tx.session.execute(
        union_all(assigned, conflicted, screened, scored, moderated, decided)
    ).all()
    return _gathered((row[0], row[1], row[2]) for row in rows)


def _gathered(rows: Iterable[tuple[UUID, str, str]]) -> dict[UUID, frozenset[Part]]:
    gathered: defaultdict[UUID, set[Part]] = defaultdict(set)
    for account_id, what, state in rows:
        if what == "assignment":
            gathered[account_id].add(Part.OFFERED)
            if state == AssignmentState.CLEARED:
                gathered[account_id].add(Part.CLEARED)
        else:
            gathered[account_id].add(Part(what))
    return {account_id: frozenset(parts) for account_id, parts in gathered.items()}
