"""The sending of news in a process of its own, for the fault tests to kill.

python -m tests.faults.news_process, with what to do as JSON on standard input.
"""

import json
import sys
from datetime import datetime
from uuid import UUID

from app.posting import Poster
from storage.clock import SetClock
from storage.database import Database
from storage.ids import OutboxId
from tests.fixtures.issued import ISSUER
from workflows.webhooks.sending import send_news

if __name__ == "__main__":
    told = json.load(sys.stdin)
    clock = SetClock(datetime.fromisoformat(told["now"]))
    courier = Poster(clock, loopback=True)
    db = Database(told["database_url"], clock)
    send_news(db, ISSUER, courier, OutboxId(UUID(told["outbox_id"])))
