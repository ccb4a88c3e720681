"""Acts on very many credentials at once, cut into slices that are each one piece of work."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, maybe_moment, moment, one_of
from storage.vocabulary import BatchKind


class Batch(Table, table=True):
    """One act of a person on many things: decisions to release, or credentials to sign anew.

    `key_id` is the key that everything is signed anew with. `begun` counts how often it was begun:
    once, and again each time it went on after a stop.
    """

    __tablename__ = "batch"
    __table_args__ = (one_of("kind", BatchKind),)

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    kind: str
    started_by: UUID | None = Field(default=None, foreign_key="account.id")
    started_at: datetime = moment()
    total: int
    key_id: UUID | None = Field(default=None, foreign_key="issuer_key.id")
    begun: int = 1
    stopped_at: datetime | None = maybe_moment()
    done_at: datetime | None = maybe_moment()


class BatchSlice(Table, table=True):
    """A part of a batch that one job does whole or not at all.

    Credentials to be signed anew are those from `first_id` to `last_id`; decisions to be released
    are members.
    """

    __tablename__ = "batch_slice"
    __table_args__ = (UniqueConstraint("batch_id", "number"),)

    id: UUID = Field(primary_key=True)
    batch_id: UUID = Field(foreign_key="batch.id")
    number: int
    size: int
    first_id: UUID | None = None
    last_id: UUID | None = None
    done_at: datetime | None = maybe_moment()
    passed_over: int = 0


class BatchMember(Table, table=True):
    """A case whose decision a batch releases, and the id that its credential will have.

    `problem`: why it was passed over; '' when it was not.
    """

    __tablename__ = "batch_member"

    batch_id: UUID = Field(primary_key=True, foreign_key="batch.id")
    case_id: UUID = Field(primary_key=True, foreign_key="plar_case.id")
    slice_id: UUID = Field(foreign_key="batch_slice.id", index=True)
    credential_id: UUID = Field(unique=True)
    problem: str = ""
