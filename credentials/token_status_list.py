"""The IETF's Token Status List, made of the same bits as our Bitstring lists.

Two bits a credential: 0 in force, 1 revoked, 2 suspended. Index 0 is in the lowest bits of the
first byte, where a Bitstring list has it in the highest.
"""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from openvc.errors import OpenvcError
from openvc.keys import P256SigningKey
from openvc.status.issue import build_status_list_token
from openvc.status.token_status_list import decode_status_list, get_status

from credentials.documents import JsonObject
from credentials.errors import BadStatus
from credentials.p256 import p256_jwk

MEDIA_TYPE = "application/statuslist+jwt"
TYPE = "statuslist+jwt"
IN_FORCE, REVOKED, SUSPENDED = 0, 1, 2
_SIZE = 2


def pack_statuses(revoked: bytes, suspended: bytes) -> bytes:
    """Both Bitstring lists as one list of two bits each; what is suspended has both bits set."""
    packed = bytearray()
    for out_of_force, resting in zip(revoked, suspended, strict=True):
        rests = _SPREAD[resting]
        both = (_SPREAD[out_of_force] & ~rests) | rests << 1
        packed += both.to_bytes(2, "little")
    return bytes(packed)


def write_status_token(
    url: str,
    issuer: str,
    key: EllipticCurvePrivateKey,
    statuses: bytes,
    *,
    now: datetime,
    until: datetime,
    ttl_seconds: int,
) -> str:
    """The list as a signed token (ES256) that is served at `url`."""
    return build_status_list_token(
        signing_key=P256SigningKey(key, kid=str(p256_jwk(key)["kid"])),
        uri=url,
        status_list=statuses,
        bits=_SIZE,
        issued_at=now,
        expires=until,
        ttl=ttl_seconds,
        issuer=issuer,
    )


def status_at(payload: JsonObject, index: int) -> int:
    """What the payload of a list says of a place, in a list of any size of its entries.

    Raises BadStatus.
    """
    held = payload.get("status_list")
    if not isinstance(held, dict):
        raise BadStatus("What was found there is not a status list.")
    bits, text = held.get("bits"), held.get("lst")
    if not isinstance(bits, int) or not isinstance(text, str):
        raise BadStatus("The status list is damaged.")
    try:
        return get_status(decode_status_list(text), index, bits=bits)
    except OpenvcError as error:
        raise BadStatus("The status list cannot be read: %(why)s.", why=str(error)) from None


def _spread(byte: int) -> int:
    """The eight bits of a byte, the highest first, each as the lower of two bits."""
    return sum(((byte >> (7 - place)) & 1) << (2 * place) for place in range(8))


_SPREAD = tuple(map(_spread, range(256)))
