"""Marks on a recording's time line: what the learner says a stretch shows, what an assessor notes.

A learner marks until the case is submitted, and the marks stand in its manifest. An assessor notes
for themselves while their sheet is open. Blindness: of assessors' notes an assessor sees only their
own, ever; staff see them when the agreement rule has run on the sheets they belong to, and the
learner when the case is released, without names.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy import select as columns
from sqlmodel import col, func, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound, Problem
from storage.events import Who, record
from storage.ids import AssignmentId, CaseId, ItemId, OutcomeCode, new_id
from storage.tables import (
    Account,
    Agreement,
    Assignment,
    Case,
    DefinitionVersion,
    EvidenceItem,
    ScoreSheet,
    TimeSpan,
)
from storage.vocabulary import AssignmentState, CaseState, EvidenceState, Role, SheetState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.load import lock_case
from workflows.evidence.disclosure import readable_item
from workflows.evidence.load import hold_item
from workflows.evidence.times import read_time, write_time
from workflows.frameworks.definition import read_definition
from workflows.looking.queries import looks_of

MAX_NOTE = 500
MOST_MARKS = 200
NOT_KEPT = "The mark was not kept."
FINAL = "Your sheet is not open any more, so your notes stay as they are."
TOLD = frozenset({CaseState.RELEASED.value, CaseState.CLOSED.value})


@dataclass(frozen=True)
class Wanted:
    """A mark as it is asked for. `end_ms` None: a moment."""

    start_ms: int
    end_ms: int | None
    note: str
    outcome: OutcomeCode | None


@dataclass(frozen=True)
class Mark:
    """A mark as pages show it. `by` is the assessor's name where it may be told; else ''."""

    id: UUID
    item_id: ItemId
    role: Role
    own: bool
    by: str
    outcome: OutcomeCode | None
    start_ms: int
    end_ms: int | None
    note: str
    at: datetime

    @property
    def from_assessor(self) -> bool:
        """Whether it is an assessor's note, and not the learner's own mark."""
        return self.role is Role.ASSESSOR


def read_mark(start: str, end: str, note: str, outcome: str) -> Wanted:
    """What was typed as values. Raises InvalidInput with a problem per field."""
    begins, ends = read_time(start), read_time(end) if end.strip() else None
    problems = []
    if begins is None:
        problems.append(Problem("start", "Write a time such as 2:13 or 1:02:13."))
    if end.strip() and ends is None:
        problems.append(Problem("end", "Write a time such as 2:13 or 1:02:13."))
    if begins is not None and ends is not None and ends <= begins:
        problems.append(Problem("end", "The end must come after the beginning."))
    if len(note.strip()) > MAX_NOTE:
        problems.append(
            Problem("note", "Write at most %(most)s characters.", params={"most": MAX_NOTE})
        )
    if not note.strip() and not outcome:
        problems.append(Problem("note", "Say what is seen there, or choose an outcome."))
    if problems or begins is None:
        raise InvalidInput(NOT_KEPT, problems=problems)
    return Wanted(begins, ends, note.strip(), OutcomeCode(outcome) if outcome else None)


@command
def mark_evidence(db: Database, actor: Actor, item_id: ItemId, wanted: Wanted) -> UUID:
    """The learner marks a stretch of a recording, before the case is submitted.

    Raises NotFound, Conflict (submitted; too many marks), InvalidInput.
    """
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        if held.state is EvidenceState.ERASED:
            raise NotFound(NOT_YOURS)
        _fit(tx, held.case, held.item, wanted)
        return _keep(tx, held.who, held.item, wanted, None)


@command
def unmark_evidence(db: Database, actor: Actor, item_id: ItemId, mark_id: UUID) -> None:
    """The learner takes a mark back. Raises NotFound, Conflict (submitted)."""
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        _remove(tx, held.who, held.item, mark_id)


@command
def note_evidence(db: Database, actor: Actor, item_id: ItemId, wanted: Wanted) -> UUID:
    """An assessor notes what they see at a place, while their sheet is open.

    Raises NotFound, Forbidden, Conflict (the sheet is final; too many notes), InvalidInput.
    """
    with db.transaction() as tx:
        item, case, who, place = _own_place(tx, actor, item_id)
        _fit(tx, case, item, wanted)
        return _keep(tx, who, item, wanted, place)


@command
def remove_note(db: Database, actor: Actor, item_id: ItemId, mark_id: UUID) -> None:
    """An assessor takes a note back. Raises NotFound, Forbidden, Conflict (the sheet is final)."""
    with db.transaction() as tx:
        item, _case, who, _place = _own_place(tx, actor, item_id)
        _remove(tx, who, item, mark_id)


def marks_of(
    tx: Transaction, case: Case, reader: Who, item_ids: Sequence[ItemId]
) -> Mapping[ItemId, tuple[Mark, ...]]:
    """The marks on these items of one case that this reader may see, in the order of time."""
    rows = tx.session.execute(
        columns(TimeSpan, col(Account.name))
        .join(Account, col(Account.id) == col(TimeSpan.account_id))
        .outerjoin(Assignment, col(Assignment.id) == col(TimeSpan.assignment_id))
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(
            col(TimeSpan.item_id).in_(item_ids),
            col(TimeSpan.removed_at).is_(None),
            or_(col(TimeSpan.role) == Role.LEARNER.value, _notes_shown(case, reader)),
        )
        .order_by(col(TimeSpan.start_ms), col(TimeSpan.created_at), col(TimeSpan.id))
    ).all()
    found: defaultdict[ItemId, list[Mark]] = defaultdict(list)
    for span, name in rows:
        found[ItemId(span.item_id)].append(_mark(span, name, reader))
    return {item_id: tuple(marks) for item_id, marks in found.items()}


def open_place(tx: Transaction, actor: Actor, case: Case) -> AssignmentId | None:
    """The actor's own place on the case from which notes can be written now; None without one."""
    found = tx.session.exec(
        select(Assignment.id)
        .join(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(
            Assignment.case_id == case.id,
            Assignment.assessor_id == actor.account_id,
            Assignment.round == case.round,
            Assignment.state == AssignmentState.CLEARED.value,
            ScoreSheet.state == SheetState.OPEN.value,
        )
    ).first()
    return AssignmentId(found) if found and case.state == CaseState.ASSESSMENT.value else None


def _notes_shown(case: Case, reader: Who) -> ColumnElement[bool]:
    if reader.role is Role.ASSESSOR:
        return and_(
            col(TimeSpan.account_id) == reader.account_id,
            col(TimeSpan.role) == Role.ASSESSOR.value,
        )
    final = col(ScoreSheet.state) == SheetState.FINAL.value
    if reader.role is Role.LEARNER:
        return final if case.state in TOLD else false()
    settled = (
        select(Agreement.id)
        .where(Agreement.case_id == case.id, col(Agreement.round) == col(Assignment.round))
        .exists()
    )
    if case.state == CaseState.ASSESSMENT.value:
        # a third assessor's notes are shown only when the rule has taken their scores in
        return and_(final, settled, col(Assignment.seat) < 3)
    return and_(final, settled)


def _mark(span: TimeSpan, name: str, reader: Who) -> Mark:
    own = span.account_id == reader.account_id
    told = span.role == Role.ASSESSOR.value and not own and reader.role is not Role.LEARNER
    return Mark(
        id=span.id,
        item_id=ItemId(span.item_id),
        role=Role(span.role),
        own=own,
        by=name if told else "",
        outcome=OutcomeCode(span.outcome_code) if span.outcome_code else None,
        start_ms=span.start_ms,
        end_ms=span.end_ms,
        note=span.note,
        at=span.created_at,
    )


def _own_place(
    tx: Transaction, actor: Actor, item_id: ItemId
) -> tuple[EvidenceItem, Case, Who, AssignmentId]:
    found = tx.session.get(EvidenceItem, item_id)
    if found is None:
        raise NotFound(NOT_YOURS)
    case = lock_case(tx, found.case_id)
    who = acting(actor, Permission.SCORE_CASE, case_resource(tx, case))
    item, _reader = readable_item(tx, actor, item_id)
    place = open_place(tx, actor, case)
    if place is None:
        raise Conflict(FINAL)
    return item, case, who, place


def _fit(tx: Transaction, case: Case, item: EvidenceItem, wanted: Wanted) -> None:
    """Whether the mark can be of this item. Raises InvalidInput."""
    definition = read_definition(tx.session.get_one(DefinitionVersion, case.definition_id).body)
    if wanted.outcome and wanted.outcome not in {one.code for one in definition.outcomes}:
        problem = Problem("outcome", "Choose one of the credential's outcomes.")
        raise InvalidInput(NOT_KEPT, problems=[problem])
    if not item.media_type.startswith(("video/", "audio/")):
        problem = Problem("start", "Only a video or a sound recording has places in time.")
        raise InvalidInput(NOT_KEPT, problems=[problem])
    item_id = ItemId(item.id)
    within(wanted, looks_of(tx, [item_id])[item_id].facts.duration_ms)


def within(wanted: Wanted, duration_ms: int | None) -> None:
    """Whether the mark lies within the recording, where its length is known. Raises InvalidInput.

    A second more is let pass: players round.
    """
    if duration_ms is None:
        return
    for field, place in (("start", wanted.start_ms), ("end", wanted.end_ms)):
        if place is not None and place > duration_ms + 1000:
            told = {"length": write_time(duration_ms)}
            raise InvalidInput(
                NOT_KEPT, problems=[Problem(field, "The recording ends at %(length)s.", told)]
            )


def _keep(
    tx: Transaction,
    who: Who,
    item: EvidenceItem,
    wanted: Wanted,
    place: AssignmentId | None,
) -> UUID:
    _not_too_many(tx, who, item)
    if who.account_id is None:
        raise NotFound(NOT_YOURS)
    mark = TimeSpan(
        id=new_id(),
        item_id=item.id,
        account_id=who.account_id,
        role=who.role.value,
        assignment_id=place,
        outcome_code=wanted.outcome,
        start_ms=wanted.start_ms,
        end_ms=wanted.end_ms,
        note=wanted.note,
        created_at=tx.now,
    )
    tx.session.add(mark)
    place_in_time: dict[str, object] = {"start_ms": wanted.start_ms, "end_ms": wanted.end_ms}
    _record(tx, who, "mark_evidence" if place is None else "note_evidence", item, place_in_time)
    return mark.id


def _not_too_many(tx: Transaction, who: Who, item: EvidenceItem) -> None:
    count = tx.session.exec(
        select(func.count()).where(
            TimeSpan.item_id == item.id,
            TimeSpan.account_id == who.account_id,
            col(TimeSpan.removed_at).is_(None),
        )
    ).one()
    if count >= MOST_MARKS:
        raise Conflict(
            "There are %(most)s marks on this recording already. Remove one first.",
            {"most": MOST_MARKS},
        )


def _remove(tx: Transaction, who: Who, item: EvidenceItem, mark_id: UUID) -> None:
    mark = tx.session.get(TimeSpan, mark_id)
    if mark is None or mark.item_id != item.id or mark.account_id != who.account_id:
        raise NotFound(NOT_YOURS)
    if mark.role != who.role.value:
        raise NotFound(NOT_YOURS)
    if mark.removed_at is None:
        mark.removed_at = tx.now
        kind = "unmark_evidence" if who.role is Role.LEARNER else "remove_note"
        _record(tx, who, kind, item, {"mark": str(mark_id)})


def _record(
    tx: Transaction, who: Who, kind: str, item: EvidenceItem, data: dict[str, object]
) -> None:
    subject = ("evidence_item", item.id)
    record(tx, who, kind, subject, case_id=CaseId(item.case_id), data=data)
