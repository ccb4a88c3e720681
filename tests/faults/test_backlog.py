"""10,000 promises wait, and one is urgent."""

import time

import psutil
import pytest

from app.jobs.queues import rq_queue
from app.jobs.relay import ROOM
from tests.faults.conftest import House
from workflows.work import URGENT_ROOM

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20


def test_an_urgent_promise_overtakes_ten_thousand_and_memory_stays_flat(house: House) -> None:
    relay = house.start("relay")
    worker = house.start("worker", "work")
    house.promise(count=5)
    house.settle()
    before = [psutil.Process(part.pid).memory_info().rss for part in (relay, worker)]
    house.ask(
        """INSERT INTO outbox (id, kind, queue, subject_id, dedupe_key, handed_out, runs, attempts,
                               urgent, created_at, available_at, last_error, request_id)
           SELECT gen_random_uuid(), 'effect', 'work', gen_random_uuid(), 'bulk:' || n, 0, 0, 0,
                  false, now(), now(), '', ''
           FROM generate_series(1, 10000) n RETURNING id"""
    )
    line = rq_queue("work", house.valkey)
    house.wait(lambda: line.count >= ROOM / 2, "the queue is full")

    done = len(house.effects())
    (urgent,) = house.promise(urgent=True)
    house.wait(lambda: house.row(urgent).done_at, "the urgent one is done")
    overtaken_by = house.effects().index(house.row(urgent).subject_id) - done
    assert overtaken_by < ROOM
    print(f"\n{overtaken_by} of 10000 were done before the urgent one")

    most = 0
    for _ in range(50):
        most = max(most, line.count)
        time.sleep(0.1)
    assert most <= ROOM + URGENT_ROOM
    after = [psutil.Process(part.pid).memory_info().rss for part in (relay, worker)]
    for name, was, now in zip(("relay", "worker"), before, after, strict=True):
        print(f"{name}: {was / MEGABYTE:.0f} MB before, {now / MEGABYTE:.0f} MB with the backlog")
        assert now - was < 20 * MEGABYTE
    house.check()
