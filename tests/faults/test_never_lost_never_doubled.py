"""400 commands, 25 SIGKILLs of workers and relays, two FLUSHALLs: 400 effects, 400 distinct."""

import random
import subprocess
import threading
import time

import pytest

from storage.ids import new_id
from storage.outbox import promise
from tests.faults.conftest import House, children_of, kill

COMMANDS = 400
VICTIMS = ("worker", "job", "relay", "worker", "job") * 5
FLUSHED_AFTER = (8, 17)
WORKERS = [("worker", "work")] * 2
RELAYS = [("relay",)] * 2

pytestmark = pytest.mark.slow


def test_what_was_promised_happens_once_whatever_is_killed(house: House) -> None:
    began = time.monotonic()
    workers = [house.start(*words) for words in WORKERS]
    relays = [house.start(*words) for words in RELAYS]
    subjects = {new_id() for _ in range(COMMANDS)}
    commanding = threading.Thread(target=command_all, args=(house, subjects))
    commanding.start()
    killed = 0
    for victim in VICTIMS:
        time.sleep(random.uniform(0.2, 1.2))
        if victim == "relay":
            kill_one(house, relays, random.randrange(len(relays)))
        elif victim == "worker":
            kill_one(house, workers, at_work(house, workers))
        else:
            kill_job(workers[at_work(house, workers)])
        killed += 1
        if killed in FLUSHED_AFTER:
            house.valkey.flushall()
    commanding.join()
    house.wait(lambda: house.open_rows() == 0, "all 400 rows are done")

    effects = house.effects()
    assert killed == 25
    assert len(effects) == COMMANDS
    assert set(effects) == subjects
    assert house.ask("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL") == [(0,)]
    house.check()
    print(f"\n{killed} kills, {figures(house)}; {time.monotonic() - began:.0f} s in all")


def test_a_promise_wakes_the_relay_by_itself(house: House) -> None:
    house.start("worker", "work")
    # a relay that would look by itself only long after this test has been given up
    house.start("relay", "100000")
    house.promise()
    house.settle()
    for _ in range(40):
        house.promise()
        time.sleep(0.1)
    house.settle()
    print(f"\n{figures(house)}")
    house.check()


def command_all(house: House, subjects: set[object]) -> None:
    """What people do meanwhile: 400 commands, each with a promise, as the kills go on."""
    for subject in subjects:
        with house.db.transaction() as tx:
            promise(tx, "some_work", subject)
        time.sleep(0.06)


def at_work(house: House, workers: list["subprocess.Popen[bytes]"]) -> int:
    """Which worker has a job under way, seen at some moment of that job."""
    busy: list[int] = []
    begun = "SELECT 1 FROM outbox WHERE done_at IS NULL AND held_until > now()"

    def found() -> bool:
        busy[:] = [place for place, worker in enumerate(workers) if children_of(worker)]
        return bool(busy and house.ask(begun))

    house.wait(found, "a worker has a job under way")
    time.sleep(random.uniform(0.0, 0.04))
    return random.choice(busy)


def kill_one(house: House, running: list["subprocess.Popen[bytes]"], place: int) -> None:
    """Kill a process and start another in its place, as an init system does."""
    words = running[place].args[3:]
    kill(running[place])
    running[place] = house.start(*words)


def kill_job(worker: "subprocess.Popen[bytes]") -> None:
    """Kill the process of the job and leave its worker."""
    for job in children_of(worker):
        job.kill()


def figures(house: House) -> str:
    """How many runs there were for how many effects, and how long promises waited."""
    ((effects, distinct),) = house.ask("SELECT count(*), count(DISTINCT subject_id) FROM effect")
    ((handed, runs, half, most),) = house.ask(
        """SELECT sum(handed_out), sum(runs),
                  percentile_cont(0.5) WITHIN GROUP (ORDER BY done_at - created_at),
                  max(done_at - created_at)
           FROM outbox"""
    )
    return (
        f"{effects} effects, {distinct} distinct; handed out {handed} times, begun {runs} times; "
        f"promise to done: half within {half}, all within {most}"
    )
