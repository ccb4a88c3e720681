"""Evidence items, their uploads and the sealed objects behind them."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import (
    AiUse,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    ScanVerdict,
)


class SealedObject(Table, table=True):
    """Bytes that are kept under a key their own digest fixes. Several items may share them.

    The row is there before the object: `checked_at` is when the kept bytes themselves were last
    hashed and found right, None as long as nobody did; `wrong_at`: they were found to be others.
    `locked_until`: the store itself refuses to remove them before. `erasing_at`: no item needs it
    any more and the object is being removed; nobody may begin to share it then.
    """

    __tablename__ = "sealed_object"
    __table_args__ = (CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_hex"),)

    sha256: str = Field(primary_key=True)
    key: str = Field(unique=True)
    size: int = Field(sa_type=BigInteger)
    sealed_at: datetime = moment()
    checked_at: datetime | None = maybe_moment()
    missing_at: datetime | None = maybe_moment()
    wrong_at: datetime | None = maybe_moment()
    locked_until: datetime | None = maybe_moment()
    erasing_at: datetime | None = maybe_moment()


class ErasedBytes(Table, table=True):
    """How often the erasing of bytes with this digest was begun.

    Sealed anew they get a key of their own: an erasure that stalled and wakes up late removes the
    old key, at which there is nothing of anyone's any more.
    """

    __tablename__ = "erased_bytes"
    __table_args__ = (CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_hex"),)

    sha256: str = Field(primary_key=True)
    times: int
    last_at: datetime = moment()


class EvidenceItem(Table, table=True):
    """One piece of evidence: what it is, what the learner says of it, and what the seal found.

    `sha256`, `size`, `media_type` come from our own pass over the bytes; `declared_*` are what the
    browser said. `reason` (with the values for its places) says why an item is rejected or
    quarantined. `flags` say what readers should know of a file, such as that it is active content.
    `ai` says whether AI tools had a part, `ai_use` what for and `ai_tool` which. `issued_on` and
    `expires_on` are a certificate's. `people` says whether others are seen in it and have agreed
    (`consent_note`: who, for whom and how; `consented_on`: when); `replaces_id` names the item of
    which this one is a blurred copy, and which does not count any more. `recorded_with` is what
    it was recorded with here, in the browser; '' for a file that was chosen.
    """

    __tablename__ = "evidence_item"
    __table_args__ = (
        one_of("state", EvidenceState),
        one_of("kind", EvidenceKind),
        one_of("scan", ScanVerdict),
        one_of("disclosure", Disclosure),
        one_of("people", PeopleShown),
        one_of("ai", AiUse),
        CheckConstraint("replaces_id <> id", name="does_not_replace_itself"),
        CheckConstraint("declared_size >= 0", name="size_not_negative"),
        CheckConstraint(
            "state <> 'sealed' OR (sha256 IS NOT NULL AND size IS NOT NULL)",
            name="sealed_has_digest",
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int = 1
    state: str = Field(index=True)
    version: int = 1
    kind: str
    title: str
    own_part: str = ""
    ai: str = Field(
        default=AiUse.NOT_SAID.value, sa_column_kwargs={"server_default": AiUse.NOT_SAID.value}
    )
    ai_use: str = ""
    ai_tool: str = Field(default="", sa_column_kwargs={"server_default": ""})
    work_from: date | None = None
    work_to: date | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    disclosure: str = Disclosure.DIGEST_ONLY.value
    people: str = Field(
        default=PeopleShown.NOT_SAID.value,
        sa_column_kwargs={"server_default": PeopleShown.NOT_SAID.value},
    )
    consent_note: str = Field(default="", sa_column_kwargs={"server_default": ""})
    consented_on: date | None = None
    replaces_id: UUID | None = Field(default=None, foreign_key="evidence_item.id", index=True)
    recorded_with: str = Field(default="", sa_column_kwargs={"server_default": ""})
    file_name: str
    declared_type: str = ""
    declared_size: int = Field(sa_type=BigInteger)
    size: int | None = Field(default=None, sa_type=BigInteger)
    media_type: str = ""
    sha256: str | None = Field(default=None, foreign_key="sealed_object.sha256", index=True)
    scan: str = ScanVerdict.NOT_SCANNED.value
    scan_detail: str = ""
    reason: str = ""
    reason_params: dict[str, str | int] = Field(default_factory=dict, sa_type=JSONB)
    flags: list[str] = Field(default_factory=list, sa_type=JSONB)
    seal_bytes_read: int = Field(default=0, sa_type=BigInteger)
    attestation_id: UUID | None = Field(default=None, index=True)
    created_at: datetime = moment()
    stored_at: datetime | None = maybe_moment()
    sealed_at: datetime | None = maybe_moment()


class EvidenceMapping(Table, table=True):
    """That an item speaks to an outcome."""

    __tablename__ = "evidence_mapping"

    item_id: UUID = Field(primary_key=True, foreign_key="evidence_item.id")
    outcome_code: str = Field(primary_key=True)
    note: str = ""


class Upload(Table, table=True):
    """The plan of one upload: key, part size, number of parts, and where it stands.

    `store_upload_id` is the store's own id of the multipart upload; empty until it was begun.
    An `open_ended` upload is of a recording whose size is known only at its end: until then its
    parts all have the planned size, and `part_count` is the most that there can be. `sha256` is
    what the sender says of the whole file; '' when they did not.
    """

    __tablename__ = "upload"
    __table_args__ = (
        Index(
            "ix_upload_live",
            "item_id",
            unique=True,
            postgresql_where=text("completed_at IS NULL AND aborted_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="evidence_item.id", index=True)
    key: str = Field(unique=True)
    store_upload_id: str = ""
    part_size: int = Field(sa_type=BigInteger)
    part_count: int
    fingerprint: str = ""
    sha256: str = Field(default="", sa_column_kwargs={"server_default": ""})
    open_ended: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = moment()
    active_at: datetime = moment()
    completed_at: datetime | None = maybe_moment()
    aborted_at: datetime | None = maybe_moment()
    etag: str = ""


class UploadPart(Table, table=True):
    """A part that the store has: its number (from 1), digest, size and ETag."""

    __tablename__ = "upload_part"

    upload_id: UUID = Field(primary_key=True, foreign_key="upload.id")
    number: int = Field(primary_key=True)
    sha256: str
    size: int = Field(sa_type=BigInteger)
    etag: str
    recorded_at: datetime = moment()


class EvidenceAccess(Table, table=True):
    """That somebody was given a link to an item's bytes."""

    __tablename__ = "evidence_access"

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="evidence_item.id", index=True)
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    credential_id: UUID | None = None
    purpose: str
    at: datetime = moment()
    details: dict[str, object] = document()
