"""What an institution looks like: its logos. Its colours stand in its profile."""

from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, moment


class Logo(Table, table=True):
    """A logo as it was drawn anew: a PNG under the SHA-256 of its bytes.

    It is small, and stands in signed documents by its address: so it lies here and not in the
    object store, in the transaction and the backup of what names it. It is never changed and
    never removed; which one is worn says the institution's profile.
    """

    __tablename__ = "logo"
    __table_args__ = (
        CheckConstraint("octet_length(picture) BETWEEN 1 AND 204800", name="small"),
        CheckConstraint("encode(sha256(picture), 'hex') = sha256", name="of_these_bytes"),
    )

    sha256: str = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    picture: bytes = Field(sa_type=LargeBinary)
    width: int
    height: int
    kept_at: datetime = moment()
