"""Promised work and the receipts of work done."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Uuid, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, maybe_moment, moment, one_of
from storage.vocabulary import Queue

WAITING = "done_at IS NULL AND dead_at IS NULL"


class OutboxRow(Table, table=True):
    """A promise. Due while neither done nor dead and `available_at` has come.

    `handed_out` counts how often it went to the queue, `runs` how often a worker began it, and
    `attempts` the runs that count against it: all but those that found a part of the house away.
    While a worker is at it `held_until` lies ahead, and the worker keeps moving it on.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("queue", Queue),
        CheckConstraint("done_at IS NULL OR dead_at IS NULL", name="done_or_dead"),
        Index(
            "ix_outbox_due",
            "queue",
            text("urgent DESC"),
            "available_at",
            postgresql_where=text(WAITING),
        ),
        Index("ix_outbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        Index("ix_outbox_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    queue: str
    subject_id: UUID = Field(index=True)
    dedupe_key: str = Field(unique=True)
    handed_out: int = 0
    runs: int = 0
    attempts: int = 0
    urgent: bool = False
    created_at: datetime = moment()
    available_at: datetime = moment()
    held_until: datetime | None = maybe_moment()
    done_at: datetime | None = maybe_moment()
    dead_at: datetime | None = maybe_moment()
    last_error: str = ""
    request_id: str = ""


class JobReceipt(Table, table=True):
    """That the work of an outbox row was done; written in the transaction that did it.

    It goes only together with its row, never before it.
    """

    __tablename__ = "job_receipt"

    outbox_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True)
    )
    received_at: datetime = moment()
