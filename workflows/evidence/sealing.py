"""The seal: one pass over a stored file, a verdict, and a copy under the key of its digest.

Claim (tx) → read, copy (no tx) → record (tx). Killed anywhere, it is run again and comes to the
same end: the digest is claimed before the copy, so that nobody erases what is about to be shared,
and the copy never overwrites. A file that was announced with its digest lies under such a key
already, and stays there when it is the first with these bytes: then there is nothing to do between
claim and record, and they are one transaction.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, func, select

from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Unavailable
from storage.events import SYSTEM, record
from storage.ids import CaseId, ItemId, OutboxId, Sha256
from storage.outbox import Promised, receive
from storage.tables import EvidenceItem, SealedObject, Upload
from storage.vault import Vault, Version
from storage.vocabulary import EvidenceState
from workflows.archives.findings import Findings
from workflows.confining import Confinement, Source
from workflows.evidence.kept import hold_sealed_object, keep_first, kept_among
from workflows.evidence.load import lock_item
from workflows.evidence.one_pass import read_once
from workflows.evidence.to_look_into import look_inside
from workflows.evidence.verdicts import NOT_STRICT, Reading, SealPolicy, Verdict, verdict
from workflows.ports import Scanner
from workflows.work import Work, promise_work

PROGRESS_SECONDS = 3.0
NOT_CHECKED = (
    "This file could not be checked, and staff have been told. You need not do anything, or you "
    "can remove it and upload it again."
)
EVENTS = {
    EvidenceState.SEALED: "seal_evidence",
    EvidenceState.REJECTED: "reject_evidence",
    EvidenceState.QUARANTINED: "quarantine_evidence",
}


@dataclass(frozen=True)
class _Stored:
    """A stored file that waits for its seal."""

    item_id: ItemId
    key: str
    etag: str
    file_name: str
    declared_size: int
    declared_sha256: str


@dataclass(frozen=True)
class Checks:
    """What looks at the bytes, and how strictly it is judged what it finds."""

    scanner: Scanner
    confinement: Confinement
    policy: SealPolicy = NOT_STRICT


def seal_evidence(
    db: Database, vault: Vault, checks: Checks, item_id: ItemId, outbox_id: OutboxId
) -> None:
    """Read a stored file once and seal, reject or quarantine its item.

    Raises StoreAway, Unavailable (the scanner is away and nothing unscanned is taken), AlreadyDone,
    ObjectMissing and ObjectChanged (the stored bytes are not there any more).
    """
    stored = _stored(db, item_id)
    if stored is None:
        _nothing_to_do(db, outbox_id)
        return
    chunks = vault.open_stream(stored.key, stored.etag)
    reading = read_once(chunks, stored.file_name, checks.scanner, _Progress(db, item_id).tell)
    source = Version(stored.key, reading.size, stored.etag)
    if reading.sort:
        reading = replace(reading, inside=_look_inside(vault, source, checks, reading.sort))
    crash_point("seal.read")
    judged = verdict(reading, stored.declared_size, checks.policy, stored.declared_sha256)
    locked_until, lying_at = None, stored.key if stored.declared_sha256 else ""
    sealed = judged.state is EvidenceState.SEALED
    if sealed and lying_at and not checks.policy.lock_days:
        with suppress(_KeptAlready):
            _seal_in_place(db, item_id, outbox_id, _Outcome(reading, judged), lying_at)
            crash_point("seal.recorded")
            return
    healed = proven = stays = False
    if sealed and (claimed := claim_digest(db, item_id, reading, lying_at)):
        crash_point("seal.claimed")
        healed, proven, stays = claimed.spoilt, True, claimed.key == stored.key
        if healed:
            _heal(vault, source, claimed.key)
        elif not stays:
            proven = vault.seal_copy(source, reading.sha256, claimed.key)
        locked_until = _lock(vault, claimed.key, db.clock.now(), checks.policy.lock_days)
        crash_point("seal.copied")
    _record(db, item_id, outbox_id, _Outcome(reading, judged, locked_until, healed, proven))
    crash_point("seal.recorded")
    stays = stays or judged.state is EvidenceState.QUARANTINED or _stays(db, stored.key)
    if not stays:
        vault.delete(stored.key)


def evidence_failed(tx: Transaction, promised: Promised) -> None:
    """The seal was given up: say so where the learner looks. Tried again, it may still succeed."""
    item = lock_item(tx, promised.subject_id)
    if item.state != EvidenceState.STORED.value:
        return
    item.reason, item.reason_params = NOT_CHECKED, {}
    item.version += 1
    record(
        tx,
        SYSTEM,
        "fail_to_seal_evidence",
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        why=promised.last_error,
    )


def _look_inside(vault: Vault, source: Version, checks: Checks, sort: str) -> Findings:
    """Look into the stored file by ranges, all of the version that was read."""

    def read(offset: int, length: int) -> bytes:
        return vault.read_range(source.key, source.etag, offset, length)

    return look_inside(checks.confinement, sort, Source(source.size, read))


def _lock(vault: Vault, key: str, now: datetime, days: int) -> datetime | None:
    """Have the store hold the sealed bytes; until when, or None where it knows no locks."""
    if not days:
        return None
    until = now + timedelta(days=days)
    return until if vault.lock(key, until) else None


def _stays(db: Database, key: str) -> bool:
    """Whether what was uploaded is what is kept: no other upload can come to have this key."""
    with db.reading() as tx:
        return key in kept_among(tx, [key])


def _heal(vault: Vault, source: Version, key: str) -> None:
    """Put the bytes that were just read where the store was found to hold others."""
    chunks = vault.open_stream(source.key, source.etag, size=source.size)
    vault.receive(key, chunks, source.size)


@dataclass(frozen=True)
class Claimed:
    """The key of bytes that an item will share. `spoilt`: others were found there."""

    key: str
    spoilt: bool


@command
def claim_digest(
    db: Database, item_id: ItemId, reading: Reading, lying_at: str = ""
) -> Claimed | None:
    """Say that this item will share the bytes with this digest, before they are copied.

    Their key is `lying_at` for the first that lie under a key of their digest already. None when
    the item was removed meanwhile. Raises Unavailable while those bytes are erased.
    """
    with db.transaction() as tx:
        item = lock_item(tx, item_id)
        if item.state != EvidenceState.STORED.value:
            return None
        kept = hold_sealed_object(tx, reading.sha256, reading.size, lying_at)
        item.sha256 = reading.sha256
        return Claimed(kept.key, kept.wrong_at is not None)


@dataclass(frozen=True)
class _Outcome:
    """What was found, what becomes of it, and until when the store holds it. `healed`: its bytes
    replaced others that the store held in their place. `proven`: what the store keeps are the very
    bytes that were read, and not some that it was found to keep already."""

    reading: Reading
    judged: Verdict
    locked_until: datetime | None = None
    healed: bool = False
    proven: bool = True


class _Progress:
    """Writes down every few seconds how far a long pass has come."""

    def __init__(self, db: Database, item_id: ItemId) -> None:
        self._db = db
        self._item_id = item_id
        self._told_at = time.monotonic()

    def tell(self, size: int) -> None:
        """So many bytes were read."""
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = time.monotonic()
        # a pass of an hour does not begin anew because the database was busy for a moment
        with suppress(Unavailable), self._db.transaction() as tx:
            tx.session.execute(
                update(EvidenceItem)
                .where(
                    col(EvidenceItem.id) == self._item_id,
                    col(EvidenceItem.state) == EvidenceState.STORED.value,
                )
                .values(seal_bytes_read=size)
            )


def _stored(db: Database, item_id: ItemId) -> _Stored | None:
    with db.reading() as tx:
        row = tx.session.exec(
            select(Upload, EvidenceItem.file_name, EvidenceItem.declared_size)
            .join(Upload, col(Upload.item_id) == col(EvidenceItem.id))
            .where(
                col(EvidenceItem.id) == item_id,
                EvidenceItem.state == EvidenceState.STORED.value,
                col(Upload.completed_at).is_not(None),
            )
        ).one_or_none()
        if row is None:
            return None
        upload, file_name, size = row
        return _Stored(item_id, upload.key, upload.etag, file_name, size, upload.sha256)


@command
def _nothing_to_do(db: Database, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)


@command
def _record(db: Database, item_id: ItemId, outbox_id: OutboxId, outcome: "_Outcome") -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        item = lock_item(tx, item_id)
        if item.state != EvidenceState.STORED.value:
            return  # removed while it was read; its erasure has waited for this
        _write_down(tx, item, outcome)
        if outcome.judged.state is EvidenceState.SEALED:
            _confirm(tx, outcome.reading.sha256, outcome)


class _KeptAlready(Exception):
    """The same bytes have a row already, or the item was removed: nothing was changed."""


@command
def _seal_in_place(
    db: Database, item_id: ItemId, outbox_id: OutboxId, outcome: "_Outcome", key: str
) -> None:
    """Seal an item whose bytes are the first of their digest, under the key where they lie.

    Raises _KeptAlready when they are not the first, or nobody waits for them any more.
    """
    with db.transaction() as tx:
        receive(tx, outbox_id)
        item = lock_item(tx, item_id)
        if item.state != EvidenceState.STORED.value:
            raise _KeptAlready
        reading = outcome.reading
        if not keep_first(tx, reading.sha256, reading.size, key):
            raise _KeptAlready
        crash_point("seal.claimed")
        item.sha256 = reading.sha256
        _write_down(tx, item, outcome)


def _write_down(tx: Transaction, item: EvidenceItem, outcome: "_Outcome") -> None:
    reading, judged = outcome.reading, outcome.judged
    item.state = judged.state.value
    item.version += 1
    item.size = reading.size
    item.seal_bytes_read = reading.size
    item.media_type = reading.type.media_type
    item.flags = [str(flag) for flag in judged.flags]
    item.scan, item.scan_detail = judged.scan.verdict.value, judged.scan.detail
    item.reason = judged.reason.message if judged.reason else ""
    item.reason_params = dict(judged.reason.params) if judged.reason else {}
    if judged.state is EvidenceState.SEALED:
        item.sealed_at = tx.now
        promise_work(tx, Work.INSPECT_EVIDENCE, item.id)
    record(
        tx,
        SYSTEM,
        EVENTS[judged.state],
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        why=str(judged.reason or ""),
        data={
            "sha256": reading.sha256,
            "size": reading.size,
            "media_type": reading.type.media_type,
            "scan": judged.scan.verdict.value,
        },
    )


def _confirm(tx: Transaction, sha256: Sha256, outcome: "_Outcome") -> None:
    """The object is there, and the store holds it at least until then."""
    found: dict[str, object] = {"missing_at": None}
    if outcome.proven:
        found["checked_at"] = tx.now
    if outcome.healed:
        found["wrong_at"] = None
    if outcome.locked_until is not None:
        found["locked_until"] = func.greatest(col(SealedObject.locked_until), outcome.locked_until)
    tx.session.execute(
        update(SealedObject).where(col(SealedObject.sha256) == sha256).values(**found)
    )
