"""What a whole case ends in, credential and endorsement, as verifiers that others wrote read it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
from openbadgeslib.errors import LibOpenBadgesException

from credentials.contexts import DID as DID_CONTEXT
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject
from storage.clock import SystemClock
from storage.ids import EndorsementId
from tests.conformance.test_independent_judges import NodeVerdict, their_verdict
from tests.fixtures.badges import Web
from tests.fixtures.issued import ISSUER, Issued, run_corrections, sign_lists
from tests.fixtures.world import SITE, World
from tests.integration.test_endorsements import Endorsing
from workflows.issuance.bundle import gather
from workflows.issuance.commands import change_credential
from workflows.issuance.correcting import Correction, correct_credential

ROOT = Path(__file__).parents[2]
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules/@digitalbazaar/vc").is_dir(),
    reason="node or node_modules is not there: run npm ci",
)


@pytest.fixture(autouse=True)
def as_of_now(world: World) -> None:
    """Others ask the machine's clock whether a status list still holds."""
    world.clock.set(SystemClock().now())


@pytest.fixture
def endorsing(world: World) -> Endorsing:
    made = Endorsing(world)
    made.given()
    return made


def documents(issued: Issued) -> Web:
    """The documents of the offline bundle, by address."""
    bundle = gather(issued.db, SITE, issued.credential_id)
    return Web({url: bundle.files[name] for url, name in bundle.map.items()})


def node_verdict(credential: bytes, web: Web) -> NodeVerdict:
    """What Digital Bazaar's libraries say. They ask for a DID, not for its document's address."""
    known: dict[str, JsonObject] = {url: json.loads(body) for url, body in web.documents.items()}
    for document in list(known.values()):
        if str(document.get("id", "")).startswith("did:"):
            known[str(document["id"])] = document
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "cases": [
            {
                "name": "issued",
                "credential": json.loads(credential),
                "documents": cast(object, known),
            }
        ],
    }
    answer = subprocess.run(
        ["node", "tests/conformance/judge.mjs"],
        cwd=ROOT,
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    (verdict,) = cast(list[NodeVerdict], json.loads(answer.stdout))
    return verdict


def test_openbadgeslib_accepts_what_we_issued(endorsing: Endorsing) -> None:
    web = documents(endorsing.issued)
    their_verdict(web(SITE.credential(endorsing.issued.credential_id)), web)


@needs_node
def test_digital_bazaar_accepts_what_we_issued_and_what_was_endorsed(endorsing: Endorsing) -> None:
    web = documents(endorsing.issued)
    endorsement_id = EndorsementId(endorsing.endorsement_id)
    for address in (
        SITE.credential(endorsing.issued.credential_id),
        SITE.endorsement(endorsement_id),
    ):
        found = node_verdict(web(address), web)
        assert found["verified"], found["errors"]


@needs_node
@pytest.mark.parametrize(
    ("act", "reason"),
    [("suspend_credential", "review"), ("revoke_credential", "issued_in_error")],
)
def test_others_see_that_it_is_not_in_force(world: World, act: str, reason: str) -> None:
    issued = Issued(world)
    change_credential(
        issued.db,
        SITE,
        issued.registrar,
        issued.credential_id,
        act=act,
        reason=reason,
    )
    sign_lists(world)
    web = documents(issued)
    credential = web(SITE.credential(issued.credential_id))
    assert node_verdict(credential, web)["status"] == {"verified": True, "set": ["revocation"]}
    with pytest.raises(LibOpenBadgesException):
        their_verdict(credential, web)


@needs_node
def test_others_accept_a_corrected_one_that_names_what_it_replaces(world: World) -> None:
    issued = Issued(world)
    right = Correction("Ana Souza Lima")
    new = correct_credential(world.db, ISSUER, issued.registrar, issued.credential_id, right)
    run_corrections(world)
    bundle = gather(world.db, SITE, new)
    web = Web({url: bundle.files[name] for url, name in bundle.map.items()})
    credential = web(SITE.credential(new))
    assert b"relatedResource" in credential
    their_verdict(credential, web)
    found = node_verdict(credential, web)
    assert found["verified"], found["errors"]
