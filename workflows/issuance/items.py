"""The evidence that a credential names: what of the manifest speaks to something recognised."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import CaseId, ItemId, OutcomeCode, Sha256, new_token
from storage.tables import Attestation, Case, EvidenceItem
from storage.vocabulary import EvidenceKind, PeopleShown, VoiceState
from workflows.attestations.document import read_kept
from workflows.canonical import canonical_json
from workflows.cases.queries import manifest_of
from workflows.evidence.consent import replaced_among
from workflows.issuance.claims import IssuedItem
from workflows.words import words

SLUG = 22
"""Characters of the random end of an evidence address: 132 bits, so that nobody guesses one."""


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


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    items: tuple[_Item, ...]


def issued_items(
    tx: Transaction, case: Case, round_number: int, recognised: frozenset[OutcomeCode]
) -> tuple[IssuedItem, ...]:
    """The items of the manifest with an outcome that was recognised, in the manifest's order.

    A statement that was withdrawn is left out, and so is what is held back because people in it
    have not agreed; a statement whose giver wants no name in public loses it.
    """
    manifest = manifest_of(tx, CaseId(case.id), round_number)
    if manifest is None:
        return ()
    items = _Manifest.model_validate_json(canonical_json(manifest.body)).items
    statements = _statements(tx, case)
    kept_back = _kept_back(tx, [item.id for item in items])
    found = []
    for item in items:
        outcomes = tuple(code for code in item.outcomes if code in recognised)
        title = statements.get(item.id, item.title or item.file_name)
        if outcomes and title is not None and item.id not in kept_back:
            found.append(_issued(item, outcomes, title))
    return tuple(found)


def _kept_back(tx: Transaction, ids: Sequence[UUID]) -> frozenset[UUID]:
    waiting = tx.session.exec(
        select(EvidenceItem.id).where(
            col(EvidenceItem.id).in_(ids), EvidenceItem.people == PeopleShown.WAITING.value
        )
    ).all()
    return frozenset(waiting) | replaced_among(tx, ids)


def _issued(item: _Item, outcomes: tuple[OutcomeCode, ...], title: str) -> IssuedItem:
    return IssuedItem(
        slug=new_token()[:SLUG],
        item_id=ItemId(item.id),
        title=title,
        kind=item.kind,
        media_type=item.media_type,
        sha256=item.sha256,
        own_part=item.own_part,
        outcomes=outcomes,
        work_from=item.work_from,
        work_to=item.work_to,
    )


def _statements(tx: Transaction, case: Case) -> Mapping[UUID, str | None]:
    """For each item that is a statement, the title it may have in public; None: withdrawn."""
    rows = tx.session.exec(
        select(Attestation).where(
            Attestation.case_id == case.id, col(Attestation.item_id).is_not(None)
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
