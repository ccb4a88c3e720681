"""Keeping what was drawn: objects first, under keys that say what they are, then their rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import ItemId, Sha256, new_id
from storage.tables import EvidenceItem, Inspection, Preview, SealedObject
from storage.vault import Vault, previews_of
from storage.vocabulary import EvidenceState, PreviewKind
from workflows.confining import Source
from workflows.looking.looks import Facts, Member
from workflows.looking.seeing import TOOL_VERSION, Drawn, Seen


@dataclass(frozen=True)
class SealedItem:
    """A sealed item, as much of it as a look needs."""

    item_id: ItemId
    sha256: Sha256
    key: str
    media_type: str
    file_name: str


@dataclass(frozen=True)
class Kept:
    """A preview that the store has."""

    drawn: Drawn
    key: str
    size: int


def sealed_item(tx: Transaction, item_id: ItemId, *, hold: bool = True) -> SealedItem | None:
    """The item, held against erasure until the transaction ends; None when it is not sealed, or its
    bytes were found to be others: what would be made of those is not the evidence.

    `hold=False` where the transaction only reads.
    """
    chosen = (
        select(EvidenceItem, SealedObject)
        .join(SealedObject, col(SealedObject.sha256) == col(EvidenceItem.sha256))
        .where(
            col(EvidenceItem.id) == item_id,
            EvidenceItem.state == EvidenceState.SEALED.value,
            col(SealedObject.erasing_at).is_(None),
            col(SealedObject.wrong_at).is_(None),
        )
    )
    row = tx.session.exec(chosen.with_for_update(read=True) if hold else chosen).one_or_none()
    if row is None:
        return None
    item, sealed = row
    return SealedItem(item_id, Sha256(sealed.sha256), sealed.key, item.media_type, item.file_name)


def source_of(vault: Vault, key: str) -> Source:
    """An object that is read by ranges, all of one version. Raises ObjectMissing, StoreAway."""
    facts = vault.facts(key)
    return Source(
        facts.size,
        lambda offset, length: vault.read_range(key, facts.etag, offset, length),
    )


def preview_key(sealed_key: str, kind: PreviewKind, number: int) -> str:
    """Where a preview of the bytes under this sealed key is kept."""
    return f"{previews_of(sealed_key)}{kind.value}-{number}"


def put_drawn(vault: Vault, item: SealedItem, drawn: Sequence[Drawn]) -> list[Kept]:
    """Store what was drawn; a second time it is the same object. Raises StoreAway."""
    return [_put(vault, item.key, each) for each in drawn]


def keep_previews(tx: Transaction, sha256: Sha256, kept: Sequence[Kept]) -> None:
    """Write down what the store has; what was written down before stays as it is now drawn."""
    for each in kept:
        drawn = each.drawn
        values = {
            "key": each.key,
            "media_type": drawn.media_type,
            "size": each.size,
            "width": drawn.width,
            "height": drawn.height,
            "made_at": tx.now,
        }
        tx.session.execute(
            insert(Preview)
            .values(
                id=new_id(),
                sha256=sha256,
                kind=drawn.kind.value,
                number=drawn.number,
                **values,
            )
            .on_conflict_do_update(index_elements=["sha256", "kind", "number"], set_=values)
        )


def keep_inspection(tx: Transaction, item: SealedItem, seen: Seen) -> None:
    """Write down what was found in an item's bytes, in place of what was found before."""
    values: dict[str, object] = {
        "sha256": item.sha256,
        "inspected_at": tx.now,
        "tool_version": TOOL_VERSION,
        "signals": [{"code": code, "params": dict(params)} for code, params in seen.signals],
        "facts": seen.facts.model_dump(mode="json", exclude_defaults=True),
        "listing": [member.model_dump(mode="json") for member in seen.listing],
        "trouble": seen.trouble,
    }
    tx.session.execute(
        insert(Inspection)
        .values(item_id=item.item_id, **values)
        .on_conflict_do_update(index_elements=["item_id"], set_=values)
    )


def seen_before(tx: Transaction, item: SealedItem) -> Seen | None:
    """What this version found in the same bytes for another item; None when it did not look."""
    row = tx.session.exec(
        select(Inspection)
        .where(
            Inspection.sha256 == item.sha256,
            Inspection.tool_version == TOOL_VERSION,
            Inspection.trouble == "",
            col(Inspection.item_id) != item.item_id,
        )
        .limit(1)
    ).first()
    if row is None:
        return None
    facts = Facts.model_validate(row.facts)
    return Seen(
        facts=facts,
        # that item may be erased before its rendition is made
        renders=facts.rendition == "waiting",
        signals=tuple((str(one["code"]), _params(one)) for one in row.signals),
        listing=tuple(Member.model_validate(one) for one in row.listing),
    )


def _params(signal: dict[str, object]) -> dict[str, str | int]:
    params = signal.get("params")
    if not isinstance(params, dict):
        return {}
    return {str(name): value for name, value in params.items() if isinstance(value, str | int)}


def _put(vault: Vault, sealed_key: str, drawn: Drawn) -> Kept:
    key = preview_key(sealed_key, drawn.kind, drawn.number)
    with drawn.path.open("rb") as file:
        digest = Sha256(hashlib.file_digest(file, "sha256").hexdigest())
        file.seek(0)
        facts = vault.put_small(key, file, sha256=digest)
    return Kept(drawn, key, facts.size)
