"""Links to the bytes of evidence: asked for each time, good for a minute, each one written down."""

from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import CaseId, ItemId, new_id
from storage.tables import Case, EvidenceAccess, EvidenceItem, Manifest, SealedObject
from storage.vault import ObjectMissing, Vault
from storage.vocabulary import EvidenceState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting

LOST = (
    "This file is not in the store any more. Its digest is kept, and the loss is written in the "
    "history of the case, for staff to look for a copy."
)


@dataclass(frozen=True)
class _Opened:
    """A sealed file that somebody was just allowed to read."""

    item_id: ItemId
    case_id: CaseId
    sha256: str
    key: str
    file_name: str


def link_to_evidence(
    db: Database, vault: Vault, actor: Actor, item_id: ItemId, purpose: str
) -> str:
    """A link of a minute to a sealed item's bytes, as a download.

    Raises NotFound and Forbidden (asked anew each time), Conflict (it is not sealed), StoreAway,
    ObjectMissing (the store has lost it).
    """
    return _link(db, vault, _open_for(db, actor, item_id, purpose))


def _link(db: Database, vault: Vault, opened: _Opened) -> str:
    if vault.find(opened.key) is None:
        note_missing(db, opened)
        raise ObjectMissing(LOST)
    return vault.presign_download(opened.key, opened.file_name)


@command
def note_missing(db: Database, opened: _Opened) -> None:
    """Write down, once, that the store has lost these bytes."""
    with db.transaction() as tx:
        row = tx.session.get_one(SealedObject, opened.sha256, with_for_update=True)
        if row.missing_at is None:
            row.missing_at = tx.now
            subject = ("evidence_item", opened.item_id)
            record(tx, SYSTEM, "miss_evidence", subject, case_id=opened.case_id)


@command
def _open_for(db: Database, actor: Actor, item_id: ItemId, purpose: str) -> _Opened:
    with db.transaction() as tx:
        item, who = readable_item(tx, actor, item_id)
        return _open(tx, who, item, purpose)


def readable_item(tx: Transaction, actor: Actor, item_id: ItemId) -> tuple[EvidenceItem, Who]:
    """The item, for one who may read its bytes or what was made of them, asked anew each time.

    Raises NotFound, Forbidden.
    """
    item, case = _item_and_case(tx, item_id)
    who = acting(actor, Permission.READ_EVIDENCE, case_resource(tx, case))
    if actor.account_id != case.learner_id and not _was_submitted(tx, item):
        raise NotFound(NOT_YOURS)  # what was never submitted is the learner's alone
    return item, who


def _was_submitted(tx: Transaction, item: EvidenceItem) -> bool:
    """Whether the item stands in a manifest of its case, of this round or an earlier one."""
    found = tx.session.exec(
        select(Manifest.id).where(
            Manifest.case_id == item.case_id,
            col(Manifest.body).contains({"items": [{"id": str(item.id)}]}),
        )
    ).first()
    return found is not None


def _item_and_case(tx: Transaction, item_id: ItemId) -> tuple[EvidenceItem, Case]:
    row = tx.session.exec(
        select(EvidenceItem, Case)
        .join(Case, col(Case.id) == col(EvidenceItem.case_id))
        .where(col(EvidenceItem.id) == item_id)
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    return row[0], row[1]


def _open(tx: Transaction, who: Who, item: EvidenceItem, purpose: str) -> _Opened:
    sealed = tx.session.get(SealedObject, item.sha256) if item.sha256 else None
    if item.state != EvidenceState.SEALED.value or sealed is None:
        raise Conflict("Only sealed files can be opened.")
    tx.session.add(
        EvidenceAccess(
            id=new_id(),
            item_id=item.id,
            account_id=who.account_id,
            purpose=purpose,
            at=tx.now,
            details={"role": who.role.value},
        )
    )
    record(
        tx,
        who,
        "open_evidence",
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        data={"purpose": purpose},
    )
    return _Opened(ItemId(item.id), CaseId(item.case_id), sealed.sha256, sealed.key, item.file_name)
