"""What was found in a file, pictures of it, and what people mark and say on its time line."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import CaptionKind, PreviewKind, Role


class Inspection(Table, table=True):
    """What a look into an item's bytes found: signals that inform, facts, an archive's members.

    `signals` are objects of `code` and `params`; they never decide. `facts` are such as `pages`,
    `width`, `height`, `duration_ms`, `created_on`. `trouble` says why a look was not possible.
    """

    __tablename__ = "inspection"

    item_id: UUID = Field(primary_key=True, foreign_key="evidence_item.id")
    sha256: str = Field(index=True)
    inspected_at: datetime = moment()
    tool_version: int
    signals: list[dict[str, object]] = Field(default_factory=list, sa_type=JSONB)
    facts: dict[str, object] = document()
    listing: list[dict[str, object]] = Field(default_factory=list, sa_type=JSONB)
    trouble: str = ""


class Preview(Table, table=True):
    """A picture, page or rendition that we made of sealed bytes; it goes when they go.

    `number` counts pages from 1 and is 0 where there is one of the kind.
    """

    __tablename__ = "preview"
    __table_args__ = (
        one_of("kind", PreviewKind),
        UniqueConstraint("sha256", "kind", "number"),
    )

    id: UUID = Field(primary_key=True)
    sha256: str = Field(foreign_key="sealed_object.sha256", index=True)
    kind: str
    number: int = 0
    key: str = Field(unique=True)
    media_type: str
    size: int = Field(sa_type=BigInteger)
    width: int | None = None
    height: int | None = None
    made_at: datetime = moment()


class TimeSpan(Table, table=True):
    """A stretch of a recording and what it shows: the learner's mark, or an assessor's note.

    Milliseconds from the start; `end_ms` None marks a moment. An assessor's notes belong to the
    place on the case from which they were written.
    """

    __tablename__ = "time_span"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("start_ms >= 0", name="start_not_negative"),
        CheckConstraint("end_ms IS NULL OR end_ms > start_ms", name="ends_after_start"),
    )

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="evidence_item.id", index=True)
    account_id: UUID = Field(foreign_key="account.id")
    role: str
    assignment_id: UUID | None = Field(default=None, foreign_key="assignment.id", index=True)
    outcome_code: str | None = None
    criterion_code: str | None = None
    start_ms: int
    end_ms: int | None = None
    note: str = ""
    created_at: datetime = moment()
    removed_at: datetime | None = maybe_moment()


class Caption(Table, table=True):
    """Captions (WebVTT) or a transcript (plain text) that stand with a recording."""

    __tablename__ = "caption"
    __table_args__ = (one_of("kind", CaptionKind),)

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="evidence_item.id", index=True)
    kind: str
    language: str
    label: str
    text: str
    sha256: str
    created_at: datetime = moment()
    removed_at: datetime | None = maybe_moment()


class SameBytes(Table, table=True):
    """That an item's bytes are also in another case, and what its learner says to that.

    Whose the other case is stands nowhere here: both sides are asked, neither is told of the other.
    """

    __tablename__ = "same_bytes"

    item_id: UUID = Field(primary_key=True, foreign_key="evidence_item.id")
    sha256: str = Field(index=True)
    noted_at: datetime = moment()
    statement: str = ""
    stated_at: datetime | None = maybe_moment()


class KnownForm(Table, table=True):
    """A file that an institution hands out itself, so that many cases may hold the same bytes."""

    __tablename__ = "known_form"

    institution_id: UUID = Field(primary_key=True, foreign_key="institution.id")
    sha256: str = Field(primary_key=True)
    name: str
    added_by: UUID = Field(foreign_key="account.id")
    added_at: datetime = moment()
