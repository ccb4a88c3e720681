"""Institutions, accounts, roles, sessions, mailed links, employers' organisations."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import LinkPurpose, Role


class Institution(Table, table=True):
    """Who recognises learning and puts its name under it. `profile` holds what a credential says
    of it: description, logo address, colours. `vault_quota_bytes` is the room for all evidence of
    all its cases; None: as the installation's setting says."""

    __tablename__ = "institution"

    id: UUID = Field(primary_key=True)
    slug: str = Field(unique=True)
    name: str
    country: str
    url: str
    email: str
    profile: dict[str, object] = document()
    vault_quota_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = moment()


class Account(Table, table=True):
    """A person who signs in. The e-mail address is kept in lower case."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: UUID = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    password_hash: str | None = None
    locale: str = "en"
    employer: str = ""
    is_demo: bool = False
    created_at: datetime = moment()
    disabled_at: datetime | None = maybe_moment()


class RoleGrant(Table, table=True):
    """A role that an account holds, or held, at an institution."""

    __tablename__ = "role_grant"
    __table_args__ = (
        one_of("role", Role),
        Index(
            "ix_role_grant_live",
            "account_id",
            "institution_id",
            "role",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    role: str
    granted_at: datetime = moment()
    granted_by: UUID | None = Field(default=None, foreign_key="account.id")
    revoked_at: datetime | None = maybe_moment()


class Competence(Table, table=True):
    """That an assessor is an expert for a credential definition (by its code)."""

    __tablename__ = "competence"

    account_id: UUID = Field(primary_key=True, foreign_key="account.id")
    definition_code: str = Field(primary_key=True)
    granted_at: datetime = moment()


class WebSession(Table, table=True):
    """A signed-in browser. Only the hash of its token is kept."""

    __tablename__ = "web_session"

    id: UUID = Field(primary_key=True)
    token_hash: str = Field(unique=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = maybe_moment()


class AccessToken(Table, table=True):
    """What lets a person's own program act for them, with the scopes they chose.

    Only the hash of the token is kept; `beginning` are its first characters, to tell it by.
    """

    __tablename__ = "access_token"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    name: str
    token_hash: str = Field(unique=True)
    beginning: str
    scopes: list[str] = Field(sa_type=JSONB)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = maybe_moment()
    revoked_at: datetime | None = maybe_moment()


class MailLink(Table, table=True):
    """A single-purpose link sent by mail. Only the hash of its token is kept.

    `code_hash` is of the six digits together with the token, so that the row alone does not tell
    the digits.
    """

    __tablename__ = "mail_link"
    __table_args__ = (one_of("purpose", LinkPurpose),)

    id: UUID = Field(primary_key=True)
    purpose: str
    subject_id: UUID = Field(index=True)
    token_hash: str = Field(unique=True)
    email: str
    code_hash: str | None = None
    code_tries: int = 0
    code_expires_at: datetime | None = maybe_moment()
    created_at: datetime = moment()
    expires_at: datetime = moment()
    opened_at: datetime | None = maybe_moment()
    used_at: datetime | None = maybe_moment()
    revoked_at: datetime | None = maybe_moment()


class Organisation(Table, table=True):
    """An employer's organisation. Verified when staff checked its domain and registry number."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("domain = lower(domain)", name="domain_lower"),)

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    name: str
    domain: str
    registry_number: str = ""
    url: str = ""
    created_at: datetime = moment()
    verified_at: datetime | None = maybe_moment()
    verified_by: UUID | None = Field(default=None, foreign_key="account.id")


class Mail(Table, table=True):
    """A message to be sent, or, in the demo, to be read on the mailbox page.

    `message_id` is made of the outbox row that asked for it, so that a second run sends no second.
    """

    __tablename__ = "mail"

    id: UUID = Field(primary_key=True)
    message_id: str = Field(unique=True)
    recipient: str = Field(index=True)
    subject: str
    body: str
    created_at: datetime = moment()
    sent_at: datetime | None = maybe_moment()
