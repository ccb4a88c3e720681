"""The test vectors of W3C's Data Integrity EdDSA Cryptosuites v1.0 for eddsa-jcs-2022 (appendix
B.2), for proof sets and for proof chains (appendix B.4), written down as facts.
"""

from functools import partial

import pytest

from credentials.canonical import canonicalize
from credentials.contexts import CREDENTIALS_V2, DATA_INTEGRITY
from credentials.documents import JsonObject, JsonValue
from credentials.errors import BadProof
from credentials.keys import private_from_seed, public_from_multibase
from credentials.multibase import from_base58
from credentials.proof_sets import append_proof, read_proofs
from credentials.proofs import CRYPTOSUITE, CRYPTOSUITE_JCS, holds, proof_options, read_proof
from tests.conformance.test_w3c_vectors import (
    CONTEXTS,
    CREATED,
    EXAMPLES,
    METHOD,
    PUBLIC,
    SEED,
    UNSIGNED,
)

CANONICALIZE = partial(canonicalize, contexts=CONTEXTS)

JCS_HASHES = (
    "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
    "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
)
JCS_VALUE = (
    "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
)
JCS_PROOF: JsonObject = {
    **proof_options(CRYPTOSUITE_JCS, METHOD, CREATED),
    "@context": UNSIGNED["@context"],
    "proofValue": JCS_VALUE,
}

FIRST_ID = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
SECOND_ID = "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54"
THIRD_ID = "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23"


def key(public: str, seed: str) -> tuple[str, bytes]:
    return f"did:key:{public}#{public}", from_base58(seed)[2:]


KEYS = [
    key(
        "z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7",
        "z3u2W4YnTstS1nSSBAgZcYSJF43JuZ9uLV6bF38B1Bf8NugW",
    ),
    key(
        "z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E",
        "z3u2cfp4Q17kMGhNCh348a3yw3cUBiWK6RXRzyJE54sixMFn",
    ),
    key(
        "z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1",
        "z3u2Zr3tcDLBDQKGxVa9SRDFNLqNqPWsa8p9rWPvCEH6bADB",
    ),
    key(
        "z6Mkm1S51iPHJvDEkJ9MRtxJmT8Pqo6wHipAFwBAjN83vntT",
        "z3u2ZTWiFwM17veUR7sXniY66Gf14SqMdpMLy7SW9x4EDdmw",
    ),
]
CREATED_AT = (
    "2023-02-24T23:36:38Z",
    "2023-02-24T23:36:38Z",
    "2023-02-26T22:06:38Z",
    "2023-02-26T22:16:38Z",
)
SAYS: tuple[JsonObject, ...] = (
    {"id": FIRST_ID},
    {"id": SECOND_ID},
    {"id": THIRD_ID, "previousProof": [FIRST_ID, SECOND_ID]},
    {"previousProof": THIRD_ID},
)
VALUES = (
    "z66vWyqwAghu52WbpRkCwFRTu6Msn92ArtjpJ3gGMSVoU5RADwBfszoDt1QWY8owqLPz4nTj7hAwV7xFti1p93zdr",
    "z2scr94SNNrGpP2bE7ajvKWeUHm7HJ2edDkxpARvFAQ8V3USzwEzibqrXKaLHBrWostswsfvg82twQR88BgtnsrXY",
    "zWaPeEvBAkhQpNQj8pknuvg5STcKnt3cvM9t4kAYeJETFjvVMSXEEjadC4uxC9fKCn6JHbjt6fj2fhoaVNynBm6J",
    "z4b5uUtxNiV4E541LiR8qLvA21xM1Vt4Hfn6nLmmDePdFvLB3jFj3HyEEJyRMbpJzv4Gfdr8ABeuRTxAvZv6KWRRh",
)


def options(number: int) -> JsonObject:
    method, _ = KEYS[number]
    made = proof_options(CRYPTOSUITE, method, CREATED)
    return {**made, "created": CREATED_AT[number], **SAYS[number]}


CHAIN: JsonObject = {
    **UNSIGNED,
    "proof": [{**options(number), "proofValue": VALUES[number]} for number in range(4)],
}


def changed(number: int, **members: JsonValue) -> JsonObject:
    """The chain with one of its proofs changed."""
    proofs = CHAIN["proof"]
    assert isinstance(proofs, list)
    one = proofs[number]
    assert isinstance(one, dict)
    return {**CHAIN, "proof": [*proofs[:number], {**one, **members}, *proofs[number + 1 :]]}


def found(document: JsonObject) -> list[bool]:
    proofs = read_proofs(document, CANONICALIZE)
    return [
        holds(one, public_from_multibase(one.verification_method.partition("#")[2]))
        for one in proofs
    ]


def test_the_bytes_to_sign_of_jcs_are_the_published_ones_and_the_signature_holds() -> None:
    proof = read_proof({**UNSIGNED, "proof": JCS_PROOF}, CONTEXTS)
    assert proof.signed.hex() == JCS_HASHES
    assert holds(proof, public_from_multibase(PUBLIC))


def test_we_make_the_published_jcs_signature() -> None:
    asked = proof_options(CRYPTOSUITE_JCS, METHOD, CREATED)
    made = append_proof(UNSIGNED, asked, private_from_seed(SEED), CANONICALIZE)
    assert made["proof"] == [JCS_PROOF]


def test_jcs_is_over_the_letters_and_their_context() -> None:
    document: JsonObject = {**UNSIGNED, "name": "Alumni  Credential", "proof": JCS_PROOF}
    assert found({**document, "proof": [JCS_PROOF]}) == [False]
    with pytest.raises(BadProof, match="other JSON-LD contexts"):
        found(
            {**UNSIGNED, "@context": [CREDENTIALS_V2, DATA_INTEGRITY, EXAMPLES], "proof": JCS_PROOF}
        )


def test_every_published_proof_of_the_chain_holds() -> None:
    assert found(CHAIN) == [True] * 4


def test_we_make_the_published_chain() -> None:
    made = UNSIGNED
    for number, (_, seed) in enumerate(KEYS):
        made = append_proof(made, options(number), private_from_seed(seed), CANONICALIZE)
    assert made == CHAIN


def test_what_builds_upon_a_changed_proof_does_not_hold() -> None:
    assert found(changed(0, created="2023-02-24T23:36:39Z")) == [False, True, False, True]
    assert found({**CHAIN, "name": "Another"}) == [False] * 4


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (changed(3, previousProof="urn:uuid:0"), "not there"),
        (changed(3, previousProof=[THIRD_ID, "urn:uuid:0"]), "not there"),
        (changed(3, previousProof=7), "not there"),
        (changed(2, id=FIRST_ID), "same id"),
        (changed(2, type="Ed25519Signature2020"), "not of the kind"),
        (changed(2, proofPurpose="authentication"), "not made to assert"),
        (changed(2, proofValue="z"), "no Ed25519 signature"),
        ({**UNSIGNED, "proof": ["x"]}, "not an object"),
        ({**UNSIGNED, "proof": [{}] * 9}, "more proofs"),
        (UNSIGNED, "carries no proof"),
    ],
)
def test_refuses_a_set_in_which_a_proof_cannot_count(document: JsonObject, reason: str) -> None:
    with pytest.raises(BadProof, match=reason):
        found(document)
