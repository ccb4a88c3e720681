"""Our proof sets and chains, judged by Digital Bazaar's libraries, as an independent verifier."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from credentials.canonical import canonicalize
from credentials.contexts import CREDENTIALS_V2, pinned_contexts
from credentials.contexts import DID as DID_CONTEXT
from credentials.documents import JsonObject, as_list
from credentials.keys import did_key, private_from_seed, public_multibase
from credentials.proof_sets import append_proof
from credentials.proofs import CRYPTOSUITE, proof_options

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 5, 4, 10, tzinfo=UTC)
KEY = private_from_seed(b"\x07" * 32)
ISSUER = did_key(KEY)
FIRST = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
UNSIGNED: JsonObject = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiableCredential"],
    "issuer": ISSUER,
    "credentialSubject": {"id": "did:example:subject", "name": "Ana"},
}


def proven(document: JsonObject, **says: str) -> JsonObject:
    made = proof_options(CRYPTOSUITE, f"{ISSUER}#{public_multibase(KEY)}", AT)
    return append_proof(document, {**made, **says}, KEY, canonicalize)


def test_sets_and_chains_hold_for_them_and_changed_ones_do_not() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (ROOT / "node_modules/@digitalbazaar/vc").is_dir():
        pytest.skip("node_modules is not there: run npm ci")
    one = proven(UNSIGNED, id=FIRST)
    chain = proven(one, previousProof=FIRST)
    first, second = as_list(chain["proof"])
    assert isinstance(first, dict) and isinstance(second, dict)
    judged = {
        "set": proven(one),
        "chain": chain,
        "first changed": {**chain, "proof": [{**first, "created": "2026-05-04T10:00:01Z"}, second]},
        "first replaced": {**chain, "proof": [{**first, "id": "urn:uuid:0"}, second]},
    }
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "cases": [
            {"name": name, "credential": document, "documents": {}}
            for name, document in judged.items()
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
    verdicts = {one["name"]: one["verified"] for one in json.loads(answer.stdout)}
    assert verdicts == {"set": True, "chain": True, "first changed": False, "first replaced": False}
