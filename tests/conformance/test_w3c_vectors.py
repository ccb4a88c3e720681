"""The test vector of W3C's Data Integrity EdDSA Cryptosuites v1.0, appendix B.1 (eddsa-rdfc-2022).

Its facts are written down here; the one context it needs beside ours only sets a vocabulary.
"""

import copy
import hashlib
from datetime import UTC, datetime

import pytest

from credentials.canonical import canonicalize
from credentials.contexts import CREDENTIALS_V2, Contexts, pinned_contexts
from credentials.documents import JsonObject
from credentials.errors import BadProof
from credentials.keys import did_key, private_from_seed, public_from_multibase
from credentials.multibase import from_base58
from credentials.proofs import add_proof, check_proof, read_proof

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS: Contexts = {
    **pinned_contexts(),
    EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}},
}
PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SEED = from_base58("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")[2:]
METHOD = f"did:key:{PUBLIC}#{PUBLIC}"
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
DOCUMENT_HASH = "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"
PROOF_HASH = "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0"
PROOF_VALUE = (
    "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"
)
UNSIGNED: JsonObject = {
    "@context": [CREDENTIALS_V2, EXAMPLES],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
SIGNED: JsonObject = {
    **UNSIGNED,
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "proofValue": PROOF_VALUE,
    },
}


def test_the_canonical_document_has_the_published_hash() -> None:
    assert hashlib.sha256(canonicalize(UNSIGNED, CONTEXTS)).hexdigest() == DOCUMENT_HASH


def test_the_bytes_to_sign_are_the_published_ones() -> None:
    assert read_proof(SIGNED, CONTEXTS).signed.hex() == PROOF_HASH + DOCUMENT_HASH


def test_the_published_signature_holds() -> None:
    proof = check_proof(SIGNED, lambda _: public_from_multibase(PUBLIC), CONTEXTS)
    assert proof.verification_method == METHOD


def test_we_make_the_published_signature() -> None:
    key = private_from_seed(SEED)
    assert did_key(key) == f"did:key:{PUBLIC}"
    made = add_proof(UNSIGNED, key, METHOD, CREATED, CONTEXTS)
    assert made["proof"] == [SIGNED["proof"]]


def test_the_published_signature_does_not_hold_for_another_name() -> None:
    changed = copy.deepcopy(SIGNED)
    changed["name"] = "Alumna Credential"
    with pytest.raises(BadProof, match="does not match"):
        check_proof(changed, lambda _: public_from_multibase(PUBLIC), CONTEXTS)
