"""Endpoints and deliveries as the administrators' pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import InstitutionId
from storage.tables import WebhookDelivery, WebhookEndpoint
from storage.vocabulary import NewsKind
from workflows.access.rules import NOT_YOURS
from workflows.webhooks.rules import words_for
from workflows.webhooks.secrets import message_id

SHOWN = 50


@dataclass(frozen=True)
class EndpointView:
    """An endpoint and how it is doing. `state`: on, trouble, paused, gone or failing (the last two:
    switched off); `waiting`: how much waits to be sent."""

    id: UUID
    url: str
    note: str
    kinds: tuple[NewsKind, ...]
    state: str
    since: datetime
    waiting: int
    answered_at: datetime | None
    rest_until: datetime | None
    earlier_until: datetime | None
    public_key: str
    created_at: datetime


@dataclass(frozen=True)
class DeliveryView:
    """A delivery. `state`: delivered, waiting or given_up; `trouble`: what went wrong at the last
    try, as a message, or ''."""

    id: UUID
    message_id: str
    kind: NewsKind
    happened_at: datetime
    state: str
    attempts: int
    last_at: datetime | None
    last_status: int | None
    trouble: str
    excerpt: str
    next_at: datetime | None


def endpoints_of(tx: Transaction, institution_id: InstitutionId) -> Sequence[EndpointView]:
    """The institution's endpoints, the oldest first."""
    rows = tx.session.exec(
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.institution_id == institution_id,
            col(WebhookEndpoint.removed_at).is_(None),
        )
        .order_by(col(WebhookEndpoint.id))
    ).all()
    waiting = _waiting(tx, [row.id for row in rows])
    return [_view(row, waiting.get(row.id, 0), tx.now) for row in rows]


def endpoint_of(tx: Transaction, institution_id: InstitutionId, endpoint_id: UUID) -> EndpointView:
    """One of the institution's endpoints. Raises NotFound."""
    row = tx.session.get(WebhookEndpoint, endpoint_id)
    if row is None or row.institution_id != institution_id or row.removed_at is not None:
        raise NotFound(NOT_YOURS)
    return _view(row, _waiting(tx, [row.id]).get(row.id, 0), tx.now)


def deliveries_of(tx: Transaction, endpoint_id: UUID) -> Sequence[DeliveryView]:
    """The latest deliveries, the newest first."""
    rows = tx.session.exec(
        select(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
        .order_by(col(WebhookDelivery.news_id).desc())
        .limit(SHOWN)
    ).all()
    return [_delivery(row) for row in rows]


def ailing(tx: Transaction) -> Sequence[tuple[str, str, datetime]]:
    """The endpoints that were switched off by themselves or are failing: address, state, since."""
    rows = tx.session.exec(
        select(WebhookEndpoint)
        .where(
            col(WebhookEndpoint.removed_at).is_(None),
            col(WebhookEndpoint.paused_at).is_(None),
            col(WebhookEndpoint.failing_since).is_not(None)
            | col(WebhookEndpoint.off_at).is_not(None),
        )
        .order_by(col(WebhookEndpoint.id))
    ).all()
    return [(row.url, *_state(row)) for row in rows]


def _waiting(tx: Transaction, endpoint_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = tx.session.exec(
        select(WebhookDelivery.endpoint_id, func.count())
        .where(
            col(WebhookDelivery.endpoint_id).in_(endpoint_ids),
            col(WebhookDelivery.next_at).is_not(None),
        )
        .group_by(col(WebhookDelivery.endpoint_id))
    ).all()
    return dict(rows)


def _view(row: WebhookEndpoint, waiting: int, now: datetime) -> EndpointView:
    state, since = _state(row)
    earlier = row.earlier_until if row.sealed_earlier is not None else None
    return EndpointView(
        id=row.id,
        url=row.url,
        note=row.note,
        kinds=tuple(NewsKind(kind) for kind in row.kinds),
        state=state,
        since=since,
        waiting=waiting,
        answered_at=row.answered_at,
        rest_until=row.rest_until if row.rest_until and row.rest_until > now else None,
        earlier_until=earlier if earlier and earlier > now else None,
        public_key=row.public_key,
        created_at=row.created_at,
    )


def _state(row: WebhookEndpoint) -> tuple[str, datetime]:
    """In one word, and since when."""
    if row.off_at is not None:
        return row.off_why or "off", row.off_at
    if row.paused_at is not None:
        return "paused", row.paused_at
    if row.failing_since is not None:
        return "trouble", row.failing_since
    return "on", row.created_at


def _delivery(row: WebhookDelivery) -> DeliveryView:
    state = "delivered" if row.delivered_at else "given_up" if row.given_up_at else "waiting"
    return DeliveryView(
        id=row.id,
        message_id=message_id(row.news_id),
        kind=NewsKind(row.kind),
        happened_at=row.happened_at,
        state=state,
        attempts=row.attempts,
        last_at=row.last_at,
        last_status=row.last_status,
        trouble=words_for(row.last_status, row.last_trouble),
        excerpt=row.last_excerpt,
        next_at=row.next_at,
    )
