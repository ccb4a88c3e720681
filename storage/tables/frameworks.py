"""Credential definitions and policies: immutable versions, found by the hash of their content."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment


class DefinitionVersion(Table, table=True):
    """One version of a credential definition: outcomes, rubric, evidence rules, all in `body`.

    `content_hash` is the SHA-256 of the canonical JSON of `body`.
    """

    __tablename__ = "definition_version"
    __table_args__ = (UniqueConstraint("institution_id", "code", "content_hash"),)

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    code: str = Field(index=True)
    title: str
    content_hash: str
    body: dict[str, object] = document()
    created_at: datetime = moment()
    published_at: datetime | None = maybe_moment()
    retired_at: datetime | None = maybe_moment()


class PolicyVersion(Table, table=True):
    """One version of an institution's rules: clocks, number of assessors, declaration text."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("institution_id", "content_hash"),)

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    content_hash: str
    body: dict[str, object] = document()
    created_at: datetime = moment()
