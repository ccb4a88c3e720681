"""A case's erasure in a process of its own, for the fault tests to kill.

python -m tests.faults.erasure_process, with what to do as JSON on standard input.
"""

import json
import sys
from datetime import datetime
from uuid import UUID

from storage.clock import SetClock
from storage.database import Database
from storage.ids import OutboxId
from tests.fixtures.world import SITE
from workflows.keeping.commands import erase_case

if __name__ == "__main__":
    told = json.load(sys.stdin)
    db = Database(told["database_url"], SetClock(datetime.fromisoformat(told["now"])))
    erase_case(db, SITE, UUID(told["plan_id"]), OutboxId(UUID(told["outbox_id"])))
