"""Making room for a file that is to come: the item's row, its quota, the plan of its upload."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import Who, record
from storage.ids import CaseId, ItemId, Sha256, new_id
from storage.tables import Case, EvidenceItem, Upload
from storage.vault import arrival_key, plan_open_ended, plan_parts
from storage.vocabulary import EvidenceKind, EvidenceState
from workflows.access.rules import Actor
from workflows.cases.load import lock_case, still_editable
from workflows.evidence.load import ON_ITS_WAY, HeldItem, acting_on, usage_and_quota
from workflows.evidence.part_rules import OTHER_FILE
from workflows.evidence.quota import room_for
from workflows.evidence.rules import (
    Announcement,
    Limits,
    first_title,
    likely_kind,
)


@dataclass(frozen=True)
class Claim:
    """The item for a file, and how it is held and its upload begins, where this made them."""

    item_id: ItemId
    held: HeldItem | None = None
    upload: Upload | None = None


@command
def claim_upload(
    db: Database, actor: Actor, case_id: CaseId, announced: Announcement, limits: Limits
) -> Claim:
    """The item for this file: a new one, or the one that was announced for it before.

    The case and the institution's room are held, so that many at once cannot pass a quota
    together.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting_on(tx, actor, case)
        still_editable(case)
        known = _unfinished(tx, case, announced)
        if known is not None:
            return Claim(known)
        return _new_item(tx, who, case, announced, _room(tx, case, announced.size, limits))


def _room(tx: Transaction, case: Case, size: int | None, limits: Limits) -> int:
    """How much this file may take; the institution's own quota counts, where it has one."""
    used = usage_and_quota(tx, case)
    if used.quota is not None:
        limits = replace(limits, institution_bytes=used.quota)
    return room_for(size, used.case, used.institution_bytes, limits)


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


def _new_item(tx: Transaction, who: Who, case: Case, announced: Announcement, room: int) -> Claim:
    open_ended = announced.size is None
    plan = plan_open_ended(room) if open_ended else plan_parts(room)
    item_id, upload_id = ItemId(new_id()), new_id()
    kind = announced.kind or likely_kind(announced.media_type, announced.file_name)
    item = _item(item_id, case, announced, kind=kind, size=plan.size, now=tx.now)
    upload = Upload(
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
    tx.session.add(item)
    tx.session.flush()
    tx.session.add(upload)
    record(
        tx,
        who,
        "announce_evidence",
        ("evidence_item", item_id),
        case_id=CaseId(case.id),
        data={"size": plan.size, "kind": kind.value, "recorded": open_ended},
    )
    return Claim(item_id, HeldItem(item, case, who), upload)


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
