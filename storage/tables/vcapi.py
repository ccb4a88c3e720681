"""What is kept of credentials that programs had signed by VC-API: their places in status lists."""

from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, moment, one_of
from storage.vocabulary import StatusPurpose


class ApiStatusList(Table, table=True):
    """A Bitstring status list of credentials that were signed for programs.

    It is signed by the key that signed them, under the name of that key: `issuer` is its did:key or
    the institution's did:web. `document` publishes the bits of `signed_version`.
    """

    __tablename__ = "api_status_list"
    __table_args__ = (
        one_of("purpose", StatusPurpose),
        CheckConstraint("signed_version <= version", name="signed_what_there_is"),
    )

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    key_id: UUID = Field(foreign_key="issuer_key.id")
    issuer: str
    purpose: str
    bits: bytes = Field(sa_type=LargeBinary)
    version: int = 1
    signed_version: int = 0
    document: str | None = None
    created_at: datetime = moment()


class ApiCredential(Table, table=True):
    """That a place of such a list belongs to a credential. Of the credential itself only the
    SHA-256 of its id is kept, to find the place again.
    """

    __tablename__ = "api_credential"

    list_id: UUID = Field(primary_key=True, foreign_key="api_status_list.id")
    position: int = Field(primary_key=True)
    id_sha256: str | None = Field(default=None, index=True)
    issued_by: UUID | None = Field(default=None, foreign_key="account.id")
    issued_at: datetime = moment()
