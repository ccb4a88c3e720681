"""Public keys of tokens: JWKs wherever a token's reader may find them, and Multikeys as JWKs.

RSA, P-256 and Ed25519, as joserfc holds them. What is read here comes from strangers, so the
sizes are bounded: a modulus of a megabyte would keep the check busy for minutes.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from credentials.dates import read_instant
from credentials.did import named_method
from credentials.documents import JsonObject, as_list, id_of, load_json, text_at
from credentials.errors import BadKey, CredentialError, Malformed, NotYetReadable
from credentials.multibase import from_base58

_RSA_BITS = (2048, 8192)
_LONGEST_MODULUS = 1400
_LONGEST_EXPONENT = 12
_LONGEST_PEM = 4096
_MAX_JWK = 64 * 1024
_MOST_KEYS = 50
_ED25519 = b"\xed\x01"
_P256 = b"\x80\x24"


@dataclass(frozen=True)
class KeyMethod:
    """A key found in a DID document, and what the document says of it."""

    id: str
    controller: str
    may_assert: bool
    revoked: datetime | None
    expires: datetime | None
    key: Key


def read_jwk(value: JsonObject) -> Key:
    """The public key of a JWK. Raises BadKey, or NotYetReadable for other kinds of keys."""
    if "d" in value:
        raise BadKey("Where the public key should be there is a private key.")
    if value.get("use", "sig") != "sig":
        raise BadKey("The key is not one for signatures.")
    kind, curve = value.get("kty"), value.get("crv")
    try:
        if kind == "RSA":
            return _rsa(value)
        if (kind, curve) == ("EC", "P-256"):
            return ECKey.import_key(_texts(value, "kty", "crv", "x", "y"))
        if (kind, curve) == ("OKP", "Ed25519"):
            return OKPKey.import_key(_texts(value, "kty", "crv", "x"))
    except (JoseError, ValueError, Malformed):
        raise BadKey("The key is damaged.") from None
    raise NotYetReadable("Keys of the kind %(kind)s are not read yet.", kind=f"{kind} {curve}"[:60])


def read_keys(data: bytes, name: str) -> Key:
    """The key in a JWK or in a JWK Set, there the one called `name` or the only one.

    Raises BadKey, Malformed or NotYetReadable.
    """
    document = load_json(data, max_bytes=_MAX_JWK)
    if "keys" not in document:
        return read_jwk(document)
    keys = [key for key in as_list(document["keys"])[:_MOST_KEYS] if isinstance(key, dict)]
    return read_jwk(_called(keys, name))


def same_key(one: Key, other: Key) -> bool:
    """Whether two keys are the same (RFC 7638)."""
    return one.thumbprint() == other.thumbprint()


def key_of_multibase(text: str) -> Key:
    """An Ed25519 or P-256 Multikey. Raises BadKey, or NotYetReadable for other kinds."""
    try:
        data = from_base58(text)
        if data.startswith(_ED25519) and len(data) == 34:
            return _okp(data[2:])
        if data.startswith(_P256) and len(data) == 35:
            public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data[2:])
            return ECKey.import_key(public)
    except (Malformed, ValueError):
        raise BadKey("The key is damaged.") from None
    raise NotYetReadable("Keys of the kind %(kind)s are not read yet.", kind=text[:8])


def key_of_pem(text: str) -> Key:
    """An RSA, P-256 or Ed25519 public key in PEM. Raises BadKey."""
    try:
        if len(text) > _LONGEST_PEM:
            raise BadKey("The key is larger than any in use.")
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("The key is damaged.") from None
    if isinstance(key, RSAPublicKey) and _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]:
        return RSAKey.import_key(key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return ECKey.import_key(key)
    if isinstance(key, Ed25519PublicKey):
        return OKPKey.import_key(key)
    raise BadKey("The key is not of a kind that signs credentials.")


def key_of_did(did: str) -> Key | None:
    """The key that a did:key or did:jwk is; None for other names. Raises BadKey, NotYetReadable."""
    if did.startswith("did:key:"):
        return key_of_multibase(did.removeprefix("did:key:"))
    if did.startswith("did:jwk:"):
        text = did.removeprefix("did:jwk:")
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return read_jwk(load_json(data, max_bytes=_MAX_JWK))
        except (binascii.Error, ValueError, Malformed):
            raise BadKey("The key in the issuer's name is damaged.") from None
    return None


def find_key_method(document: JsonObject, name: str) -> KeyMethod:
    """The key called `name` in a DID document, a JWK or a Multikey.

    Raises BadKey if it is not there or is there twice, Malformed, NotYetReadable.
    """
    method = named_method(document, name)
    jwk = method.get("publicKeyJwk")
    if isinstance(jwk, dict):
        key = read_jwk(jwk)
    else:
        key = key_of_multibase(text_at(method, "publicKeyMultibase") or "")
    return KeyMethod(
        id=name,
        controller=text_at(method, "controller") or "",
        may_assert=name in map(id_of, as_list(document.get("assertionMethod"))),
        revoked=read_instant(method, "revoked"),
        expires=read_instant(method, "expires"),
        key=key,
    )


def asserting_methods(document: JsonObject) -> list[KeyMethod]:
    """The keys a DID document lists for signing credentials, as far as they can be read."""
    found: list[KeyMethod] = []
    for entry in as_list(document.get("assertionMethod"))[:_MOST_KEYS]:
        name = entry.get("id") if isinstance(entry, dict) else entry
        try:
            found.append(find_key_method(document, str(name)))
        except CredentialError:
            continue
    return found


def _called(keys: Sequence[JsonObject], name: str) -> JsonObject:
    named = [key for key in keys if key.get("kid") in (name, name.rpartition("#")[2])]
    fitting = named or list(keys)
    if len(fitting) != 1:
        raise BadKey("The key %(key)s is not among those published there.", key=name[:200])
    return fitting[0]


def _rsa(value: JsonObject) -> Key:
    lengths = [len(text_at(value, name) or "") for name in ("n", "e")]
    if lengths[0] > _LONGEST_MODULUS or lengths[1] > _LONGEST_EXPONENT:
        raise BadKey("The key is larger than any in use.")
    key = RSAKey.import_key(_texts(value, "kty", "n", "e"))
    if not _RSA_BITS[0] <= key.public_key.key_size <= _RSA_BITS[1]:
        raise BadKey("An RSA key needs at least 2048 bits.")
    return key


def _okp(public: bytes) -> Key:
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode("ascii")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})


def _texts(value: JsonObject, *names: str) -> dict[str, str | list[str]]:
    return {name: text_at(value, name) or "" for name in names}
