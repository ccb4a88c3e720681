"""Ten thousand decided cases released and issued as one act, and signed anew under another key.

From the registrar's click to the last published credential, by two workers of the queue against
PostgreSQL and Valkey: reading the cases, taking places in the status lists, freezing, signing,
writing, closing the cases, promising the mails. Reference: how many such credentials one core signs
when it does nothing else. `ASSAY_BENCH_BATCH` names another number.
"""

import os
import time
from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select

from bench.house import House, house
from bench.measure import Result, compared, processor_rate
from credentials.issuing import sign_credential
from storage.errors import NotFound
from storage.events import SYSTEM
from storage.tables import Credential
from tests.fixtures.badges import KEY, METHOD
from tests.fixtures.decided import decided_twins
from tests.fixtures.panel import Panel
from workflows.access.rules import Actor
from workflows.issuance.batches import begin_releases, begin_resigning
from workflows.issuance.claims import read_frozen
from workflows.issuance.keys import rotate_key
from workflows.issuance.progress import Progress, progress_of

COUNT = int(os.environ.get("ASSAY_BENCH_BATCH", "10000"))
WORKERS = 2
GOAL = 1000
SIGN_ONLY = "sign only, one core"
LONGEST_SECONDS = 900


def results() -> Iterator[Result]:
    """Published, and signed anew, per second with two workers."""
    with house(issue_workers=WORKERS) as place:
        panel = _decided(place)
        cases = decided_twins(place.parts.db, panel.case_id, COUNT)
        _as_autovacuum_would(place)
        before, began = place.cpu_seconds(), time.perf_counter()
        batch = begin_releases(place.parts.db, place.parts.issuer, panel.registrar, cases)
        published = COUNT / _until_done(place, panel.registrar, batch, began)
        spent = place.cpu_seconds()
        spent.subtract(before)
        alone = _signed_alone(place)
        yield _against_signing(f"batch of {COUNT}, published", published, alone)
        yield compared("batch against its goal", "credentials/s", published, "goal", GOAL, goal=1.0)
        yield from _processor_time(spent, alone)
        institution_id = place.world.institution_id
        rotate_key(place.parts.db, place.parts.issuer, SYSTEM, institution_id)
        began = time.perf_counter()
        batch = begin_resigning(place.parts.db, SYSTEM, institution_id)
        anew = COUNT / _until_done(place, panel.registrar, batch, began)
        yield _against_signing(f"{COUNT} signed anew", anew, alone)


def _against_signing(name: str, found: float, alone: float) -> Result:
    return compared(name, "credentials/s", found, SIGN_ONLY, alone)


def _processor_time(spent: Mapping[str, float], alone: float) -> Iterator[Result]:
    """What a credential costs in all, and where: both cores together have two milliseconds of each
    when a thousand are published in a second."""
    for name, seconds in {"all": sum(spent.values()), **spent}.items():
        yield compared(
            f"batch, processor time, {name}",
            "µs/credential",
            seconds / COUNT * 1_000_000,
            SIGN_ONLY,
            1_000_000 / alone,
        )


def _decided(place: House) -> Panel:
    panel = Panel(place.world)
    panel.scored()
    panel.decide()
    return panel


def _as_autovacuum_would(place: House) -> None:
    """Have the planner know how large the tables are, as it does where they grew over weeks."""
    with place.parts.db.transaction() as tx:
        tx.session.execute(text("ANALYZE"))


def _until_done(place: House, registrar: Actor, batch: UUID, began: float) -> float:
    """Seconds from the beginning to the last; nothing may have been passed over."""
    while True:
        told = _progress(place, registrar, batch)
        took = time.perf_counter() - began
        if told.done_at is not None:
            if told.passed_over or told.done != COUNT:
                raise AssertionError(told)
            return took
        if told.given_up or took > LONGEST_SECONDS:
            raise AssertionError(told)
        time.sleep(0.2)


def _progress(place: House, registrar: Actor, batch: UUID) -> Progress:
    with place.parts.db.reading() as tx:
        return progress_of(tx, registrar, batch)


def _signed_alone(place: House) -> float:
    with place.parts.db.reading() as tx:
        one = tx.session.exec(select(Credential)).first()
    if one is None:
        raise NotFound("Nothing was issued.")
    frozen = read_frozen(one.claims)
    claims = frozen.credential_claims()
    return processor_rate(lambda: sign_credential(claims, KEY, METHOD, frozen.created))
