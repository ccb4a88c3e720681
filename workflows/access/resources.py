"""Things as `may` sees them: whose they are, and who has, or had, a part in their case.

Every loader answers with the Resource of the case the thing belongs to, or raises NotFound in the
same words that `require` uses, so that an id that does not exist looks like one that is not yours.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Uuid,
    any_,
    bindparam,
    literal,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
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
from workflows.access.permissions import GRANTS, Permission, Scope
from workflows.access.rules import NOT_YOURS, Actor, Part, Resource, may

COORDINATORS_ACTS = (
    "begin_screening",
    "return_case",
    "accept_for_assessment",
    "ask_assessor",
    "replace_assessor",
    "settle_conflict",
    "declare_late",
    "propose_override",
)
"""What makes a coordinator a part of a case; having looked at it does not."""

SEATED = (AssignmentState.OFFERED, AssignmentState.DECLARED, AssignmentState.CLEARED)


@dataclass(frozen=True)
class Asked:
    """What a case is wanted for: who asks, and for which permission."""

    actor: Actor
    permission: Permission


def case_resource(tx: Transaction, case: Case, asked: Asked | None = None) -> Resource:
    """A case that is at hand, with everyone's parts in it over all of its rounds.

    Where it is `asked` for something that is its owner's alone, and by its owner, nobody's part in
    it says anything, and none is read.
    """
    if asked and (owned := _as_its_owner(asked, case.institution_id, case.learner_id)):
        return owned
    return case_resources(tx, [case])[case.id]


def case_resources(tx: Transaction, cases: Sequence[Case]) -> Mapping[UUID, Resource]:
    """Several cases that are at hand, by their ids. One statement."""
    parts = _parts(tx, [case.id for case in cases])
    return {
        case.id: Resource(
            institution_id=InstitutionId(case.institution_id),
            owner_id=AccountId(case.learner_id),
            parts=parts.get(case.id, {}),
        )
        for case in cases
    }


def resource_of_case(tx: Transaction, case_id: CaseId, asked: Asked | None = None) -> Resource:
    """The case of this id. Raises NotFound."""
    return _resource(tx, col(Case.id) == case_id, asked)


def resource_of_item(tx: Transaction, item_id: ItemId, asked: Asked | None = None) -> Resource:
    """The case an evidence item belongs to. Raises NotFound."""
    return _resource(tx, _is(select(EvidenceItem.case_id).where(EvidenceItem.id == item_id)), asked)


def resource_of_upload(
    tx: Transaction, upload_id: UploadId, asked: Asked | None = None
) -> Resource:
    """The case an upload belongs to. Raises NotFound."""
    case_of_upload = (
        select(EvidenceItem.case_id)
        .join(Upload, col(Upload.item_id) == col(EvidenceItem.id))
        .where(Upload.id == upload_id)
    )
    return _resource(tx, _is(case_of_upload), asked)


def resource_of_assignment(
    tx: Transaction, assignment_id: AssignmentId, asked: Asked | None = None
) -> Resource:
    """The case an assessor's place belongs to. Raises NotFound."""
    return _resource(
        tx, _is(select(Assignment.case_id).where(Assignment.id == assignment_id)), asked
    )


def resource_of_sheet(tx: Transaction, sheet_id: SheetId, asked: Asked | None = None) -> Resource:
    """The case a score sheet belongs to. Raises NotFound."""
    return _resource(tx, _is(select(ScoreSheet.case_id).where(ScoreSheet.id == sheet_id)), asked)


def resource_of_attestation(
    tx: Transaction, attestation_id: AttestationId, asked: Asked | None = None
) -> Resource:
    """The case an attestation was asked for. Raises NotFound."""
    return _resource(
        tx, _is(select(Attestation.case_id).where(Attestation.id == attestation_id)), asked
    )


def resource_of_credential(
    tx: Transaction, credential_id: CredentialId, asked: Asked | None = None
) -> Resource:
    """The case a credential came of. Raises NotFound."""
    return _resource(
        tx, _is(select(Credential.case_id).where(Credential.id == credential_id)), asked
    )


def resource_of_endorsement(
    tx: Transaction, endorsement_id: EndorsementId, asked: Asked | None = None
) -> Resource:
    """The case behind the credential that an endorsement speaks of. Raises NotFound."""
    case_of_endorsement = (
        select(Credential.case_id)
        .join(Endorsement, col(Endorsement.credential_id) == col(Credential.id))
        .where(Endorsement.id == endorsement_id)
    )
    return _resource(tx, _is(case_of_endorsement), asked)


def _is(case_ids: SelectOfScalar[UUID]) -> ColumnElement[bool]:
    return col(Case.id).in_(case_ids)


def _resource(tx: Transaction, which: ColumnElement[bool], asked: Asked | None) -> Resource:
    case = tx.session.exec(
        select(Case.id, Case.institution_id, Case.learner_id).where(which)
    ).one_or_none()
    if case is None:
        raise NotFound(NOT_YOURS)
    case_id, institution_id, learner_id = case
    if asked and (owned := _as_its_owner(asked, institution_id, learner_id)):
        return owned
    parts = _parts(tx, [case_id]).get(case_id, {})
    return Resource(InstitutionId(institution_id), AccountId(learner_id), parts)


def _as_its_owner(asked: Asked, institution_id: UUID, learner_id: UUID) -> Resource | None:
    """The case without anybody's part in it, where only its owner may do this, and asks."""
    owned = Resource(InstitutionId(institution_id), AccountId(learner_id))
    owners_alone = all(grant.scope is Scope.OWN for grant in GRANTS[asked.permission])
    return owned if owners_alone and may(asked.actor, asked.permission, owned).allowed else None


def _parts(
    tx: Transaction, case_ids: Sequence[UUID]
) -> Mapping[UUID, Mapping[UUID, frozenset[Part]]]:
    """Per case. One statement, whatever the number of cases and people."""
    rows = tx.session.execute(EVERY_PART, {"case_ids": list(case_ids)}).all()
    return _gathered((row[0], row[1], row[2]) for row in rows)


def _every_part() -> CompoundSelect[tuple[UUID, UUID | None, str]]:
    """All parts that people have in the cases named `case_ids`: who, and which part."""
    named: BindParameter[Sequence[UUID]] = bindparam("case_ids", type_=ARRAY(Uuid()))
    seats = col(Assignment.case_id) == any_(named)
    seated = col(Assignment.state).in_([state.value for state in SEATED])
    assigned = select(
        col(Assignment.case_id), col(Assignment.assessor_id), literal(Part.OFFERED.value)
    ).where(seats, seated)
    cleared = select(
        col(Assignment.case_id), col(Assignment.assessor_id), literal(Part.CLEARED.value)
    ).where(seats, col(Assignment.state) == AssignmentState.CLEARED.value)
    conflicted = select(
        col(Assignment.case_id), col(Assignment.assessor_id), literal(Part.CONFLICTED.value)
    ).where(
        seats,
        col(Assignment.state) == AssignmentState.EXCLUDED.value,
        col(Assignment.conflict) != ConflictAnswer.NONE.value,
    )
    screened = (
        select(col(Event.case_id), col(Event.actor_id), literal(Part.SCREENED.value))
        .where(
            col(Event.case_id) == any_(named),
            col(Event.actor_id).is_not(None),
            col(Event.actor_role) == Role.COORDINATOR.value,
            col(Event.kind).in_(COORDINATORS_ACTS),
        )
        .distinct()
    )
    scored = select(
        col(ScoreSheet.case_id), col(ScoreSheet.assessor_id), literal(Part.SCORED.value)
    ).where(col(ScoreSheet.case_id) == any_(named))
    moderated = (
        select(col(Agreement.case_id), col(Agreement.moderator_id), literal(Part.MODERATED.value))
        .where(col(Agreement.case_id) == any_(named), col(Agreement.moderator_id).is_not(None))
        .distinct()
    )
    decided = select(
        col(Decision.case_id), col(Decision.decider_id), literal(Part.DECIDED.value)
    ).where(col(Decision.case_id) == any_(named))
    judged = select(
        col(Decision.case_id), col(Decision.decider_id), literal(Part.JUDGED.value)
    ).where(col(Decision.case_id) == any_(named))
    released = select(
        col(Decision.case_id), col(Decision.released_by), literal(Part.JUDGED.value)
    ).where(col(Decision.case_id) == any_(named), col(Decision.released_by).is_not(None))
    moderated_then = (
        select(col(Agreement.case_id), col(Agreement.moderator_id), literal(Part.JUDGED.value))
        .join(
            Decision,
            (col(Decision.case_id) == col(Agreement.case_id))
            & (col(Decision.round) == col(Agreement.round)),
        )
        .where(col(Agreement.case_id) == any_(named), col(Agreement.moderator_id).is_not(None))
        .distinct()
    )
    seen = (assigned, cleared, conflicted, screened, scored, moderated)
    return union_all(*seen, decided, judged, released, moderated_then)


EVERY_PART = _every_part()
"""Made once: making it costs more than asking it, and each act of each person asks it."""


def _gathered(
    rows: Iterable[tuple[UUID, UUID, str]],
) -> Mapping[UUID, Mapping[UUID, frozenset[Part]]]:
    gathered: defaultdict[UUID, defaultdict[UUID, set[Part]]]
    gathered = defaultdict(lambda: defaultdict(set))
    for case_id, account_id, part in rows:
        gathered[case_id][account_id].add(Part(part))
    return {
        case_id: {account_id: frozenset(parts) for account_id, parts in people.items()}
        for case_id, people in gathered.items()
    }
