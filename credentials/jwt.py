"""Credentials as VC-JWT: the credential is the payload of a compact JWS.

Open Badges 3.0 section 8.2, VC data model 1.1 section 6.3.1 (a `vc` claim) and W3C VC-JOSE-COSE.
The framing is read here, strictly; keys and signatures are joserfc's. Only asymmetric algorithms
are known: a token cannot talk its reader into another one.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry

from credentials.canonical import screen_text
from credentials.dates import read_instant, write_instant
from credentials.documents import (
    MAX_BYTES,
    JsonObject,
    JsonValue,
    check_depth,
    children,
    id_of,
    load_json,
    text_at,
)
from credentials.errors import BadKey, BadProof, Malformed, NotYetReadable

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
"""What is checked. `none` proves nothing, and whoever checks an HMAC could have made it."""

_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_WORTHLESS = ("none", "HS256", "HS384", "HS512")
_MAX_HEADER = 16 * 1024
_MAX_SIGNATURE = 2 * 1024
_SMALLEST_RSA = 2048
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Token:
    """A compact JWS taken apart; nothing of it is checked yet."""

    header: JsonObject
    payload: JsonObject
    signed: bytes
    signature: bytes


@dataclass(frozen=True)
class VcJwt:
    """A token and the credential it secures, with what its claims say filled in.

    `expires` is the claim `exp`, which ends the token even where the credential has no end.
    """

    token: Token
    credential: JsonObject
    expires: datetime | None


def write_vc_jwt(credential: JsonObject, key: RSAPrivateKey, kid: str) -> str:
    """The credential as a VC-JWT, RS256. `kid` is where a verifier finds the key.

    An embedded proof is left out: the token is its own proof. Raises BadKey for a key under 2048
    bits, Malformed for a credential that lacks an id, an issuer or a date, or has no text that
    could be signed.
    """
    if key.key_size < _SMALLEST_RSA:
        raise BadKey("An RSA key needs at least 2048 bits.")
    document = {name: value for name, value in credential.items() if name != "proof"}
    _check_texts(document)
    header: JsonObject = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    signed = b".".join(map(_encode_json, (header, {**document, **registered_claims(document)})))
    signature = JWSRegistry.algorithms["RS256"].sign(signed, RSAKey.import_key(key))
    return (signed + b"." + _encode(signature)).decode("ascii")


def registered_claims(document: JsonObject) -> JsonObject:
    """`iss`, `jti`, `sub`, `nbf` and `exp` as Open Badges 3.0 asks. Raises Malformed."""
    issuer, name = id_of(document.get("issuer")), id_of(document)
    begins, ends = read_instant(document, "validFrom"), read_instant(document, "validUntil")
    if issuer is None or name is None or begins is None:
        raise Malformed("A credential that becomes a JWT needs an id, an issuer and a date.")
    claims: JsonObject = {"iss": issuer, "jti": name, "nbf": int(begins.timestamp())}
    subject = document.get("credentialSubject")
    learner = id_of(subject) if isinstance(subject, dict) else None
    if learner is not None:
        claims["sub"] = learner
    if ends is not None:
        claims["exp"] = int(ends.timestamp())
    return claims


def is_token(data: bytes) -> bool:
    """Whether this looks like a compact JWS."""
    return _COMPACT.fullmatch(data.strip()) is not None


def read_token(data: bytes) -> Token:
    """A compact JWS taken apart. Raises Malformed."""
    parts = data.strip().split(b".")
    if len(parts) != 3 or len(parts[0]) > _MAX_HEADER or len(parts[2]) > _MAX_SIGNATURE:
        raise Malformed("This is not a signed token (JWT).")
    if len(parts[1]) > MAX_BYTES * 4 // 3:
        raise Malformed("The document is larger than %(limit)s bytes.", limit=str(MAX_BYTES))
    header, payload, signature = map(_decode, parts)
    return Token(load_json(header), load_json(payload), parts[0] + b"." + parts[1], signature)


def read_vc_jwt(data: bytes) -> VcJwt:
    """A VC-JWT and the credential in it, not yet checked against a key.

    Raises Malformed if it is none, or if its claims and its credential disagree.
    """
    token = read_token(data)
    claims = token.payload
    inner = claims.get("vc")
    if inner is None:
        registered = ("iss", "jti", "sub", "nbf", "exp", "iat", "aud", "cnf")
        credential = {key: value for key, value in claims.items() if key not in registered}
    elif isinstance(inner, dict):
        credential = dict(inner)
    else:
        raise Malformed("“%(key)s” is not an object.", key="vc")
    if "@context" not in credential:
        raise Malformed("There is no credential in this token.")
    expires = _read_number_date(claims, "exp")
    return VcJwt(token, _with_claims(credential, claims, expires), expires)


def check_algorithm(header: Mapping[str, JsonValue]) -> str:
    """The algorithm a header names.

    Raises BadProof for one that proves nothing, NotYetReadable for one that is not read here.
    """
    algorithm = header.get("alg")
    if algorithm in _WORTHLESS:
        raise BadProof("The token's algorithm, %(name)s, proves nothing.", name=str(algorithm))
    if "crit" in header or "b64" in header:
        raise NotYetReadable("The token asks for an extension of JWS that Assay does not know.")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        name = str(algorithm)[:40]
        raise NotYetReadable("Signatures of the kind %(name)s are not read yet.", name=name)
    return algorithm


def token_holds(token: Token, key: Key) -> bool:
    """Whether `key` signed this token. Raises BadProof for another kind of key than it says."""
    algorithm = JWSRegistry.algorithms[check_algorithm(token.header)]
    try:
        algorithm.check_key(key)
    except JoseError:
        raise BadProof("The key is not one for %(name)s.", name=algorithm.name) from None
    try:
        return algorithm.verify(token.signed, token.signature, key)
    except (JoseError, ValueError):
        return False


def _with_claims(
    credential: JsonObject, claims: JsonObject, expires: datetime | None
) -> JsonObject:
    """The credential with what only the claims say, after they were found to agree."""
    old = "issuanceDate" in credential or ("validFrom" not in credential and "vc" in claims)
    begin, end = ("issuanceDate", "expirationDate") if old else ("validFrom", "validUntil")
    filled = _with_id(credential, "jti", text_at(claims, "jti"))
    issuer = credential.get("issuer")
    if isinstance(issuer, dict):
        filled["issuer"] = _with_id(issuer, "iss", text_at(claims, "iss"))
    elif issuer is None and "iss" in claims:
        filled["issuer"] = text_at(claims, "iss")
    elif "iss" in claims and claims["iss"] != issuer:
        raise _disagree("iss")
    subject = credential.get("credentialSubject")
    if isinstance(subject, dict):
        filled["credentialSubject"] = _with_id(subject, "sub", text_at(claims, "sub"))
    for claim, key, value in (
        ("nbf", begin, _read_number_date(claims, "nbf")),
        ("exp", end, expires),
    ):
        if value is not None:
            _agree_on_date(filled, claim, key, value)
    return filled


def _with_id(node: JsonObject, claim: str, value: str | None) -> JsonObject:
    if value is None:
        return dict(node)
    if id_of(node) not in (None, value):
        raise _disagree(claim)
    return {"id": value, **node}


def _agree_on_date(document: JsonObject, claim: str, key: str, value: datetime) -> None:
    said = read_instant(document, key)
    if said is None:
        document[key] = write_instant(value)
    elif abs((said - value).total_seconds()) >= 1:
        raise _disagree(claim)


def _disagree(claim: str) -> Malformed:
    return Malformed("The token and the credential in it disagree on “%(claim)s”.", claim=claim)


def _read_number_date(claims: JsonObject, key: str) -> datetime | None:
    value = claims.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed("“%(key)s” is not a date.", key=key)
    if not 0 <= value <= _LATEST.timestamp():
        raise Malformed("“%(key)s” is not a date.", key=key)
    return datetime.fromtimestamp(value, UTC)


def _check_texts(value: JsonValue) -> None:
    """Raise Malformed for a text, or a key, that implementations would write differently."""
    check_depth(value)
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            screen_text(part)
        if isinstance(part, dict):
            waiting += list(part)
        waiting += children(part)


def _encode_json(value: JsonObject) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _encode(text.encode())


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """Base64url without padding, in the one spelling that encoding makes. Raises Malformed."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        data = b""
    if _encode(data) != text:
        raise Malformed("This is not a signed token (JWT).")
    return data
