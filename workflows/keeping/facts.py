"""What retention and an erasure's plan look at, read from the rows in few statements."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy import select as columns
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage.database import Transaction
from storage.ids import ItemId, Sha256
from storage.tables import (
    Attestation,
    Caption,
    Case,
    Credential,
    Decision,
    Event,
    EvidenceItem,
    Manifest,
    OutcomeDecision,
    PolicyVersion,
    Preview,
    SealedObject,
    TimeSpan,
)
from storage.vocabulary import CaseState, CredentialState, EvidenceState, OutcomeResult
from workflows.cases.policy import Retention, read_policy
from workflows.keeping.plan import ErasurePlanned, PlannedFile, Stays
from workflows.keeping.rules import CaseFacts, Term, term

PUBLISHED = (CredentialState.PUBLISHED, CredentialState.SUSPENDED, CredentialState.REVOKED)
# the learner's coming back to look is no act, and neither is what we ourselves wrote
ACTS = col(Event.actor_role) == "learner"


def terms(tx: Transaction, cases: Sequence[Case]) -> Mapping[UUID, Term]:
    """Until when the evidence of these cases is kept; those that people work with are left out."""
    ids = [case.id for case in cases]
    active = dict(
        tx.session.exec(
            select(Event.case_id, func.max(col(Event.at)))
            .where(col(Event.case_id).in_(ids), ACTS)
            .group_by(col(Event.case_id))
        ).all()
    )
    recognised = set(
        tx.session.exec(
            select(Case.id)
            .join(OutcomeDecision, col(OutcomeDecision.decision_id) == col(Case.decision_id))
            .where(col(Case.id).in_(ids), OutcomeDecision.result == OutcomeResult.RECOGNISED.value)
        ).all()
    )
    with_files = set(tx.session.exec(select(EvidenceItem.case_id).where(_alive(ids))).all())
    decided = dict(
        tx.session.exec(
            select(Decision.case_id, func.max(col(Decision.released_at)))
            .where(col(Decision.case_id).in_(ids))
            .group_by(col(Decision.case_id))
        ).all()
    )
    policies = retentions(tx, cases)
    found = {}
    for case in cases:
        facts = CaseFacts(
            state=CaseState(case.state),
            active_at=active.get(case.id, case.opened_at),
            ended_at=case.closed_at or decided.get(case.id),
            recognised=case.id in recognised,
            has_files=case.id in with_files,
        )
        kept = term(facts, policies[case.policy_id])
        if kept is not None:
            found[case.id] = kept
    return found


def retentions(tx: Transaction, cases: Sequence[Case]) -> Mapping[UUID, Retention]:
    """The retention of each policy version that these cases were opened under."""
    rows = tx.session.exec(
        select(PolicyVersion).where(col(PolicyVersion.id).in_({case.policy_id for case in cases}))
    ).all()
    return {row.id: read_policy(row.body).retention for row in rows}


def planned(tx: Transaction, case: Case) -> ErasurePlanned:
    """What of the case would go and stay, by how its rows stand now."""
    items = tx.session.exec(
        select(EvidenceItem).where(_alive([case.id])).order_by(col(EvidenceItem.created_at))
    ).all()
    files = tuple(_files(tx, case, items))
    return ErasurePlanned(
        files=files,
        statements=_count(tx, select(func.count()).where(col(Attestation.case_id) == case.id)),
        submissions=_count(tx, select(func.count()).where(col(Manifest.case_id) == case.id)),
        stays=tuple(_stays(tx, case, files)),
    )


def shared_digests(tx: Transaction, case_id: UUID, digests: Sequence[str]) -> frozenset[str]:
    """Those digests that are also evidence in another case."""
    rows = tx.session.exec(
        select(EvidenceItem.sha256).where(
            col(EvidenceItem.sha256).in_(digests),
            EvidenceItem.case_id != case_id,
            EvidenceItem.state != EvidenceState.ERASED.value,
        )
    ).all()
    return frozenset(digest for digest in rows if digest)


def locks(tx: Transaction, digests: Sequence[str]) -> Mapping[str, SealedObject]:
    """The sealed objects with these digests that the store keeps locked for now."""
    rows = tx.session.exec(
        select(SealedObject).where(
            col(SealedObject.sha256).in_(digests), col(SealedObject.locked_until) > tx.now
        )
    ).all()
    return {row.sha256: row for row in rows}


def _files(tx: Transaction, case: Case, items: Sequence[EvidenceItem]) -> Iterator[PlannedFile]:
    ids = [item.id for item in items]
    digests = [item.sha256 for item in items if item.sha256]
    shared, locked = shared_digests(tx, case.id, digests), locks(tx, digests)
    previews = _counts(tx, col(Preview.sha256), col(Preview.sha256).in_(digests))
    captions = _counts(tx, col(Caption.item_id), col(Caption.item_id).in_(ids))
    notes = _counts(tx, col(TimeSpan.item_id), col(TimeSpan.item_id).in_(ids))
    for item in items:
        sealed = locked.get(item.sha256 or "")
        yield PlannedFile(
            item=ItemId(item.id),
            title=item.title,
            file_name=item.file_name,
            size=item.size if item.size is not None else item.declared_size,
            sha256=Sha256(item.sha256) if item.sha256 else None,
            shared=item.sha256 in shared,
            locked_until=sealed.locked_until if sealed else None,
            previews=previews.get(item.sha256 or "", 0),
            captions=captions.get(item.id, 0),
            notes=notes.get(item.id, 0),
        )


def _stays(tx: Transaction, case: Case, files: Sequence[PlannedFile]) -> Iterator[Stays]:
    if case.decision_id is not None:
        yield Stays.DECISION
    credential = select(func.count()).where(
        col(Credential.case_id) == case.id,
        col(Credential.state).in_([state.value for state in PUBLISHED]),
    )
    if _count(tx, credential):
        yield Stays.CREDENTIAL
    yield Stays.DIGESTS
    yield Stays.HISTORY
    if any(one.shared for one in files):
        yield Stays.SHARED
    if any(one.locked_until for one in files):
        yield Stays.LOCKED
    yield Stays.ACCOUNT


def _alive(case_ids: Sequence[UUID]) -> ColumnElement[bool]:
    return col(EvidenceItem.case_id).in_(case_ids) & (
        col(EvidenceItem.state) != EvidenceState.ERASED.value
    )


def has_something(case_id: Mapped[UUID]) -> ColumnElement[bool]:
    """Whether a case has anything that an erasure would let go."""
    return exists().where(
        col(EvidenceItem.case_id) == case_id,
        col(EvidenceItem.state) != EvidenceState.ERASED.value,
    )


def _counts(
    tx: Transaction, key: Mapped[UUID] | Mapped[str], which: ColumnElement[bool]
) -> dict[object, int]:
    rows = tx.session.execute(columns(key, func.count()).where(which).group_by(key)).all()
    return {row[0]: int(row[1]) for row in rows}


def _count(tx: Transaction, question: SelectOfScalar[int]) -> int:
    return tx.session.exec(question).one()
