"""Data Integrity proofs: made once, read strictly, checked with the key that is named."""

import copy
from datetime import datetime

import pytest

from credentials.documents import JsonObject
from credentials.errors import BadKey, BadProof, Malformed
from credentials.keys import PublicKey
from credentials.openbadges import build_credential
from credentials.proofs import add_proof, check_proof, holds, read_proof
from tests.fixtures.badges import CLAIMS, ISSUED, KEY, METHOD, OTHER_KEY, signed

UNSIGNED = build_credential(CLAIMS)
SIGNED = signed(UNSIGNED)


def house_key(name: str) -> PublicKey:
    """Resolves the institution's one key."""
    if name != METHOD:
        raise BadKey("No such key.")
    return KEY.public_key()


def with_proof(**more: object) -> JsonObject:
    """The signed document with its proof changed."""
    document = copy.deepcopy(SIGNED)
    proof = {**document["proof"][0], **more}  # type: ignore[index, call-overload, dict-item]
    document["proof"] = [{key: value for key, value in proof.items() if value is not None}]
    return document


def test_a_proof_holds_for_its_key_only() -> None:
    proof = check_proof(SIGNED, house_key)
    assert proof.created == ISSUED
    assert not holds(proof, OTHER_KEY.public_key())


def test_signing_leaves_the_given_document_alone() -> None:
    assert "proof" not in UNSIGNED


def test_a_document_is_signed_once() -> None:
    with pytest.raises(BadProof, match="has a proof already"):
        add_proof(SIGNED, KEY, METHOD, ISSUED)


def test_the_same_document_gets_the_same_signature() -> None:
    assert signed(UNSIGNED) == SIGNED


def test_what_the_resolver_raises_passes_through() -> None:
    stranger = add_proof(UNSIGNED, KEY, "did:web:elsewhere.example#1", ISSUED)
    with pytest.raises(BadKey):
        check_proof(stranger, house_key)


def test_a_time_of_signing_needs_its_zone() -> None:
    with pytest.raises(Malformed, match="zone"):
        add_proof(UNSIGNED, KEY, METHOD, datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (UNSIGNED, "carries no proof"),
        ({**SIGNED, "proof": []}, "carries no proof"),
        ({**SIGNED, "proof": "x"}, "not an object"),
        ({**SIGNED, "proof": [*with_proof()["proof"]] * 2}, "several proofs"),  # type: ignore[misc]
        (with_proof(type="Ed25519Signature2020"), "not of the kind"),
        (with_proof(cryptosuite="ecdsa-rdfc-2019"), "not of the kind"),
        (with_proof(cryptosuite=None), "not of the kind"),
        (with_proof(cryptosuite="eddsa-jcs-2022"), "does not match"),
        (with_proof(proofPurpose="authentication"), "not made to assert"),
        (with_proof(previousProof="urn:x:1"), "part of a chain"),
        (with_proof(verificationMethod=None), "which key"),
        (with_proof(proofValue=None), "no Ed25519 signature"),
        (with_proof(proofValue="z0"), "no Ed25519 signature"),
        (with_proof(proofValue="z2222"), "no Ed25519 signature"),
        (with_proof(**{"@context": ["https://www.w3.org/ns/credentials/v2"]}), "other JSON-LD"),
        (with_proof(created="2024-05-04T09:30:01Z"), "does not match"),
        (with_proof(nonce="x"), "does not match"),
    ],
)
def test_refuses(document: JsonObject, reason: str) -> None:
    with pytest.raises(BadProof, match=reason):
        check_proof(document, house_key)


@pytest.mark.parametrize("created", ["2024-05-04", "2024-13-01T00:00:00Z", "2024-05-04T09:30:00"])
def test_a_date_that_is_none_is_refused(created: str) -> None:
    with pytest.raises(Malformed, match="created"):
        read_proof(with_proof(created=created))


def test_a_proof_may_repeat_the_documents_contexts() -> None:
    assert read_proof(with_proof(**{"@context": SIGNED["@context"]}))
