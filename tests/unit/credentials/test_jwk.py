"""Public keys of tokens as strangers publish them: three kinds are read, the rest is told."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials.documents import JsonObject
from credentials.errors import BadKey, CredentialError, NotYetReadable
from credentials.jwk import key_of_did, key_of_multibase, key_of_pem, read_jwk, read_keys, same_key
from credentials.keys import did_key, public_multibase
from tests.fixtures.badges import KEY, OTHER_KEY
from tests.fixtures.tokens import encoded, rsa_jwk, rsa_pem


def pem(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def keys(*names: str) -> bytes:
    """A JWK Set of RSA keys under these names."""
    listed = [{**rsa_jwk(number % 2 + 1), "kid": name} for number, name in enumerate(names)]
    return json.dumps({"keys": [*listed, 5]}).encode()


def test_a_key_is_found_in_a_set_by_its_name_or_because_it_is_alone() -> None:
    first, second = read_jwk(rsa_jwk(1)), read_jwk(rsa_jwk(2))
    both = keys("https://a.example/keys#1", "2")
    assert same_key(read_keys(both, "https://a.example/keys#1"), first)
    assert same_key(read_keys(both, "https://a.example/keys#2"), second)
    assert same_key(read_keys(keys("x"), "https://a.example/keys"), first)
    assert not same_key(first, second)
    with pytest.raises(BadKey, match="not among"):
        read_keys(both, "https://a.example/keys#3")


def test_a_key_in_pem_is_read_where_it_is_of_a_kind_that_signs_credentials() -> None:
    assert same_key(key_of_pem(rsa_pem()), read_jwk(rsa_jwk()))
    assert key_of_pem(pem(KEY.public_key())).key_type == "OKP"
    assert key_of_pem(pem(ec.generate_private_key(ec.SECP256R1()).public_key())).key_type == "EC"
    weak = rsa.generate_private_key(65537, 1024).public_key()
    for bad in (
        pem(ec.generate_private_key(ec.SECP384R1()).public_key()),
        weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "A" * 5000,
    ):
        with pytest.raises(BadKey):
            key_of_pem(bad)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, BadKey),
        ({"kty": "RSA", "n": "A" * 2000, "e": "AQAB"}, BadKey),
        ({"kty": "RSA", "n": "!", "e": "AQAB"}, BadKey),
        ({"kty": "RSA"}, BadKey),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, BadKey),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AA"}, BadKey),
        ({"kty": "OKP", "crv": "X25519", "x": "AA"}, NotYetReadable),
        ({"kty": "oct", "k": "AAAA"}, NotYetReadable),
        ({}, NotYetReadable),
        ({"kty": "RSA", "d": "AQAB"}, BadKey),
        ({"kty": "RSA", "use": "enc"}, BadKey),
    ],
)
def test_what_is_no_public_key_for_signatures_is_refused(
    value: JsonObject, error: type[CredentialError]
) -> None:
    with pytest.raises(error):
        read_jwk(value)


def test_names_that_are_keys_are_read_and_damaged_ones_refused() -> None:
    assert key_of_did("did:web:a.example") is None
    ours = key_of_did(did_key(KEY))
    assert ours is not None and same_key(ours, key_of_multibase(public_multibase(KEY)))
    assert not same_key(ours, key_of_multibase(public_multibase(OTHER_KEY)))
    brought = key_of_did(f"did:jwk:{encoded(rsa_jwk()).decode()}")
    assert brought is not None and same_key(brought, read_jwk(rsa_jwk()))
    for damaged in ("did:jwk:!", "did:jwk:e30x", "did:key:x", "did:key:zDn111"):
        with pytest.raises((BadKey, NotYetReadable)):
            key_of_did(damaged)
