"""What pages with cards of evidence are given besides: small pictures, and players with marks."""

from collections.abc import Mapping, Sequence

from app.web.viewer_rows import Recording, mode_of, recorded_as, recording
from storage.database import Transaction
from storage.events import Who
from storage.ids import ItemId, OutcomeCode
from storage.tables import Case
from storage.vocabulary import PreviewKind, Role
from workflows.access.rules import Actor
from workflows.assessment.evidence import EvidenceRow
from workflows.assessment.queries import SheetView
from workflows.evidence.captions import words_of
from workflows.evidence.marks import marks_of, open_place
from workflows.looking.looks import Look
from workflows.looking.queries import looks_of


def looks_at(tx: Transaction, evidence: Sequence[EvidenceRow]) -> Mapping[ItemId, Look]:
    """What is known of each item that can be opened."""
    return looks_of(tx, [item.id for item in evidence if item.readable])


def films_of(
    tx: Transaction,
    actor: Actor,
    sheet: SheetView,
    evidence: Sequence[EvidenceRow],
    code: OutcomeCode,
) -> Mapping[ItemId, Recording]:
    """The recordings among an outcome's evidence, with the marks that speak to it."""
    looks = looks_at(tx, evidence)
    shown = [item for item in evidence if item.id in looks and _plays(item, looks)]
    ids = [item.id for item in shown]
    case = tx.session.get_one(Case, sheet.case_id)
    marks = marks_of(tx, case, Who(Role.ASSESSOR, actor.account_id), ids)
    words = words_of(tx, ids)
    writes = sheet.writable and open_place(tx, actor, case) is not None
    return {
        item.id: recording(
            item.id,
            item.title,
            looks[item.id],
            marks=[one for one in marks.get(item.id, ()) if one.outcome in {None, code}],
            words=words.get(item.id, ()),
            sound=mode_of(item.media_type, looks[item.id]) == "audio",
            acts="note" if writes else "",
            where="sheet",
            outcome=code,
        )
        for item in shown
    }


def _plays(item: EvidenceRow, looks: Mapping[ItemId, Look]) -> bool:
    look = looks[item.id]
    there = item.spoilt is None or bool(look.of_kind(PreviewKind.RENDITION))
    return there and bool(recorded_as(item.media_type, look))
