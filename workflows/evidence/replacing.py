"""A copy in which nobody can be recognised takes the place of an item that is held back.

What was said of the first, its outcomes and the marks on its time line carry over; from then on the
copy's digest is the one that counts. The first is erased, or stays with its learner alone.
"""

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound, Problem
from storage.events import record
from storage.ids import CaseId, ItemId, new_id
from storage.tables import EvidenceItem, EvidenceMapping, TimeSpan
from storage.vocabulary import EvidenceKind, EvidenceState, PeopleShown, Role
from workflows.access.rules import NOT_YOURS, Actor
from workflows.evidence.consent import is_replaced
from workflows.evidence.describing import forget_words, promise_erasure
from workflows.evidence.load import hold_item, lock_item

SAID = (
    "title",
    "kind",
    "own_part",
    "ai",
    "ai_use",
    "ai_tool",
    "work_from",
    "work_to",
    "issued_on",
    "expires_on",
    "disclosure",
)
"""What was said of the first item and holds of its copy as well."""


@command
def replace_with_copy(
    db: Database, actor: Actor, item_id: ItemId, copy_id: ItemId, *, keep_first: bool = False
) -> CaseId:
    """Let a sealed item of the same case stand for another, as its copy without other people.

    The first is erased unless it is kept for its learner. Returns the case. Raises NotFound,
    Conflict (the case was submitted, or a copy stands for it already), InvalidInput (this item
    cannot stand for it).
    """
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        first = held.item
        if held.state is EvidenceState.ERASED or first.kind == EvidenceKind.ATTESTATION:
            raise NotFound(NOT_YOURS)
        if is_replaced(tx, first.id):
            raise Conflict("A copy stands for this item already. Remove it first.")
        copy = lock_item(tx, copy_id)
        problem = _why_not(tx, first, copy)
        if problem:
            raise InvalidInput("Nothing was replaced.", problems=[Problem("copy", problem)])
        _carry_over(tx, first, copy)
        facts = {"replaces": str(first.id), "sha256": copy.sha256, "first_is_kept": keep_first}
        subject = ("evidence_item", copy.id)
        case_id = CaseId(held.case.id)
        record(tx, held.who, "replace_evidence", subject, case_id=case_id, data=facts)
        first.version += 1
        if keep_first:
            first.people = PeopleShown.WAITING.value
        else:
            forget_words(tx, first)
            first.state = EvidenceState.ERASED.value
            promise_erasure(tx, ItemId(first.id))
        return case_id


def _why_not(tx: Transaction, first: EvidenceItem, copy: EvidenceItem) -> str:
    """Why the one cannot stand for the other; '' when it can."""
    if copy.id == first.id or copy.case_id != first.case_id:
        return "Choose another item of this case."
    if copy.state != EvidenceState.SEALED.value:
        return "Wait until the copy is checked and sealed."
    if copy.kind == EvidenceKind.ATTESTATION or copy.replaces_id or is_replaced(tx, copy.id):
        return "This item cannot stand for another one."
    if copy.sha256 == first.sha256:
        return "This is the same file. Choose the copy in which nobody can be recognised."
    return ""


def _carry_over(tx: Transaction, first: EvidenceItem, copy: EvidenceItem) -> None:
    for name in SAID:
        setattr(copy, name, getattr(first, name))
    copy.replaces_id = first.id
    copy.people = PeopleShown.NOBODY.value
    copy.consent_note, copy.consented_on = "", None
    copy.version += 1
    known = _mapped(tx, copy)
    tx.session.add_all(
        EvidenceMapping(item_id=copy.id, outcome_code=row.outcome_code, note=row.note)
        for row in tx.session.exec(
            select(EvidenceMapping).where(EvidenceMapping.item_id == first.id)
        ).all()
        if row.outcome_code not in known
    )
    marks = tx.session.exec(
        select(TimeSpan).where(
            TimeSpan.item_id == first.id,
            TimeSpan.role == Role.LEARNER.value,
            col(TimeSpan.removed_at).is_(None),
        )
    ).all()
    tx.session.add_all(_mark(tx, mark, copy) for mark in marks)
    tx.session.flush()


def _mapped(tx: Transaction, copy: EvidenceItem) -> frozenset[str]:
    return frozenset(
        tx.session.exec(
            select(EvidenceMapping.outcome_code).where(EvidenceMapping.item_id == copy.id)
        ).all()
    )


def _mark(tx: Transaction, mark: TimeSpan, copy: EvidenceItem) -> TimeSpan:
    return TimeSpan(
        id=new_id(),
        item_id=copy.id,
        account_id=mark.account_id,
        role=mark.role,
        outcome_code=mark.outcome_code,
        criterion_code=mark.criterion_code,
        start_ms=mark.start_ms,
        end_ms=mark.end_ms,
        note=mark.note,
        created_at=tx.now,
    )
