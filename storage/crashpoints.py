"""Named places at which a test can end the process at once, as a power cut would.

With `ASSAY_ENV=test` and `ASSAY_CRASH_AT=name` the process that comes to `crash_point(name)` ends
there: nothing is flushed, rolled back or said. Anywhere else the points do nothing. The points
of promised work are these; each area names its own beside them (`issue.before_store`).

    promise.before_commit  promise.after_commit    a command that promised work
    relay.claimed          relay.enqueued          the relay, after its commit and after the nudge
    job.before_commit      job.after_commit        the transaction that received the work
    announce.claimed       announce.begun          an upload: row made, begun in the store
    upload.completed       small.stored            a file whole in the store, not written down
    seal.read  seal.claimed  seal.copied  seal.recorded
    erase.claimed  erase.erased
    erase_case.begun
    attest.stored
    news.sent                                      messages sent, not written down
"""

import os

from sqlalchemy import event
from sqlmodel import Session

CRASHED = 137


def crash_point(name: str) -> None:
    """End the process here and now, if a test asked for it by this name."""
    if armed() == name:
        os._exit(CRASHED)


def armed() -> str:
    """The name of the point at which this process is to end; '' nearly always."""
    if os.environ.get("ASSAY_ENV") != "test":
        return ""
    return os.environ.get("ASSAY_CRASH_AT", "")


def around_commit(session: Session, name: str) -> None:
    """Put `name.before_commit` and `name.after_commit` around the commit of this session."""
    for moment in ("before_commit", "after_commit"):
        point = f"{name}.{moment}"
        if armed() == point:
            event.listen(session, moment, lambda _, point=point: crash_point(point), once=True)
