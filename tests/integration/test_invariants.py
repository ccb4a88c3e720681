"""The look at what must hold: silent on a house at work, and it names every way of being wrong."""

import pytest
from sqlalchemy import text

from storage.clock import SetClock
from storage.database import Database
from storage.ids import new_id, sha256_of
from storage.outbox import promise
from storage.vocabulary import Role
from tests.fixtures.engines import START
from tests.fixtures.issued import Issued
from tests.fixtures.panel import WHY
from tests.fixtures.story import endorsement
from tests.fixtures.world import SIGNED, SITE, World
from workflows.cases import commands as cases
from workflows.evidence.describing import remove_evidence
from workflows.invariants import FROZEN, LOOKS, broken
from workflows.work import give_up_work

DOCUMENT = '{"type": ["VerifiableCredential"]}'

# what only a fault of ours, or a hand in the database, could do
WRONG = [
    ("history", "UPDATE plar_case SET state = 'assessment' WHERE state = 'submitted'"),
    ("history", "UPDATE plar_case SET state = 'expired' WHERE state = 'withdrawn'"),
    ("history", "UPDATE plar_case SET version = version + 1"),
    ("history", "DELETE FROM event WHERE kind = 'accept_for_assessment'"),
    ("history", "UPDATE event SET actor_role = 'learner' WHERE kind = 'decide_case'"),
    (
        "history",
        """UPDATE event SET data = data || '{"to": "closed"}' WHERE kind = 'submit_case'""",
    ),
    ("decision", "UPDATE decision SET replaced_at = now()"),
    ("decision", "UPDATE plar_case SET round = 2 WHERE decision_id IS NOT NULL"),
    ("submission", "DELETE FROM manifest"),
    ("submission", "DELETE FROM event WHERE kind = 'submit_case'"),
    ("submitted_item", "UPDATE evidence_item SET state = 'rejected', sha256 = NULL"),
    ("erasure", """UPDATE manifest SET body = body || '{"erased_at": "x"}'"""),
    ("item_size", "UPDATE sealed_object SET size = size + 1"),
    ("manifest", """UPDATE manifest SET body = body || '{"number": 1}'"""),
    ("definition", """UPDATE definition_version SET body = body || '{"title": "Another"}'"""),
    ("policy", """UPDATE policy_version SET body = body || '{"assessors": 1}'"""),
    ("credential_document", "UPDATE credential SET document = document || ' '"),
    ("endorsement_document", "UPDATE endorsement SET document = '{}'"),
    ("receipt", "DELETE FROM job_receipt"),
    ("usage", "UPDATE case_usage SET bytes = bytes + 1"),
    ("usage", "UPDATE case_usage SET items = items - 1"),
    ("usage", "DELETE FROM case_usage"),
    ("silent_failure", "DELETE FROM event WHERE kind = 'give_up_work'"),
]


@pytest.fixture(scope="module")
def house(module_db: Database) -> Database:
    """A house in which all sorts of things have happened, and all of them rightly."""
    world = World(module_db, SetClock(START))
    issued = Issued(world)
    with module_db.transaction() as tx:
        given = endorsement(tx, world, issued.credential_id)
        tx.session.flush()
        sign = text(
            "UPDATE endorsement SET document = :text, document_sha256 = :hash WHERE id = :id"
        )
        digest = sha256_of(DOCUMENT.encode())
        tx.session.execute(sign, {"text": DOCUMENT, "hash": digest, "id": given})
    _come_and_go(world)
    _give_up(module_db)
    return module_db


def _come_and_go(world: World) -> None:
    """A draft with a removed item, a case in its second round, and one that was withdrawn."""
    ana, bo, cy = (world.person(Role.LEARNER) for _ in range(3))
    draft = world.case(ana)
    remove_evidence(world.db, ana, world.item(draft))
    coordinator = world.person(Role.COORDINATOR)
    returned = world.submitted(bo)
    cases.begin_screening(world.db, coordinator, returned)
    cases.return_case(world.db, SITE, coordinator, returned, WHY)
    cases.submit_case(world.db, SITE, bo, returned, SIGNED)
    cases.withdraw_case(world.db, cy, world.submitted(cy))


def _give_up(db: Database) -> None:
    """Work that failed for good, and staff were told."""
    with db.transaction() as tx:
        row = promise(tx, "impossible", new_id())
        tx.session.execute(text("UPDATE outbox SET attempts = 5 WHERE id = :id"), {"id": row})
    assert len(give_up_work(db, {})) == 1


def test_in_a_house_at_work_everything_holds(house: Database) -> None:
    with house.reading() as tx:
        assert list(broken(tx)) == []


@pytest.mark.parametrize(("what", "statement"), WRONG)
def test_what_does_not_hold_is_named(house: Database, what: str, statement: str) -> None:
    with house.transaction() as tx:
        # guards and foreign keys look away
        tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        changed = tx.session.execute(text(statement))
        assert changed.rowcount > 0  # type: ignore[attr-defined]
        found = list(broken(tx))
        tx.session.rollback()
    assert what in {one.what for one in found}
    assert all(one.detail for one in found)


def test_every_sort_of_fault_is_tried_here() -> None:
    assert {what for what, _ in WRONG} == {"history", "receipt", *LOOKS, *FROZEN}
