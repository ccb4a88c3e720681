"""Asking for an erasure, undoing it, carrying it out; planning what has come due; holds."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound, Unavailable
from storage.events import SYSTEM, record
from storage.ids import CaseId, OutboxId, new_id
from storage.outbox import receive
from storage.tables import Case, CaseHold, ErasurePlan, EvidenceItem, OutboxRow
from storage.vocabulary import EvidenceState, HoldKind
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.cases.load import lock_case, move, state_of
from workflows.issuance.addresses import Site
from workflows.keeping.facts import locks, planned, retentions, shared_digests, terms
from workflows.keeping.letting_go import let_go_of_items, let_go_of_words
from workflows.keeping.mails import (
    tell_ended,
    tell_erased,
    tell_of_erasure,
    tell_of_retention,
    tell_undone,
)
from workflows.keeping.plan import (
    Carried,
    ErasurePlanned,
    GoneFile,
    PlannedFile,
    plan_body,
    read_plan,
    receipt_of,
    without_names,
)
from workflows.keeping.queries import hold_on, live_plan, standing_of
from workflows.keeping.rules import UNFINISHED, Asked, fit_to_hold, may_ask
from workflows.work import Work, promise_work

NOTHING_LEFT = "There is nothing left to erase in this case."
ASKED_ALREADY = "The erasure was asked for already. Reload the page to see how it stands now."
BEGUN = "The erasure has begun and cannot be undone any more."


@command
def ask_erasure(db: Database, site: Site, actor: Actor, case_id: CaseId) -> datetime:
    """Plan the erasure of a case's evidence at its learner's wish; returns when it will be done.

    Others cannot open it from now on. Until then it can be undone. A plan that retention had made
    is replaced. Raises NotFound, Conflict (still under way, nothing left, asked already).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ERASE_CASE, case_resource(tx, case))
        may_ask(state_of(case))
        live = live_plan(tx, case_id)
        if live is not None and live.asked_by is not None:
            raise Conflict(ASKED_ALREADY)
        if live is not None and live.begun_at is not None:
            raise Conflict(BEGUN)
        if live is not None:
            live.undone_at = tx.now
            tx.session.flush()
        plan = _plan(tx, case, Asked.LEARNER, retentions(tx, [case])[case.policy_id].undo_days)
        plan.asked_by = who.account_id
        record(
            tx,
            who,
            "ask_erasure",
            ("erasure_plan", plan.id),
            case_id=case_id,
            data={"due_at": plan.due_at.isoformat()},
        )
        tell_of_erasure(tx, site, case, plan)
        return plan.due_at


@command
def undo_erasure(db: Database, site: Site, actor: Actor, case_id: CaseId) -> None:
    """Let the case be as it was. Raises NotFound, Conflict (it was carried out, or never asked)."""
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.ERASE_CASE, case_resource(tx, case))
        live = live_plan(tx, case_id)
        if live is None or live.asked_by is None:
            raise Conflict("No erasure is planned here that you asked for.")
        if live.begun_at is not None:
            raise Conflict(BEGUN)
        live.undone_at = tx.now
        record(tx, who, "undo_erasure", ("erasure_plan", live.id), case_id=case_id)
        tell_undone(tx, site, case)


@command
def hold_case(db: Database, actor: Actor, case_id: CaseId, kind: HoldKind, why: str) -> None:
    """Let nothing of the case be erased until the hold is lifted.

    Raises NotFound, Forbidden, Conflict (held already, or its erasure has begun), InvalidInput.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.HOLD_CASE, case_resource(tx, case))
        fit_to_hold(why)
        live = live_plan(tx, case_id)
        if live is not None and live.begun_at is not None:
            raise Conflict(BEGUN)
        if hold_on(tx, case_id) is not None or who.account_id is None:
            raise Conflict("This case is held already.")
        hold = CaseHold(
            id=new_id(),
            case_id=case_id,
            kind=kind.value,
            why=why.strip(),
            placed_by=who.account_id,
            placed_at=tx.now,
        )
        tx.session.add(hold)
        record(tx, who, "hold_case", ("case", case.id), case_id=case_id, data={"kind": kind.value})


@command
def lift_hold(db: Database, actor: Actor, case_id: CaseId, why: str) -> None:
    """Let the case go again; an erasure that waited for this goes on.

    Raises NotFound, Forbidden, Conflict (it is not held), InvalidInput.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.HOLD_CASE, case_resource(tx, case))
        fit_to_hold(why)
        hold = hold_on(tx, case_id)
        if hold is None:
            raise Conflict("This case is not held.")
        hold.lifted_at, hold.lifted_by = tx.now, who.account_id
        record(tx, who, "lift_hold", ("case", case.id), case_id=case_id, data={"kind": hold.kind})
        live = live_plan(tx, case_id)
        if live is not None:
            _promise(tx, live)


@command
def plan_if_due(db: Database, site: Site, case_id: CaseId) -> bool:
    """Plan a case's erasure, with notice to its learner, when its time to be kept is nearly over.

    A draft, or a case that was returned, expires with it, also without any evidence. Returns
    whether it was planned. A case that is held, planned or has nothing to let go is passed over.
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        kept = terms(tx, [case]).get(case.id)
        retention = retentions(tx, [case])[case.policy_id]
        notice = timedelta(days=retention.notice_days)
        if kept is None or kept.until - notice > tx.now or live_plan(tx, case_id) is not None:
            return False
        if state_of(case) in UNFINISHED and case.decision_id is not None:
            return False  # an appeal of it runs, and has an end of its own
        expires = state_of(case) in UNFINISHED
        if hold_on(tx, case_id) is not None or not (expires or planned(tx, case).files):
            return False
        plan = _plan(tx, case, Asked.RETENTION, retention.notice_days)
        data = {"due_at": plan.due_at.isoformat(), "kept_as": kept.kept_as.value}
        record(tx, SYSTEM, "plan_erasure", ("erasure_plan", plan.id), case_id=case_id, data=data)
        tell_of_retention(tx, site, case, plan, kept.kept_as)
        return True


def erase_case(db: Database, site: Site, plan_id: UUID, outbox_id: OutboxId) -> None:
    """Carry a plan out: words leave the rows, bytes the store, and a receipt is written.

    A plan that was undone, or that a hold stops, ends without a change. Safe to run again at any
    point. Raises Unavailable while the files are still being removed, AlreadyDone.
    """
    if _begin(db, plan_id, outbox_id):
        crash_point("erase_case.begun")
        _finish(db, site, plan_id, outbox_id)


@command
def _begin(db: Database, plan_id: UUID, outbox_id: OutboxId) -> bool:
    """Take the words out and promise that the bytes go. False: there is nothing more to do."""
    with db.transaction() as tx:
        plan, case = _locked(tx, plan_id)
        if plan.begun_at is not None and plan.done_at is None:
            return True
        over = plan.undone_at is not None or plan.done_at is not None
        if over or hold_on(tx, case.id) is not None or _needed_again(tx, plan, case):
            receive(tx, outbox_id)
            return False
        if plan.due_at > tx.now:
            raise Unavailable("It is not yet time to erase this.")
        told = planned(tx, case)
        plan.begun_at = tx.now
        plan.plan = plan_body(without_names(told))
        tx.session.flush()
        if state_of(case) in UNFINISHED:
            case.closed_at, case.due_at = tx.now, None
            move(tx, case, "expire_case", SYSTEM)
        let_go_of_items(tx, case)
        let_go_of_words(tx, case)
        return True


@command
def _finish(db: Database, site: Site, plan_id: UUID, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        plan, case = _locked(tx, plan_id)
        receive(tx, outbox_id)
        told = read_plan(plan.plan)
        gone = _gone(tx, case, told)
        plan.done_at = tx.now
        plan.receipt = receipt_of(
            Carried(
                plan_id=plan.id,
                case_id=CaseId(case.id),
                number=case.number,
                asked=Asked(plan.reason),
                asked_at=plan.asked_at,
                begun_at=plan.begun_at or tx.now,
                done_at=tx.now,
                files=gone,
                planned=told,
            )
        )
        digest = str(plan.receipt["sha256"])
        record(
            tx,
            SYSTEM,
            "erase_case",
            ("erasure_plan", plan.id),
            case_id=CaseId(case.id),
            data={"files": len(gone), "receipt": digest},
        )
        if gone:
            tell_erased(tx, site, case, gone, digest)
        else:
            tell_ended(tx, site, case)


def _gone(tx: Transaction, case: Case, told: ErasurePlanned) -> list[GoneFile]:
    """Where the bytes of each file are now. Raises Unavailable while a job still removes some."""
    digests = [one.sha256 for one in told.files if one.sha256]
    shared, locked = shared_digests(tx, case.id, digests), locks(tx, digests)
    waiting = set(
        tx.session.exec(
            select(OutboxRow.subject_id).where(
                OutboxRow.kind == Work.ERASE_EVIDENCE.value,
                col(OutboxRow.subject_id).in_([one.item for one in told.files]),
                col(OutboxRow.done_at).is_(None),
            )
        ).all()
    )
    if any(one.item in waiting and one.sha256 not in locked for one in told.files):
        raise Unavailable("The files are being removed; the receipt follows when they are gone.")

    def where(one: PlannedFile) -> GoneFile:
        lock = locked.get(one.sha256 or "")
        state = "shared" if one.sha256 in shared else "locked" if lock else "removed"
        until = lock.locked_until if lock and state == "locked" else None
        return GoneFile(
            item=one.item, sha256=one.sha256, size=one.size, bytes=state, locked_until=until
        )

    return [where(one) for one in told.files]


def _needed_again(tx: Transaction, plan: ErasurePlan, case: Case) -> bool:
    """A learner who took a case up again after the notice keeps it: the plan falls away."""
    if plan.asked_by is not None:
        return False
    if standing_of(tx, case, plan.due_at):
        return False
    plan.undone_at = tx.now
    record(tx, SYSTEM, "keep_evidence", ("erasure_plan", plan.id), case_id=CaseId(case.id))
    return True


def _plan(tx: Transaction, case: Case, asked: Asked, days: int) -> ErasurePlan:
    told = planned(tx, case)
    alive = tx.session.exec(
        select(EvidenceItem.id).where(
            EvidenceItem.case_id == case.id, EvidenceItem.state != EvidenceState.ERASED.value
        )
    ).first()
    done = tx.session.exec(
        select(ErasurePlan.id).where(
            ErasurePlan.case_id == case.id, col(ErasurePlan.done_at).is_not(None)
        )
    ).first()
    if done is not None and alive is None:
        raise Conflict(NOTHING_LEFT)
    plan = ErasurePlan(
        id=new_id(),
        case_id=case.id,
        reason=asked.value,
        asked_at=tx.now,
        due_at=tx.now + timedelta(days=days),
        plan=plan_body(told),
    )
    tx.session.add(plan)
    tx.session.flush()
    _promise(tx, plan)
    return plan


def _promise(tx: Transaction, plan: ErasurePlan) -> None:
    after = max(plan.due_at - tx.now, timedelta(0))
    promise_work(tx, Work.ERASE_CASE, plan.id, after=after)


def _locked(tx: Transaction, plan_id: UUID) -> tuple[ErasurePlan, Case]:
    """The plan and its case, held; the case first, as everywhere."""
    found = tx.session.get(ErasurePlan, plan_id)
    if found is None:
        raise NotFound("There is no such plan.")
    case = lock_case(tx, found.case_id)
    tx.session.refresh(found, with_for_update=True)
    return found, case
