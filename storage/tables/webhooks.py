"""Endpoints of other software, and what is told to each of them."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import NewsKind, WhyOff


class WebhookEndpoint(Table, table=True):
    """An address that is told news of the kinds in `kinds`.

    The secrets are sealed; for a while after a rotation the earlier one signs too. `public_key` is
    what anybody may check signatures with. `off_why` says why we stopped by ourselves. `failures`
    counts in a row, `failing_since` is when the first of them was. Until `rest_until` nothing is
    sent; until `held_until` one round of sending has it in hand, the one that `round` counts.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        one_of("off_why", WhyOff),
        CheckConstraint("(off_at IS NULL) = (off_why IS NULL)", name="off_has_reason"),
        CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="failing_has_start"),
    )

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    url: str
    note: str = ""
    kinds: list[str] = document()
    sealed_secret: bytes = Field(sa_type=LargeBinary)
    public_key: str = ""
    sealed_earlier: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    earlier_until: datetime | None = maybe_moment()
    created_at: datetime = moment()
    created_by: UUID | None = Field(default=None, foreign_key="account.id")
    paused_at: datetime | None = maybe_moment()
    off_at: datetime | None = maybe_moment()
    off_why: str | None = None
    removed_at: datetime | None = maybe_moment()
    failures: int = 0
    failing_since: datetime | None = maybe_moment()
    answered_at: datetime | None = maybe_moment()
    rest_until: datetime | None = maybe_moment()
    held_until: datetime | None = maybe_moment()
    round: int = 0


class WebhookDelivery(Table, table=True):
    """A piece of news for one endpoint. It waits for `next_at`, or was delivered, or given up.

    `news_id` is the same for every endpoint and at every try. `facts` holds what the payload says
    beside its addresses. `last_…` is how the latest try ended.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        one_of("kind", NewsKind),
        UniqueConstraint("endpoint_id", "news_id"),
        CheckConstraint(
            "num_nonnulls(next_at, delivered_at, given_up_at) = 1", name="waits_or_ended"
        ),
        Index(
            "ix_webhook_delivery_due",
            "endpoint_id",
            "next_at",
            "news_id",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index("ix_webhook_delivery_old", "happened_at"),
    )

    id: UUID = Field(primary_key=True)
    endpoint_id: UUID = Field(foreign_key="webhook_endpoint.id")
    news_id: UUID
    kind: str
    happened_at: datetime = moment()
    facts: dict[str, object] = document()
    attempts: int = 0
    next_at: datetime | None = maybe_moment()
    delivered_at: datetime | None = maybe_moment()
    given_up_at: datetime | None = maybe_moment()
    last_at: datetime | None = maybe_moment()
    last_status: int | None = None
    last_trouble: str = ""
    last_excerpt: str = ""
