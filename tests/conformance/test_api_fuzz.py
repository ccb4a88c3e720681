"""Whatever is sent to the API, it answers as it says it does: schemathesis over the real engines.

Run it for longer with ASSAY_FUZZ_EXAMPLES (per operation and phase; 3 unless told) and
ASSAY_FUZZ_SECONDS, and otherwise with another ASSAY_FUZZ_SEED.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from storage.ids import ItemId
from storage.tables import EvidenceItem
from storage.vault import StoreAddress
from storage.vocabulary import EvidenceState, Role
from tests.fixtures.api import token_for, with_store
from tests.fixtures.intake import Intake, noise
from tests.fixtures.web import ORIGIN
from workflows.evidence.rules import Announcement
from workflows.evidence.uploading import announce_evidence

EXAMPLES = int(os.environ.get("ASSAY_FUZZ_EXAMPLES", "3"))
SECONDS = int(os.environ.get("ASSAY_FUZZ_SECONDS", "30"))
ROUNDS = ("examples", "fuzzing", "stateful")
CASE, OTHERS_CASE = UUID(int=1), UUID(int=2)


@dataclass
class Places:
    """Ids that stand for things: an item that was removed is replaced by another like it."""

    intake: Intake
    others: UUID
    made: dict[UUID, ItemId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        makers = (self._announced, self._recording, self._stored, self._sealed, self._attested)
        self.makers: dict[UUID, Callable[[], ItemId]] = {
            UUID(int=place): make for place, make in enumerate(makers, start=10)
        }

    def thing(self, place: str) -> str:
        """What stands in this place now; what is no place stands for itself."""
        named = {str(CASE): self.intake.case_id, str(OTHERS_CASE): self.others}
        if place in named:
            return str(named[place])
        found = {str(one): make for one, make in self.makers.items()}.get(place)
        return str(self._alive(UUID(place), found)) if found else place

    def _alive(self, place: UUID, make: Callable[[], ItemId]) -> ItemId:
        there = self.made.get(place)
        if there is None or self._state(there) is EvidenceState.ERASED:
            there = self.made[place] = make()
        return there

    def _state(self, item_id: ItemId) -> EvidenceState:
        with self.intake.db.reading() as tx:
            return EvidenceState(tx.session.get_one(EvidenceItem, item_id).state)

    def _announced(self) -> ItemId:
        number = len(self.made)
        return self.intake.announce(noise(6 * 1024**2, f"{number}"), f"film {number}.mp4").item_id

    def _recording(self) -> ItemId:
        intake = self.intake
        announced = Announcement("me.webm", None, "video/webm", recorded_with="a camera")
        return announce_evidence(
            intake.db,
            intake.vault,
            intake.learner,
            intake.case_id,
            announced,
            limits=intake.limits,
        ).item_id

    def _stored(self) -> ItemId:
        return self.intake.store(noise(1000, f"{len(self.made)}"))

    def _sealed(self) -> ItemId:
        return ItemId(self.intake.sealed(noise(1000, f"{len(self.made)}")).id)

    def _attested(self) -> ItemId:
        return self.intake.world.item(self.intake.case_id, "CNC1")


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """Real engines, and no limit that would answer in the API's stead."""
    return with_store(web_env, store_address) | {
        "API_CALLS_PER_MINUTE": "1000000",
        "CASE_QUOTA_ITEMS": "1000000",
        "CASE_QUOTA_BYTES": str(2**60),
        "INSTITUTION_QUOTA_BYTES": str(2**60),
    }


@pytest.fixture
def places(intake: Intake) -> Places:
    """A learner's case with items in every state, and another learner's case."""
    intake.limits = replace(intake.limits, case_bytes=2**60, institution_bytes=2**60)
    return Places(intake, intake.world.case(intake.world.person(Role.LEARNER)))


def config(token: str, places: Places) -> SchemathesisConfig:
    """What is tried, and what is looked at in each answer."""
    phases: dict[str, object] = {
        name: {"enabled": True, "generation": {"max-examples": EXAMPLES}} for name in ROUNDS
    }
    phases["coverage"] = {"enabled": True}
    items = [str(place) for place in places.makers]
    return SchemathesisConfig.from_dict(
        {
            "base-url": ORIGIN,
            "headers": {"Authorization": f"Bearer {token}"},
            "max-time": SECONDS,
            "continue-on-failure": True,
            "seed": int(os.environ.get("ASSAY_FUZZ_SEED", "7")),
            "dictionaries": {
                "items": {"values": items},
                "cases": {"values": [str(CASE)] * 3 + [str(OTHERS_CASE)]},
            },
            "parameters": {
                "path.item_id": {"dictionary": "items", "probability": 0.9},
                "path.case_id": {"dictionary": "cases", "probability": 0.9},
            },
            "phases": phases,
            "checks": {
                # rules refuse what schemas cannot: an outcome of another credential, a day to come
                "positive_data_acceptance": {"enabled": False},
                # it cannot call a WSGI application; tests/web/test_api.py calls all of it unasked
                "ignored_auth": {"enabled": False},
            },
        }
    )


@pytest.mark.slow
def test_whatever_is_sent_the_answer_is_as_described(
    app: Flask, intake: Intake, places: Places
) -> None:
    token = token_for(intake, intake.learner)
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", under_its_name(app), config=config(token, places)
    )

    def in_their_places(_context: object, case: Any, _kwargs: object) -> None:
        named = case.path_parameters or {}
        case.path_parameters = {
            name: places.thing(value) if isinstance(value, str) else value
            for name, value in named.items()
        }

    answered: Counter[str] = Counter()
    schemathesis.hook("before_call")(in_their_places)
    try:
        failures = set(_failures(schema, answered))
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(in_their_places)
    assert not failures, "\n\n".join(sorted(failures))
    print(f"{sum(answered.values())} requests: {dict(sorted(answered.items()))}")
    # some of it got through to where there is something to answer, and some was nonsense
    assert {"200", "409", "422"} <= set(answered)


def under_its_name(app: Flask) -> Callable[..., Any]:
    """The application as it is called by its own name; under another it answers 400."""

    def named(environ: dict[str, Any], start_response: Any) -> Any:
        return app(environ | {"HTTP_HOST": ORIGIN.partition("://")[2]}, start_response)

    return named


def _failures(schema: Any, answered: "Counter[str]") -> Iterator[str]:
    """What went wrong, in words; counts the answers by their status."""
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for one in event.recorder.interactions.values():
                answered[str(one.response.status_code) if one.response else "none"] += 1
            for checks in event.recorder.checks.values():
                for check in checks:
                    if check.failure_info is not None:
                        yield f"{event.label}: {check.name}: {check.failure_info.failure}"
        if isinstance(event, events.NonFatalError):
            yield f"{event.label}: {event.info.format()}"
        if isinstance(event, events.FatalError):
            raise event.exception
