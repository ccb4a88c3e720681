"""Which command does which kind of work. A handler calls one command with an id and no more.

The command receives the promise in the transaction that does the work
(`storage.outbox.receive(tx, outbox_id)`); until then the work counts as not done.
"""

from collections.abc import Callable, Mapping

from app.jobs.parts import Parts
from storage.outbox import Promised
from workflows.work import Mourner

Handler = Callable[[Parts, Promised], None]

HANDLERS: Mapping[str, Handler] = {}

# what happens to the subject, in the same transaction, when its work is given up
ON_DEAD: Mapping[str, Mourner] = {}
