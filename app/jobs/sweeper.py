"""The sweeper: what happens because time has passed, at one place at a time.

Each tick calls one command. Commands bear being called twice, so a second sweeper is harmless;
the baton only keeps it quiet. A tick that fails is logged and does not keep the others waiting.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from app import logs
from app.jobs.stopping import when_told
from storage.baton import SWEEPER, Baton
from storage.outbox_reports import overdue
from storage.reconcile import rehash
from workflows.attestations.commands import expire_attestations
from workflows.decisions.appeal_answers import end_late_appeals
from workflows.endorsements.commands import expire_endorsements
from workflows.evidence.sweeping import (
    abandon_uploads,
    abort_orphan_uploads,
    clear_incoming,
    finish_interrupted_uploads,
)
from workflows.issuance.renewing import tell_running_out
from workflows.issuance.status import renew_lists
from workflows.keeping.commands import plan_if_due
from workflows.keeping.queries import nearly_over
from workflows.looking.commands import look_at_the_unseen
from workflows.programs.commands import forget_unused_programs
from workflows.webhooks.commands import forget_old_news
from workflows.webhooks.sending import promise_what_is_due
from workflows.work import forget_old_work

if TYPE_CHECKING:
    from app.container import Container

LOOK_SECONDS = 1.0
LATE = timedelta(minutes=15)
BATCHES = 50
# some of it each hour, so that other ticks wait a minute at most: all of 700 GiB within a month
REHASH_BYTES = 1024**3
REHASH_OBJECTS = 500
REHASH_AFTER = timedelta(days=30)

log = logs.get(__name__)


@dataclass(frozen=True)
class Tick:
    """Something that is done every so often, counted from the end of the last time."""

    name: str
    every: timedelta
    act: Callable[["Container"], object]


def forget_in_batches(parts: "Container") -> int:
    """Remove old work and its receipts; returns how many rows went."""
    return _in_batches(lambda: forget_old_work(parts.db))


def forget_news_in_batches(parts: "Container") -> int:
    """Remove old news for other software; returns how many rows went."""
    return _in_batches(lambda: forget_old_news(parts.db))


def _in_batches(act: Callable[[], int]) -> int:
    """Do it again until there is nothing left, but not for ever."""
    gone = 0
    for _ in range(BATCHES):
        batch = act()
        gone += batch
        if not batch:
            break
    return gone


def report_late_work(parts: "Container") -> int:
    """Write to the log that work waits for longer than it should; returns how much."""
    with parts.db.reading() as tx:
        late = overdue(tx, LATE)
    if late:
        log.warning(
            "promised work is late",
            rows=len(late),
            oldest=late[0].created_at.isoformat(),
            work=late[0].kind,
            reason=late[0].last_error,
        )
    return len(late)


def rehash_a_little(parts: "Container") -> int:
    """Read some kept bytes again, the longest unchecked first; returns how many are wrong."""
    wrong = 0
    for one in rehash(
        parts.db,
        parts.vault,
        REHASH_OBJECTS,
        most_bytes=REHASH_BYTES,
        unchecked_for=REHASH_AFTER,
    ):
        wrong += 1
        log.error("kept evidence is wrong", fault=one.fault.value, key=one.key, detail=one.detail)
    return wrong


def plan_what_is_due(parts: "Container") -> int:
    """Plan the erasure of evidence whose time is nearly over; returns how many cases."""
    return sum(plan_if_due(parts.db, parts.site, one) for one in nearly_over(parts.db))


TICKS: tuple[Tick, ...] = (
    Tick(
        "finish_interrupted_uploads",
        timedelta(minutes=5),
        lambda parts: finish_interrupted_uploads(parts.db, parts.vault),
    ),
    Tick(
        "abandon_uploads", timedelta(hours=6), lambda parts: abandon_uploads(parts.db, parts.vault)
    ),
    Tick(
        "abort_orphan_uploads",
        timedelta(hours=6),
        lambda parts: abort_orphan_uploads(parts.db, parts.vault),
    ),
    Tick("clear_incoming", timedelta(hours=6), lambda parts: clear_incoming(parts.db, parts.vault)),
    Tick("expire_attestations", timedelta(minutes=10), lambda parts: expire_attestations(parts.db)),
    Tick("expire_endorsements", timedelta(minutes=10), lambda parts: expire_endorsements(parts.db)),
    Tick(
        "end_late_appeals",
        timedelta(hours=1),
        lambda parts: end_late_appeals(parts.db, parts.site),
    ),
    Tick("renew_lists", timedelta(hours=1), lambda parts: renew_lists(parts.db)),
    Tick(
        "tell_running_out",
        timedelta(hours=12),
        lambda parts: tell_running_out(parts.db, parts.site),
    ),
    Tick("look_at_the_unseen", timedelta(minutes=10), lambda parts: look_at_the_unseen(parts.db)),
    Tick("rehash_a_little", timedelta(hours=1), rehash_a_little),
    Tick("plan_what_is_due", timedelta(hours=12), plan_what_is_due),
    Tick(
        "forget_unused_programs",
        timedelta(hours=12),
        lambda parts: forget_unused_programs(parts.db),
    ),
    Tick("report_late_work", timedelta(minutes=5), report_late_work),
    Tick("promise_news", timedelta(minutes=1), lambda parts: promise_what_is_due(parts.db)),
    Tick("forget_old_news", timedelta(hours=1), forget_news_in_batches),
    Tick("forget_old_work", timedelta(hours=1), forget_in_batches),
)


def run_forever(parts: "Container", *, ticks: Sequence[Tick] = TICKS) -> None:
    """Run ticks when their time has come until SIGTERM or SIGINT, while we hold the baton."""
    told = when_told()
    baton = Baton(parts.db, SWEEPER)
    due = dict.fromkeys((tick.name for tick in ticks), 0.0)
    log.info("sweeper is ready")
    while not told.is_set():
        if baton.held():
            sweep(parts, ticks, due, told)
        told.wait(LOOK_SECONDS)
    baton.drop()
    log.info("sweeper has stopped")


def sweep(parts: "Container", ticks: Sequence[Tick], due: dict[str, float], told: Event) -> None:
    """Run those ticks whose time has come, and note when they come again."""
    for tick in ticks:
        if told.is_set() or time.monotonic() < due[tick.name]:
            continue
        with logs.following("", tick=tick.name):
            try:
                tick.act(parts)
            except Exception:
                log.exception("a tick failed")
        due[tick.name] = time.monotonic() + tick.every.total_seconds()
