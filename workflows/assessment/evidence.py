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
    AiUse,
    CoverageBasis,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    ScanVerdict,
    VoiceState,
)
from workflows.attestations.document import KeptStatement, identity_of_kept, read_kept
from workflows.attestations.rules import identity_words
from workflows.cases.queries import outcome_rules
from workflows.evidence.consent import replaced_among
from workflows.evidence.coverage import CountedItem, OutcomeCoverage, coverage
from workflows.evidence.coverage_kept import KeptCoverage, kept_coverage
from workflows.evidence.disclosure import SPOILT_WORDS
from workflows.evidence.people import COPY_COUNTS, HELD_BACK, held_back, readable_by_others
from workflows.evidence.queries import Spoilt, spoilt_among
from workflows.frameworks.definition import Definition

BEFORE_DECISION = (CoverageBasis.SUBMISSION, CoverageBasis.ASSESSMENT)


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
    ai: AiUse
    ai_use: str
    ai_tool: str
    work_from: date | None
    work_to: date | None
    issued_on: date | None
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
    people: PeopleShown = PeopleShown.NOT_SAID
    consent_note: str = ""
    consented_on: date | None = None
    replaced: bool = False
    """a copy stands for it in which nobody can be recognised"""
    spoilt: Problem | None = None
    """the store does not hold its bytes as they were sealed; what was made of them can be seen"""

    @property
    def identity(self) -> tuple[Problem, ...]:
        """What is known of the supervisor who speaks, in words."""
        return identity_words(identity_of_kept(self.statement)) if self.statement else ()

    @property
    def readable(self) -> bool:
        """Whether its bytes, and what was made of them, can be opened by others."""
        sealed = self.state is EvidenceState.SEALED
        return sealed and readable_by_others(self.people, replaced=self.replaced)


@dataclass(frozen=True)
class Submitted:
    """A round's evidence, and how each outcome stands by it.

    Ages are reckoned as of a day that was kept: `as_of`, of the assessment, or of the submission
    before there is one. `kept` is how the outcomes stood then, word for word; `coverage` by the
    same day what still counts, after consents were given or withdrawn and files were lost.
    """

    digest: str
    items: Sequence[EvidenceRow]
    coverage: Sequence[OutcomeCoverage]
    as_of: date | None = None
    kept: KeptCoverage | None = None

    def for_outcome(self, code: OutcomeCode) -> Sequence[EvidenceRow]:
        """The items that speak to an outcome."""
        return [item for item in self.items if code in item.notes]


def submitted(
    tx: Transaction, case: Case, definition: Definition, *, as_of: date | None = None
) -> Submitted:
    """The evidence that the case's newest manifest froze; empty before the first submission.

    Ages are reckoned as of the day that was kept, or `as_of` where it is given.
    """
    manifest = tx.session.exec(
        select(Manifest)
        .where(Manifest.case_id == case.id)
        .order_by(col(Manifest.round).desc())
        .limit(1)
    ).first()
    if manifest is None:
        return Submitted("", [], coverage(outcome_rules(definition), [], tx.now.date()))
    items = _items(tx, case.id, _frozen_ids(manifest))
    kept = kept_coverage(tx, case.id, manifest.round, *BEFORE_DECISION)
    day = as_of or (kept.as_of if kept else manifest.signed_at.date())
    there = [item for item in items if item.state is EvidenceState.SEALED and not item.replaced]
    covered = coverage(outcome_rules(definition), [_counted(item) for item in there], day)
    return Submitted(manifest.digest, items, covered, day, kept)


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
    replaced = replaced_among(tx, ids)
    spoilt = spoilt_among(tx, [item.sha256 for item in found.values() if item.sha256])
    return [
        _row(
            found[item_id],
            mapped[item_id],
            given.get(found[item_id].attestation_id or item_id),
            replaced=item_id in replaced,
            spoilt=spoilt.get(found[item_id].sha256 or ""),
        )
        for item_id in ids
        if item_id in found
    ]


def _row(
    item: EvidenceItem,
    notes: Mapping[OutcomeCode, str],
    attestation: Attestation | None,
    *,
    replaced: bool,
    spoilt: Spoilt | None,
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
        ai=AiUse(item.ai),
        ai_use=item.ai_use,
        ai_tool=item.ai_tool,
        work_from=item.work_from,
        work_to=item.work_to,
        issued_on=item.issued_on,
        expires_on=item.expires_on,
        scan=ScanVerdict(item.scan),
        scan_detail=item.scan_detail,
        state=EvidenceState(item.state),
        reason=_reason(item, replaced=replaced),
        disclosure=Disclosure(item.disclosure),
        notes=notes,
        statement=read_kept(statement) if statement is not None else None,
        withdrawn=attestation is not None and attestation.state == VoiceState.WITHDRAWN,
        people=PeopleShown(item.people),
        consent_note=item.consent_note,
        consented_on=item.consented_on,
        replaced=replaced,
        spoilt=Problem("evidence", SPOILT_WORDS[spoilt]) if spoilt else None,
    )


def _reason(item: EvidenceItem, *, replaced: bool) -> Problem | None:
    if item.reason:
        return Problem("evidence", item.reason, dict(item.reason_params))
    if replaced:
        return Problem("evidence", COPY_COUNTS)
    return Problem("evidence", HELD_BACK) if held_back(PeopleShown(item.people)) else None


def _counted(item: EvidenceRow) -> CountedItem:
    return CountedItem(
        id=item.id,
        title=item.title,
        kind=item.kind,
        outcomes=frozenset(item.notes),
        worked_on=item.work_to or item.work_from or item.issued_on,
        expires_on=item.expires_on,
        held=held_back(item.people),
        spoilt=item.spoilt is not None,
    )
