"""Promised work and the receipts of work done."""

from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, maybe_moment, moment


class OutboxRow(Table, table=True):
    """A promise. Due while neither done nor dead and `available_at` has come."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "urgent",
            "available_at",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    queue: str
    subject_id: UUID = Field(index=True)
    dedupe_key: str = Field(unique=True)
    attempts: int = 0
    urgent: bool = False
    created_at: datetime = moment()
    available_at: datetime = moment()
    done_at: datetime | None = maybe_moment()
    dead_at: datetime | None = maybe_moment()
    last_error: str = ""
    request_id: str = ""


class JobReceipt(Table, table=True):
    """That the work of an outbox row was done; written in the transaction that did it."""

    __tablename__ = "job_receipt"

    outbox_id: UUID = Field(primary_key=True)
    received_at: datetime = moment()
