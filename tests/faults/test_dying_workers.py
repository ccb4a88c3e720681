"""Workers that are killed, told to end, or doubled, and work that kills who does it."""

import os
import signal
import time

import psutil
import pytest

from app.jobs.queues import ENTRYPOINT, rq_queue
from tests.faults.conftest import House, children_of, kill

pytestmark = pytest.mark.slow


def under_way(house: House, run: int = 1) -> None:
    """Wait until the slow job has begun its run of that number."""
    house.wait((house.folder / f"began-{run}").exists, f"run {run} of the slow job has begun")


def test_work_that_kills_its_process_is_given_up_and_the_queue_goes_on(house: House) -> None:
    house.start("relay")
    house.start("worker", "work")
    (deadly,) = house.promise("deadly")
    others = house.promise(count=20)
    house.wait(lambda: all(house.row(row).done_at for row in others), "the others are done")
    house.settle()
    row = house.row(deadly)
    assert row.dead_at is not None
    assert row.attempts == 5
    assert "said nothing" in row.last_error
    assert house.ask("SELECT subject_id FROM mourned") == [(row.subject_id,)]
    house.promise()
    house.settle()
    assert len(house.effects()) == 21
    house.check()


def test_work_that_kills_its_worker_is_given_up_and_the_queue_goes_on(house: House) -> None:
    house.start("relay")
    (deadly,) = house.promise("deadly_to_worker")
    house.promise(count=5)
    ends = 0
    while not house.row(deadly).dead_at:
        worker = house.start("worker", "work")
        house.wait(
            lambda worker=worker: worker.poll() is not None or house.row(deadly).dead_at,
            "the worker is dead or the work is given up",
        )
        ends += worker.poll() == -signal.SIGKILL
    assert ends == 5
    assert house.ask("SELECT count(*) FROM mourned") == [(1,)]
    house.settle()
    assert len(house.effects()) == 5
    house.check()


def test_a_job_longer_than_its_hold_is_begun_once(house: House) -> None:
    house.start("relay")
    house.start("worker", "work")
    house.start("worker", "work")
    (slow,) = house.promise("slow")
    house.settle()
    assert house.row(slow).runs == 1
    assert len(house.effects()) == 1


def test_a_worker_told_to_end_finishes_its_job_first(house: House) -> None:
    house.start("relay")
    worker = house.start("worker", "work")
    (slow,) = house.promise("slow")
    under_way(house)
    worker.terminate()
    assert worker.wait(timeout=120) == 0
    assert len(house.effects()) == 1
    row = house.row(slow)
    assert (row.runs, row.last_error) == (1, "")
    house.check()


def test_a_job_survives_a_signal_to_the_whole_group(house: House) -> None:
    house.start("relay")
    worker = house.start("worker", "work")
    house.promise("slow")
    under_way(house)
    for job in children_of(worker):
        job.terminate()
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=120) == 0
    assert len(house.effects()) == 1
    house.check()


def test_a_worker_killed_in_mid_job_takes_the_job_along_and_another_does_it(
    house: House,
) -> None:
    house.start("relay")
    worker = house.start("worker", "work")
    (slow,) = house.promise("slow")
    under_way(house)
    jobs = children_of(worker)
    kill(worker)
    assert psutil.wait_procs(jobs, timeout=30)[1] == []
    assert house.effects() == []
    house.start("worker", "work")
    house.settle()
    row = house.row(slow)
    assert (row.runs, row.dead_at) == (2, None)
    assert len(house.effects()) == 1
    house.check()


def test_an_idle_worker_ends_at_once(house: House) -> None:
    worker = house.start("worker", "work")
    house.wait(
        lambda: b"worker is ready" in (house.folder / "log").read_bytes(), "the worker is ready"
    )
    time.sleep(1)
    worker.terminate()
    assert worker.wait(timeout=30) == 0


def test_two_workers_with_the_same_outbox_id_leave_one_effect(house: House) -> None:
    (promised,) = house.promise("slow")
    line = rq_queue("work", house.valkey)
    for number in range(4):
        line.enqueue_call(ENTRYPOINT, args=[str(promised)], job_id=f"{promised}-by-hand-{number}")
    workers = [house.start("worker", "work") for _ in range(2)]
    house.settle()
    house.wait(lambda: line.count == 0, "all four were taken")
    for worker in workers:
        worker.terminate()
        assert worker.wait(timeout=60) == 0
    assert house.row(promised).runs == 1
    assert len(house.effects()) == 1
    house.check()


def test_relays_and_sweepers_end_when_told(house: House) -> None:
    parts = [house.start("relay"), house.start("sweeper")]
    house.wait(
        lambda: (house.folder / "log").read_bytes().count(b"is ready") == 2, "both are ready"
    )
    for part in parts:
        os.kill(part.pid, signal.SIGTERM)
        assert part.wait(timeout=30) == 0
