"""Kinds of work for the fault tests: each leaves an effect that can be counted, or goes wrong."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from storage.database import Transaction
from storage.errors import Unavailable
from storage.outbox import Pace, Promised, receive

if TYPE_CHECKING:
    from app.container import Container

# the same rules as in life, only less patient
FAST = Pace(
    first_delay=timedelta(seconds=1),
    longest_delay=timedelta(seconds=4),
    away_delay=timedelta(seconds=1),
    lease=timedelta(seconds=3),
)

TABLES = """
CREATE TABLE effect (outbox_id uuid NOT NULL, subject_id uuid NOT NULL, pid int NOT NULL,
                     at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE mourned (outbox_id uuid NOT NULL, subject_id uuid NOT NULL);
"""


def leave_effect(parts: "Container", promised: Promised) -> None:
    """The command of the tests: receives the promise and writes its effect in one transaction."""
    with parts.db.transaction() as tx:
        receive(tx, promised.id)
        tx.session.execute(
            text("INSERT INTO effect (outbox_id, subject_id, pid) VALUES (:row, :subject, :pid)"),
            {"row": promised.id, "subject": promised.subject_id, "pid": os.getpid()},
        )


def after_some_work(parts: "Container", promised: Promised) -> None:
    """Takes a moment, then leaves its effect and takes another: a kill can hit anywhere."""
    time.sleep(random.uniform(0.0, 0.06))
    leave_effect(parts, promised)
    time.sleep(random.uniform(0.0, 0.02))


def slow(parts: "Container", promised: Promised) -> None:
    """Takes longer than a hold lasts; says by a file that it has begun."""
    (Path(os.environ["ASSAY_TEST_FOLDER"]) / f"began-{promised.runs}").touch()
    time.sleep(5)
    leave_effect(parts, promised)


def deadly(_: "Container", __: Promised) -> None:
    """Kills the process that it runs in."""
    os.kill(os.getpid(), signal.SIGKILL)


def deadly_to_worker(_: "Container", __: Promised) -> None:
    """Kills the worker that watches over it, and with that itself."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def failing(_: "Container", promised: Promised) -> None:
    """Fails with a message that nobody should read."""
    raise ValueError(f"the password of {promised.subject_id} is hunter2")


def away(parts: "Container", promised: Promised) -> None:
    """Needs a part of the house that is away for its first eight runs."""
    if promised.runs <= 8:
        raise Unavailable("The store is away for a moment.")
    leave_effect(parts, promised)


def forgetful(_: "Container", __: Promised) -> None:
    """Comes to its end without receiving its promise."""


def mourn(tx: Transaction, promised: Promised) -> None:
    """What is done to the subject of work that was given up."""
    tx.session.execute(
        text("INSERT INTO mourned (outbox_id, subject_id) VALUES (:row, :subject)"),
        {"row": promised.id, "subject": promised.subject_id},
    )


def mourn_badly(tx: Transaction, _: Promised) -> None:
    """A mourner with a fault of its own."""
    tx.session.execute(text("INSERT INTO nowhere VALUES (1)"))


HANDLERS: Mapping[str, Callable[["Container", Promised], None]] = {
    "effect": leave_effect,
    "some_work": after_some_work,
    "slow": slow,
    "deadly": deadly,
    "deadly_to_worker": deadly_to_worker,
    "failing": failing,
    "away": away,
    "forgetful": forgetful,
}

MOURNERS = {"deadly": mourn, "deadly_to_worker": mourn, "failing": mourn_badly}
