"""The evidence that a credential names: what of the manifest speaks to something recognised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Text, cast
from sqlalchemy import select as columns
from sqlmodel import col, select

from storage.bulk import among
from storage.database import Transaction
from storage.ids import CaseId, ItemId, OutcomeCode, Sha256, new_tokens
from storage.tables import Attestation, Case, EvidenceItem, Manifest
from storage.vocabulary import Disclosure, EvidenceKind, PeopleShown, VoiceState
from workflows.attestations.document import read_kept
from workflows.evidence.consent import replaced_among
from workflows.issuance.claims import IssuedItem, Span
from workflows.words import words

SLUG = 22
"""Characters of the random end of an evidence address: 132 bits, so that nobody guesses one."""


class _Mark(BaseModel):
    """A stretch that the learner marked before they submitted."""

    model_config = ConfigDict(extra="ignore")

    start_ms: int
    end_ms: int | None
    outcome: OutcomeCode | None
    note: str


class _Item(BaseModel):
    """What is read of an item of a manifest."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    kind: EvidenceKind
    title: str
    file_name: str
    media_type: str
    sha256: Sha256
    own_part: str
    work_from: date | None
    work_to: date | None
    outcomes: tuple[OutcomeCode, ...]
    marks: tuple[_Mark, ...] = ()


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    items: tuple[_Item, ...]


@dataclass(frozen=True)
class Wanted:
    """Of which case and round the items are wanted that speak to what was recognised."""

    case_id: CaseId
    round: int
    recognised: frozenset[OutcomeCode]


def issued_items(
    tx: Transaction, case: Case, round_number: int, recognised: frozenset[OutcomeCode]
) -> tuple[IssuedItem, ...]:
    """The items of the manifest with an outcome that was recognised, in the manifest's order.

    A statement that was withdrawn is left out, and so is what is held back because people in it
    have not agreed; a statement whose giver wants no name in public loses it.
    """
    wanted = Wanted(CaseId(case.id), round_number, recognised)
    return issued_items_of(tx, [wanted])[wanted.case_id]


def issued_items_of(
    tx: Transaction, wanted: Sequence[Wanted]
) -> Mapping[CaseId, tuple[IssuedItem, ...]]:
    """The same for several cases, each in one round. A constant number of statements."""
    submitted = _submitted(tx, wanted)
    ids = [item.id for items in submitted.values() for item in items]
    statements = _statements(tx, [one.case_id for one in wanted])
    kept_back = _kept_back(tx, ids)
    disclosed = _disclosed(tx, ids)
    slugs = iter(new_tokens(len(ids)))
    found: dict[CaseId, tuple[IssuedItem, ...]] = {}
    for one in wanted:
        issued = []
        for item in submitted.get(one.case_id, ()):
            outcomes = tuple(code for code in item.outcomes if code in one.recognised)
            title = statements.get(item.id, item.title or item.file_name)
            if outcomes and title is not None and item.id not in kept_back:
                slug = next(slugs)[:SLUG]
                issued.append(_issued(item, slug, outcomes, title, disclosed[item.id]))
        found[one.case_id] = tuple(issued)
    return found


def _submitted(tx: Transaction, wanted: Sequence[Wanted]) -> Mapping[CaseId, tuple[_Item, ...]]:
    """The items of each manifest; its JSON is read at once, and not first as plain values."""
    rounds = {one.case_id: one.round for one in wanted}
    rows = tx.session.execute(
        columns(col(Manifest.case_id), col(Manifest.round), cast(col(Manifest.body), Text)).where(
            among(col(Manifest.case_id), list(rounds))
        )
    ).all()
    return {
        CaseId(case_id): _Manifest.model_validate_json(body).items
        for case_id, round_number, body in rows
        if round_number == rounds[CaseId(case_id)]
    }


def _kept_back(tx: Transaction, ids: Sequence[UUID]) -> frozenset[UUID]:
    waiting = tx.session.exec(
        select(EvidenceItem.id).where(
            among(col(EvidenceItem.id), ids), EvidenceItem.people == PeopleShown.WAITING.value
        )
    ).all()
    return frozenset(waiting) | replaced_among(tx, ids)


def _disclosed(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, Disclosure]:
    """What the learner lets the world have of each now."""
    rows = tx.session.exec(
        select(EvidenceItem.id, EvidenceItem.disclosure).where(among(col(EvidenceItem.id), ids))
    ).all()
    chosen = {item_id: Disclosure(disclosure) for item_id, disclosure in rows}
    return {item_id: chosen.get(item_id, Disclosure.DIGEST_ONLY) for item_id in ids}


def _issued(
    item: _Item,
    slug: str,
    outcomes: tuple[OutcomeCode, ...],
    title: str,
    disclosure: Disclosure,
) -> IssuedItem:
    return IssuedItem(
        slug=slug,
        item_id=ItemId(item.id),
        title=title,
        kind=item.kind,
        media_type=item.media_type,
        sha256=item.sha256,
        own_part=item.own_part,
        outcomes=outcomes,
        work_from=item.work_from,
        work_to=item.work_to,
        spans=tuple(
            Span(mark.start_ms, mark.end_ms, mark.outcome, mark.note) for mark in item.marks
        ),
        disclosure=disclosure,
    )


def _statements(tx: Transaction, case_ids: Sequence[CaseId]) -> Mapping[UUID, str | None]:
    """For each item that is a statement, the title it may have in public; None: withdrawn."""
    rows = tx.session.exec(
        select(Attestation).where(
            among(col(Attestation.case_id), case_ids), col(Attestation.item_id).is_not(None)
        )
    ).all()
    titles: dict[UUID, str | None] = {}
    for row in rows:
        if row.item_id is None or row.statement is None:
            continue
        kept = read_kept(row.statement)
        say = words(kept.locale)
        public = say("Statement by %(name)s, %(role)s", name=kept.name, role=kept.role)
        title = public if kept.public else say("Statement by a supervisor")
        titles[row.item_id] = None if row.state == VoiceState.WITHDRAWN else title
    return titles
