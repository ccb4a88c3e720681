"""Programs that learners connect by OAuth 2.0: who registered, what was allowed, by what tokens."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment


class OAuthClient(Table, table=True):
    """A program that registered itself. What it says of itself nobody has checked.

    Only the hash of its secret is kept; a public program has none. `metadata_said` is what it
    registered beside its name (RFC 7591). `used_at` is when somebody last allowed it something or
    it last asked for a token.
    """

    __tablename__ = "oauth_client"

    id: UUID = Field(primary_key=True)
    name: str
    secret_hash: str | None = None
    redirect_uris: list[str] = Field(sa_type=JSONB)
    scopes: list[str] = Field(sa_type=JSONB)
    grant_types: list[str] = Field(sa_type=JSONB)
    metadata_said: dict[str, object] = document()
    created_at: datetime = moment()
    used_at: datetime | None = maybe_moment()


class OAuthGrant(Table, table=True):
    """What a learner allowed a program, once: by a code that is good for minutes and for one use.

    `code_hash` stays after its use, so that a second use is known for what it is. An ended grant
    opens nothing, whatever tokens came of it.
    """

    __tablename__ = "oauth_grant"

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="oauth_client.id", index=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    scopes: list[str] = Field(sa_type=JSONB)
    redirect_uri: str
    code_hash: str = Field(unique=True)
    code_challenge: str
    code_expires_at: datetime = moment()
    code_used_at: datetime | None = maybe_moment()
    created_at: datetime = moment()
    ended_at: datetime | None = maybe_moment()
    ended_why: str = ""


class OAuthToken(Table, table=True):
    """An access token of a grant, or one that `refreshes` it; only its hash is kept.

    `used_at` is when an access token was last seen, or when a refresh token was exchanged: one that
    is shown again after that ends its grant.
    """

    __tablename__ = "oauth_token"

    id: UUID = Field(primary_key=True)
    grant_id: UUID = Field(foreign_key="oauth_grant.id", index=True)
    refreshes: bool
    token_hash: str = Field(unique=True)
    scopes: list[str] = Field(sa_type=JSONB)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = maybe_moment()
    revoked_at: datetime | None = maybe_moment()
