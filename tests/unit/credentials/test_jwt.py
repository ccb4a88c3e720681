"""VC-JWT: what we write others read, and what a token says is believed only where it agrees."""

import base64
import json
from dataclasses import replace
from functools import cache
from typing import cast

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from openbadgeslib.ob3 import OB3Verifier

from credentials.documents import JsonObject
from credentials.errors import BadKey, BadProof, CredentialError, Malformed, NotYetReadable
from credentials.jwt import (
    check_algorithm,
    is_token,
    read_token,
    read_vc_jwt,
    token_holds,
    write_vc_jwt,
)
from credentials.openbadges import LearnerClaim, build_credential
from tests.fixtures.badges import CLAIMS, CREDENTIAL_ID, DID, signed_credential

KID = f"{DID}#rsa-1"
CREDENTIAL = build_credential(replace(CLAIMS, valid_until=None))


@cache
def rsa() -> RSAPrivateKey:
    """One key for all tests: making one takes a while."""
    return generate_private_key(65537, 2048)


def pem() -> bytes:
    return rsa().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def token_of(payload: object, header: object = None) -> bytes:
    """A token with the given payload and a signature that is none."""
    return part(header or {"alg": "RS256", "kid": KID}) + b"." + part(payload) + b".AAAA"


def test_what_we_write_a_second_library_and_a_badge_verifier_accept() -> None:
    token = write_vc_jwt(signed_credential(CLAIMS), rsa(), KID)
    payload = cast(JsonObject, pyjwt.decode(token, pem(), algorithms=["RS256"]))
    assert pyjwt.get_unverified_header(token) == {"alg": "RS256", "kid": KID, "typ": "JWT"}
    assert payload["iss"] == DID and payload["jti"] == CREDENTIAL_ID
    subject = payload["credentialSubject"]
    assert isinstance(subject, dict) and payload["sub"] == subject["id"]
    assert "proof" not in payload and "exp" in payload
    theirs = OB3Verifier(pem()).verify(token)
    assert theirs.id == CREDENTIAL_ID


def test_what_we_write_we_read_back_as_it_was() -> None:
    read = read_vc_jwt(write_vc_jwt(CREDENTIAL, rsa(), KID).encode())
    assert read.credential == CREDENTIAL and read.expires is None
    assert token_holds(read.token, RSAKey.import_key(rsa()))
    assert not token_holds(read.token, RSAKey.generate_key(2048))


def test_a_learner_without_an_id_has_no_sub() -> None:
    claims = replace(CLAIMS, learner=LearnerClaim(identities=CLAIMS.learner.identities))
    payload = read_token(write_vc_jwt(build_credential(claims), rsa(), KID).encode()).payload
    assert "sub" not in payload


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES256", ECKey.generate_key("P-256")),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
)
def test_other_safe_algorithms_are_checked_too(algorithm: str, key: ECKey | OKPKey) -> None:
    signed = part({"alg": algorithm}) + b"." + part(CREDENTIAL)
    signature = JWSRegistry.algorithms[algorithm].sign(signed, key)
    token = signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")
    assert token_holds(read_vc_jwt(token).token, key)
    changed = token.replace(signed, part({"alg": algorithm}) + b"." + part({**CREDENTIAL, "x": 1}))
    assert not token_holds(read_vc_jwt(changed).token, key)
    with pytest.raises(BadProof, match="not one for"):
        token_holds(read_vc_jwt(token).token, RSAKey.import_key(rsa()))


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ({"alg": "none"}, BadProof),
        ({"alg": "HS256"}, BadProof),
        ({"alg": "RS1"}, NotYetReadable),
        ({}, NotYetReadable),
        ({"alg": ["RS256"]}, NotYetReadable),
        ({"alg": "RS256", "crit": ["exp"]}, NotYetReadable),
        ({"alg": "RS256", "b64": False, "crit": ["b64"]}, NotYetReadable),
    ],
)
def test_an_algorithm_that_proves_nothing_is_refused(
    header: JsonObject, error: type[CredentialError]
) -> None:
    with pytest.raises(error):
        check_algorithm(header)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "did:web:elsewhere.example"),
        ("jti", "https://elsewhere.example/1"),
        ("sub", "urn:uuid:somebody-else"),
        ("nbf", 1),
        ("exp", 4_000_000_000),
        ("nbf", "yesterday"),
        ("exp", True),
        ("exp", 1e14),
    ],
)
def test_a_claim_that_contradicts_the_credential_is_malformed(claim: str, value: object) -> None:
    document = build_credential(CLAIMS)
    with pytest.raises(Malformed):
        read_vc_jwt(token_of({**document, claim: value}))


def test_the_claims_of_version_1_fill_in_what_the_credential_leaves_out() -> None:
    inner = {"@context": ["https://www.w3.org/2018/credentials/v1"], "credentialSubject": {"a": 1}}
    claims = {"iss": DID, "sub": "urn:x:1", "jti": "urn:x:2", "nbf": 0, "exp": 10, "vc": inner}
    assert read_vc_jwt(token_of(claims)).credential == {
        **inner,
        "id": "urn:x:2",
        "issuer": DID,
        "credentialSubject": {"id": "urn:x:1", "a": 1},
        "issuanceDate": "1970-01-01T00:00:00Z",
        "expirationDate": "1970-01-01T00:00:10Z",
    }


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"a.b",
        b"a.b.c.d",
        b"e30.e30",
        b"!.!.!",
        b"e30.W10.AAAA",
        b"e30.eyJhIjoxLCJhIjoyfQ.AAAA",
        b"e30=.e30.AAAA",
        b"e31.e30.AAAA",
        part({"alg": "RS256", "x": "x" * 20_000}) + b".e30.AAAA",
        b"e30.e30." + b"A" * 5000,
        token_of({"vc": "text"}),
        token_of({"sub": "no credential"}),
    ],
)
def test_what_is_no_token_of_a_credential_is_malformed(token: bytes) -> None:
    with pytest.raises(Malformed):
        read_vc_jwt(token)


def test_weak_keys_and_unsignable_texts_are_not_written() -> None:
    with pytest.raises(BadKey):
        write_vc_jwt(CREDENTIAL, generate_private_key(65537, 1024), KID)
    with pytest.raises(Malformed, match="U\\+FFFE"):
        write_vc_jwt({**CREDENTIAL, "name": "\ufffe"}, rsa(), KID)
    with pytest.raises(Malformed, match="needs an id"):
        write_vc_jwt({**CREDENTIAL, "issuer": {"name": "nobody"}}, rsa(), KID)


def test_a_token_is_known_by_its_look() -> None:
    assert is_token(b" e30.e30.AAAA\n") and is_token(b"e30.e30.")
    assert not is_token(b"{}") and not is_token(b"www.example.org/a.b")
