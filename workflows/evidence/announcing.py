"""Making room for a file that is to come: the item's row, its quota, the plan of its upload."""

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import Who, record
from storage.ids import CaseId, ItemId, new_id
from storage.tables import Case, EvidenceItem, Upload
from storage.vault import incoming_key, plan_parts
from storage.vocabulary import EvidenceState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.cases.load import lock_case, still_editable
from workflows.evidence.load import ON_ITS_WAY, usage
from workflows.evidence.rules import (
    Announcement,
    Limits,
    first_title,
    likely_kind,
    within_quota,
)

OTHER_FILE = (
    "This is not the file that was begun: it has the same name and size, and other bytes. Choose "
    "the first file again, or remove the unfinished upload before you send this one."
)


@command
def claim_upload(
    db: Database, actor: Actor, case_id: CaseId, announced: Announcement, limits: Limits
) -> ItemId:
    """The item for this file: a new one, or the one that was announced for it before.

    The case is held, so that many at once cannot pass its quota together.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ADD_EVIDENCE, case_resource(tx, case))
        still_editable(case)
        known = _unfinished(tx, case, announced)
        if known is not None:
            return known
        within_quota(usage(tx, case.id), announced.size, limits)
        return _new_item(tx, who, case, announced)


def _unfinished(tx: Transaction, case: Case, announced: Announcement) -> ItemId | None:
    """The upload of this very file that is under way. Raises Conflict for another file's."""
    found = tx.session.exec(
        select(EvidenceItem.id, Upload.fingerprint)
        .join(Upload, col(Upload.item_id) == col(EvidenceItem.id))
        .where(
            EvidenceItem.case_id == case.id,
            EvidenceItem.file_name == announced.file_name,
            EvidenceItem.declared_size == announced.size,
            col(EvidenceItem.state).in_(ON_ITS_WAY),
            col(Upload.completed_at).is_(None),
            col(Upload.aborted_at).is_(None),
        )
    ).first()
    if found is None:
        return None
    item_id, fingerprint = found
    if fingerprint != announced.fingerprint:
        raise Conflict(OTHER_FILE)
    return ItemId(item_id)


def _new_item(tx: Transaction, who: Who, case: Case, announced: Announcement) -> ItemId:
    plan = plan_parts(announced.size)
    item_id, upload_id = ItemId(new_id()), new_id()
    kind = announced.kind or likely_kind(announced.media_type, announced.file_name)
    tx.session.add(
        EvidenceItem(
            id=item_id,
            case_id=case.id,
            round=case.round,
            state=EvidenceState.ANNOUNCED.value,
            kind=kind.value,
            title=first_title(announced.file_name),
            file_name=announced.file_name,
            declared_type=announced.media_type[:200],
            declared_size=announced.size,
            created_at=tx.now,
        )
    )
    tx.session.flush()
    tx.session.add(
        Upload(
            id=upload_id,
            item_id=item_id,
            key=incoming_key(upload_id),
            part_size=plan.part_size,
            part_count=plan.part_count,
            fingerprint=announced.fingerprint,
            created_at=tx.now,
            active_at=tx.now,
        )
    )
    record(
        tx,
        who,
        "announce_evidence",
        ("evidence_item", item_id),
        case_id=CaseId(case.id),
        data={"size": announced.size, "kind": kind.value},
    )
    return item_id
