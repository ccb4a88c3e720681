"""The append-only history."""

from uuid import UUID

from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, moment, one_of
from storage.vocabulary import Role


class Event(Table, table=True):
    """Who did what, as what role, on what, why, when. A trigger refuses changes and deletion."""

    __tablename__ = "event"
    __table_args__ = (one_of("actor_role", Role),)

    id: UUID = Field(primary_key=True)
    at: datetime = moment()
    actor_id: UUID | None = Field(default=None, index=True)
    actor_role: str
    actor_label: str = ""
    kind: str = Field(index=True)
    subject_type: str
    subject_id: UUID = Field(index=True)
    case_id: UUID | None = Field(default=None, index=True)
    why: str = ""
    data: dict[str, object] = document()
    request_id: str = ""
