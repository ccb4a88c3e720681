"""What we issue is accepted by verifiers that others wrote, and what is wrong is refused by all.

`openbadgeslib` (Python) and Digital Bazaar's libraries (Node) judge the same documents as we do.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict, cast

import pytest
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3.ldp import OB3LdpVerifier

from credentials.contexts import DID as DID_CONTEXT
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject
from credentials.verify import Finding, Outcome, verify
from tests.conformance.mutations import MUTATIONS, Case, Mutation, good, parsed
from tests.fixtures.badges import DID, NOW, Web

ROOT = Path(__file__).parents[2]


def each(mutations: list[Mutation]) -> pytest.MarkDecorator:
    """One test for each of these mutations, under its name."""
    return pytest.mark.parametrize("mutation", mutations, ids=[m.name for m in mutations])


class NodeVerdict(TypedDict):
    """What judge.mjs says of a case."""

    name: str
    verified: bool
    status: dict[str, object] | None
    errors: list[str]


@pytest.fixture(scope="module")
def node_verdicts() -> dict[str, NodeVerdict]:
    """Digital Bazaar's verdict on the good credential and every mutation, from one Node process."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (ROOT / "node_modules/@digitalbazaar/vc").is_dir():
        pytest.skip("node_modules is not there: run npm ci")
    cases = [("good", good()), *((mutation.name, mutation.make()) for mutation in MUTATIONS)]
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "cases": [_for_node(name, case) for name, case in cases],
    }
    answer = subprocess.run(
        ["node", "tests/conformance/judge.mjs"],
        cwd=ROOT,
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    verdicts = cast(list[NodeVerdict], json.loads(answer.stdout))
    return {verdict["name"]: verdict for verdict in verdicts}


def _for_node(name: str, case: Case) -> JsonObject:
    documents = {url: json.loads(text) for url, text in case.web.documents.items()}
    documents[DID] = documents.pop("https://riverside.example/.well-known/did.json")
    return {"name": name, "credential": parsed(case), "documents": documents}


def their_verdict(credential: bytes, web: Web) -> None:
    """openbadgeslib's verdict. It knows only JWT lists, so it reads ours without their proof."""
    OB3LdpVerifier().verify(credential, check_status=True, download=web, verify_status_list=False)


def test_our_credential_is_valid_for_everybody(node_verdicts: dict[str, NodeVerdict]) -> None:
    case = good()
    verdict = verify(case.credential, fetch=case.web, now=NOW)
    assert verdict.outcome is Outcome.VALID, verdict.checks
    their_verdict(case.credential, case.web)
    assert node_verdicts["good"]["verified"], node_verdicts["good"]["errors"]
    assert node_verdicts["good"]["status"] == {"verified": True, "set": []}


@each(MUTATIONS)
def test_we_refuse_it_for_the_right_reason(mutation: Mutation) -> None:
    case = mutation.make()
    verdict = verify(case.credential, fetch=case.web, now=NOW)
    unknown = mutation.finding is Finding.UNKNOWN
    assert verdict.outcome is (Outcome.CANNOT_TELL if unknown else Outcome.NOT_VALID)
    assert [check.outcome for check in verdict.of(mutation.code)] == [mutation.finding]


@each([mutation for mutation in MUTATIONS if mutation.theirs])
def test_openbadgeslib_refuses_it_too(mutation: Mutation) -> None:
    case = mutation.make()
    with pytest.raises(LibOpenBadgesException):
        their_verdict(case.credential, case.web)


@each([mutation for mutation in MUTATIONS if mutation.node])
def test_digital_bazaar_refuses_it_too(
    mutation: Mutation, node_verdicts: dict[str, NodeVerdict]
) -> None:
    verdict = node_verdicts[mutation.name]
    accepted = verdict["verified"] and verdict["status"] == {"verified": True, "set": []}
    assert not accepted, verdict


def test_there_are_at_least_fourteen_ways_of_being_wrong() -> None:
    assert len(MUTATIONS) >= 14
