"""The history of everything that was done: who, as what role, on what, why, when. Append-only."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from storage.bulk import write_rows
from storage.database import Transaction
from storage.ids import AccountId, CaseId, new_id
from storage.tables.events import Event
from storage.vocabulary import Role

request_id: ContextVar[str] = ContextVar("request_id", default="")


@dataclass(frozen=True)
class Who:
    """The one who acts: an account, or someone who holds a link, or the system itself.

    `token_id`: the access token by which a program acts for the account; the token itself is a
    secret and comes nowhere near an event.
    """

    role: Role
    account_id: AccountId | None = None
    label: str = ""
    token_id: UUID | None = None

    def with_token(self, data: Mapping[str, object] | None) -> dict[str, object]:
        """The facts of an event, with the token that acted where one did."""
        acted = {"token_id": str(self.token_id)} if self.token_id else {}
        return {**(data or {}), **acted}


SYSTEM = Who(Role.SYSTEM, label="Assay")


def record(
    tx: Transaction,
    who: Who,
    kind: str,
    subject: tuple[str, UUID],
    *,
    case_id: CaseId | None = None,
    why: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    """Write down an act in the transaction that does it.

    `kind` is the command's name in the past tense's stead (`submit_case`), `subject` the table's
    word for the thing and its id; `data` holds small facts as JSON, never secrets.
    """
    tx.session.add(
        Event(
            id=new_id(),
            at=tx.now,
            actor_id=who.account_id,
            actor_role=who.role.value,
            actor_label=who.label,
            kind=kind,
            subject_type=subject[0],
            subject_id=subject[1],
            case_id=case_id,
            why=why,
            data=who.with_token(data),
            request_id=request_id.get(),
        )
    )


@dataclass(frozen=True)
class Fact:
    """One of many things that the same act was done to."""

    subject: tuple[str, UUID]
    case_id: CaseId | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """The same act, done to many things by the same one."""

    who: Who
    kind: str
    facts: Sequence[Fact]


def record_many(tx: Transaction, who: Who, kind: str, facts: Sequence[Fact]) -> None:
    """Write down the same act on many things, in one statement; see `record`."""
    record_acts(tx, [Act(who, kind, facts)])


def record_acts(tx: Transaction, acts: Sequence[Act]) -> None:
    """Write down acts on many things in the order in which they were done, in one statement."""
    request = request_id.get()
    rows = [
        {
            "id": new_id(),
            "at": tx.now,
            "actor_id": act.who.account_id,
            "actor_role": act.who.role.value,
            "actor_label": act.who.label,
            "kind": act.kind,
            "subject_type": fact.subject[0],
            "subject_id": fact.subject[1],
            "case_id": fact.case_id,
            "why": "",
            "data": act.who.with_token(fact.data),
            "request_id": request,
        }
        for act in acts
        for fact in act.facts
    ]
    write_rows(tx, Event, rows)
