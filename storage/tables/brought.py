"""Credentials of other issuers that learners keep here."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment


class BroughtCredential(Table, table=True):
    """A credential from elsewhere, letter for letter as it was brought, and what was found of it.

    `same_as` is the SHA-256 of issuer and id: two with the same are one credential. `verdict` holds
    the checks with their words and places, so that they are read in any language.
    """

    __tablename__ = "brought_credential"
    __table_args__ = (UniqueConstraint("account_id", "same_as"),)

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    same_as: str
    body: str
    is_token: bool
    sha256: str
    size: int
    title: str
    issuer_name: str
    issuer_place: str
    valid_from: datetime | None = maybe_moment()
    names_holder: bool | None = None
    outcome: str
    verdict: dict[str, object] = document()
    brought_by: str
    brought_at: datetime = moment()
    checked_at: datetime = moment()
