"""Retention and erasure for pages: the plan, the receipt, holds, and what comes due."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlmodel import col, select

from storage.database import Database, Transaction
from storage.errors import NotFound
from storage.ids import CaseId, InstitutionId
from storage.tables import Account, Case, CaseHold, DefinitionVersion, ErasurePlan
from storage.vocabulary import CaseState, HoldKind
from workflows.cases.load import find_case, state_of
from workflows.keeping.facts import has_something, planned, retentions, terms
from workflows.keeping.plan import ErasurePlanned, GoneFile, read_plan
from workflows.keeping.rules import DECIDED, ENDED, ERASABLE, UNFINISHED, Asked, KeptAs, Term

BATCH = 500
PAGE = 50
HORIZON = timedelta(days=90)
LEFT_ALONE = frozenset({*DECIDED, *ENDED, *UNFINISHED})


@dataclass(frozen=True)
class Hold:
    """That nothing of a case may be erased for now."""

    kind: HoldKind
    why: str
    by: str
    since: datetime


@dataclass(frozen=True)
class Erasure:
    """How a case stands between being kept and being erased, for its learner and for staff.

    `plan` is the live one, or what one would hold if it were asked for now. `due_at` None: none
    is planned. `receipt` is there once it was done.
    """

    plan: ErasurePlanned
    asked: Asked | None
    asked_at: datetime | None
    due_at: datetime | None
    begun: bool
    receipt: Mapping[str, object] | None
    gone: Sequence[GoneFile]
    done_at: datetime | None
    term: Term | None
    hold: Hold | None
    may_ask: bool
    undo_days: int
    notice_days: int

    @property
    def undoable(self) -> bool:
        """Whether the learner can undo what they asked for."""
        return self.asked is Asked.LEARNER and self.due_at is not None and not self.begun


@dataclass(frozen=True)
class DueLine:
    """A case whose evidence comes due, in a list."""

    id: CaseId
    number: int
    title: str
    state: CaseState
    kept_as: KeptAs
    until: datetime
    planned_for: datetime | None
    asked: Asked | None
    held: HoldKind | None


def live_plan(tx: Transaction, case_id: UUID) -> ErasurePlan | None:
    """The plan that is neither undone nor done."""
    return tx.session.exec(
        select(ErasurePlan).where(
            ErasurePlan.case_id == case_id,
            col(ErasurePlan.undone_at).is_(None),
            col(ErasurePlan.done_at).is_(None),
        )
    ).one_or_none()


def hold_on(tx: Transaction, case_id: UUID) -> CaseHold | None:
    """The hold that is on a case, if there is one."""
    return tx.session.exec(
        select(CaseHold).where(CaseHold.case_id == case_id, col(CaseHold.lifted_at).is_(None))
    ).one_or_none()


def standing_of(tx: Transaction, case: Case, at: datetime) -> bool:
    """Whether the case's time to be kept is over at a moment."""
    kept = terms(tx, [case]).get(case.id)
    return kept is not None and kept.over(at)


def erasure_of(tx: Transaction, case_id: CaseId) -> Erasure:
    """How the case stands. Raises NotFound."""
    case = find_case(tx, case_id)
    live, done = live_plan(tx, case_id), _last_done(tx, case_id)
    retention = retentions(tx, [case])[case.policy_id]
    now = planned(tx, case)
    return Erasure(
        plan=read_plan(live.plan) if live and live.begun_at else now,
        asked=Asked(live.reason) if live else None,
        asked_at=live.asked_at if live else None,
        due_at=live.due_at if live else None,
        begun=bool(live and live.begun_at),
        receipt=done.receipt if done else None,
        gone=_gone(done.receipt) if done else (),
        done_at=done.done_at if done else None,
        term=terms(tx, [case]).get(case.id),
        hold=_hold(tx, case_id),
        may_ask=state_of(case) in ERASABLE
        and (live is None or live.asked_by is None)
        and (done is None or bool(now.files)),
        undo_days=retention.undo_days,
        notice_days=retention.notice_days,
    )


def receipt_for(tx: Transaction, case_id: CaseId) -> Mapping[str, object]:
    """The receipt of what was erased. Raises NotFound."""
    done = _last_done(tx, case_id)
    if done is None:
        raise NotFound("Nothing was erased here, so there is no receipt.")
    return done.receipt


def coming_due(
    tx: Transaction, institution_id: InstitutionId, page: int = 1
) -> tuple[Sequence[DueLine], bool]:
    """What an institution lets go within three months, or holds: the earliest first.

    Returns a page of it, and whether there is more.
    """
    lines: list[DueLine] = []
    for batch in _batches(tx, col(Case.institution_id) == institution_id):
        lines += _lines(tx, batch)
    lines.sort(key=lambda line: (line.planned_for or line.until, line.number))
    first = (page - 1) * PAGE
    return lines[first : first + PAGE], len(lines) > first + PAGE


def nearly_over(db: Database) -> Iterator[CaseId]:
    """Cases whose learners have to be told now that their evidence will be erased."""
    with db.reading() as tx:
        wanted = [
            case_id for batch in _batches(tx, ~_planned()) for case_id in _told_now(tx, batch)
        ]
    yield from wanted


def _told_now(tx: Transaction, batch: Sequence[Case]) -> Iterator[CaseId]:
    policies, kept = retentions(tx, batch), terms(tx, batch)
    for case in batch:
        notice = timedelta(days=policies[case.policy_id].notice_days)
        if case.id in kept and kept[case.id].over(tx.now + notice):
            yield CaseId(case.id)


def _batches(tx: Transaction, which: ColumnElement[bool]) -> Iterator[Sequence[Case]]:
    """Cases that nobody works with and that have evidence or can expire, a few at a time."""
    after = UUID(int=0)
    while True:
        batch = tx.session.exec(
            select(Case)
            .where(
                col(Case.state).in_(LEFT_ALONE),
                col(Case.id) > after,
                has_something(col(Case.id)) | col(Case.state).in_(UNFINISHED),
                which,
            )
            .order_by(col(Case.id))
            .limit(BATCH)
        ).all()
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = batch[-1].id


def _planned() -> ColumnElement[bool]:
    return exists().where(
        col(ErasurePlan.case_id) == col(Case.id),
        col(ErasurePlan.undone_at).is_(None),
        col(ErasurePlan.done_at).is_(None),
    )


def _lines(tx: Transaction, batch: Sequence[Case]) -> Iterator[DueLine]:
    ids = [case.id for case in batch]
    kept = terms(tx, batch)
    titles = {
        row.id: row.title
        for row in tx.session.exec(
            select(DefinitionVersion).where(
                col(DefinitionVersion.id).in_({case.definition_id for case in batch})
            )
        ).all()
    }
    plans = {
        row.case_id: row
        for row in tx.session.exec(
            select(ErasurePlan).where(
                col(ErasurePlan.case_id).in_(ids),
                col(ErasurePlan.undone_at).is_(None),
                col(ErasurePlan.done_at).is_(None),
            )
        ).all()
    }
    holds = {
        row.case_id: HoldKind(row.kind)
        for row in tx.session.exec(
            select(CaseHold).where(
                col(CaseHold.case_id).in_(ids), col(CaseHold.lifted_at).is_(None)
            )
        ).all()
    }
    for case in batch:
        plan, held, time = plans.get(case.id), holds.get(case.id), kept.get(case.id)
        if time is None or not (plan or held or time.over(tx.now + HORIZON)):
            continue
        yield DueLine(
            id=CaseId(case.id),
            number=case.number,
            title=titles.get(case.definition_id, ""),
            state=state_of(case),
            kept_as=time.kept_as,
            until=time.until,
            planned_for=plan.due_at if plan else None,
            asked=Asked(plan.reason) if plan else None,
            held=held,
        )


def _last_done(tx: Transaction, case_id: UUID) -> ErasurePlan | None:
    return tx.session.exec(
        select(ErasurePlan)
        .where(ErasurePlan.case_id == case_id, col(ErasurePlan.done_at).is_not(None))
        .order_by(col(ErasurePlan.done_at).desc())
    ).first()


def _hold(tx: Transaction, case_id: UUID) -> Hold | None:
    row = tx.session.exec(
        select(CaseHold, Account.name)
        .join(Account, col(Account.id) == col(CaseHold.placed_by))
        .where(CaseHold.case_id == case_id, col(CaseHold.lifted_at).is_(None))
    ).one_or_none()
    if row is None:
        return None
    return Hold(HoldKind(row[0].kind), row[0].why, row[1], row[0].placed_at)


def _gone(receipt: Mapping[str, object]) -> tuple[GoneFile, ...]:
    gone = receipt.get("gone")
    files = gone.get("files") if isinstance(gone, dict) else None
    return tuple(GoneFile.model_validate(one) for one in files or ())
