"""Consent of the people who can be seen or heard in evidence: given, taken back, standing for.

An item in which people have not agreed is its learner's alone, and counts for nothing, until they
agree or a copy stands for it in which nobody can be recognised (`replacing.py`). What was submitted
stays as it was: consent is an event beside the manifest.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from storage.bulk import among
from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound
from storage.events import Who, record
from storage.ids import CaseId, ItemId
from storage.tables import EvidenceItem
from storage.vocabulary import EvidenceState, PeopleShown
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import lock_case
from workflows.evidence.load import lock_item
from workflows.evidence.people import LONGEST_NOTE, consent_problems, held_back


def is_replaced(tx: Transaction, item_id: UUID) -> bool:
    """Whether a copy stands for the item."""
    return bool(replaced_among(tx, [item_id]))


def replaced_among(tx: Transaction, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the items for which a copy stands. One statement."""
    found = tx.session.exec(
        select(EvidenceItem.replaces_id).where(
            among(col(EvidenceItem.replaces_id), ids),
            EvidenceItem.state != EvidenceState.ERASED.value,
        )
    ).all()
    return frozenset(item_id for item_id in found if item_id is not None)


@command
def give_consent(
    db: Database, actor: Actor, item_id: ItemId, note: str, on: date | None = None
) -> CaseId:
    """Write down that the people in an item have agreed; from then on it is not held back.

    Also after submission: the manifest stays as it is. Returns the case. Raises NotFound, Conflict
    (nobody is waited for), InvalidInput (nothing said of who agreed).
    """
    with db.transaction() as tx:
        item, who = _own_item(tx, actor, item_id)
        if item.people == PeopleShown.AGREED:
            raise Conflict("It is written down already that the people in this item agreed.")
        problems = consent_problems(note, on, tx.now.date())
        if problems:
            raise InvalidInput("The consent was not kept.", problems=problems)
        item.people = PeopleShown.AGREED.value
        item.consent_note, item.consented_on = note.strip(), on
        item.version += 1
        _write_down(tx, who, "give_consent", item)
        return CaseId(item.case_id)


@command
def withdraw_consent(db: Database, actor: Actor, item_id: ItemId, why: str = "") -> CaseId:
    """Write down that people in an item do not agree any more; from then on it is held back.

    What was written of the consent before stays in the note. Returns the case. Raises NotFound,
    Conflict (it is held back already).
    """
    with db.transaction() as tx:
        item, who = _own_item(tx, actor, item_id)
        if held_back(PeopleShown(item.people)):
            raise Conflict("This item is held back already.")
        item.people = PeopleShown.WAITING.value
        item.version += 1
        _write_down(tx, who, "withdraw_consent", item, why.strip()[:LONGEST_NOTE])
        return CaseId(item.case_id)


def _own_item(tx: Transaction, actor: Actor, item_id: ItemId) -> tuple[EvidenceItem, Who]:
    """One's own item, held, whatever the state of its case. Raises NotFound, Conflict."""
    case = lock_case(tx, _case_of(tx, item_id))
    who = acting(actor, Permission.ADD_EVIDENCE, case_resource(tx, case))
    item = lock_item(tx, item_id)
    if item.state == EvidenceState.ERASED.value:
        raise Conflict("This item was removed.")
    return item, who


def _case_of(tx: Transaction, item_id: ItemId) -> UUID:
    case_id = tx.session.exec(
        select(EvidenceItem.case_id).where(col(EvidenceItem.id) == item_id)
    ).one_or_none()
    if case_id is None:
        raise NotFound(NOT_YOURS)
    return case_id


def _write_down(tx: Transaction, who: Who, kind: str, item: EvidenceItem, why: str = "") -> None:
    record(tx, who, kind, ("evidence_item", item.id), case_id=CaseId(item.case_id), why=why)
