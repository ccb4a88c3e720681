"""One act of the intake in a process of its own, for the fault tests to kill at its crash points.

python -m tests.faults.intake_process, with what to do as JSON on standard input.
"""

import io
import json
import sys
from collections.abc import Mapping
from uuid import UUID

from app.sandbox import ChildProcesses
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import AccountId, CaseId, InstitutionId, ItemId, OutboxId
from storage.vault import StoreAddress, Vault
from storage.vocabulary import Role
from tests.fixtures.intake import Says, fingerprint, noise
from workflows.access.rules import Actor
from workflows.evidence.erasing import erase_evidence
from workflows.evidence.rules import Announcement, Limits
from workflows.evidence.sealing import Checks, seal_evidence
from workflows.evidence.small_files import upload_small
from workflows.evidence.uploading import announce_evidence, complete_upload

NAME = "crash.pdf"
BODY = noise(9 * 1024**2, "crash")


def main(told: Mapping[str, str], store: Mapping[str, str]) -> None:
    """Do the act."""
    db = Database(told["database_url"], SystemClock())
    vault = Vault(StoreAddress(**store))
    learner = Actor(
        AccountId(UUID(told["account_id"])),
        InstitutionId(UUID(told["institution_id"])),
        frozenset({Role.LEARNER}),
    )
    case_id = CaseId(UUID(told["case_id"]))
    item_id = ItemId(UUID(told["item_id"])) if told["item_id"] else None
    announced = Announcement(NAME, len(BODY), "", fingerprint(BODY))
    if told["act"] == "announce":
        announce_evidence(db, vault, learner, case_id, announced, limits=Limits())
    elif told["act"] == "small":
        body = io.BytesIO(BODY)
        upload_small(db, vault, learner, case_id, body, announced=announced, limits=Limits())
    elif item_id is None:
        raise ValueError(told["act"])
    elif told["act"] == "complete":
        complete_upload(db, vault, learner, item_id)
    else:
        outbox_id = OutboxId(UUID(told["outbox_id"]))
        if told["act"] == "seal":
            seal_evidence(db, vault, Checks(Says(), ChildProcesses()), item_id, outbox_id)
        else:
            erase_evidence(db, vault, item_id, outbox_id)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    main(given["told"], given["store"])
