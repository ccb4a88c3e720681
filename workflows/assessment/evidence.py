"""What was submitted, as assessors and staff read it: per outcome, with what each item is.

It is the manifest's evidence: what came after the submission waits for the next round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Problem
from storage.ids import ItemId, OutcomeCode
from storage.tables import Attestation, Case, EvidenceItem, EvidenceMapping, Manifest
from storage.vocabulary import (
    DIRECT_KINDS,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    ScanVerdict,
    VoiceState,
)
from workflows.attestations.document import KeptStatement, identity_of_kept, read_kept
from workflows.attestations.rules import identity_words
from workflows.cases.queries import outcome_rules
from workflows.evidence.coverage import CountedItem, OutcomeCoverage, coverage
from workflows.frameworks.definition import Definition


@dataclass(frozen=True)
class EvidenceRow:
    """One submitted item. `readable`: its bytes can be opened; else `reason` says why not.

    `notes` says per outcome what to look for; `statement` is there for a supervisor's word.
    """

    id: ItemId
    title: str
    kind: EvidenceKind
    direct: bool
    file_name: str
    media_type: str
    size: int
    sha256: str
    own_part: str
    ai_use: str
    work_from: date | None
    work_to: date | None
    expires_on: date | None
    scan: ScanVerdict
    scan_detail: str
    state: EvidenceState
    reason: Problem | None
    disclosure: Disclosure
    notes: Mapping[OutcomeCode, str]
    statement: KeptStatement | None
    withdrawn: bool = False
    """the supervisor has taken their word back since"""

    @property
    def identity(self) -> tuple[Problem, ...]:
        """What is known of the supervisor who speaks, in words."""
        return identity_words(identity_of_kept(self.statement)) if self.statement else ()

    @property
    def readable(self) -> bool:
        """Whether its bytes can be opened."""
        return self.state is EvidenceState.SEALED


@dataclass(frozen=True)
class Submitted:
    """A round's evidence, and how each outcome stands by it as of the day of submission."""

    digest: str
    items: Sequence[EvidenceRow]
    coverage: Sequence[OutcomeCoverage]

    def for_outcome(self, code: OutcomeCode) -> Sequence[EvidenceRow]:
        """The items that speak to an outcome."""
        return [item for item in self.items if code in item.notes]


def submitted(tx: Transaction, case: Case, definition: Definition) -> Submitted:
    """The evidence that the case's newest manifest froze; empty before the first submission."""
    manifest = tx.session.exec(
        select(Manifest)
        .where(Manifest.case_id == case.id)
        .order_by(col(Manifest.round).desc())
        .limit(1)
    ).first()
    if manifest is None:
        return Submitted("", [], coverage(outcome_rules(definition), [], tx.now.date()))
    items = _items(tx, case.id, _frozen_ids(manifest))
    counted = [_counted(item) for item in items if item.readable]
    as_of = manifest.signed_at.date()
    return Submitted(manifest.digest, items, coverage(outcome_rules(definition), counted, as_of))


def _frozen_ids(manifest: Manifest) -> list[UUID]:
    rows = manifest.body["items"]
    assert isinstance(rows, list)
    return [UUID(row["id"]) for row in rows]


def _items(tx: Transaction, case_id: UUID, ids: Sequence[UUID]) -> list[EvidenceRow]:
    mapped: dict[UUID, dict[OutcomeCode, str]] = {item_id: {} for item_id in ids}
    for row in tx.session.exec(
        select(EvidenceMapping).where(col(EvidenceMapping.item_id).in_(ids))
    ).all():
        mapped[row.item_id][OutcomeCode(row.outcome_code)] = row.note
    given = {
        row.id: row
        for row in tx.session.exec(
            select(Attestation).where(
                Attestation.case_id == case_id, col(Attestation.statement).is_not(None)
            )
        ).all()
    }
    found = {
        item.id: item
        for item in tx.session.exec(
            select(EvidenceItem).where(
                EvidenceItem.case_id == case_id, col(EvidenceItem.id).in_(ids)
            )
        ).all()
    }
    return [
        _row(found[item_id], mapped[item_id], given.get(found[item_id].attestation_id or item_id))
        for item_id in ids
        if item_id in found
    ]


def _row(
    item: EvidenceItem, notes: Mapping[OutcomeCode, str], attestation: Attestation | None
) -> EvidenceRow:
    kind = EvidenceKind(item.kind)
    statement = attestation.statement if attestation else None
    return EvidenceRow(
        id=ItemId(item.id),
        title=item.title or item.file_name,
        kind=kind,
        direct=kind in DIRECT_KINDS,
        file_name=item.file_name,
        media_type=item.media_type,
        size=item.size or 0,
        sha256=item.sha256 or "",
        own_part=item.own_part,
        ai_use=item.ai_use,
        work_from=item.work_from,
        work_to=item.work_to,
        expires_on=item.expires_on,
        scan=ScanVerdict(item.scan),
        scan_detail=item.scan_detail,
        state=EvidenceState(item.state),
        reason=_reason(item),
        disclosure=Disclosure(item.disclosure),
        notes=notes,
        statement=read_kept(statement) if statement is not None else None,
        withdrawn=attestation is not None and attestation.state == VoiceState.WITHDRAWN,
    )


def _reason(item: EvidenceItem) -> Problem | None:
    if not item.reason:
        return None
    return Problem("evidence", item.reason, dict(item.reason_params))


def _counted(item: EvidenceRow) -> CountedItem:
    return CountedItem(
        id=item.id,
        title=item.title,
        kind=item.kind,
        outcomes=frozenset(item.notes),
        worked_on=item.work_to or item.work_from,
        expires_on=item.expires_on,
    )
