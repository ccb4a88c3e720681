"""The override with two keys: an assessor with a conflict may assess when two people say so.

One coordinator proposes it with a reason; a second person without a part in the case confirms or
refuses it. What cannot be overridden is in `allocation.CONFLICTS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound, Problem
from storage.events import record
from storage.ids import AccountId, CaseId, new_id
from storage.tables import Account, Assignment, Case, ConflictOverride, DefinitionVersion
from storage.vocabulary import AssignmentState, ConflictAnswer, OverrideAnswer, SheetState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource, case_resources
from workflows.access.rules import NOT_YOURS, Actor, acting, may
from workflows.assessment.allocation import DECLARED_CONFLICT, candidates, is_witness
from workflows.assessment.commands import open_or_keep_sheet
from workflows.assessment.load import FIRST_SEATS, in_assessment, live_assignments, sheet_of
from workflows.assessment.mails import tell_overridden, tell_settled
from workflows.assessment.rules import require_reason
from workflows.cases.load import MOVED_ON, lock_case
from workflows.cases.queries import view_of
from workflows.issuance.addresses import Site


@dataclass(frozen=True)
class OverrideRow:
    """An override as its page shows it. `mine_to_answer`: whether the reader has the second key."""

    id: UUID
    case_id: CaseId
    case_number: int
    title: str
    assessor: str
    about: tuple[str, ...]
    why: str
    proposed_by: str
    proposed_at: datetime
    answer: OverrideAnswer | None
    answered_by: str
    answered_why: str
    answered_at: datetime | None
    mine_to_answer: bool


@dataclass(frozen=True)
class Barred:
    """An assessor whom nothing but a conflict keeps from a case."""

    id: AccountId
    name: str
    about: tuple[str, ...]


@command
def propose_override(
    db: Database, actor: Actor, case_id: CaseId, assessor_id: AccountId, *, why: str
) -> UUID:
    """Turn the first key: say why someone may assess in spite of a conflict. Its id.

    Raises NotFound, Forbidden, Conflict (not in assessment; one waits already), InvalidInput.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.PROPOSE_OVERRIDE, case_resource(tx, case))
        in_assessment(case)
        found = {one.id: one for one in barred(tx, case)}.get(assessor_id)
        if found is None or assessor_id == who.account_id:
            problem = Problem("assessor", "Choose somebody whom only a conflict keeps from it.")
            raise InvalidInput("Nothing was proposed.", problems=[problem])
        if _waiting(tx, case, assessor_id):
            raise Conflict("An override for this assessor waits for its second person already.")
        reason = require_reason("why", why, "Nothing was proposed.")
        assert who.account_id is not None
        row = ConflictOverride(
            id=new_id(),
            case_id=case.id,
            round=case.round,
            assessor_id=assessor_id,
            about=list(found.about),
            why=reason,
            proposed_by=who.account_id,
            proposed_at=tx.now,
        )
        tx.session.add(row)
        tx.session.flush()
        facts = {"assessor": str(assessor_id), "about": list(found.about)}
        subject = ("conflict_override", row.id)
        record(tx, who, "propose_override", subject, case_id=case_id, why=reason, data=facts)
        return row.id


@command
def answer_override(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    override_id: UUID,
    *,
    answer: OverrideAnswer,
    why: str,
) -> None:
    """Turn the second key, or refuse it, in words. Who is confirmed may assess from then on.

    Raises NotFound, Forbidden (who has a part in the case, or proposed it), Conflict (answered
    already; no seat is free any more), InvalidInput (no words).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ANSWER_OVERRIDE, case_resource(tx, case))
        row = _of_case(tx, case, override_id)
        _second_person(tx, case, row, actor)
        in_assessment(case)
        if row.answer is not None or row.round != case.round:
            raise Conflict(MOVED_ON)
        row.answered_why = require_reason("why", why, "Nothing was answered.")
        row.answer, row.answered_by, row.answered_at = answer.value, who.account_id, tx.now
        tx.session.flush()
        facts = {"answer": answer.value, "assessor": str(row.assessor_id)}
        record(
            tx,
            who,
            "answer_override",
            ("conflict_override", row.id),
            case_id=case_id,
            why=row.answered_why,
            data=facts,
        )
        view = view_of(tx, case)
        place = _place(tx, case, row) if answer is OverrideAnswer.CONFIRMED else None
        if place is not None:
            _let_in(tx, case, place, row)
            tell_settled(tx, site, view, place)
        tell_overridden(tx, site, view, row)


def barred(tx: Transaction, case: Case) -> Sequence[Barred]:
    """Those for whom an override can be proposed, with what bars them."""
    late = {
        place.assessor_id
        for place in live_assignments(tx, case)
        if place.state == AssignmentState.DECLARED and place.conflict == ConflictAnswer.YES
    }
    return [
        Barred(one.id, one.name, (DECLARED_CONFLICT,) if one.id in late else one.refusals)
        for one in candidates(tx, case)
        if one.overridable or one.id in late
    ]


def overrides(
    tx: Transaction, actor: Actor, *, case_id: CaseId | None = None
) -> Sequence[OverrideRow]:
    """All overrides of the institution that the actor may read, or those of a case; open first."""
    assessor, proposer, second = aliased(Account), aliased(Account), aliased(Account)
    found = (
        columns(
            ConflictOverride,
            Case,
            col(DefinitionVersion.title),
            col(assessor.name),
            col(proposer.name),
            col(second.name),
        )
        .join(Case, col(Case.id) == col(ConflictOverride.case_id))
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Case.definition_id))
        .join(assessor, col(assessor.id) == col(ConflictOverride.assessor_id))
        .join(proposer, col(proposer.id) == col(ConflictOverride.proposed_by))
        .outerjoin(second, col(second.id) == col(ConflictOverride.answered_by))
        .where(col(Case.institution_id) == actor.institution_id)
        .order_by(
            col(ConflictOverride.answer).is_not(None), col(ConflictOverride.proposed_at).desc()
        )
    )
    if case_id is not None:
        found = found.where(col(ConflictOverride.case_id) == case_id)
    rows = tx.session.execute(found).all()
    resources = case_resources(tx, [row[1] for row in rows])
    return [
        _shown(
            one,
            case,
            title,
            (who, by, answered or ""),
            mine=one.answer is None
            and one.proposed_by != actor.account_id
            and bool(may(actor, Permission.ANSWER_OVERRIDE, resources[case.id])),
        )
        for one, case, title, who, by, answered in rows
        if may(actor, Permission.READ_OVERRIDE, resources[case.id])
    ]


def override_of(tx: Transaction, actor: Actor, case_id: CaseId, override_id: UUID) -> OverrideRow:
    """One override of a case. Raises NotFound."""
    for row in overrides(tx, actor, case_id=case_id):
        if row.id == override_id:
            return row
    raise NotFound(NOT_YOURS)


def _shown(
    row: ConflictOverride, case: Case, title: str, names: tuple[str, str, str], *, mine: bool
) -> OverrideRow:
    return OverrideRow(
        id=row.id,
        case_id=CaseId(case.id),
        case_number=case.number,
        title=title,
        assessor=names[0],
        about=tuple(row.about),
        why=row.why,
        proposed_by=names[1],
        proposed_at=row.proposed_at,
        answer=OverrideAnswer(row.answer) if row.answer else None,
        answered_by=names[2],
        answered_why=row.answered_why,
        answered_at=row.answered_at,
        mine_to_answer=mine,
    )


def _waiting(tx: Transaction, case: Case, assessor_id: AccountId) -> bool:
    rows = select(ConflictOverride.id).where(
        ConflictOverride.case_id == case.id,
        ConflictOverride.round == case.round,
        ConflictOverride.assessor_id == assessor_id,
        col(ConflictOverride.answer).is_(None),
    )
    return tx.session.exec(rows).first() is not None


def _of_case(tx: Transaction, case: Case, override_id: UUID) -> ConflictOverride:
    row = tx.session.get(ConflictOverride, override_id)
    if row is None or row.case_id != case.id:
        raise NotFound(NOT_YOURS)
    return row


def _second_person(tx: Transaction, case: Case, row: ConflictOverride, actor: Actor) -> None:
    if actor.account_id == row.proposed_by:
        raise Forbidden("You proposed this: the second key is someone else's.")
    if actor.account_id == row.assessor_id:
        raise Forbidden("This is about you: the second key is someone else's.")
    if is_witness(tx, case, actor):
        raise Forbidden("You are a witness in this case, so someone else does this.")


def _place(tx: Transaction, case: Case, row: ConflictOverride) -> Assignment | None:
    """The place that the conflict closed; None where nothing was declared, or it is open."""
    return tx.session.exec(
        select(Assignment).where(
            Assignment.case_id == case.id,
            Assignment.round == case.round,
            Assignment.assessor_id == row.assessor_id,
            col(Assignment.state).in_(
                [AssignmentState.EXCLUDED.value, AssignmentState.DECLARED.value]
            ),
            col(Assignment.conflict).in_([ConflictAnswer.POSSIBLE.value, ConflictAnswer.YES.value]),
        )
    ).one_or_none()


def _let_in(tx: Transaction, case: Case, place: Assignment, row: ConflictOverride) -> None:
    """Give the place back to who was barred from it, in a seat that is free."""
    if place.declared_at is None or place.declared_at > row.proposed_at:
        raise Conflict("Something was declared since this was proposed: propose it anew.")
    sheet = sheet_of(tx, place.id)
    if sheet is not None and sheet.state == SheetState.SUPERSEDED:
        raise Conflict("Their scores were set aside meanwhile: someone else scores this case.")
    if place.state == AssignmentState.EXCLUDED:
        taken = {one.seat for one in live_assignments(tx, case)}
        wanted = FIRST_SEATS if place.seat in FIRST_SEATS else (place.seat,)
        free = [seat for seat in wanted if seat not in taken]
        if not free:
            raise Conflict("No seat is free any more: somebody else was asked meanwhile.")
        place.seat = place.seat if place.seat in free else free[0]
    place.override_id = row.id
    tx.session.flush()
    place.state = AssignmentState.CLEARED.value
    place.settled_by, place.settled_why, place.settled_at = row.answered_by, row.why, tx.now
    tx.session.flush()
    open_or_keep_sheet(tx, case, place)
