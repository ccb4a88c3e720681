"""What pages show of files without opening them: looks, and requests about the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import AccountId, CaseId, InstitutionId, ItemId, Sha256
from storage.tables import (
    Case,
    EvidenceItem,
    Inspection,
    KnownForm,
    OutboxRow,
    Preview,
    SameBytes,
)
from storage.vocabulary import EvidenceState, PreviewKind
from workflows.evidence.file_types import Flag
from workflows.looking.looks import NOTHING, Facts, Look, PreviewRow, members_of
from workflows.looking.signals import Claimed, kept_signals, said_signals
from workflows.work import Work


@dataclass(frozen=True)
class SameBytesRow:
    """That an item's bytes are in another case too, and what this item's learner says to it."""

    item_id: ItemId
    noted_at: datetime
    statement: str
    stated_at: datetime | None


@dataclass(frozen=True)
class FormRow:
    """A file that the institution hands out itself."""

    sha256: Sha256
    name: str
    added_by: AccountId
    added_at: datetime


def looks_of(tx: Transaction, item_ids: Sequence[ItemId]) -> Mapping[ItemId, Look]:
    """What is known of each of these items. Five statements, however many items.

    Who may see it is asked before; signals are not for the learner.
    """
    items = tx.session.exec(
        select(EvidenceItem).where(
            col(EvidenceItem.id).in_(item_ids),
            EvidenceItem.state == EvidenceState.SEALED.value,
        )
    ).all()
    found = _inspections(tx, item_ids)
    shared = same_bytes_of(tx, item_ids)
    previews = _previews(tx, [item.sha256 for item in items if item.sha256])
    waiting = _waiting(tx, [item.id for item in items if item.id not in found])
    looks = dict.fromkeys(item_ids, NOTHING)
    for item in items:
        item_id = ItemId(item.id)
        said = _claimed(item, shared.get(item_id))
        shown = previews.get(item.sha256 or "", ())
        looks[item_id] = _look(found.get(item.id), said, shown, item.id in waiting)
    return looks


def same_bytes_of(tx: Transaction, item_ids: Sequence[ItemId]) -> Mapping[ItemId, SameBytesRow]:
    """Those of the items whose bytes are in another case too, save the institution's own forms."""
    known = (
        select(KnownForm.sha256)
        .join(Case, col(Case.institution_id) == col(KnownForm.institution_id))
        .join(EvidenceItem, col(EvidenceItem.case_id) == col(Case.id))
        .where(
            col(EvidenceItem.id) == col(SameBytes.item_id),
            col(KnownForm.sha256) == col(SameBytes.sha256),
        )
    )
    rows = tx.session.exec(
        select(SameBytes).where(col(SameBytes.item_id).in_(item_ids), ~known.exists())
    ).all()
    return {
        ItemId(row.item_id): SameBytesRow(
            ItemId(row.item_id), row.noted_at, row.statement, row.stated_at
        )
        for row in rows
    }


def same_bytes_in_case(tx: Transaction, case_id: CaseId) -> Mapping[ItemId, SameBytesRow]:
    """Those items of a case about which its learner is asked to state their part."""
    ids = tx.session.exec(
        select(EvidenceItem.id).where(
            EvidenceItem.case_id == case_id, EvidenceItem.state == EvidenceState.SEALED.value
        )
    ).all()
    return same_bytes_of(tx, [ItemId(each) for each in ids])


def known_forms(tx: Transaction, institution_id: InstitutionId) -> Sequence[FormRow]:
    """The institution's own forms, by name."""
    rows = tx.session.exec(
        select(KnownForm)
        .where(KnownForm.institution_id == institution_id)
        .order_by(col(KnownForm.name), col(KnownForm.sha256))
    ).all()
    return [
        FormRow(Sha256(row.sha256), row.name, AccountId(row.added_by), row.added_at) for row in rows
    ]


def _inspections(tx: Transaction, item_ids: Sequence[ItemId]) -> Mapping[UUID, Inspection]:
    rows = tx.session.exec(select(Inspection).where(col(Inspection.item_id).in_(item_ids)))
    return {row.item_id: row for row in rows}


def _previews(tx: Transaction, digests: Sequence[str]) -> Mapping[str, tuple[PreviewRow, ...]]:
    found: dict[str, tuple[PreviewRow, ...]] = {}
    for row in tx.session.exec(
        select(Preview)
        .where(col(Preview.sha256).in_(digests))
        .order_by(col(Preview.kind), col(Preview.number))
    ):
        kind = PreviewKind(row.kind)
        shown = PreviewRow(kind, row.number, row.media_type, row.width, row.height, row.size)
        found[row.sha256] = (*found.get(row.sha256, ()), shown)
    return found


def _waiting(tx: Transaction, item_ids: Sequence[UUID]) -> frozenset[UUID]:
    return frozenset(
        tx.session.exec(
            select(OutboxRow.subject_id).where(
                OutboxRow.kind == Work.INSPECT_EVIDENCE.value,
                col(OutboxRow.subject_id).in_(item_ids),
                col(OutboxRow.done_at).is_(None),
                col(OutboxRow.dead_at).is_(None),
            )
        ).all()
    )


def _claimed(item: EvidenceItem, shared: SameBytesRow | None) -> Claimed:
    return Claimed(
        file_name=item.file_name,
        media_type=item.media_type,
        flags=frozenset(Flag(flag) for flag in item.flags),
        work_from=item.work_from,
        work_to=item.work_to,
        recorded_with=item.recorded_with,
        same_bytes=shared is not None,
        statement=shared.statement if shared else "",
    )


def _look(
    found: Inspection | None, said: Claimed, previews: tuple[PreviewRow, ...], waiting: bool
) -> Look:
    facts = Facts.model_validate(found.facts if found else {})
    signals = (*kept_signals(found.signals if found else ()), *said_signals(facts, said))
    if found is None:
        return Look("waiting" if waiting else "none", signals, previews=previews)
    return Look(
        state="trouble" if found.trouble else "done",
        signals=signals,
        facts=facts,
        listing=members_of(found.listing),
        previews=previews,
        trouble=found.trouble,
    )
