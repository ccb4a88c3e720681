"""From an announcement to a whole file in the store: the browser sends, we plan and check.

The browser sends parts straight to the store by links that we sign one by one. What it tells us
of them helps it to resume; what counts at the end is what the store has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.ids import CaseId, ItemId
from storage.tables import EvidenceItem, Upload, UploadPart
from storage.vault import (
    AlreadyThere,
    BytesDiffer,
    KeptPart,
    PartPlan,
    SignedRequest,
    UploadGone,
    Vault,
    Version,
)
from storage.vocabulary import EvidenceState
from workflows.access.rules import Actor
from workflows.evidence.announcing import claim_upload
from workflows.evidence.begun import begin_upload, forget_parts, forget_upload
from workflows.evidence.load import (
    ON_ITS_WAY,
    HeldItem,
    live_upload,
    look_at_item,
    plan_of,
    recorded_parts,
)
from workflows.evidence.part_list import (
    RecordedPart,
    check_part_list,
    parts_there,
    recorded_end,
)
from workflows.evidence.part_rules import SentPart, WantedPart, fit_to_sign
from workflows.evidence.rules import Announcement, Limits, fit_to_announce
from workflows.evidence.storing import record_stored, record_stored_by

OTHER_PARTS = (
    "The store has other bytes than were reported for a part. Send the file again from its "
    "beginning; the upload itself goes on."
)

__all__ = [
    "SentPart",
    "UploadPlan",
    "WantedPart",
    "announce_evidence",
    "complete_upload",
    "record_parts",
    "sign_parts",
    "upload_plan",
]


@dataclass(frozen=True)
class UploadPlan:
    """How a file travels, and which of its parts are there already.

    Of an `open_ended` upload the plan is that of the longest recording that there is room for:
    only its part size is sure, and how many parts there are is known at the end.
    """

    item_id: ItemId
    state: EvidenceState
    file_name: str
    fingerprint: str
    plan: PartPlan
    there: tuple[RecordedPart, ...] = ()
    open_ended: bool = False


@dataclass(frozen=True)
class _Open:
    """An upload that is under way, for work outside of a transaction; `answer` without parts."""

    item_id: ItemId
    upload_id: UUID
    key: str
    store_upload_id: str
    plan: PartPlan
    open_ended: bool
    recorded: dict[int, RecordedPart]
    answer: UploadPlan


def announce_evidence(
    db: Database,
    vault: Vault,
    actor: Actor,
    case_id: CaseId,
    announced: Announcement,
    *,
    limits: Limits,
) -> UploadPlan:
    """Make room for a file and plan its way. The same file announced again is the same upload,
    also from another device and under another name.

    Raises NotFound, InvalidInput (name, size), TooMany (quota), Conflict (the case was submitted,
    or another file of this name and size is under way), StoreAway (announce it again later).
    """
    fit_to_announce(announced, limits)
    claim = claim_upload(db, actor, case_id, announced, limits)
    crash_point("announce.claimed")
    if claim.held is None or claim.upload is None:
        return upload_plan(db, vault, actor, claim.item_id)
    return _plan(db, vault, actor, _opened(claim.held, claim.upload, {}))


def upload_plan(db: Database, vault: Vault, actor: Actor, item_id: ItemId) -> UploadPlan:
    """The plan of an upload with the parts that need not travel again, to begin or to resume.

    An upload that the store has let go of begins anew. Raises NotFound, Conflict, StoreAway.
    """
    held = _open(db, actor, item_id)
    return held if isinstance(held, UploadPlan) else _plan(db, vault, actor, held)


def _plan(db: Database, vault: Vault, actor: Actor, held: _Open) -> UploadPlan:
    try:
        store_upload_id = held.store_upload_id
        if not store_upload_id:
            store_upload_id, ours = begin_upload(db, vault, held.upload_id, held.key)
            if ours:  # begun this moment: the store has nothing of it
                return held.answer
        kept = vault.list_parts(held.key, store_upload_id)
    except UploadGone:
        _settle_gone(db, vault, actor, held)
        return upload_plan(db, vault, actor, held.item_id)
    with db.reading() as tx:
        item = look_at_item(tx, actor, held.item_id).item
        there = parts_there(held.plan, kept, held.recorded)
        return _as_plan(item, live_upload(tx, item), there)


@command
def sign_parts(
    db: Database, vault: Vault, actor: Actor, item_id: ItemId, wanted: Sequence[WantedPart]
) -> tuple[SignedRequest, ...]:
    """Links that store exactly the named bytes as the named parts, each good for minutes.

    Raises NotFound, InvalidInput (a part that is not planned), Conflict (the upload has ended, or
    a part was recorded with other bytes: it is another file).
    """
    with db.transaction() as tx:
        held = look_at_item(tx, actor, item_id)
        upload = live_upload(tx, held.item)
        sizes = _sizes(tx, held.item, upload, wanted)
        if not upload.store_upload_id:
            raise Conflict("Ask how the upload stands first: it has not begun yet.")
        _touch(tx, held.item, upload)
        return tuple(
            vault.presign_part(
                upload.key,
                upload.store_upload_id,
                part.number,
                sha256=part.sha256,
                size=size,
            )
            for part, size in zip(wanted, sizes, strict=True)
        )


@command
def record_parts(db: Database, actor: Actor, item_id: ItemId, sent: Sequence[SentPart]) -> None:
    """Write down parts that the store has taken, so that they need not travel again.

    Raises NotFound, InvalidInput, Conflict.
    """
    with db.transaction() as tx:
        held = look_at_item(tx, actor, item_id)
        _record_parts(tx, held, live_upload(tx, held.item), sent)


def complete_upload(
    db: Database,
    vault: Vault,
    actor: Actor,
    item_id: ItemId,
    named: Sequence[int] | None = None,
    *,
    size: int | None = None,
    taken: Sequence[SentPart] = (),
) -> EvidenceState:
    """Make one object of the parts and promise to seal it. Done twice, it is done once.

    `named` is what the browser believes it sent, in its order; `taken` are parts that were not
    written down yet; `size` how many bytes a recording has turned out to have: without it, all
    parts that are there are all of it. Raises NotFound,
    InvalidInput (another size than was announced), Conflict (with the parts that are missing,
    doubled or wrong), StoreAway.
    """
    held = _with_taken(db, actor, item_id, taken) if taken else _open(db, actor, item_id)
    if isinstance(held, UploadPlan):
        return held.state
    _fit_to_end(held, size)
    facts = _assemble(db, vault, held, named, size)
    crash_point("upload.completed")
    return record_stored_by(db, actor, item_id, facts)


def _open(db: Database, actor: Actor, item_id: ItemId) -> "_Open | UploadPlan":
    """What is under way for an item, or how it ended when it is stored already."""
    with db.reading() as tx:
        held = look_at_item(tx, actor, item_id)
        if held.state not in ON_ITS_WAY:
            return _ended(tx, held)
        upload = live_upload(tx, held.item)
        return _opened(held, upload, recorded_parts(tx, upload.id))


def _opened(held: HeldItem, upload: Upload, recorded: dict[int, RecordedPart]) -> _Open:
    return _Open(
        ItemId(held.item.id),
        upload.id,
        upload.key,
        upload.store_upload_id,
        plan_of(upload, held.item),
        upload.open_ended,
        recorded,
        _as_plan(held.item, upload, ()),
    )


def _with_taken(
    db: Database, actor: Actor, item_id: ItemId, taken: Sequence[SentPart]
) -> "_Open | UploadPlan":
    """What is under way, with these parts; how it ended, where another request was first."""
    try:
        return _open_and_record(db, actor, item_id, taken)
    except Conflict:
        held = _open(db, actor, item_id)
        if isinstance(held, UploadPlan):
            return held
        raise


@command
def _open_and_record(
    db: Database, actor: Actor, item_id: ItemId, taken: Sequence[SentPart]
) -> "_Open | UploadPlan":
    with db.transaction() as tx:
        held = look_at_item(tx, actor, item_id)
        if held.state not in ON_ITS_WAY:
            return _ended(tx, held)
        upload = live_upload(tx, held.item)
        return _opened(held, upload, _record_parts(tx, held, upload, taken))


def _record_parts(
    tx: Transaction, held: HeldItem, upload: Upload, sent: Sequence[SentPart]
) -> dict[int, RecordedPart]:
    """Write down parts that the store has taken; returns all that are written down."""
    recorded = recorded_parts(tx, upload.id)
    wanted = [WantedPart(part.number, part.sha256, part.size) for part in sent]
    plan = plan_of(upload, held.item)
    sizes = fit_to_sign(plan, wanted, recorded, open_ended=upload.open_ended)
    _touch(tx, held.item, upload)
    for part, size in zip(sent, sizes, strict=True):
        _write_down(tx, upload.id, part, size)
    return recorded | {
        part.number: RecordedPart(part.number, part.sha256, size, part.etag)
        for part, size in zip(sent, sizes, strict=True)
    }


def _ended(tx: Transaction, held: HeldItem) -> UploadPlan:
    upload = tx.session.exec(
        select(Upload).where(Upload.item_id == held.item.id).order_by(col(Upload.created_at).desc())
    ).first()
    if upload is None or held.state is EvidenceState.ERASED:
        raise Conflict("This upload has ended already. Reload the page to see how it stands now.")
    return _as_plan(held.item, upload, ())


def _as_plan(item: EvidenceItem, upload: Upload, there: tuple[RecordedPart, ...]) -> UploadPlan:
    return UploadPlan(
        ItemId(item.id),
        EvidenceState(item.state),
        item.file_name,
        upload.fingerprint,
        plan_of(upload, item),
        there,
        upload.open_ended,
    )


def _settle_gone(db: Database, vault: Vault, actor: Actor, held: _Open) -> None:
    """The store knows the upload no more: it was completed and that not written down, or lost."""
    whole = _whole(vault, held)
    if whole is None:
        forget_upload(db, held.upload_id, held.store_upload_id)
        return
    with db.reading() as tx:
        who = look_at_item(tx, actor, held.item_id).who
    record_stored(db, who, held.item_id, whole)


def _assemble(
    db: Database, vault: Vault, held: _Open, named: Sequence[int] | None, size: int | None
) -> Version:
    plan = held.plan
    try:
        kept = vault.list_parts(held.key, held.store_upload_id) if held.store_upload_id else ()
        if held.open_ended:
            plan = plan.ended_at(size or recorded_end(kept, held.recorded) or 1)
        parts: tuple[KeptPart, ...] = check_part_list(plan, kept, held.recorded, named)
        return vault.complete(held.key, held.store_upload_id, parts)
    except BytesDiffer:
        forget_parts(db, held.upload_id)
        raise Conflict(OTHER_PARTS) from None
    except (UploadGone, AlreadyThere):
        whole = _whole(vault, held)
        if whole is None:
            raise Conflict(
                "The store has let go of this upload. Choose the file again to send it anew."
            ) from None
        return whole


def _whole(vault: Vault, held: _Open) -> Version | None:
    """The object, where an earlier try completed it and did not live to write that down.

    A recording has the size that it was completed with: its parts were checked then.
    """
    facts = vault.find(held.key)
    whole = facts is not None and (held.open_ended or facts.size == held.plan.size)
    return facts if whole else None


def _fit_to_end(held: _Open, size: int | None) -> None:
    if size is None:
        return
    fits = 0 < size <= held.plan.size if held.open_ended else size == held.plan.size
    if not fits:
        problem = Problem("size", "This is not the size that was planned.")
        raise InvalidInput("The upload cannot end like this.", problems=[problem])


def _sizes(
    tx: Transaction, item: EvidenceItem, upload: Upload, wanted: Sequence[WantedPart]
) -> list[int]:
    plan, recorded = plan_of(upload, item), recorded_parts(tx, upload.id)
    return fit_to_sign(plan, wanted, recorded, open_ended=upload.open_ended)


def _touch(tx: Transaction, item: EvidenceItem, upload: Upload) -> None:
    """The upload is alive."""
    upload.active_at = tx.now
    if item.state != EvidenceState.ANNOUNCED.value:
        return
    tx.session.execute(
        update(EvidenceItem)
        .where(
            col(EvidenceItem.id) == item.id,
            col(EvidenceItem.state) == EvidenceState.ANNOUNCED.value,
        )
        .values(state=EvidenceState.UPLOADING.value)
    )


def _write_down(tx: Transaction, upload_id: UUID, part: SentPart, size: int) -> None:
    values = {"sha256": part.sha256, "size": size, "etag": part.etag, "recorded_at": tx.now}
    tx.session.execute(
        insert(UploadPart)
        .values(upload_id=upload_id, number=part.number, **values)
        .on_conflict_do_update(index_elements=["upload_id", "number"], set_=values)
    )
