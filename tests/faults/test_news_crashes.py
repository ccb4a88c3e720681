"""A process that dies while it sends news: everything is delivered, under the same ids."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.posting import Poster
from storage.crashpoints import CRASHED
from storage.ids import OutboxId
from storage.tables import OutboxRow, WebhookDelivery
from storage.vocabulary import NewsKind, Role
from tests.fixtures.issued import ISSUER, run_promised
from tests.fixtures.receiver import Got, receiving
from tests.fixtures.shared import ROOT
from tests.fixtures.world import World
from workflows.webhooks import commands
from workflows.webhooks.commands import Wanted
from workflows.webhooks.sending import Manner, send_news
from workflows.work import Work

pytestmark = pytest.mark.slow

COUNT = 6


def promised(world: World) -> list[OutboxRow]:
    with world.db.reading() as tx:
        waiting = col(OutboxRow.done_at).is_(None)
        rows = select(OutboxRow).where(OutboxRow.kind == Work.SEND_NEWS.value, waiting)
        return list(tx.session.exec(rows).all())


def send_in_a_process(world: World, crash_at: str) -> int:
    """Do the first promised sending in a process that ends at this point; returns its code."""
    row = promised(world)[0]
    told = {
        "database_url": world.db.url,
        "now": world.clock.now().isoformat(),
        "outbox_id": str(row.id),
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.news_process"],
        cwd=ROOT,
        env=os.environ | {"ASSAY_ENV": "test", "ASSAY_CRASH_AT": crash_at},
        input=json.dumps(told),
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    ).returncode


def send(world: World) -> None:
    courier = Poster(world.clock, loopback=True)
    run_promised(
        world,
        Work.SEND_NEWS,
        lambda _, promise: send_news(world.db, ISSUER, courier, OutboxId(promise)),
    )


@pytest.mark.parametrize(("crash_at", "again"), [("news.sent", 1), ("job.before_commit", 0)])
def test_a_worker_that_dies_leaves_nothing_untold_and_doubles_keep_their_id(
    world: World, crash_at: str, again: int
) -> None:
    admin = world.person(Role.ADMINISTRATOR)
    with receiving() as server:
        wanted = Wanted(server.url, (NewsKind.ISSUED.value,), loopback=True)
        made = commands.add_endpoint(world.db, ISSUER, admin, wanted)
        for _ in range(COUNT):
            commands.send_test(world.db, admin, made.endpoint_id)
        assert send_in_a_process(world, crash_at) == CRASHED
        send(world)
        # what a dead round held is free when its hold is over, and a look is promised for then
        world.clock.advance(Manner().hold + timedelta(seconds=1))
        send(world)
    with world.db.reading() as tx:
        rows = tx.session.exec(select(WebhookDelivery)).all()
    assert all(row.delivered_at is not None for row in rows)
    times = Counter(got.id for got in server.got)
    assert len(times) == COUNT
    assert sum(times.values()) - COUNT == again
    assert promised(world) == []
    assert len({body_of(got) for got in server.got}) == COUNT


def body_of(got: Got) -> tuple[str, bytes]:
    """A message as its receiver tells it from others."""
    return got.id, got.body
