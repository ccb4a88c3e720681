"""Making room for a file that is to come: the item's row, its quota, the plan of its upload."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import Who, record
from storage.ids import CaseId, ItemId, Sha256, new_id
from storage.tables import Case, EvidenceItem, Institution, Upload
from storage.vault import arrival_key, plan_open_ended, plan_parts
from storage.vocabulary import EvidenceKind, EvidenceState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.cases.load import lock_case, still_editable
from workflows.evidence.load import ON_ITS_WAY, case_usage, institution_usage
from workflows.evidence.part_rules import OTHER_FILE
from workflows.evidence.quota import room_for
from workflows.evidence.rules import (
    Announcement,
    Limits,
    first_title,
    likely_kind,
)


@command
def claim_upload(
    db: Database, actor: Actor, case_id: CaseId, announced: Announcement, limits: Limits
) -> ItemId:
    """The item for this file: a new one, or the one that was announced for it before.

    The case and the institution's room are held, so that many at once cannot pass a quota
    together.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ADD_EVIDENCE, case_resource(tx, case))
        still_editable(case)
        known = _unfinished(tx, case, announced)
        if known is not None:
            return known
        limits = _of_institution(tx, case.institution_id, limits)
        held = institution_usage(tx, case.institution_id)
        room = room_for(announced.size, case_usage(tx, case.id), held, limits)
        return _new_item(tx, who, case, announced, room)


def _of_institution(tx: Transaction, institution_id: UUID, limits: Limits) -> Limits:
    """The limits with the institution's own quota, where it has one."""
    own = tx.session.exec(
        select(Institution.vault_quota_bytes).where(Institution.id == institution_id)
    ).one()
    return limits if own is None else replace(limits, institution_bytes=own)


def _unfinished(tx: Transaction, case: Case, announced: Announcement) -> ItemId | None:
    """The upload of this very file that is under way, whatever it was called when it began.

    Raises Conflict for another file that has the same name and size.
    """
    under_way = tx.session.exec(
        select(EvidenceItem.id, EvidenceItem.file_name, Upload.fingerprint, Upload.sha256)
        .join(Upload, col(Upload.item_id) == col(EvidenceItem.id))
        .where(
            EvidenceItem.case_id == case.id,
            col(EvidenceItem.state).in_(ON_ITS_WAY),
            col(Upload.completed_at).is_(None),
            col(Upload.aborted_at).is_(None),
            _of_size(announced.size),
        )
        .order_by(col(EvidenceItem.created_at))
    ).all()
    for item_id, name, fingerprint, sha256 in under_way:
        same_bytes = fingerprint == announced.fingerprint and _agree(sha256, announced.sha256)
        if same_bytes and (announced.fingerprint or name == announced.file_name):
            return ItemId(item_id)
    if announced.size is not None and announced.file_name in {row[1] for row in under_way}:
        raise Conflict(OTHER_FILE)
    return None


def _agree(one: str, other: str) -> bool:
    """Whether two digests can be those of one file; '' is not said."""
    return not one or not other or one == other


def _of_size(size: int | None) -> ColumnElement[bool]:
    if size is None:
        return col(Upload.open_ended).is_(True)
    return and_(col(EvidenceItem.declared_size) == size, col(Upload.open_ended).is_(False))


def _new_item(tx: Transaction, who: Who, case: Case, announced: Announcement, room: int) -> ItemId:
    open_ended = announced.size is None
    plan = plan_open_ended(room) if open_ended else plan_parts(room)
    item_id, upload_id = ItemId(new_id()), new_id()
    kind = announced.kind or likely_kind(announced.media_type, announced.file_name)
    tx.session.add(_item(item_id, case, announced, kind=kind, size=plan.size, now=tx.now))
    tx.session.flush()
    tx.session.add(
        Upload(
            id=upload_id,
            item_id=item_id,
            key=arrival_key(upload_id, Sha256(announced.sha256) if announced.sha256 else None),
            part_size=plan.part_size,
            part_count=plan.part_count,
            fingerprint=announced.fingerprint,
            sha256=announced.sha256,
            open_ended=open_ended,
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
        data={"size": plan.size, "kind": kind.value, "recorded": open_ended},
    )
    return item_id


def _item(
    item_id: ItemId,
    case: Case,
    announced: Announcement,
    *,
    kind: EvidenceKind,
    size: int,
    now: datetime,
) -> EvidenceItem:
    return EvidenceItem(
        id=item_id,
        case_id=case.id,
        round=case.round,
        state=EvidenceState.ANNOUNCED.value,
        kind=kind.value,
        title=first_title(announced.file_name),
        recorded_with=announced.recorded_with,
        file_name=announced.file_name,
        declared_type=announced.media_type[:200],
        declared_size=size,
        created_at=now,
    )
