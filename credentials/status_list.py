"""Bitstring Status Lists v1.0: one bit per credential, published as a signed list.

Bit 0 is the left-most (most significant) bit of the first byte. A list is never shorter than
131,072 entries, so that fetching it does not tell which credential is being looked at.
"""

import base64
import gzip
import zlib
from datetime import datetime

from credentials.contexts import CREDENTIALS_V2
from credentials.dates import write_instant
from credentials.documents import JsonObject, as_list, text_at, types_of
from credentials.errors import BadStatus, Malformed
from credentials.multibase import from_base64url

LENGTH = 131_072
_MAX_BYTES = 8 * 1024 * 1024
_TOO_SHORT = "The status list is shorter than 131,072 entries."


def new_bits() -> bytes:
    """A list of 131,072 entries, none of them set."""
    return bytes(LENGTH // 8)


def get_bit(bits: bytes, index: int) -> bool:
    """Whether entry `index` is set. Raises BadStatus if the list has no such entry."""
    _check_index(bits, index)
    return bool(bits[index // 8] & _mask(index))


def set_bit(bits: bytes, index: int, value: bool) -> bytes:
    """The list with entry `index` set or cleared. Raises BadStatus if there is no such entry."""
    _check_index(bits, index)
    changed = bytearray(bits)
    if value:
        changed[index // 8] |= _mask(index)
    else:
        changed[index // 8] &= ~_mask(index) & 0xFF
    return bytes(changed)


def encode_bits(bits: bytes) -> str:
    """`encodedList`: multibase “u” of the gzipped list. The same bits give the same text."""
    packed = gzip.compress(bits, compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode_bits(text: str) -> bytes:
    """The list in an `encodedList`.

    Raises BadStatus for other text, for lists under 131,072 entries, and, before unpacking them,
    for those over 8 MiB.
    """
    try:
        packed = from_base64url(text if text.startswith("u") else f"u{text}")
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        bits = unpacker.decompress(packed, _MAX_BYTES + 1)
    except (Malformed, zlib.error):
        raise BadStatus("The status list is damaged.") from None
    if len(bits) > _MAX_BYTES or not unpacker.eof:
        raise BadStatus("The status list is damaged or larger than what Assay reads.")
    if len(bits) * 8 < LENGTH:
        raise BadStatus(_TOO_SHORT)
    return bits


def build_status_list_credential(
    url: str,
    issuer: str,
    purpose: str,
    bits: bytes,
    *,
    valid_from: datetime,
    valid_until: datetime | None = None,
    ttl_ms: int = 300_000,
) -> JsonObject:
    """The list as a credential without a proof. `ttl_ms`: how long a reader may keep it."""
    if len(bits) * 8 < LENGTH:
        raise BadStatus(_TOO_SHORT)
    document: JsonObject = {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": write_instant(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode_bits(bits),
            "ttl": ttl_ms,
        },
    }
    if valid_until is not None:
        document["validUntil"] = write_instant(valid_until)
    return document


def build_status_entry(
    list_url: str, index: int, purpose: str, reference: str | None = None
) -> JsonObject:
    """The `credentialStatus` entry that points to place `index` of a list.

    `reference` (`statusReference`) leads to what more there is to know of the status: Open Badges
    3.0 allows one entry, so a suspension list can only be referred to.
    """
    entry: JsonObject = {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }
    return entry if reference is None else {**entry, "statusReference": reference}


def read_status(document: JsonObject, entry: JsonObject) -> bool:
    """Whether the place that `entry` points to is set in the list `document`.

    It checks that the list is the one meant and has the entry's purpose; its signature, issuer and
    dates are for the caller. Raises BadStatus.
    """
    if document.get("id") != entry.get("statusListCredential"):
        raise BadStatus("The status list found there is another one.")
    if "BitstringStatusListCredential" not in types_of(document):
        raise BadStatus("What was found there is not a status list.")
    subject = document.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    if not isinstance(subject, dict) or subject.get("type") != "BitstringStatusList":
        raise BadStatus("What was found there is not a status list.")
    if entry.get("statusPurpose") not in as_list(subject.get("statusPurpose")):
        raise BadStatus("The status list is for another purpose.")
    if entry.get("statusSize", 1) != 1 or subject.get("statusSize", 1) != 1:
        raise BadStatus("The status list has more than one bit for each credential.")
    bits = decode_bits(text_at(subject, "encodedList") or "")
    return get_bit(bits, _index(entry))


def _index(entry: JsonObject) -> int:
    text = text_at(entry, "statusListIndex") or ""
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise BadStatus("The place in the status list is not a number.")
    return int(text)


def _check_index(bits: bytes, index: int) -> None:
    if not 0 <= index < len(bits) * 8:
        raise BadStatus("The status list has no place %(index)s.", index=str(index))


def _mask(index: int) -> int:
    return 0x80 >> (index % 8)
