"""A case as staff read it: evidence, places, agreement, decision. Assessors see none of this."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select as columns
from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import AccountId, AssignmentId, CaseId, OutcomeCode
from storage.outbox import Promised
from storage.tables import (
    Account,
    Agreement,
    Assignment,
    Case,
    Decision,
    OutcomeDecision,
    Score,
    ScoreSheet,
)
from storage.vocabulary import (
    AgreementRule,
    AssignmentState,
    CaseState,
    ConflictAnswer,
    OutcomeResult,
    SheetState,
)
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, may, require
from workflows.assessment.agreement import Level, moderated_choices
from workflows.assessment.evidence import Submitted, submitted
from workflows.assessment.load import entry_of
from workflows.cases.load import find_case
from workflows.cases.queries import CaseView, view_of
from workflows.cases.states import SHOWS_DECISION
from workflows.decisions.appeal_queries import appointed_for
from workflows.decisions.given_up import given_up_on
from workflows.decisions.rules import (
    Agreed,
    GapOption,
    GapStep,
    Suggestion,
    earns_credential,
    may_choose,
    suggestion,
)
from workflows.decisions.steps import Seat, StaffStep, is_turn, staff_step
from workflows.evidence.coverage import OutcomeCoverage
from workflows.frameworks.definition import Criterion, Definition, Outcome


@dataclass(frozen=True)
class PlaceRow:
    """An assessor's place in any round, live or given up, for those who look after the case."""

    id: AssignmentId
    round: int
    seat: int
    assessor_id: AccountId
    name: str
    state: AssignmentState
    live: bool
    offered_at: datetime
    conflict: ConflictAnswer | None
    conflict_detail: str
    declared_at: datetime | None
    settled_why: str
    decline_reason: str
    sheet: SheetState | None
    scored: int
    asked: int
    finalised_at: datetime | None


@dataclass(frozen=True)
class ScoreShown:
    """One assessor's score of a criterion, once all sheets of the round were final."""

    seat: int
    name: str
    level: Level
    reason: str


@dataclass(frozen=True)
class AgreementRow:
    """What became of a criterion: its scores, the rule that fired, the level."""

    criterion: Criterion
    rule: AgreementRule
    rule_version: str
    settled: bool
    level: Level
    scores: Sequence[ScoreShown]
    choices: tuple[Level, ...]
    moderator: str
    why: str
    at: datetime


@dataclass(frozen=True)
class OutcomeRow:
    """An outcome with everything that its decision rests on.

    `kept`: how it stood by its evidence as of the assessment date, word for word; `coverage`: by
    the same day, what still counts. `changed`: consents or losses came between the two.
    """

    outcome: Outcome
    coverage: OutcomeCoverage
    kept: OutcomeCoverage
    agreement: Sequence[AgreementRow]
    suggestion: Suggestion
    choices: tuple[OutcomeResult, ...]
    decided: OutcomeDecision | None

    @property
    def changed(self) -> bool:
        """Whether it stands otherwise now than as it was kept."""
        return self.coverage != self.kept

    @property
    def label(self) -> str:
        """The decided level's word; '' when there is none."""
        if self.decided is None or self.decided.level is None:
            return ""
        return self.outcome.criteria[0].level(self.decided.level).label


@dataclass(frozen=True)
class DecisionView:
    """A decision with who made and who released it."""

    decider: str
    decided_at: datetime
    summary: str
    gap_plan: Sequence[GapStep]
    earned: bool
    released_by: str
    released_at: datetime | None


@dataclass(frozen=True)
class StaffCase:
    """A case, whole, for staff. `allowed` holds what the viewer may do to it at all, `given_up` the
    promised work on it that failed too often."""

    view: CaseView
    step: StaffStep
    turn: bool
    allowed: frozenset[Permission]
    submitted: Submitted
    places: Sequence[PlaceRow]
    outcomes: Sequence[OutcomeRow]
    decision: DecisionView | None
    given_up: Sequence[Promised]

    @property
    def agreement(self) -> Sequence[AgreementRow]:
        """What became of each criterion so far, in the order of the rubric."""
        return [row for outcome in self.outcomes for row in outcome.agreement]

    @property
    def suggests_credential(self) -> bool:
        """Whether the agreed levels, followed as they are, earn the credential."""
        results = {row.outcome.code: row.suggestion.result for row in self.outcomes}
        return earns_credential(self.view.definition, results)

    @property
    def live_places(self) -> Sequence[PlaceRow]:
        """The places of the present round that are taken."""
        return [place for place in self.places if place.live]


STAFF_ACTS = (
    Permission.SCREEN_CASE,
    Permission.ALLOCATE_ASSESSORS,
    Permission.SETTLE_CONFLICT,
    Permission.PROPOSE_OVERRIDE,
    Permission.MODERATE_CASE,
    Permission.DECIDE_CASE,
    Permission.RELEASE_CASE,
    Permission.VIEW_CASE_HISTORY,
    Permission.HOLD_CASE,
    Permission.READ_APPEAL,
)


def staff_case(tx: Transaction, actor: Actor, case_id: CaseId) -> StaffCase:
    """The case for staff's pages, in a constant number of statements.

    Raises NotFound, Forbidden (also to an assessor of the case who is staff as well).
    """
    case = find_case(tx, case_id)
    resource = case_resource(tx, case)
    require(may(actor, Permission.VIEW_AGREEMENT, resource))
    view = view_of(tx, case)
    frozen = submitted(tx, case, view.definition)
    places = _places(tx, case)
    agreed = _agreement(tx, case, view.definition, places)
    decision, decided = _decision(tx, case, view.definition)
    waits = [case.id] if case.state == CaseState.APPEAL else []
    reviewer = appointed_for(tx, waits).get(case_id)
    step = _step(case, places, agreed, received=reviewer is not None)
    return StaffCase(
        view=view,
        step=step,
        turn=is_turn(actor, step, resource, reviewer),
        allowed=frozenset(one for one in STAFF_ACTS if may(actor, one, resource)),
        submitted=frozen,
        places=places,
        outcomes=_outcomes(view.definition, frozen, agreed, decided),
        decision=decision,
        given_up=given_up_on(tx, case),
    )


def case_of_assignment(tx: Transaction, assignment_id: AssignmentId) -> CaseId:
    """The case of an assessor's place. Raises NotFound."""
    place = tx.session.get(Assignment, assignment_id)
    if place is None:
        raise NotFound(NOT_YOURS)
    return CaseId(place.case_id)


def _step(
    case: Case, places: Sequence[PlaceRow], agreed: Mapping[str, AgreementRow], *, received: bool
) -> StaffStep:
    seats = [Seat(one.seat, one.state, one.sheet) for one in places if one.live]
    third = any(
        row.rule is AgreementRule.THIRD_ASSESSOR and not row.settled for row in agreed.values()
    )
    return staff_step(CaseState(case.state), seats, third_wanted=third, received=received)


def _places(tx: Transaction, case: Case) -> Sequence[PlaceRow]:
    rows = tx.session.execute(
        columns(Assignment, ScoreSheet, col(Account.name))
        .join(Account, col(Account.id) == col(Assignment.assessor_id))
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(col(Assignment.case_id) == case.id)
        .order_by(col(Assignment.round), col(Assignment.seat), col(Assignment.offered_at))
    ).all()
    complete: defaultdict[UUID, int] = defaultdict(int)
    for score in tx.session.exec(
        select(Score)
        .join(ScoreSheet, col(ScoreSheet.id) == col(Score.sheet_id))
        .where(ScoreSheet.case_id == case.id)
    ).all():
        complete[score.sheet_id] += entry_of(score).complete
    return [
        _place(case, place, sheet, name, complete[sheet.id] if sheet else 0)
        for place, sheet, name in rows
    ]


def _place(
    case: Case, place: Assignment, sheet: ScoreSheet | None, name: str, scored: int
) -> PlaceRow:
    state = AssignmentState(place.state)
    given_up = state in {AssignmentState.DECLINED, AssignmentState.EXCLUDED}
    return PlaceRow(
        id=AssignmentId(place.id),
        round=place.round,
        seat=place.seat,
        assessor_id=AccountId(place.assessor_id),
        name=name,
        state=state,
        live=place.round == case.round and not given_up,
        offered_at=place.offered_at,
        conflict=ConflictAnswer(place.conflict) if place.conflict else None,
        conflict_detail=place.conflict_detail,
        declared_at=place.declared_at,
        settled_why=place.settled_why,
        decline_reason=place.decline_reason,
        sheet=SheetState(sheet.state) if sheet else None,
        scored=scored,
        asked=len(place.criteria),
        finalised_at=sheet.finalised_at if sheet else None,
    )


def _agreement(
    tx: Transaction, case: Case, definition: Definition, places: Sequence[PlaceRow]
) -> Mapping[str, AgreementRow]:
    """What became of the criteria of the present round; empty until all sheets were final."""
    rows = tx.session.execute(
        columns(Agreement, col(Account.name))
        .outerjoin(Account, col(Account.id) == col(Agreement.moderator_id))
        .where(col(Agreement.case_id) == case.id, col(Agreement.round) == case.round)
    ).all()
    scores = _final_scores(tx, case) if rows else {}
    found = {}
    for row, moderator in rows:
        # a third assessor's score is shown only when the rule has taken it in
        shown = scores.get(row.criterion_code, [])[: len(row.levels)]
        found[row.criterion_code] = AgreementRow(
            criterion=definition.criterion(row.criterion_code),
            rule=AgreementRule(row.rule),
            rule_version=row.rule_version,
            settled=row.settled,
            level=row.level,
            scores=shown,
            choices=moderated_choices(row.levels),
            moderator=moderator or "",
            why=row.why,
            at=row.at,
        )
    return found


def _final_scores(tx: Transaction, case: Case) -> Mapping[str, list[ScoreShown]]:
    rows = tx.session.execute(
        columns(Score, col(ScoreSheet.seat), col(Account.name))
        .join(ScoreSheet, col(ScoreSheet.id) == col(Score.sheet_id))
        .join(Account, col(Account.id) == col(ScoreSheet.assessor_id))
        .where(
            col(ScoreSheet.case_id) == case.id,
            col(ScoreSheet.round) == case.round,
            col(ScoreSheet.state) == SheetState.FINAL.value,
        )
        .order_by(col(ScoreSheet.seat))
    ).all()
    found: defaultdict[str, list[ScoreShown]] = defaultdict(list)
    for score, seat, name in rows:
        found[score.criterion_code].append(ScoreShown(seat, name, score.level, score.reason))
    return found


def _outcomes(
    definition: Definition,
    frozen: Submitted,
    agreed: Mapping[str, AgreementRow],
    decided: Mapping[str, OutcomeDecision],
) -> Sequence[OutcomeRow]:
    covered = {row.code: row for row in frozen.coverage}
    kept = {row.code: row for row in frozen.kept.outcomes} if frozen.kept else {}
    levels: Agreed = {row.criterion.code: row.level for row in agreed.values()}
    return [
        OutcomeRow(
            outcome=outcome,
            coverage=covered[outcome.code],
            kept=kept.get(outcome.code, covered[outcome.code]),
            agreement=[agreed[row.code] for row in outcome.criteria if row.code in agreed],
            suggestion=suggestion(outcome, levels),
            choices=may_choose(outcome, levels),
            decided=decided.get(outcome.code),
        )
        for outcome in definition.outcomes
    ]


def _decision(
    tx: Transaction, case: Case, definition: Definition
) -> tuple[DecisionView | None, Mapping[str, OutcomeDecision]]:
    # while it is decided anew, those who do that do not see what was decided
    if case.decision_id is None or CaseState(case.state) not in SHOWS_DECISION:
        return None, {}
    decision = tx.session.get_one(Decision, case.decision_id)
    rows = tx.session.exec(
        select(OutcomeDecision).where(OutcomeDecision.decision_id == decision.id)
    ).all()
    people = {
        account.id: account.name
        for account in tx.session.exec(
            select(Account).where(col(Account.id).in_([decision.decider_id, decision.released_by]))
        ).all()
    }
    results = {OutcomeCode(row.outcome_code): OutcomeResult(row.result) for row in rows}
    view = DecisionView(
        decider=people.get(decision.decider_id, ""),
        decided_at=decision.decided_at,
        summary=decision.summary,
        gap_plan=read_plan(decision.gap_plan),
        earned=earns_credential(definition, results),
        released_by=people.get(decision.released_by, "") if decision.released_by else "",
        released_at=decision.released_at,
    )
    return view, {row.outcome_code: row for row in rows}


def read_plan(kept: Sequence[Mapping[str, object]]) -> tuple[GapStep, ...]:
    """A kept gap plan as values."""
    return tuple(_gap_step(row) for row in kept)


def _gap_step(row: Mapping[str, object]) -> GapStep:
    options = row.get("options")
    ways = options if isinstance(options, list) else []
    return GapStep(
        OutcomeCode(str(row["outcome"])),
        str(row["shows"]),
        tuple(GapOption(str(one["text"]), str(one["price"])) for one in ways),
    )
