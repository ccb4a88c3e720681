"""Evidence for pages: items with what was said of them and what the seal found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import CaseId, ItemId, OutcomeCode, Sha256
from storage.tables import (
    EvidenceItem,
    EvidenceMapping,
    SealedObject,
    Upload,
    UploadPart,
)
from storage.vocabulary import (
    DIRECT_KINDS,
    AiUse,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    ScanVerdict,
)
from workflows.access.rules import NOT_YOURS
from workflows.evidence.consent import replaced_among
from workflows.evidence.erased import not_erased
from workflows.evidence.file_types import Flag
from workflows.evidence.people import held_back
from workflows.evidence.rules import still_to_say


class Spoilt(StrEnum):
    """What has become of sealed bytes in the store."""

    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True)
class UploadRow:
    """How an upload stands: its planned parts, and what of them is there.

    An `open_ended` one is of a recording: how many parts there will be is not known yet.
    """

    part_count: int = 0
    parts_there: int = 0
    bytes_there: int = 0
    open_ended: bool = False
    fingerprint: str = ""


NO_UPLOAD = UploadRow()


@dataclass(frozen=True)
class ItemRow:
    """An evidence item as pages show it.

    `reason` is a message with `reason_params`: why it is not sealed, or what is wrong with it.
    `upload` says how far it has come, `bytes_checked` how far its seal.
    `missing`: the store has lost its bytes; `changed`: it holds others in their place.
    `replaces_id`: the item that this one is a copy of, in which nobody can be recognised;
    `replaced`: such a copy stands for this one.
    """

    id: ItemId
    case_id: CaseId
    round: int
    state: EvidenceState
    version: int
    kind: EvidenceKind
    title: str
    own_part: str
    ai: AiUse
    ai_use: str
    ai_tool: str
    work_from: date | None
    work_to: date | None
    issued_on: date | None
    expires_on: date | None
    outcomes: tuple[OutcomeCode, ...]
    disclosure: Disclosure
    file_name: str
    recorded_with: str
    size: int
    media_type: str
    sha256: Sha256 | None
    scan: ScanVerdict
    scan_detail: str
    reason: str
    reason_params: Mapping[str, str | int]
    flags: tuple[Flag, ...]
    bytes_checked: int
    created_at: datetime
    sealed_at: datetime | None
    upload: UploadRow
    missing: bool
    changed: bool
    people: PeopleShown
    consent_note: str
    consented_on: date | None
    replaces_id: ItemId | None
    replaced: bool

    @property
    def direct(self) -> bool:
        """Whether the work itself is seen in it."""
        return self.kind in DIRECT_KINDS

    @property
    def whole(self) -> bool:
        """Whether the store holds what was sealed, as far as is known."""
        return not self.missing and not self.changed

    @property
    def on_its_way(self) -> bool:
        """Whether the page should look again soon: the file is being checked."""
        return self.state is EvidenceState.STORED and not self.reason

    @property
    def unfinished(self) -> bool:
        """Whether the file is still to be sent, wholly or in part."""
        return self.state in {EvidenceState.ANNOUNCED, EvidenceState.UPLOADING}

    @property
    def never_sealed(self) -> bool:
        """Whether no manifest can hold it: it did not arrive, or was rejected."""
        return self.unfinished or self.state is EvidenceState.REJECTED

    @property
    def described(self) -> bool:
        """Whether the learner has said what they must before submitting."""
        return not self.to_say

    @property
    def to_say(self) -> tuple[str, ...]:
        """What the learner has still to say of it before submitting, by the fields' names."""
        return still_to_say(
            self.kind, self.own_part, mapped=bool(self.outcomes), people=self.people, ai=self.ai
        )

    def may_be_replaced_by(self, other: "ItemRow") -> bool:
        """Whether the other could be a copy of this one in which nobody can be recognised."""
        return (
            other.state is EvidenceState.SEALED
            and other.kind is not EvidenceKind.ATTESTATION
            and other.sha256 != self.sha256
            and other.replaces_id is None
            and not other.replaced
        )

    @property
    def held(self) -> bool:
        """Whether it is held back from everyone but its learner."""
        return held_back(self.people)


def case_items(tx: Transaction, case_id: CaseId) -> Sequence[ItemRow]:
    """A case's items that are not erased, in the order they came."""
    return _rows(tx, col(EvidenceItem.case_id) == case_id)


def items_after(
    tx: Transaction, case_id: CaseId, after: UUID | None, most: int
) -> tuple[Sequence[ItemRow], ItemId | None]:
    """Up to so many of a case's items in the order of their ids, those after one of them or from
    the first, and the id after which to go on; None when these are the last."""
    wanted = select(EvidenceItem.id).where(
        EvidenceItem.case_id == case_id, EvidenceItem.state != EvidenceState.ERASED.value
    )
    if after is not None:
        wanted = wanted.where(col(EvidenceItem.id) > after)
    ids = tx.session.exec(wanted.order_by(col(EvidenceItem.id)).limit(most + 1)).all()
    rows = sorted(_rows(tx, col(EvidenceItem.id).in_(ids[:most])), key=lambda row: row.id)
    return rows, rows[-1].id if len(ids) > most else None


def item_row(tx: Transaction, item_id: ItemId) -> ItemRow:
    """One item. Raises NotFound, Gone (it was erased)."""
    rows = _rows(tx, col(EvidenceItem.id) == item_id)
    if rows:
        return rows[0]
    erased = tx.session.get(EvidenceItem, item_id)
    if erased is not None:
        not_erased(tx, erased)
    raise NotFound(NOT_YOURS)


def _rows(tx: Transaction, which: ColumnElement[bool]) -> list[ItemRow]:
    items = tx.session.exec(
        select(EvidenceItem)
        .where(which, EvidenceItem.state != EvidenceState.ERASED.value)
        .order_by(col(EvidenceItem.created_at), col(EvidenceItem.id))
    ).all()
    ids = [item.id for item in items]
    mapped = _mapped(tx, ids)
    uploads = _uploads(tx, ids)
    spoilt = spoilt_among(tx, [item.sha256 for item in items if item.sha256])
    replaced = replaced_among(tx, ids)
    return [
        _row(
            item,
            mapped.get(item.id, ()),
            uploads.get(item.id, NO_UPLOAD),
            spoilt=spoilt.get(item.sha256 or ""),
            replaced=item.id in replaced,
        )
        for item in items
    ]


def _mapped(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, tuple[OutcomeCode, ...]]:
    found: dict[UUID, tuple[OutcomeCode, ...]] = {}
    for row in tx.session.exec(
        select(EvidenceMapping)
        .where(col(EvidenceMapping.item_id).in_(ids))
        .order_by(EvidenceMapping.outcome_code)
    ):
        found[row.item_id] = (*found.get(row.item_id, ()), OutcomeCode(row.outcome_code))
    return found


def _uploads(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, UploadRow]:
    """Per item how its upload stands."""
    parts, size = func.count(col(UploadPart.number)), func.sum(UploadPart.size)
    rows = tx.session.exec(
        select(Upload, parts, func.coalesce(size, 0))
        .join(UploadPart, col(UploadPart.upload_id) == col(Upload.id), isouter=True)
        .where(col(Upload.item_id).in_(ids), col(Upload.aborted_at).is_(None))
        .group_by(col(Upload.id))
    ).all()
    return {
        row.item_id: UploadRow(row.part_count, there, int(size), row.open_ended, row.fingerprint)
        for row, there, size in rows
    }


def spoilt_among(tx: Transaction, digests: Sequence[str]) -> Mapping[str, Spoilt]:
    """Of these digests, those whose bytes the store does not hold as they were sealed."""
    if not digests:
        return {}
    rows = tx.session.exec(
        select(SealedObject.sha256, SealedObject.wrong_at).where(
            col(SealedObject.sha256).in_(digests),
            col(SealedObject.missing_at).is_not(None) | col(SealedObject.wrong_at).is_not(None),
        )
    ).all()
    return {sha256: Spoilt.CHANGED if wrong_at else Spoilt.MISSING for sha256, wrong_at in rows}


def _row(
    item: EvidenceItem,
    outcomes: tuple[OutcomeCode, ...],
    upload: UploadRow,
    *,
    spoilt: Spoilt | None,
    replaced: bool,
) -> ItemRow:
    sealed = item.state == EvidenceState.SEALED.value
    return ItemRow(
        id=ItemId(item.id),
        case_id=CaseId(item.case_id),
        round=item.round,
        state=EvidenceState(item.state),
        version=item.version,
        kind=EvidenceKind(item.kind),
        title=item.title or item.file_name,
        own_part=item.own_part,
        ai=AiUse(item.ai),
        ai_use=item.ai_use,
        ai_tool=item.ai_tool,
        work_from=item.work_from,
        work_to=item.work_to,
        issued_on=item.issued_on,
        expires_on=item.expires_on,
        outcomes=outcomes,
        disclosure=Disclosure(item.disclosure),
        file_name=item.file_name,
        recorded_with=item.recorded_with,
        size=item.size if item.size is not None else item.declared_size,
        media_type=item.media_type,
        sha256=Sha256(item.sha256) if sealed and item.sha256 else None,
        scan=ScanVerdict(item.scan),
        scan_detail=item.scan_detail,
        reason=item.reason,
        reason_params=item.reason_params,
        flags=tuple(Flag(flag) for flag in item.flags),
        bytes_checked=item.seal_bytes_read,
        created_at=item.created_at,
        sealed_at=item.sealed_at,
        upload=upload,
        missing=spoilt is Spoilt.MISSING,
        changed=spoilt is Spoilt.CHANGED,
        people=PeopleShown(item.people),
        consent_note=item.consent_note,
        consented_on=item.consented_on,
        replaces_id=ItemId(item.replaces_id) if item.replaces_id else None,
        replaced=replaced,
    )
