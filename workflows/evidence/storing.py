"""Writing down that a whole file is in the store, and promising its seal: in one transaction."""

from storage.database import Database, Transaction, command
from storage.events import Who, record
from storage.ids import CaseId, ItemId
from storage.tables import EvidenceItem, Upload
from storage.vault import Version
from storage.vocabulary import EvidenceState
from workflows.access.rules import Actor
from workflows.evidence.load import ON_ITS_WAY, live_upload, lock_item, look_at_item, plan_of
from workflows.work import Work, promise_work


@command
def record_stored_by(db: Database, actor: Actor, item_id: ItemId, facts: Version) -> EvidenceState:
    """`record_stored` for a learner who may still change the case. Raises NotFound, Conflict."""
    with db.transaction() as tx:
        held = look_at_item(tx, actor, item_id, lock=True)
        return _write_down(tx, held.who, held.item, facts)


@command
def record_stored(db: Database, who: Who, item_id: ItemId, facts: Version) -> EvidenceState:
    """Write down that the whole file is in the store, and promise to seal it."""
    with db.transaction() as tx:
        return _write_down(tx, who, lock_item(tx, item_id), facts)


def _write_down(tx: Transaction, who: Who, item: EvidenceItem, facts: Version) -> EvidenceState:
    if EvidenceState(item.state) not in ON_ITS_WAY:
        return EvidenceState(item.state)
    upload = live_upload(tx, item)
    if upload.open_ended:
        _end(upload, item, facts.size)
    upload.completed_at = tx.now
    upload.etag = facts.etag
    item.state = EvidenceState.STORED.value
    item.stored_at = tx.now
    item.version += 1
    record(
        tx,
        who,
        "store_evidence",
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        data={"size": facts.size},
    )
    promise_work(tx, Work.SEAL_EVIDENCE, item.id, dedupe_key=f"seal_evidence:{item.id}")
    return EvidenceState.STORED


def _end(upload: Upload, item: EvidenceItem, size: int) -> None:
    """A recording has come to its end: what it does not need of its room is given back."""
    plan = plan_of(upload, item).ended_at(size)
    item.declared_size, upload.part_count = plan.size, plan.part_count
