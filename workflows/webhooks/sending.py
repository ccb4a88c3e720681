"""The job that takes news to other software: many endpoints side by side, each by itself.

An endpoint is taken in hand for a round, in which what is due is sent a few at a time. One that
does not answer is left alone for a while with everything that waits for it, so a hundred thousand
deliveries to a dead one cost a try now and then, and nobody else waits. What was sent and not
written down before a crash is sent again under the same `webhook-id`.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, update
from sqlmodel import col, select

from credentials.errors import BadKey
from storage.bulk import among
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.events import SYSTEM, record
from storage.ids import OutboxId
from storage.outbox import receive
from storage.tables import WebhookDelivery, WebhookEndpoint
from storage.vocabulary import Trouble
from workflows.issuance.keys import Issuer
from workflows.ports import Answer, Courier
from workflows.webhooks import mails
from workflows.webhooks.payload import Facts, body_of, payload_of
from workflows.webhooks.rules import (
    Standing,
    next_try,
    standing_after,
    succeeded,
)
from workflows.webhooks.secrets import Secret, headers_for, open_secret
from workflows.work import Work, promise_work

LONGEST_EXCERPT = 300


@dataclass(frozen=True)
class Manner:
    """How it is sent: to so many endpoints at a time, over so many lines to each, so many
    deliveries between two looks at the database where these take less than `quick_seconds`, and
    for how long one job and one round go on. A round that went silent is over after `hold`.
    """

    endpoints: int = 12
    lines: int = 4
    most: int = 16
    quick_seconds: float = 2.0
    job_seconds: float = 60.0
    round_seconds: float = 20.0
    hold: timedelta = timedelta(seconds=90)


@dataclass(frozen=True)
class Round:
    """An endpoint in hand: where it is, what signs, and the number by which the hold is known."""

    endpoint_id: UUID
    number: int
    url: str
    secrets: tuple[Secret, ...] | None = field(repr=False)
    """None: they cannot be opened."""


@dataclass(frozen=True)
class Letter:
    """A delivery that is due, as it was read."""

    id: UUID
    news_id: UUID
    kind: str
    happened_at: datetime
    attempts: int
    facts: Facts


@dataclass(frozen=True)
class Sent:
    """A letter and what came back for it."""

    letter: Letter
    answer: Answer


def send_news(
    db: Database,
    issuer: Issuer,
    courier: Courier,
    outbox_id: OutboxId,
    manner: Manner = Manner(),
) -> None:
    """The job: send what is due, to whoever it is for, and promise the next look.

    Raises AlreadyDone, Unavailable.
    """
    ends_at = time.monotonic() + manner.job_seconds
    with ThreadPoolExecutor(manner.endpoints, thread_name_prefix="news") as threads:
        under_way: set[Future[None]] = set()
        while True:
            free = manner.endpoints - len(under_way) if time.monotonic() < ends_at else 0
            for one in _take_up(db, issuer, manner, free) if free else ():
                under_way.add(threads.submit(_send_round, db, issuer, courier, one, manner))
            if not under_way:
                break
            done, under_way = wait(under_way, timeout=0.25, return_when=FIRST_COMPLETED)
            for ended in done:
                ended.result()
    _end(db, outbox_id)


@command
def promise_what_is_due(db: Database) -> int:
    """Promise to send where something is due and nobody is at it; returns how many endpoints.

    For the sweeper: every promise is made with what it is for, so this finds nothing unless one
    was given up.
    """
    with db.transaction() as tx:
        due = tx.session.exec(select(WebhookEndpoint.id).where(*_ready(tx)).limit(1)).all()
        for endpoint_id in due:
            promise_work(
                tx,
                Work.SEND_NEWS,
                endpoint_id,
                dedupe_key=f"send_news:sweep:{tx.now:%Y-%m-%dT%H:%M}",
            )
        return len(due)


@command
def _take_up(db: Database, issuer: Issuer, manner: Manner, most: int) -> list[Round]:
    """Take endpoints in hand that have something due."""
    with db.transaction() as tx:
        free = tx.session.exec(
            select(WebhookEndpoint)
            .where(*_ready(tx))
            .order_by(col(WebhookEndpoint.held_until).nulls_first())
            .limit(most)
            .with_for_update(key_share=True, skip_locked=True)
        ).all()
        for endpoint in free:
            endpoint.round += 1
            endpoint.held_until = tx.now + manner.hold
        return [Round(one.id, one.round, one.url, _secrets(issuer, one, tx.now)) for one in free]


def _send_round(db: Database, issuer: Issuer, courier: Courier, one: Round, manner: Manner) -> None:
    """Send an endpoint what is due: one first, and more at a time while it takes them."""
    ends_at = time.monotonic() + manner.round_seconds
    size, letters = 1, _due(db, one, manner, 1)
    with ThreadPoolExecutor(manner.lines, thread_name_prefix="line") as lines:
        while letters:
            began = time.monotonic()
            answers = lines.map(lambda letter: _post(db, issuer, courier, one, letter), letters)
            sent = [Sent(letter, answer) for letter, answer in zip(letters, answers, strict=True)]
            crash_point("news.sent")
            _write_down(db, issuer, one, sent)
            size = _size_after(size, sent, time.monotonic() - began, manner)
            over = time.monotonic() > ends_at
            letters = [] if over else _due(db, one, manner, size)
    _let_go(db, one)


def _size_after(size: int, sent: Sequence[Sent], seconds: float, manner: Manner) -> int:
    """How many to send next: more while they are taken quickly, as many as there are lines where
    that takes long, one where they are not taken."""
    if not all(succeeded(each.answer) for each in sent):
        return 1
    if seconds > manner.quick_seconds:
        return manner.lines
    return min(size * 4, manner.most)


def _post(db: Database, issuer: Issuer, courier: Courier, one: Round, letter: Letter) -> Answer:
    if one.secrets is None:
        return Answer(0, trouble=Trouble.SECRET_CLOSED)
    body = body_of(payload_of(issuer.site, letter.kind, letter.happened_at, letter.facts))
    headers = headers_for(one.secrets, letter.news_id, db.clock.now(), body)
    return courier.post(one.url, headers, body)


@command
def _due(db: Database, one: Round, manner: Manner, size: int) -> list[Letter]:
    """What to send next, the longest due first; nothing when the endpoint is not ours any more,
    or is to be left alone. Moves the hold on."""
    with db.transaction() as tx:
        held = tx.session.scalar(
            update(WebhookEndpoint)
            .where(*_is_held(one), *_wanted(tx))
            .values(held_until=tx.now + manner.hold)
            .returning(col(WebhookEndpoint.id))
        )
        if held is None:
            return []
        rows = tx.session.exec(
            select(WebhookDelivery)
            .where(
                WebhookDelivery.endpoint_id == one.endpoint_id,
                col(WebhookDelivery.next_at) <= tx.now,
            )
            .order_by(col(WebhookDelivery.next_at), col(WebhookDelivery.news_id))
            .limit(size)
        ).all()
        return [
            Letter(
                row.id,
                row.news_id,
                row.kind,
                row.happened_at,
                row.attempts,
                Facts.model_validate(row.facts),
            )
            for row in rows
        ]


@command
def _write_down(db: Database, issuer: Issuer, one: Round, sent: Sequence[Sent]) -> None:
    """Write down what came back, and how the endpoint stands after it."""
    with db.transaction() as tx:
        endpoint = tx.session.get(
            WebhookEndpoint, one.endpoint_id, with_for_update={"key_share": True}
        )
        if endpoint is None:
            return
        _taken(tx, [each for each in sent if succeeded(each.answer)])
        for each in sent:
            if not succeeded(each.answer):
                _not_taken(tx, each)
        _judge(tx, issuer, endpoint, [each.answer for each in sent])


def _taken(tx: Transaction, sent: Sequence[Sent]) -> None:
    """The receiver has these, a statement for each status that it gave."""
    for status in {each.answer.status for each in sent}:
        ids = [each.letter.id for each in sent if each.answer.status == status]
        tx.session.execute(
            update(WebhookDelivery)
            .where(among(col(WebhookDelivery.id), ids), col(WebhookDelivery.next_at).is_not(None))
            .values(
                attempts=WebhookDelivery.attempts + 1,
                next_at=None,
                delivered_at=tx.now,
                last_at=tx.now,
                last_status=status,
                last_trouble="",
                last_excerpt="",
            )
            .execution_options(synchronize_session=False)
        )


def _not_taken(tx: Transaction, sent: Sent) -> None:
    """The receiver has it not; it is tried again, or given up. What an administrator asked to be
    sent anew meanwhile begins from the start."""
    letter, answer = sent.letter, sent.answer
    attempts = letter.attempts + 1
    again = next_try(letter.news_id, attempts, answer, tx.now)
    tx.session.execute(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.id) == letter.id,
            col(WebhookDelivery.attempts) == letter.attempts,
            col(WebhookDelivery.next_at).is_not(None),
        )
        .values(
            attempts=attempts,
            next_at=again,
            given_up_at=None if again else tx.now,
            last_at=tx.now,
            last_status=answer.status or None,
            last_trouble=answer.trouble.value if answer.trouble else "",
            last_excerpt=answer.excerpt[:LONGEST_EXCERPT],
        )
        .execution_options(synchronize_session=False)
    )


def _judge(
    tx: Transaction, issuer: Issuer, endpoint: WebhookEndpoint, answers: Sequence[Answer]
) -> None:
    """Let the endpoint rest, or switch it off, when it has failed too often."""
    before = Standing(endpoint.failures, endpoint.failing_since, endpoint.rest_until)
    after = standing_after(before, answers, tx.now)
    endpoint.failures = after.failures
    endpoint.failing_since = after.failing_since
    endpoint.rest_until = after.rest_until
    if any(answer.status for answer in answers):
        endpoint.answered_at = tx.now
    if after.off is None or endpoint.off_at is not None:
        return
    endpoint.off_at, endpoint.off_why = tx.now, after.off.value
    data = {"why": after.off.value}
    record(tx, SYSTEM, "switch_webhook_off", ("webhook_endpoint", endpoint.id), data=data)
    mails.tell_switched_off(tx, issuer.site, endpoint, after.off)


@command
def _let_go(db: Database, one: Round) -> None:
    """It is free now; when it was let go says whose turn is next."""
    with db.transaction() as tx:
        free = update(WebhookEndpoint).where(*_is_held(one)).values(held_until=tx.now)
        tx.session.execute(free)


@command
def _end(db: Database, outbox_id: OutboxId) -> None:
    """It is done; whatever waits is promised for the moment at which the first of it may go."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
        found = _next_look(tx)
        if found is None:
            return
        endpoint_id, at = found
        wait = timedelta(seconds=max(0, ceil((at - tx.now).total_seconds())))
        # looks that are planned for the same second are one look
        key = f"send_news:{ceil(at.timestamp())}" if wait else None
        promised = promise_work(tx, Work.SEND_NEWS, endpoint_id, dedupe_key=key, after=wait)
        if promised == outbox_id:  # this look came before its time, by another machine's clock
            promise_work(tx, Work.SEND_NEWS, endpoint_id, after=wait)


def _next_look(tx: Transaction) -> tuple[UUID, datetime] | None:
    """The endpoint that can be sent to first, and when."""
    first = (
        select(func.min(WebhookDelivery.next_at))
        .where(WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .correlate(WebhookEndpoint)
        .scalar_subquery()
    )
    at = func.greatest(first, WebhookEndpoint.rest_until, WebhookEndpoint.held_until)
    row = tx.session.execute(
        select(col(WebhookEndpoint.id), at).where(*_on(), first.is_not(None)).order_by(at).limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def _on() -> tuple[ColumnElement[bool], ...]:
    """That an endpoint is to be sent anything at all."""
    return (
        col(WebhookEndpoint.removed_at).is_(None),
        col(WebhookEndpoint.paused_at).is_(None),
        col(WebhookEndpoint.off_at).is_(None),
    )


def _wanted(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    """That an endpoint may be sent something now."""
    rests = col(WebhookEndpoint.rest_until)
    return (*_on(), or_(rests.is_(None), rests <= tx.now))


def _ready(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    """That an endpoint may be sent something now, that something is due, and nobody is at it."""
    held = col(WebhookEndpoint.held_until)
    due = exists().where(
        and_(
            col(WebhookDelivery.endpoint_id) == col(WebhookEndpoint.id),
            col(WebhookDelivery.next_at) <= tx.now,
        )
    )
    return (*_wanted(tx), or_(held.is_(None), held <= tx.now), due)


def _is_held(one: Round) -> tuple[ColumnElement[bool], ...]:
    return (
        col(WebhookEndpoint.id) == one.endpoint_id,
        col(WebhookEndpoint.round) == one.number,
    )


def _secrets(issuer: Issuer, endpoint: WebhookEndpoint, now: datetime) -> tuple[Secret, ...] | None:
    """What signs now, the newest first; None when it cannot be opened."""
    sealed = [endpoint.sealed_secret]
    if endpoint.sealed_earlier is not None and (endpoint.earlier_until or now) > now:
        sealed.append(endpoint.sealed_earlier)
    try:
        return tuple(open_secret(issuer, endpoint.id, one) for one in sealed)
    except BadKey:
        return None
