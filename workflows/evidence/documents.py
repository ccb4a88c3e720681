"""Evidence that the house makes itself, such as a signed attestation: stored first, then recorded.

A job stores the bytes (no transaction) and inserts the item in the transaction that records its
work. Stored twice, the same bytes are one object.
"""

from dataclasses import dataclass
from uuid import UUID

from storage.database import Transaction
from storage.events import Who, record
from storage.ids import AttestationId, CaseId, ItemId, OutcomeCode, Sha256, new_id
from storage.tables import Case, EvidenceItem, EvidenceMapping
from storage.vault import Vault, sealed_key
from storage.vocabulary import Disclosure, EvidenceKind, EvidenceState, ScanVerdict
from workflows.evidence.sealing import hold_sealed_object

OUR_OWN = "Made by this institution's own system."


@dataclass(frozen=True)
class StoredDocument:
    """Bytes that lie sealed in the vault."""

    sha256: Sha256
    key: str
    size: int


@dataclass(frozen=True)
class DocumentItem:
    """What an item made of such a document says."""

    kind: EvidenceKind
    title: str
    file_name: str
    media_type: str
    outcomes: frozenset[OutcomeCode] = frozenset()
    attestation_id: AttestationId | None = None
    disclosure: Disclosure = Disclosure.DIGEST_ONLY


def store_document(vault: Vault, data: bytes) -> StoredDocument:
    """Store bytes under the key of their digest. Call it outside of a transaction.

    Raises StoreAway.
    """
    digest = vault.put_sealed(data)
    return StoredDocument(digest, sealed_key(digest), len(data))


def insert_sealed_item(
    tx: Transaction, who: Who, case_id: UUID, document: StoredDocument, described: DocumentItem
) -> ItemId:
    """A sealed item of the case over a stored document, mapped to its outcomes.

    Raises Unavailable while the same bytes are being erased.
    """
    case = tx.session.get_one(Case, case_id)
    sealed = hold_sealed_object(tx, document.sha256, document.size)
    sealed.checked_at = tx.now
    item_id = ItemId(new_id())
    tx.session.add(_item(tx, item_id, case, document, described))
    tx.session.flush()
    tx.session.add_all(
        EvidenceMapping(item_id=item_id, outcome_code=code) for code in sorted(described.outcomes)
    )
    record(
        tx,
        who,
        "seal_evidence",
        ("evidence_item", item_id),
        case_id=CaseId(case.id),
        data={"sha256": document.sha256, "size": document.size, "kind": described.kind.value},
    )
    return item_id


def _item(
    tx: Transaction,
    item_id: ItemId,
    case: Case,
    document: StoredDocument,
    described: DocumentItem,
) -> EvidenceItem:
    return EvidenceItem(
        id=item_id,
        case_id=case.id,
        round=case.round,
        state=EvidenceState.SEALED.value,
        kind=described.kind.value,
        title=described.title,
        disclosure=described.disclosure.value,
        file_name=described.file_name,
        declared_type=described.media_type,
        declared_size=document.size,
        size=document.size,
        media_type=described.media_type,
        sha256=document.sha256,
        scan=ScanVerdict.NOT_SCANNED.value,
        scan_detail=OUR_OWN,
        seal_bytes_read=document.size,
        attestation_id=described.attestation_id,
        created_at=tx.now,
        stored_at=tx.now,
        sealed_at=tx.now,
    )
