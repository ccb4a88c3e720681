"""What an administrator does with endpoints. Secrets are given back once, when they are made."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, func, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden, NotFound, TooMany
from storage.events import Who, record
from storage.ids import new_id
from storage.tables import Institution, WebhookDelivery, WebhookEndpoint
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.issuance.keys import Issuer
from workflows.webhooks.announcing import announce_test, promise_sending
from workflows.webhooks.rules import (
    MOST_ENDPOINTS,
    OVERLAP,
    REMEMBERED,
    read_kinds,
    read_note,
    read_url,
)
from workflows.webhooks.secrets import new_secret, seal_secret


@dataclass(frozen=True)
class Wanted:
    """An endpoint as the administrator wants it. `loopback`: plain http to this machine will do."""

    url: str
    kinds: tuple[str, ...]
    note: str = ""
    loopback: bool = False


@dataclass(frozen=True)
class Made:
    """A new secret, which is shown now and never again, and the public half of the new key."""

    endpoint_id: UUID
    secret: str = field(repr=False)
    public_key: str


@command
def add_endpoint(db: Database, issuer: Issuer, actor: Actor, wanted: Wanted) -> Made:
    """Have an address told news from now on.

    Raises Forbidden, InvalidInput (an address that cannot be used, no kind of news), TooMany.
    """
    url, kinds, note = _read(wanted)
    endpoint_id, secret = new_id(), new_secret()
    sealed = seal_secret(issuer, endpoint_id, secret)
    with db.transaction() as tx:
        who, institution_id = _administrator(actor)
        _room(tx, institution_id)
        tx.session.add(
            WebhookEndpoint(
                id=endpoint_id,
                institution_id=institution_id,
                url=url,
                note=note,
                kinds=kinds,
                sealed_secret=sealed,
                public_key=secret.public_key,
                created_at=tx.now,
                created_by=actor.account_id,
            )
        )
        data = {"url": url, "kinds": kinds}
        record(tx, who, "add_webhook", ("webhook_endpoint", endpoint_id), data=data)
        return Made(endpoint_id, secret.shown, secret.public_key)


@command
def change_endpoint(db: Database, actor: Actor, endpoint_id: UUID, wanted: Wanted) -> None:
    """Change its address, what it is told, the note. Raises NotFound, Forbidden, InvalidInput."""
    url, kinds, note = _read(wanted)
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        endpoint.url, endpoint.kinds, endpoint.note = url, kinds, note
        data = {"url": url, "kinds": kinds}
        record(tx, who, "change_webhook", ("webhook_endpoint", endpoint_id), data=data)


@command
def rotate_secret(db: Database, issuer: Issuer, actor: Actor, endpoint_id: UUID) -> Made:
    """Make a new secret; the earlier one signs as well for 24 hours. Raises NotFound, Forbidden."""
    secret = new_secret()
    sealed = seal_secret(issuer, endpoint_id, secret)
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        endpoint.sealed_earlier = endpoint.sealed_secret
        endpoint.sealed_secret = sealed
        endpoint.public_key = secret.public_key
        endpoint.earlier_until = tx.now + OVERLAP
        record(tx, who, "rotate_webhook_secret", ("webhook_endpoint", endpoint_id))
        return Made(endpoint_id, secret.shown, secret.public_key)


@command
def pause_endpoint(db: Database, actor: Actor, endpoint_id: UUID) -> None:
    """Send nothing for now; what happens meanwhile waits. Raises NotFound, Forbidden, Conflict."""
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        if endpoint.paused_at is not None or endpoint.off_at is not None:
            raise Conflict("Nothing is sent to this endpoint already.")
        endpoint.paused_at = tx.now
        record(tx, who, "pause_webhook", ("webhook_endpoint", endpoint_id))


@command
def switch_on_endpoint(db: Database, actor: Actor, endpoint_id: UUID) -> None:
    """Send again after a pause, or after we stopped by ourselves; what waits is sent first.

    Raises NotFound, Forbidden, Conflict (it is on).
    """
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        if endpoint.paused_at is None and endpoint.off_at is None:
            raise Conflict("News is sent to this endpoint already.")
        endpoint.paused_at = endpoint.off_at = endpoint.off_why = None
        endpoint.failures, endpoint.failing_since, endpoint.rest_until = 0, None, None
        _due_at_once(tx, endpoint_id)
        record(tx, who, "switch_on_webhook", ("webhook_endpoint", endpoint_id))
        promise_sending(tx, endpoint_id)


@command
def remove_endpoint(db: Database, actor: Actor, endpoint_id: UUID) -> None:
    """Tell it nothing any more and forget its secret; its deliveries go with time.

    Raises NotFound, Forbidden.
    """
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        endpoint.removed_at = tx.now
        endpoint.sealed_secret, endpoint.sealed_earlier = b"", None
        data = {"url": endpoint.url}
        record(tx, who, "remove_webhook", ("webhook_endpoint", endpoint_id), data=data)


@command
def send_test(db: Database, actor: Actor, endpoint_id: UUID) -> UUID:
    """Send news of nothing; returns its id. Raises NotFound, Forbidden, Conflict (it is not on)."""
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        if endpoint.paused_at is not None or endpoint.off_at is not None:
            raise Conflict("Switch the endpoint on first; then it can be tried.")
        endpoint.rest_until = None
        record(tx, who, "test_webhook", ("webhook_endpoint", endpoint_id))
        return announce_test(tx, endpoint)


@command
def send_again(db: Database, actor: Actor, endpoint_id: UUID, delivery_id: UUID) -> None:
    """Send one delivery once more, whatever became of it, under the same `webhook-id`.

    Raises NotFound, Forbidden.
    """
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        again = tx.session.scalar(
            update(WebhookDelivery)
            .where(
                col(WebhookDelivery.id) == delivery_id,
                col(WebhookDelivery.endpoint_id) == endpoint_id,
            )
            .values(attempts=0, next_at=tx.now, delivered_at=None, given_up_at=None)
            .returning(col(WebhookDelivery.news_id))
        )
        if again is None:
            raise NotFound(NOT_YOURS)
        endpoint.rest_until = None
        data = {"news_id": str(again)}
        record(tx, who, "send_webhook_again", ("webhook_endpoint", endpoint_id), data=data)
        promise_sending(tx, endpoint_id)


@command
def send_again_since(db: Database, actor: Actor, endpoint_id: UUID, since: datetime) -> int:
    """Send everything that happened since a moment once more; returns how much that is.

    Raises NotFound, Forbidden.
    """
    with db.transaction() as tx:
        who, endpoint = _hold(tx, actor, endpoint_id)
        again = tx.session.scalars(
            update(WebhookDelivery)
            .where(
                col(WebhookDelivery.endpoint_id) == endpoint_id,
                col(WebhookDelivery.happened_at) >= since,
            )
            .values(
                attempts=0,
                next_at=col(WebhookDelivery.happened_at),
                delivered_at=None,
                given_up_at=None,
            )
            .returning(col(WebhookDelivery.id))
        ).all()
        endpoint.rest_until = None
        data = {"since": since.isoformat(), "count": len(again)}
        record(tx, who, "send_webhooks_again", ("webhook_endpoint", endpoint_id), data=data)
        if again:
            promise_sending(tx, endpoint_id)
        return len(again)


@command
def forget_old_news(db: Database, limit: int = 2000) -> int:
    """Remove deliveries of more than 30 days ago, and those of endpoints that are gone, with the
    endpoints themselves once nothing of them is left; returns how many deliveries went."""
    with db.transaction() as tx:
        removed = select(WebhookEndpoint.id).where(col(WebhookEndpoint.removed_at).is_not(None))
        old = (
            select(WebhookDelivery.id)
            .where(
                (col(WebhookDelivery.happened_at) < tx.now - REMEMBERED)
                | col(WebhookDelivery.endpoint_id).in_(removed)
            )
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = tx.session.scalars(
            delete(WebhookDelivery)
            .where(col(WebhookDelivery.id).in_(old))
            .returning(col(WebhookDelivery.id))
        ).all()
        left = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        tx.session.execute(
            delete(WebhookEndpoint).where(
                col(WebhookEndpoint.removed_at).is_not(None), ~left.exists()
            )
        )
        return len(gone)


def _read(wanted: Wanted) -> tuple[str, list[str], str]:
    url = read_url(wanted.url, loopback=wanted.loopback)
    return url, read_kinds(wanted.kinds), read_note(wanted.note)


def _administrator(actor: Actor) -> tuple[Who, UUID]:
    who = acting(actor, Permission.MANAGE_WEBHOOKS)
    if actor.institution_id is None:
        raise Forbidden("Your role does not include this.")
    return who, actor.institution_id


def _hold(tx: Transaction, actor: Actor, endpoint_id: UUID) -> tuple[Who, WebhookEndpoint]:
    """Who acts, and the endpoint of their institution, held. Raises NotFound, Forbidden."""
    who, institution_id = _administrator(actor)
    endpoint = tx.session.get(WebhookEndpoint, endpoint_id, with_for_update={"key_share": True})
    if (
        endpoint is None
        or endpoint.institution_id != institution_id
        or endpoint.removed_at is not None
    ):
        raise NotFound(NOT_YOURS)
    return who, endpoint


def _room(tx: Transaction, institution_id: UUID) -> None:
    """Return when there may be one more, also where several are added at once. Raises TooMany."""
    tx.session.get_one(Institution, institution_id, with_for_update={"key_share": True})
    there = tx.session.exec(
        select(func.count())
        .select_from(WebhookEndpoint)
        .where(
            WebhookEndpoint.institution_id == institution_id,
            col(WebhookEndpoint.removed_at).is_(None),
        )
    ).one()
    if there >= MOST_ENDPOINTS:
        raise TooMany("There are %(count)s endpoints. Remove one first.", {"count": MOST_ENDPOINTS})


def _due_at_once(tx: Transaction, endpoint_id: UUID) -> None:
    """What waits for its next try need not wait any longer."""
    tx.session.execute(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.endpoint_id) == endpoint_id,
            col(WebhookDelivery.next_at) > tx.now,
        )
        .values(next_at=tx.now)
    )
