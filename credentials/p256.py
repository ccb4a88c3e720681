"""P-256 keys (ES256), which every wallet knows: made, turned to bytes and back, published."""

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc.jwk import ECKey

from credentials.documents import JsonObject
from credentials.errors import BadKey


def generate_p256() -> EllipticCurvePrivateKey:
    """A new private key."""
    return generate_private_key(SECP256R1())


def p256_bytes(key: EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS #8 (DER), open. Keep it sealed."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def p256_from_bytes(data: bytes) -> EllipticCurvePrivateKey:
    """The key of what `p256_bytes` made. Raises BadKey."""
    try:
        key = load_der_private_key(data, None)
    except ValueError:
        raise BadKey("The P-256 key is damaged.") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise BadKey("The key is not a P-256 key.")
    return key


def p256_jwk(key: EllipticCurvePrivateKey) -> JsonObject:
    """The public half as a JWK (RFC 7517), named by its thumbprint (RFC 7638)."""
    public = ECKey.import_key(key.public_key())
    parts = public.as_dict(private=False)
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": str(parts["x"]),
        "y": str(parts["y"]),
        "alg": "ES256",
        "use": "sig",
        "kid": public.thumbprint(),
    }
