"""Every kind of credential we issue is valid for us and for verifiers that others wrote."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
from jsonschema import Draft201909Validator
from openbadgeslib.ob3.clr import bundled_clr_contexts
from openbadgeslib.ob3.ldp import OB3LdpVerifier, verify_data_integrity_proof

from credentials.claims import IdentityClaim, LearnerClaim
from credentials.clr import Association, TranscriptClaims, build_transcript
from credentials.contexts import DID as DID_CONTEXT
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json
from credentials.openbadges import build_credential
from credentials.proofs import check_proof
from credentials.verify import Outcome, verify
from tests.fixtures.badges import DID, HOUSE, INSTITUTION, ISSUED, KEY, NOW, signed, web
from tests.fixtures.facts import variants
from tests.fixtures.shared import SHARED, needs_shared

ROOT = Path(__file__).parents[2]
CLAIMS = variants()
DOCUMENTS = {name: signed(build_credential(claims)) for name, claims in CLAIMS.items()}
WEB = web()
each = pytest.mark.parametrize("name", DOCUMENTS)


def transcript() -> JsonObject:
    """A transcript of three of them, of which one replaces another."""
    names = ("everything", "statement", "in French")
    members = tuple(DOCUMENTS[name] for name in names)
    first, second = (CLAIMS[name].achievement.id for name in names[:2])
    claims = TranscriptClaims(
        id=f"{HOUSE}/transcripts/1",
        name="Transcript",
        description="What was recognised.",
        issuer=INSTITUTION,
        valid_from=ISSUED,
        learner=LearnerClaim(identities=(IdentityClaim("name", "Ana Souza"),)),
        credentials=members,
        associations=(Association("isPartOf", second, first),),
    )
    return signed(build_transcript(claims))


def faults(document: JsonObject, schema: str) -> list[str]:
    """Where and why a document does not match a schema of 1EdTech's."""
    kept = json.loads((SHARED / "data/schemas" / schema).read_bytes())
    found = Draft201909Validator(kept).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:150]}" for error in found]


@each
def test_it_is_valid_for_us(name: str) -> None:
    verdict = verify(dump_json(DOCUMENTS[name]), fetch=WEB, now=NOW)
    assert verdict.outcome is Outcome.VALID, [check.text for check in verdict.checks]


@each
def test_openbadgeslib_accepts_it(name: str) -> None:
    data = dump_json(DOCUMENTS[name])
    OB3LdpVerifier().verify(data, check_status=True, download=WEB, verify_status_list=False)


@needs_shared
@each
def test_it_has_the_form_that_the_schema_asks_for(name: str) -> None:
    assert faults(DOCUMENTS[name], "ob_v3p0_achievementcredential_schema.json") == []


@needs_shared
def test_a_transcript_has_the_form_that_the_schema_asks_for() -> None:
    assert faults(transcript(), "clr_v2p0_clrcredential_schema.json") == []


def test_a_transcript_is_signed_whole_and_each_of_its_credentials_alone() -> None:
    document = transcript()
    check_proof(document, lambda _: KEY.public_key())
    subject = cast(dict[str, list[JsonObject]], document["credentialSubject"])
    for member in subject["verifiableCredential"]:
        check_proof(member, lambda _: KEY.public_key())
    verify_data_integrity_proof(document, KEY.public_key(), extra_contexts=bundled_clr_contexts())


@pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules/@digitalbazaar/vc").is_dir(),
    reason="node or node_modules is not there: run npm ci",
)
def test_digital_bazaar_accepts_all_of_them() -> None:
    documents: JsonObject = {url: json.loads(body) for url, body in WEB.documents.items()}
    documents[DID] = documents.pop(f"{HOUSE}/.well-known/did.json")
    cases = {**DOCUMENTS, "transcript": transcript()}
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "cases": [
            {"name": name, "credential": document, "documents": documents}
            for name, document in cases.items()
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
    verdicts = cast(list[dict[str, object]], json.loads(answer.stdout))
    refused = {str(one["name"]): one["errors"] for one in verdicts if not one["verified"]}
    assert refused == {}
