"""Keys in AWS KMS: what is asked of the service, and that its answers sign like any Ed25519 key.

The service's answers are stubbed by botocore, which holds both sides to KMS's own description.
"""

from collections.abc import Iterator

import pytest
from botocore.stub import ANY, Stubber
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials.keys import generate_ed25519
from credentials.openbadges import build_credential
from credentials.proofs import add_proof, check_proof
from storage.errors import Unavailable
from storage.kms import KmsKeys
from tests.fixtures.badges import CLAIMS, ISSUED, METHOD

ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = generate_ed25519()
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SIGNING = {"KeyId": ARN, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> KmsKeys:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return KmsKeys("us-east-1", "http://127.0.0.1:9")


@pytest.fixture
def stub(keys: KmsKeys) -> Iterator[Stubber]:
    with Stubber(keys.client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_key_is_made_for_signing_and_its_public_half_is_known(
    keys: KmsKeys, stub: Stubber
) -> None:
    stub.add_response(
        "create_key",
        {"KeyMetadata": {"KeyId": "1234abcd", "Arn": ARN}},
        {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY", "Description": ANY},
    )
    stub.add_response("get_public_key", {"KeyId": ARN, "PublicKey": SPKI}, {"KeyId": ARN})
    made = keys.make("did:web:college.example%3A8443")
    assert (made.name, made.public) == (ARN, KEY.public_key().public_bytes_raw())


def test_a_credential_signed_by_the_service_verifies_like_any_other(
    keys: KmsKeys, stub: Stubber
) -> None:
    document = build_credential(CLAIMS)
    here = add_proof(document, KEY, METHOD, ISSUED)
    asked: list[bytes] = []

    class Overheard:
        def sign(self, data: bytes, /) -> bytes:
            asked.append(data)
            return KEY.sign(data)

    add_proof(document, Overheard(), METHOD, ISSUED)
    assert len(asked[0]) == 64
    stub.add_response("sign", {"Signature": KEY.sign(asked[0])}, {**SIGNING, "Message": asked[0]})
    there = add_proof(document, keys.signer(ARN), METHOD, ISSUED)
    assert there == here
    check_proof(there, lambda _: KEY.public_key())


def test_a_service_that_is_away_is_tried_again_later(keys: KmsKeys, stub: Stubber) -> None:
    stub.add_client_error("sign", "KMSInternalException", http_status_code=500)
    with pytest.raises(Unavailable):
        keys.signer(ARN).sign(b"x" * 64)
    stub.add_client_error("create_key", "LimitExceededException")
    with pytest.raises(Unavailable):
        keys.make("did:web:college.example")


def test_a_key_that_is_no_ed25519_key_is_refused(keys: KmsKeys, stub: Stubber) -> None:
    p256 = bytes.fromhex(
        "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f2"
        "77037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb640"
        "6837bf51f5"
    )
    stub.add_response("create_key", {"KeyMetadata": {"KeyId": "1", "Arn": ARN}})
    stub.add_response("get_public_key", {"KeyId": ARN, "PublicKey": p256})
    with pytest.raises(Unavailable):
        keys.make("did:web:college.example")


def test_a_key_that_nothing_was_signed_with_is_removed_after_a_week(
    keys: KmsKeys, stub: Stubber
) -> None:
    stub.add_response(
        "schedule_key_deletion", {"KeyId": ARN}, {"KeyId": ARN, "PendingWindowInDays": 7}
    )
    keys.discard(ARN)
