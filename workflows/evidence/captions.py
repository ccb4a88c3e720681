"""Captions and transcripts that stand with a recording, attached by the learner until submission.

One of each kind and language at a time; the newest counts. Their digests stand in the events and
in the manifest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import InvalidInput, NotFound, Problem
from storage.events import Who, record
from storage.ids import CaseId, ItemId, Sha256, new_id, sha256_of
from storage.tables import Caption, EvidenceItem
from storage.vocabulary import CaptionKind, EvidenceState
from workflows.access.rules import NOT_YOURS, Actor
from workflows.evidence.load import HeldItem, hold_item
from workflows.evidence.webvtt import LARGEST, Cue, read_captions, write_captions

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
NOT_KEPT = "The captions were not kept."


@dataclass(frozen=True)
class Words:
    """Captions or a transcript as they are kept. `label` is the language as its readers call it."""

    id: UUID
    item_id: ItemId
    kind: CaptionKind
    language: str
    label: str
    text: str
    sha256: Sha256

    @property
    def cues(self) -> tuple[Cue, ...]:
        """The captions one by one; none of a transcript."""
        return read_captions(self.text) if self.kind is CaptionKind.CAPTIONS else ()


def clean_words(kind: CaptionKind, language: str, text: str) -> str:
    """The text as it will be kept. Raises InvalidInput with a problem per field."""
    if not LANGUAGE.fullmatch(language):
        problem = Problem("language", "Choose the language that is spoken or written.")
        raise InvalidInput(NOT_KEPT, problems=[problem])
    if not text.strip():
        problem = Problem("text", "Choose a file, or paste the text.")
        raise InvalidInput(NOT_KEPT, problems=[problem])
    if kind is CaptionKind.CAPTIONS:
        written = write_captions(read_captions(text))
        read_captions(written)  # written anew it is longer, and whoever looks at it reads it again
        return written
    if len(text.encode()) > LARGEST:
        problem = Problem("text", "A transcript can have 1 MB at most.")
        raise InvalidInput(NOT_KEPT, problems=[problem])
    return text.replace("\r\n", "\n").replace("\r", "\n").strip() + "\n"


@command
def attach_words(
    db: Database,
    actor: Actor,
    item_id: ItemId,
    *,
    kind: CaptionKind,
    language: str,
    label: str,
    text: str,
) -> Sha256:
    """Let captions or a transcript stand with a recording, in place of older ones in the language.

    Returns their digest. Raises NotFound, Conflict (the case was submitted), InvalidInput.
    """
    kept = clean_words(kind, language, text)
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        _can_be_heard(held)
        for older in _rows(tx, [item_id]):
            if (older.kind, older.language) == (kind.value, language):
                older.removed_at = tx.now
        digest = sha256_of(kept.encode())
        tx.session.add(
            Caption(
                id=new_id(),
                item_id=item_id,
                kind=kind.value,
                language=language,
                label=label.strip()[:80] or language,
                text=kept,
                sha256=digest,
                created_at=tx.now,
            )
        )
        facts = {"kind": kind.value, "language": language, "sha256": digest}
        _record(tx, held.who, "caption_evidence", held.item, facts)
        return digest


@command
def detach_words(db: Database, actor: Actor, item_id: ItemId, caption_id: UUID) -> None:
    """Take captions or a transcript away. Raises NotFound, Conflict (the case was submitted)."""
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        row = tx.session.get(Caption, caption_id)
        if row is None or row.item_id != item_id:
            raise NotFound(NOT_YOURS)
        if row.removed_at is None:
            row.removed_at = tx.now
            facts = {"kind": row.kind, "language": row.language, "sha256": row.sha256}
            _record(tx, held.who, "uncaption_evidence", held.item, facts)


def words_of(tx: Transaction, item_ids: Sequence[ItemId]) -> Mapping[ItemId, tuple[Words, ...]]:
    """What stands with these items now, captions before transcripts. One statement."""
    found: dict[ItemId, tuple[Words, ...]] = {}
    for row in _rows(tx, item_ids):
        item_id = ItemId(row.item_id)
        found[item_id] = (*found.get(item_id, ()), _words(row))
    return found


def words_with(tx: Transaction, item_id: ItemId, caption_id: UUID) -> Words:
    """One text that stands with the item now. Raises NotFound."""
    for words in words_of(tx, [item_id]).get(item_id, ()):
        if words.id == caption_id:
            return words
    raise NotFound(NOT_YOURS)


def _can_be_heard(held: HeldItem) -> None:
    if held.state is EvidenceState.ERASED:
        raise NotFound(NOT_YOURS)
    if not held.item.media_type.startswith(("video/", "audio/")):
        problem = Problem("text", "Captions can only stand with a video or a sound recording.")
        raise InvalidInput(NOT_KEPT, problems=[problem])


def _rows(tx: Transaction, item_ids: Sequence[ItemId]) -> Sequence[Caption]:
    return tx.session.exec(
        select(Caption)
        .where(col(Caption.item_id).in_(item_ids), col(Caption.removed_at).is_(None))
        .order_by(col(Caption.kind), col(Caption.language), col(Caption.id))
    ).all()


def _words(row: Caption) -> Words:
    return Words(
        id=row.id,
        item_id=ItemId(row.item_id),
        kind=CaptionKind(row.kind),
        language=row.language,
        label=row.label,
        text=row.text,
        sha256=Sha256(row.sha256),
    )


def _record(
    tx: Transaction, who: Who, kind: str, item: EvidenceItem, data: Mapping[str, object]
) -> None:
    subject = ("evidence_item", item.id)
    record(tx, who, kind, subject, case_id=CaseId(item.case_id), data=data)
