"""What becomes of uploads that nobody finishes, and of what crashes leave in the store.

Each is called by the sweeper every so often and bears being called twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import col, func, select

from storage.database import Database, Transaction, command
from storage.events import SYSTEM, record
from storage.ids import CaseId, ItemId
from storage.tables import EvidenceItem, SealedObject, Upload
from storage.vault import INCOMING, ObjectFacts, OpenUpload, Vault
from storage.vocabulary import EvidenceState
from workflows.evidence.load import ON_ITS_WAY, lock_item
from workflows.evidence.storing import record_stored

INTERRUPTED_AFTER = timedelta(minutes=5)
INTERRUPTED_UNTIL = timedelta(days=2)
ABANDONED_DAYS = 7
GRACE = timedelta(days=1)
LOOKED_FOR = timedelta(days=60)
BATCH = 500
UNFINISHED = "This upload was not finished within %(days)s days and was given up. Send it again."
DONE_WITH = frozenset({EvidenceState.SEALED, EvidenceState.REJECTED, EvidenceState.ERASED})


@dataclass(frozen=True)
class _Idle:
    """An upload that is under way and has been silent for a while; a recording has no size yet."""

    item_id: ItemId
    upload_id: UUID
    key: str
    store_upload_id: str
    size: int | None


def finish_interrupted_uploads(db: Database, vault: Vault) -> int:
    """Record files that are whole in the store, where the process died before writing that down.

    Returns how many. Raises StoreAway.
    """
    idle = _idle(db, INTERRUPTED_AFTER, INTERRUPTED_UNTIL)
    return sum(_finish(db, vault, one) for one in idle)


def abandon_uploads(db: Database, vault: Vault, days: int = ABANDONED_DAYS) -> int:
    """Give up uploads that were silent for days, and let the store forget their parts.

    Returns how many. Raises StoreAway.
    """
    given_up = 0
    for one in _idle(db, timedelta(days=days)):
        if _finish(db, vault, one) or not _give_up(db, one, days):
            continue
        given_up += 1
        if one.store_upload_id:
            vault.abort(one.key, one.store_upload_id)
    return given_up


def abort_orphan_uploads(db: Database, vault: Vault, grace: timedelta = GRACE) -> int:
    """Abort uploads in the store that no row knows: begun by a process that died right then.

    Returns how many. Raises StoreAway.
    """
    before = db.clock.now() - grace
    old = [one for one in vault.open_uploads() if one.begun_at < before]
    orphans = _without_row(db, old)
    for one in orphans:
        vault.abort(one.key, one.store_upload_id)
    return len(orphans)


def clear_incoming(db: Database, vault: Vault, grace: timedelta = GRACE) -> int:
    """Remove uploaded bytes that nothing needs any more: sealed, rejected, erased, or unknown.

    Only after a grace period, and only what was uploaded and never sealed objects. What is
    quarantined stays. Returns how many. Raises StoreAway.
    """
    before = db.clock.now() - grace
    old = (one for one in vault.list_keys(INCOMING) if one.modified_at < before)
    removed = _clear_named(db, vault, before)
    while batch := list(islice(old, BATCH)):
        for key in _needless(db, batch):
            vault.delete(key)
            removed += 1
    return removed


def _clear_named(db: Database, vault: Vault, before: datetime) -> int:
    """The same for uploads under keys of their digests, where other bytes are kept or none.

    They are removed when they are judged; this is for what a crash right then has left.
    """
    ended = func.coalesce(col(Upload.completed_at), col(Upload.aborted_at))
    with db.reading() as tx:
        keys = tx.session.exec(
            select(Upload.key)
            .join(EvidenceItem, col(EvidenceItem.id) == col(Upload.item_id))
            .where(
                Upload.sha256 != "",
                ended.between(before - LOOKED_FOR, before),
                col(EvidenceItem.state).in_(DONE_WITH),
                ~exists().where(col(SealedObject.key) == col(Upload.key)),
            )
            .order_by(ended.desc())
            .limit(BATCH)
        ).all()
    left = [key for key in keys if vault.find(key) is not None]
    for key in left:
        vault.delete(key)
    return len(left)


def _idle(db: Database, since: timedelta, until: timedelta | None = None) -> Sequence[_Idle]:
    with db.reading() as tx:
        chosen = [
            col(Upload.completed_at).is_(None),
            col(Upload.aborted_at).is_(None),
            col(Upload.active_at) < tx.now - since,
            col(EvidenceItem.state).in_(ON_ITS_WAY),
        ]
        if until is not None:
            chosen.append(col(Upload.active_at) > tx.now - until)
        rows = tx.session.exec(
            select(Upload, EvidenceItem.declared_size)
            .join(EvidenceItem, col(EvidenceItem.id) == col(Upload.item_id))
            .where(*chosen)
            .order_by(col(Upload.active_at))
            .limit(BATCH)
        ).all()
        return [
            _Idle(
                ItemId(row.item_id),
                row.id,
                row.key,
                row.store_upload_id,
                None if row.open_ended else size,
            )
            for row, size in rows
        ]


def _finish(db: Database, vault: Vault, one: _Idle) -> bool:
    facts = vault.find(one.key)
    if facts is None or one.size not in {None, facts.size}:
        return False
    return record_stored(db, SYSTEM, one.item_id, facts) is EvidenceState.STORED


@command
def _give_up(db: Database, one: _Idle, days: int) -> bool:
    with db.transaction() as tx:
        item = lock_item(tx, one.item_id)
        upload = tx.session.get_one(Upload, one.upload_id, with_for_update=True)
        alive = upload.active_at >= tx.now - timedelta(days=days)
        if alive or EvidenceState(item.state) not in ON_ITS_WAY:
            return False
        upload.aborted_at = tx.now
        item.state = EvidenceState.REJECTED.value
        item.reason, item.reason_params = UNFINISHED, {"days": days}
        item.version += 1
        record(
            tx,
            SYSTEM,
            "abandon_upload",
            ("evidence_item", item.id),
            case_id=CaseId(item.case_id),
        )
        return True


def _without_row(db: Database, uploads: Sequence[OpenUpload]) -> Sequence[OpenUpload]:
    with db.reading() as tx:
        known = set(
            tx.session.exec(
                select(Upload.store_upload_id).where(
                    col(Upload.store_upload_id).in_([one.store_upload_id for one in uploads]),
                    col(Upload.completed_at).is_(None),
                    col(Upload.aborted_at).is_(None),
                )
            ).all()
        )
    return [one for one in uploads if one.store_upload_id not in known]


def _needless(db: Database, objects: Iterable[ObjectFacts]) -> list[str]:
    keys = [one.key for one in objects]
    with db.reading() as tx:
        states = _states(tx, keys)
    return [key for key in keys if states.get(key, EvidenceState.ERASED) in DONE_WITH]


def _states(tx: Transaction, keys: Sequence[str]) -> dict[str, EvidenceState]:
    rows = tx.session.exec(
        select(Upload.key, EvidenceItem.state)
        .join(EvidenceItem, col(EvidenceItem.id) == col(Upload.item_id))
        .where(col(Upload.key).in_(keys))
    ).all()
    return {key: EvidenceState(state) for key, state in rows}
