"""Links to the bytes of evidence: asked for each time, good for a minute, each one written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden, NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import CaseId, ItemId, new_id
from storage.tables import (
    Account,
    Case,
    Decision,
    EvidenceAccess,
    EvidenceItem,
    Manifest,
    PolicyVersion,
    SealedObject,
)
from storage.vault import ObjectMissing, Vault
from storage.vocabulary import CaseState, EvidenceState, PeopleShown, Role
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import NOT_YOURS, Actor, Resource, acting, may
from workflows.cases.policy import read_policy
from workflows.evidence.consent import is_replaced
from workflows.evidence.erased import not_erased
from workflows.evidence.people import COPY_COUNTS, HELD_BACK, readable_by_others
from workflows.evidence.queries import Spoilt
from workflows.evidence.readers import PURPOSES, Standing, closed_to
from workflows.keeping.access import still_open

CHANGED_THERE = (
    "What the store holds in place of this file is not what was sealed, so it is not shown. That "
    "happened after the file was handed in, and staff are told to look for a copy."
)
LOST = (
    "This file is not in the store any more. Its digest is kept, and the loss is written in the "
    "history of the case, for staff to look for a copy."
)
SPOILT_WORDS = {Spoilt.MISSING: LOST, Spoilt.CHANGED: CHANGED_THERE}
ONE_LINE_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Opening:
    """That somebody opened an item: last when, as what role; the name where it may be told."""

    role: Role
    name: str
    at: datetime
    purpose: str


@dataclass(frozen=True)
class _Opened:
    """A sealed file that somebody was just allowed to read."""

    item_id: ItemId
    case_id: CaseId
    sha256: str
    key: str
    file_name: str


def link_to_evidence(
    db: Database, vault: Vault, actor: Actor, item_id: ItemId, purpose: str
) -> str:
    """A link of a minute to a sealed item's bytes, as a download.

    Raises NotFound and Forbidden (asked anew each time), Conflict (it is not sealed), StoreAway,
    ObjectMissing (the store has lost it).
    """
    return _link(db, vault, _open_for(db, actor, item_id, purpose))


def _link(db: Database, vault: Vault, opened: _Opened) -> str:
    if vault.find(opened.key) is None:
        note_missing(db, opened)
        raise ObjectMissing(LOST)
    return vault.presign_download(opened.key, opened.file_name)


@command
def note_missing(db: Database, opened: _Opened) -> None:
    """Write down, once, that the store has lost these bytes."""
    with db.transaction() as tx:
        row = tx.session.get_one(SealedObject, opened.sha256, with_for_update=True)
        if row.missing_at is None:
            row.missing_at = tx.now
            subject = ("evidence_item", opened.item_id)
            record(tx, SYSTEM, "miss_evidence", subject, case_id=opened.case_id)


@command
def _open_for(db: Database, actor: Actor, item_id: ItemId, purpose: str) -> _Opened:
    with db.transaction() as tx:
        item, who = readable_item(tx, actor, item_id)
        return _open(tx, who, item, purpose)


def readable_item(tx: Transaction, actor: Actor, item_id: ItemId) -> tuple[EvidenceItem, Who]:
    """The item, for one who may read its bytes or what was made of them, asked anew each time.

    An assessor reads while the case is judged and for some days after the decision; when the
    learner has left the case only the learner and an auditor do. Raises NotFound, Forbidden, Gone.
    """
    item, case = _item_and_case(tx, item_id)
    resource = case_resource(tx, case)
    who = acting(actor, Permission.READ_EVIDENCE, resource)
    if actor.account_id != case.learner_id:
        if not _was_submitted(tx, item):
            raise NotFound(NOT_YOURS)  # what was never submitted is the learner's alone
        still_open(tx, case.id)
        not_held_back(tx, item)
    standing = standing_of(tx, case, item)
    why_not = closed_to(who.role, standing, tx.now)
    if why_not and _audits(actor, resource):
        who = replace(who, role=Role.AUDITOR)
        why_not = closed_to(Role.AUDITOR, standing, tx.now)
    if why_not:
        raise Forbidden(why_not)
    not_erased(tx, item)
    return item, who


def standing_of(tx: Transaction, case: Case, item: EvidenceItem | None = None) -> Standing:
    """How a case, and an item of it, stands for those who read it."""
    decided_at = None
    if case.decision_id is not None:
        decided_at = tx.session.get_one(Decision, case.decision_id).decided_at
    policy = read_policy(tx.session.get_one(PolicyVersion, case.policy_id).body)
    return Standing(
        state=CaseState(case.state),
        decided_at=decided_at,
        reading_days=policy.reading_days_after_decision,
        people=PeopleShown(item.people) if item else PeopleShown.NOT_SAID,
    )


def note_access(tx: Transaction, who: Who, item: EvidenceItem, purpose: str) -> None:
    """Write down that somebody opened an item: a row for the learner, an event for the history.

    A download is written down each time; looking, playing and glancing once an hour and person.
    """
    if not PURPOSES.get(purpose, True):
        if _noted_lately(tx, who, item, purpose):
            return
        # the pages of a document are asked for at once: one of them writes, the others see it
        lock = func.hashtextextended(f"{item.id}:{who.account_id}:{purpose}", 0)
        tx.session.execute(columns(func.pg_advisory_xact_lock(lock)))
        if _noted_lately(tx, who, item, purpose):
            return
    tx.session.add(
        EvidenceAccess(
            id=new_id(),
            item_id=item.id,
            account_id=who.account_id,
            purpose=purpose,
            at=tx.now,
            details={"role": who.role.value},
        )
    )
    record(
        tx,
        who,
        "open_evidence",
        ("evidence_item", item.id),
        case_id=CaseId(item.case_id),
        data={"purpose": purpose},
    )


def openings(tx: Transaction, case: Case, item_id: ItemId) -> Sequence[Opening]:
    """Who opened an item, for its learner: each person once, the latest first.

    Names of assessors are told when the case is released, not before; a glance at a small picture
    in a list is no opening.
    """
    latest = (
        select(EvidenceAccess)
        .where(
            EvidenceAccess.item_id == item_id,
            EvidenceAccess.purpose != "thumbnail",
            col(EvidenceAccess.account_id).is_distinct_from(case.learner_id),
        )
        .ext(distinct_on(col(EvidenceAccess.account_id)))
        .order_by(col(EvidenceAccess.account_id), col(EvidenceAccess.at).desc())
    )
    rows = tx.session.exec(latest).all()
    known = [row.account_id for row in rows if row.account_id is not None]
    people = select(Account).where(col(Account.id).in_(known))
    names: Mapping[object, str] = {one.id: one.name for one in tx.session.exec(people)}
    told = case.state in {CaseState.RELEASED.value, CaseState.CLOSED.value}
    found = [_opening(row, names.get(row.account_id, ""), told=told) for row in rows]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _opening(row: EvidenceAccess, name: str, *, told: bool) -> Opening:
    role = Role(str(row.details.get("role", Role.VERIFIER.value)))
    kept_back = role is Role.ASSESSOR and not told
    return Opening(role, "" if kept_back else name, row.at, row.purpose)


def _noted_lately(tx: Transaction, who: Who, item: EvidenceItem, purpose: str) -> bool:
    found = tx.session.exec(
        select(EvidenceAccess.id)
        .where(
            EvidenceAccess.item_id == item.id,
            EvidenceAccess.account_id == who.account_id,
            EvidenceAccess.purpose == purpose,
            col(EvidenceAccess.at) > tx.now - ONE_LINE_AN_HOUR,
        )
        .limit(1)
    ).first()
    return found is not None


def _audits(actor: Actor, resource: Resource) -> bool:
    """Whether the actor may read it as an auditor, whatever else they are."""
    auditing = replace(actor, roles=actor.roles & {Role.AUDITOR})
    return may(auditing, Permission.READ_EVIDENCE, resource).allowed


def not_held_back(tx: Transaction, item: EvidenceItem) -> None:
    """Return when others than its learner may have the item. Raises Forbidden: people in it have
    not agreed, or a copy stands for it."""
    replaced = is_replaced(tx, item.id)
    if not readable_by_others(PeopleShown(item.people), replaced=replaced):
        raise Forbidden(COPY_COUNTS if replaced else HELD_BACK)


def _was_submitted(tx: Transaction, item: EvidenceItem) -> bool:
    """Whether the item stands in a manifest of its case, of this round or an earlier one."""
    found = tx.session.exec(
        select(Manifest.id).where(
            Manifest.case_id == item.case_id,
            col(Manifest.body).contains({"items": [{"id": str(item.id)}]}),
        )
    ).first()
    return found is not None


def _item_and_case(tx: Transaction, item_id: ItemId) -> tuple[EvidenceItem, Case]:
    row = tx.session.exec(
        select(EvidenceItem, Case)
        .join(Case, col(Case.id) == col(EvidenceItem.case_id))
        .where(col(EvidenceItem.id) == item_id)
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    return row[0], row[1]


def _open(tx: Transaction, who: Who, item: EvidenceItem, purpose: str) -> _Opened:
    sealed = tx.session.get(SealedObject, item.sha256) if item.sha256 else None
    if item.state != EvidenceState.SEALED.value or sealed is None:
        raise Conflict("Only sealed files can be opened.")
    if sealed.wrong_at is not None:
        raise ObjectMissing(CHANGED_THERE)
    note_access(tx, who, item, purpose)
    return _Opened(ItemId(item.id), CaseId(item.case_id), sealed.sha256, sealed.key, item.file_name)
