"""RSA keys for tokens (VC-JWT, RS256): made, turned to bytes and back, published as a JWK."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc.jwk import RSAKey

from credentials.documents import JsonObject
from credentials.errors import BadKey

_BITS = 3072
"""Good until after 2030 by NIST SP 800-57 part 1."""


def generate_rsa() -> RSAPrivateKey:
    """A new private key of 3072 bits."""
    return generate_private_key(public_exponent=65537, key_size=_BITS)


def rsa_bytes(key: RSAPrivateKey) -> bytes:
    """The key as PKCS #8 (DER), open. Keep it sealed."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def rsa_from_bytes(data: bytes) -> RSAPrivateKey:
    """The key of what `rsa_bytes` made. Raises BadKey."""
    try:
        key = load_der_private_key(data, None)
    except ValueError:
        raise BadKey("The RSA key is damaged.") from None
    if not isinstance(key, RSAPrivateKey):
        raise BadKey("The key is not an RSA key.")
    return key


def public_jwk(key: RSAPrivateKey, kid: str) -> JsonObject:
    """The public half as a JWK (RFC 7517), under the name that tokens know it by."""
    public = RSAKey.import_key(key.public_key()).as_dict(private=False)
    return {
        "kty": "RSA",
        "n": str(public["n"]),
        "e": str(public["e"]),
        "alg": "RS256",
        "use": "sig",
        "kid": kid,
    }
