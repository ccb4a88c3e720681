"""A crash at each step from the command to the effect: nothing, or one effect, and never two."""

import pytest

from app.jobs.queues import rq_queue
from storage.crashpoints import CRASHED
from tests.faults.conftest import House, kill

pytestmark = pytest.mark.slow


def crashed(house: House, *words: str, at: str) -> None:
    """Start a part, and return when it has ended at its crash point."""
    assert house.start(*words, crash_at=at).wait(timeout=120) == CRASHED


def converged(house: House) -> None:
    """With a whole relay and a whole worker each promise comes to one effect."""
    house.start("relay")
    house.start("worker", "work")
    house.settle()
    house.check()


def test_a_command_that_crashes_before_its_commit_has_promised_nothing(house: House) -> None:
    crashed(house, "promise", "1", at="promise.before_commit")
    assert house.ask("SELECT count(*) FROM outbox") == [(0,)]


def test_a_command_that_crashes_after_its_commit_has_promised(house: House) -> None:
    crashed(house, "promise", "1", at="promise.after_commit")
    assert house.open_rows() == 1
    converged(house)
    assert len(house.effects()) == 1


def test_a_relay_that_crashes_between_claim_and_nudge_costs_a_back_off(house: House) -> None:
    (promised,) = house.promise()
    crashed(house, "relay", at="relay.claimed")
    assert rq_queue("work", house.valkey).count == 0
    converged(house)
    assert len(house.effects()) == 1
    row = house.row(promised)
    assert (row.handed_out, row.attempts) == (2, 1)


def test_a_relay_that_crashes_after_the_nudge_has_done_its_part(house: House) -> None:
    house.promise()
    crashed(house, "relay", at="relay.enqueued")
    house.start("worker", "work")
    house.settle()
    assert len(house.effects()) == 1
    house.check()


def test_a_job_that_crashes_before_its_commit_is_run_again(house: House) -> None:
    (promised,) = house.promise()
    house.start("relay")
    worker = house.start("worker", "work", crash_at="job.before_commit")
    house.wait(lambda: house.row(promised).runs == 1, "the job has begun")
    house.wait(lambda: b"horse" in (house.folder / "log").read_bytes(), "the job has crashed")
    assert house.effects() == []
    kill(worker)
    converged(house)
    assert len(house.effects()) == 1
    assert house.row(promised).runs == 2


def test_a_job_that_crashes_after_its_commit_is_not_run_again(house: House) -> None:
    (promised,) = house.promise()
    house.start("relay")
    worker = house.start("worker", "work", crash_at="job.after_commit")
    house.settle()
    kill(worker)
    house.valkey.flushall()
    house.promise()
    converged(house)
    assert len(house.effects()) == 2
    assert house.row(promised).runs == 1
