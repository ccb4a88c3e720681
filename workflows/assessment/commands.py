"""Seating assessors on a case: asking, declining, declaring and settling conflicts of interest.

Scoring is in `scoring.py`, what follows from final sheets in `moderation.py`.
"""

from collections.abc import Sequence

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.events import Who, record
from storage.ids import AccountId, AssignmentId, CaseId, CriterionCode, new_id
from storage.tables import Agreement, Assignment, Case, DefinitionVersion, ScoreSheet
from storage.vocabulary import (
    AgreementRule,
    AssignmentState,
    ConflictAnswer,
    SheetState,
)
from workflows.access.permissions import Permission
from workflows.access.resources import SEATED, case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.allocation import candidates
from workflows.assessment.load import (
    FIRST_SEATS,
    THIRD_SEAT,
    all_final,
    assignment_and_case,
    in_assessment,
    live_assignments,
    own_assignment,
    sheet_of,
)
from workflows.assessment.mails import tell_coordinator, tell_offered, tell_replaced, tell_settled
from workflows.assessment.rules import declared_state, require_reason
from workflows.cases.load import MOVED_ON, lock_case
from workflows.cases.queries import CaseView, view_of
from workflows.issuance.addresses import Site
from workflows.work import Work, promise_work


@command
def allocate_assessors(
    db: Database, site: Site, actor: Actor, case_id: CaseId, assessor_ids: Sequence[AccountId]
) -> Sequence[AssignmentId]:
    """Ask assessors to take the free ones of the first two seats.

    Raises NotFound, Forbidden, Conflict (not in assessment), InvalidInput (nobody, too many, or
    someone who cannot assess this case, with the reasons).
    """
    with db.transaction() as tx:
        case, who = _allocated(tx, actor, case_id)
        taken = {place.seat for place in live_assignments(tx, case)}
        free = [seat for seat in FIRST_SEATS if seat not in taken]
        if not 0 < len(assessor_ids) <= len(free):
            raise _unusable("Choose as many assessors as there are free seats, or fewer.")
        _can_be_asked(tx, case, who, assessor_ids)
        view = view_of(tx, case)
        codes = [row.code for row in view.definition.criteria()]
        seats = zip(free, assessor_ids, strict=False)
        return [
            _seat(tx, site, who, view, assessor_id=one, seat=seat, codes=codes)
            for seat, one in seats
        ]


@command
def offer_third_assessor(
    db: Database, site: Site, actor: Actor, case_id: CaseId, assessor_id: AccountId
) -> AssignmentId:
    """Ask a third assessor for the criteria on which the first two stand too far apart.

    Raises NotFound, Forbidden, Conflict (none is needed, or one is seated), InvalidInput.
    """
    with db.transaction() as tx:
        case, who = _allocated(tx, actor, case_id)
        codes = _criteria_for_third(tx, case)
        if not codes:
            raise Conflict("No criterion of this case needs a third assessor.")
        if any(place.seat == THIRD_SEAT for place in live_assignments(tx, case)):
            raise Conflict("A third assessor is asked already.")
        _can_be_asked(tx, case, who, [assessor_id])
        view = view_of(tx, case)
        return _seat(tx, site, who, view, assessor_id=assessor_id, seat=THIRD_SEAT, codes=codes)


@command
def replace_assessor(
    db: Database,
    site: Site,
    actor: Actor,
    assignment_id: AssignmentId,
    assessor_id: AccountId,
    *,
    why: str,
) -> AssignmentId:
    """Give a place to someone else; what the first has scored so far counts no more.

    Raises NotFound, Forbidden, Conflict (their sheet is final), InvalidInput.
    """
    with db.transaction() as tx:
        old, case = assignment_and_case(tx, assignment_id)
        who = acting(actor, Permission.ALLOCATE_ASSESSORS, case_resource(tx, case))
        in_assessment(case)
        _still_seated(old)
        reason = require_reason("why", why, "Nobody was replaced.")
        _can_be_asked(tx, case, who, [assessor_id])
        _supersede(tx, old)
        _settle(tx, old, who, AssignmentState.EXCLUDED, reason)
        record(tx, who, "replace_assessor", ("assignment", old.id), case_id=_id(case), why=reason)
        view = view_of(tx, case)
        tell_replaced(tx, view, old)
        codes = [CriterionCode(code) for code in old.criteria]
        return _seat(tx, site, who, view, assessor_id=assessor_id, seat=old.seat, codes=codes)


@command
def decline_assignment(
    db: Database, site: Site, actor: Actor, assignment_id: AssignmentId, reason: str
) -> None:
    """Give a place back, before the sheet is final.

    Raises NotFound (not theirs), Conflict, InvalidInput (no reason).
    """
    with db.transaction() as tx:
        place, case = own_assignment(tx, actor, assignment_id)
        who = acting(actor, Permission.DECLARE_CONFLICT, case_resource(tx, case))
        in_assessment(case)
        _still_seated(place)
        kept = require_reason("reason", reason, "Nothing was declined.")
        _supersede(tx, place)
        place.state = AssignmentState.DECLINED.value
        place.decline_reason = kept
        record(tx, who, "decline_assignment", ("assignment", place.id), case_id=_id(case), why=kept)
        tell_coordinator(tx, site, view_of(tx, case), place)


@command
def declare_conflict(
    db: Database,
    site: Site,
    actor: Actor,
    assignment_id: AssignmentId,
    answer: ConflictAnswer,
    *,
    detail: str = "",
) -> AssignmentState:
    """Say whether one has a conflict of interest; without one, the sheet is opened.

    Raises NotFound (not theirs), Conflict (declared already), InvalidInput (a possible conflict
    that is not described).
    """
    with db.transaction() as tx:
        place, case = own_assignment(tx, actor, assignment_id)
        who = acting(actor, Permission.DECLARE_CONFLICT, case_resource(tx, case))
        in_assessment(case)
        if place.state != AssignmentState.OFFERED:
            raise Conflict("You have declared already. Write to the coordinator if it has changed.")
        state = declared_state(answer, detail)
        place.state = state.value
        place.conflict = answer.value
        place.conflict_detail = detail.strip()
        place.declared_at = tx.now
        facts = {"answer": answer.value}
        record(tx, who, "declare_conflict", ("assignment", place.id), case_id=_id(case), data=facts)
        if state is AssignmentState.CLEARED:
            _open_sheet(tx, case, place)
        else:
            tell_coordinator(tx, site, view_of(tx, case), place)
        return state


@command
def settle_conflict(
    db: Database, site: Site, actor: Actor, assignment_id: AssignmentId, *, clear: bool, why: str
) -> None:
    """Say, with a typed reason, whether a possible conflict stands in the way.

    After a late declaration the scores are kept, or set aside; nothing of them is deleted.
    Raises NotFound, Forbidden, Conflict (nothing to settle), InvalidInput (no reason).
    """
    with db.transaction() as tx:
        place, case = assignment_and_case(tx, assignment_id)
        who = acting(actor, Permission.SETTLE_CONFLICT, case_resource(tx, case))
        in_assessment(case)
        if place.state != AssignmentState.DECLARED:
            raise Conflict(MOVED_ON)
        if clear and place.conflict == ConflictAnswer.YES:
            raise Conflict("A declared conflict is lifted by an override: it takes two people.")
        reason = require_reason("why", why, "Nothing was settled.")
        state = AssignmentState.CLEARED if clear else AssignmentState.EXCLUDED
        _settle(tx, place, who, state, reason)
        facts = {"cleared": clear}
        record(
            tx,
            who,
            "settle_conflict",
            ("assignment", place.id),
            case_id=_id(case),
            why=reason,
            data=facts,
        )
        if clear:
            open_or_keep_sheet(tx, case, place)
        else:
            _set_aside(tx, place)
        tell_settled(tx, site, view_of(tx, case), place)


def _id(case: Case) -> CaseId:
    return CaseId(case.id)


def _still_seated(place: Assignment) -> None:
    if place.state not in SEATED:
        raise Conflict(MOVED_ON)


def _unusable(message: str, params: dict[str, str | int] | None = None) -> InvalidInput:
    problem = Problem("assessors", message, params or {})
    return InvalidInput("No assessor was asked.", problems=[problem])


def _allocated(tx: Transaction, actor: Actor, case_id: CaseId) -> tuple[Case, Who]:
    case = lock_case(tx, case_id)
    who = acting(actor, Permission.ALLOCATE_ASSESSORS, case_resource(tx, case))
    in_assessment(case)
    return case, who


def _can_be_asked(tx: Transaction, case: Case, who: Who, assessor_ids: Sequence[AccountId]) -> None:
    known = {one.id: one for one in candidates(tx, case)}
    if len(set(assessor_ids)) != len(assessor_ids):
        raise _unusable("Choose two different assessors.")
    if who.account_id in assessor_ids:
        raise _unusable("You allocate this case, so someone else scores it.")
    for assessor_id in assessor_ids:
        found = known.get(assessor_id)
        if found is None:
            raise _unusable("Choose from the list of assessors.")
        if found.refusals:
            raise InvalidInput(
                "%(name)s cannot assess this case.",
                {"name": found.name},
                [Problem("assessors", reason) for reason in found.refusals],
            )


def _seat(
    tx: Transaction,
    site: Site,
    who: Who,
    view: CaseView,
    *,
    assessor_id: AccountId,
    seat: int,
    codes: Sequence[CriterionCode],
) -> AssignmentId:
    assert who.account_id is not None
    place = Assignment(
        id=new_id(),
        case_id=view.id,
        round=view.round,
        seat=seat,
        assessor_id=assessor_id,
        state=AssignmentState.OFFERED.value,
        offered_at=tx.now,
        offered_by=who.account_id,
        criteria=list(codes),
    )
    tx.session.add(place)
    tx.session.flush()
    facts = {"seat": seat, "assessor": str(assessor_id)}
    record(tx, who, "ask_assessor", ("assignment", place.id), case_id=view.id, data=facts)
    tell_offered(tx, site, view, place)
    return AssignmentId(place.id)


def _criteria_for_third(tx: Transaction, case: Case) -> Sequence[CriterionCode]:
    rows = tx.session.exec(
        select(Agreement.criterion_code).where(
            Agreement.case_id == case.id,
            Agreement.round == case.round,
            Agreement.rule == AgreementRule.THIRD_ASSESSOR.value,
            col(Agreement.settled).is_(False),
        )
    ).all()
    wanted = set(rows)
    definition = view_of(tx, case).definition
    return [row.code for row in definition.criteria() if row.code in wanted]


def _supersede(tx: Transaction, place: Assignment) -> None:
    """End the sheet of a place that is given up. Raises Conflict when it is final."""
    sheet = sheet_of(tx, place.id)
    if sheet is None:
        return
    if sheet.state == SheetState.FINAL:
        raise Conflict("This sheet is final: what is in it counts.")
    sheet.state = SheetState.SUPERSEDED.value
    sheet.finalised_at = tx.now


def _settle(tx: Transaction, place: Assignment, who: Who, state: AssignmentState, why: str) -> None:
    place.state = state.value
    place.settled_by = who.account_id
    place.settled_why = why
    place.settled_at = tx.now
    tx.session.flush()


def _set_aside(tx: Transaction, place: Assignment) -> None:
    """End the sheet of who declared a conflict late, final or not; its scores stay to be read."""
    sheet = sheet_of(tx, place.id)
    if sheet is not None:
        sheet.state = SheetState.SUPERSEDED.value
        sheet.finalised_at = sheet.finalised_at or tx.now


def open_or_keep_sheet(tx: Transaction, case: Case, place: Assignment) -> None:
    """Open the sheet of a cleared place, or let the one that was under review count again."""
    sheet = sheet_of(tx, place.id)
    if sheet is None:
        _open_sheet(tx, case, place)
    elif all_final(tx, case):
        key = f"settle:{sheet.id}:{tx.now.isoformat()}"
        promise_work(tx, Work.SETTLE_AGREEMENT, case.id, dedupe_key=key)


def _open_sheet(tx: Transaction, case: Case, place: Assignment) -> None:
    tx.session.flush()
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    tx.session.add(
        ScoreSheet(
            id=new_id(),
            case_id=case.id,
            assignment_id=place.id,
            assessor_id=place.assessor_id,
            round=place.round,
            seat=place.seat,
            definition_hash=version.content_hash,
            state=SheetState.OPEN.value,
            opened_at=tx.now,
        )
    )
