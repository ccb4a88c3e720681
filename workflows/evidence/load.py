"""Taking an evidence item in hand, for those who may, while it may still change."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import Conflict, NotFound
from storage.events import Who
from storage.ids import ItemId, Sha256
from storage.tables import Case, CaseUsage, EvidenceItem, Institution, Upload, UploadPart
from storage.vault import PartPlan
from storage.vocabulary import EvidenceState
from workflows.access.permissions import Permission
from workflows.access.resources import Asked, case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import lock_case, still_editable
from workflows.evidence.part_list import RecordedPart
from workflows.evidence.rules import Usage

ON_ITS_WAY = frozenset({EvidenceState.ANNOUNCED, EvidenceState.UPLOADING})
ROOM_OF_INSTITUTION = 7_265_003
"""The advisory lock of an institution's quota; the storage's own are in storage/baton.py."""


@dataclass(frozen=True)
class HeldItem:
    """An item with its case, and the one who acts on it."""

    item: EvidenceItem
    case: Case
    who: Who

    @property
    def state(self) -> EvidenceState:
        """The item's state as a word of the list."""
        return EvidenceState(self.item.state)


def hold_item(tx: Transaction, actor: Actor, item_id: ItemId) -> HeldItem:
    """The item and its case, held against all others, for a learner who may change them.

    Raises NotFound, Conflict (the case was submitted).
    """
    case_id = tx.session.exec(
        select(EvidenceItem.case_id).where(col(EvidenceItem.id) == item_id)
    ).one_or_none()
    if case_id is None:
        raise NotFound(NOT_YOURS)
    case = lock_case(tx, case_id)
    who = acting_on(tx, actor, case)
    still_editable(case)
    return HeldItem(lock_item(tx, item_id), case, who)


def look_at_item(tx: Transaction, actor: Actor, item_id: ItemId, *, lock: bool = False) -> HeldItem:
    """The item for a learner who sends it; not held, so that parts do not wait for each other.

    `lock`: the item, and not its case, is held against all others. Raises NotFound, Conflict (the
    case was submitted).
    """
    wanted = (
        select(EvidenceItem, Case)
        .join(Case, col(Case.id) == col(EvidenceItem.case_id))
        .where(col(EvidenceItem.id) == item_id)
    )
    row = tx.session.exec(wanted.with_for_update(of=EvidenceItem) if lock else wanted).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    item, case = row
    who = acting_on(tx, actor, case)
    still_editable(case)
    return HeldItem(item, case, who)


def acting_on(tx: Transaction, actor: Actor, case: Case) -> Who:
    """The one who adds to a case's evidence or changes it. Raises NotFound, Forbidden."""
    asked = Asked(actor, Permission.ADD_EVIDENCE)
    return acting(actor, asked.permission, case_resource(tx, case, asked))


def lock_item(tx: Transaction, item_id: UUID) -> EvidenceItem:
    """The item as it stands now, held against all others. Raises NotFound."""
    item = tx.session.exec(
        select(EvidenceItem)
        .where(col(EvidenceItem.id) == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if item is None:
        raise NotFound(NOT_YOURS)
    return item


def live_upload(tx: Transaction, item: EvidenceItem) -> Upload:
    """The upload that is under way for an item. Raises Conflict when there is none."""
    upload = tx.session.exec(
        select(Upload).where(
            Upload.item_id == item.id,
            col(Upload.completed_at).is_(None),
            col(Upload.aborted_at).is_(None),
        )
    ).one_or_none()
    if upload is None or EvidenceState(item.state) not in ON_ITS_WAY:
        raise Conflict("This upload has ended already. Reload the page to see how it stands now.")
    return upload


def plan_of(upload: Upload, item: EvidenceItem) -> PartPlan:
    """The plan that was made when the file was announced."""
    return PartPlan(item.declared_size, upload.part_size, upload.part_count)


def stands_in_a_manifest(item: EvidenceItem, case: Case) -> bool:
    """Whether it was submitted in an earlier round: only what was sealed then was."""
    never_sealed = EvidenceState(item.state) in ON_ITS_WAY | {EvidenceState.REJECTED}
    return item.round != case.round and not never_sealed


def recorded_parts(tx: Transaction, upload_id: UUID) -> dict[int, RecordedPart]:
    """The parts that browsers reported, by number."""
    rows = tx.session.exec(select(UploadPart).where(UploadPart.upload_id == upload_id)).all()
    return {
        row.number: RecordedPart(row.number, Sha256(row.sha256), row.size, row.etag) for row in rows
    }


@dataclass(frozen=True)
class Used:
    """What is held, announced bytes included; `quota` is the institution's own, if it has one."""

    case: Usage
    institution_bytes: int
    quota: int | None


def usage_and_quota(tx: Transaction, case: Case) -> Used:
    """What a case holds, and what all cases of its institution hold. The case must be held.

    Who asks holds the institution's room until the transaction ends, so that many at once cannot
    pass its quota together. It is the last lock that is taken: the case is held before.
    """
    institution_id = case.institution_id
    held = func.pg_advisory_xact_lock(ROOM_OF_INSTITUTION, func.hashtext(str(institution_id)))
    tx.session.execute(select(held))
    # a statement of its own: it sees what others wrote who held the room until now
    of_all = (
        select(func.coalesce(func.sum(CaseUsage.bytes), 0))
        .join(Case, col(Case.id) == col(CaseUsage.case_id))
        .where(Case.institution_id == institution_id)
        .scalar_subquery()
    )
    quota, size, items, own = tx.session.exec(
        select(Institution.vault_quota_bytes, of_all, CaseUsage.items, CaseUsage.bytes)
        .join(CaseUsage, col(CaseUsage.case_id) == case.id, isouter=True)
        .where(Institution.id == institution_id)
    ).one()
    return Used(Usage(items or 0, own or 0), int(size), quota)
