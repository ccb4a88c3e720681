"""How far batches are: for their pages, and for those who stop them or go on with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import CaseId, InstitutionId
from storage.tables import Account, Batch, BatchMember, BatchSlice, Case, IssuerKey, OutboxRow
from storage.vocabulary import BatchKind
from workflows.access.rules import NOT_YOURS, Actor
from workflows.work import Work

MOST_PROBLEMS = 200

WORK_OF: Mapping[BatchKind, Work] = {
    BatchKind.ISSUE: Work.RELEASE_SLICE,
    BatchKind.RESIGN: Work.RESIGN_SLICE,
}


@dataclass(frozen=True)
class Problem:
    """A case that a batch passed over, and why, in English words to be translated."""

    case_id: CaseId
    number: int
    why: str


@dataclass(frozen=True)
class Progress:
    """How far a batch is. `given_up`: slices that failed too often and wait for somebody."""

    id: UUID
    kind: BatchKind
    started_at: datetime
    started_by: str
    key: str
    total: int
    done: int
    passed_over: int
    given_up: int
    stopped_at: datetime | None
    done_at: datetime | None
    last_done_at: datetime | None
    problems: Sequence[Problem]

    @property
    def percent(self) -> int:
        """How much of it is done, rounded down."""
        return 100 if not self.total else self.done * 100 // self.total

    @property
    def under_way(self) -> bool:
        """Whether more is done of it without anybody's help."""
        return self.done_at is None and self.stopped_at is None and not self.given_up


@dataclass(frozen=True)
class BatchLine:
    """A batch in a list."""

    id: UUID
    kind: BatchKind
    started_at: datetime
    total: int
    stopped_at: datetime | None
    done_at: datetime | None


def progress_of(tx: Transaction, actor: Actor, batch_id: UUID) -> Progress:
    """How far it is. Raises NotFound when it is not of the actor's institution."""
    batch = own_batch(tx, actor, tx.session.get(Batch, batch_id))
    done, passed_over, last = tx.session.exec(
        select(
            func.coalesce(func.sum(BatchSlice.size), 0),
            func.coalesce(func.sum(BatchSlice.passed_over), 0),
            func.max(BatchSlice.done_at),
        ).where(BatchSlice.batch_id == batch_id, col(BatchSlice.done_at).is_not(None))
    ).one()
    starter = tx.session.get(Account, batch.started_by) if batch.started_by else None
    key = tx.session.get(IssuerKey, batch.key_id) if batch.key_id else None
    return Progress(
        id=batch.id,
        kind=BatchKind(batch.kind),
        started_at=batch.started_at,
        started_by=starter.name if starter else "",
        key=key.fragment if key else "",
        total=batch.total,
        done=done,
        passed_over=passed_over,
        given_up=given_up_of(tx, batch),
        stopped_at=batch.stopped_at,
        done_at=batch.done_at,
        last_done_at=last,
        problems=_problems(tx, batch_id),
    )


def batches_of(tx: Transaction, institution_id: InstitutionId) -> Sequence[BatchLine]:
    """The latest batches of an institution, the newest first."""
    rows = tx.session.exec(
        select(Batch)
        .where(Batch.institution_id == institution_id)
        .order_by(col(Batch.started_at).desc(), col(Batch.id).desc())
        .limit(50)
    ).all()
    return [
        BatchLine(
            row.id, BatchKind(row.kind), row.started_at, row.total, row.stopped_at, row.done_at
        )
        for row in rows
    ]


def given_up_of(tx: Transaction, batch: Batch) -> int:
    """How many slices of the present beginning were given up."""
    work = WORK_OF[BatchKind(batch.kind)]
    return tx.session.exec(
        select(func.count())
        .select_from(OutboxRow)
        .join(BatchSlice, col(BatchSlice.id) == col(OutboxRow.subject_id))
        .where(
            BatchSlice.batch_id == batch.id,
            col(BatchSlice.done_at).is_(None),
            col(OutboxRow.dead_at).is_not(None),
            OutboxRow.dedupe_key == func.concat(f"{work}:", col(BatchSlice.id), f":{batch.begun}"),
        )
    ).one()


def _problems(tx: Transaction, batch_id: UUID) -> Sequence[Problem]:
    rows = tx.session.exec(
        select(Case.id, Case.number, BatchMember.problem)
        .join(BatchMember, col(BatchMember.case_id) == col(Case.id))
        .where(BatchMember.batch_id == batch_id, BatchMember.problem != "")
        .order_by(col(Case.number))
        .limit(MOST_PROBLEMS)
    ).all()
    return [Problem(CaseId(case_id), number, why) for case_id, number, why in rows]


def own_batch(tx: Transaction, actor: Actor, batch: Batch | None) -> Batch:
    """The batch, when it is of the actor's institution. Raises NotFound."""
    if batch is None or batch.institution_id != actor.institution_id:
        raise NotFound(NOT_YOURS)
    return batch
