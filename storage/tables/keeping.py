"""What keeps evidence for years and lets it go: erasure plans, holds, copies to another store."""

from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import HoldKind


class ErasurePlan(Table, table=True):
    """What of a case will go and what stays, from when it is asked for until its receipt.

    It can be undone until `due_at`. From `begun_at` on words and names leave the rows and bytes
    the store; `receipt` is empty until `done_at`. `asked_by` None: its time to be kept was over.
    """

    __tablename__ = "erasure_plan"
    __table_args__ = (
        Index(
            "ix_erasure_plan_live",
            "case_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL AND done_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    asked_by: UUID | None = Field(default=None, foreign_key="account.id")
    reason: str
    asked_at: datetime = moment()
    due_at: datetime = moment()
    begun_at: datetime | None = maybe_moment()
    undone_at: datetime | None = maybe_moment()
    done_at: datetime | None = maybe_moment()
    plan: dict[str, object] = document()
    receipt: dict[str, object] = Field(default_factory=dict, sa_type=JSONB)


class CaseHold(Table, table=True):
    """That nothing of a case may be erased for now, with the reason of whoever said so."""

    __tablename__ = "case_hold"
    __table_args__ = (
        one_of("kind", HoldKind),
        Index(
            "ix_case_hold_live",
            "case_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    kind: str
    why: str
    placed_by: UUID = Field(foreign_key="account.id")
    placed_at: datetime = moment()
    lifted_by: UUID | None = Field(default=None, foreign_key="account.id")
    lifted_at: datetime | None = maybe_moment()


class VaultCopy(Table, table=True):
    """An object that was copied to another store and read back there with the right digest."""

    __tablename__ = "vault_copy"

    destination: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    sha256: str
    verified_at: datetime = moment()
