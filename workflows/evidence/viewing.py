"""One item as its viewer shows it: what it is, what is seen in it, its marks, words and readers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.events import Who
from storage.ids import AssignmentId, CaseId, ItemId, SheetId
from storage.tables import Account, Case, DefinitionVersion, EvidenceItem, Preview, ScoreSheet
from storage.vault import Vault
from storage.vocabulary import EvidenceState, PreviewKind, Role
from workflows.access.rules import NOT_YOURS, Actor
from workflows.cases.load import state_of
from workflows.cases.states import EDITABLE
from workflows.evidence.captions import Words, words_of
from workflows.evidence.disclosure import Opening, note_access, openings, readable_item
from workflows.evidence.marks import Mark, marks_of, open_place
from workflows.evidence.queries import ItemRow, item_row
from workflows.frameworks.definition import Outcome, read_definition
from workflows.looking.looks import Look
from workflows.looking.queries import looks_of

MOST_TEXT = 300_000
"""So many bytes of a text preview are shown; whoever wants more downloads the file."""


@dataclass(frozen=True)
class Viewed:
    """An item for one reader. `role` is what they read it as; a learner sees no signals.

    `may_mark`: the learner, before submission; `may_note`: an assessor whose sheet is open.
    `openings` are for the learner and for auditors.
    """

    item: ItemRow
    case_number: int
    title: str
    learner: str
    role: Role
    look: Look
    outcomes: Sequence[Outcome]
    marks: tuple[Mark, ...]
    words: tuple[Words, ...]
    openings: Sequence[Opening]
    may_mark: bool
    may_note: bool
    sheet_id: SheetId | None

    @property
    def own(self) -> bool:
        """Whether its learner looks."""
        return self.role is Role.LEARNER

    @property
    def case_id(self) -> CaseId:
        """The case it belongs to."""
        return self.item.case_id


@command
def view_item(db: Database, actor: Actor, item_id: ItemId) -> Viewed:
    """The item for its viewer; that it was looked at is written down.

    Raises NotFound, Forbidden (asked anew each time), Conflict (it is not sealed).
    """
    with db.transaction() as tx:
        row, who = readable_item(tx, actor, item_id)
        if row.state != EvidenceState.SEALED.value:
            raise Conflict("Only sealed files can be opened.")
        note_access(tx, who, row, "view")
        return _viewed(tx, actor, who, row)


def looked_at(tx: Transaction, actor: Actor, item_id: ItemId) -> Look:
    """How far the look into an item has come. Raises NotFound, Forbidden."""
    readable_item(tx, actor, item_id)
    return looks_of(tx, [item_id])[item_id]


def text_shown(db: Database, vault: Vault, actor: Actor, item_id: ItemId) -> str:
    """The words that were taken out of a file, at most MOST_TEXT bytes of them; '' without any.

    Raises NotFound, Forbidden, StoreAway, ObjectMissing.
    """
    with db.reading() as tx:
        item, _who = readable_item(tx, actor, item_id)
        key = tx.session.exec(
            select(Preview.key).where(
                Preview.sha256 == item.sha256, Preview.kind == PreviewKind.TEXT.value
            )
        ).first()
    return _beginning(vault, key) if key else ""


def _beginning(vault: Vault, key: str) -> str:
    read = b""
    for chunk in vault.open_stream(key):
        read += chunk
        if len(read) >= MOST_TEXT:
            break
    return read[:MOST_TEXT].decode(errors="replace")


def _viewed(tx: Transaction, actor: Actor, who: Who, row: EvidenceItem) -> Viewed:
    item_id = ItemId(row.id)
    case = tx.session.get(Case, row.case_id)
    if case is None:
        raise NotFound(NOT_YOURS)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    own = who.role is Role.LEARNER
    place = open_place(tx, actor, case) if who.role is Role.ASSESSOR else None
    told = own or who.role is Role.AUDITOR
    return Viewed(
        item=item_row(tx, item_id),
        case_number=case.number,
        title=version.title,
        learner=tx.session.get_one(Account, case.learner_id).name,
        role=who.role,
        look=looks_of(tx, [item_id])[item_id],
        outcomes=read_definition(version.body).outcomes,
        marks=marks_of(tx, case, who, [item_id]).get(item_id, ()),
        words=words_of(tx, [item_id]).get(item_id, ()),
        openings=openings(tx, case, item_id) if told else (),
        may_mark=own and state_of(case) in EDITABLE,
        may_note=place is not None,
        sheet_id=_own_sheet(tx, actor, case, place) if who.role is Role.ASSESSOR else None,
    )


def _own_sheet(
    tx: Transaction, actor: Actor, case: Case, place: AssignmentId | None
) -> SheetId | None:
    """The sheet to go back to: that of the open place, else the last one."""
    rows = tx.session.exec(
        select(ScoreSheet)
        .where(ScoreSheet.case_id == case.id, ScoreSheet.assessor_id == actor.account_id)
        .order_by(col(ScoreSheet.round))
    ).all()
    found = [row for row in rows if row.assignment_id == place] or rows
    return SheetId(found[-1].id) if found else None
