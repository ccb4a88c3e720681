"""The one digest of a file, in the two forms it takes: hex on screens, multihash in credentials."""

import re

from credentials.errors import Malformed
from credentials.multibase import from_base58, from_base64url, to_base64url

_SHA256_MULTIHASH = b"\x12\x20"
_HEX = re.compile(r"[0-9a-f]{64}")


def is_sha256(text: str) -> bool:
    """Whether `text` is a SHA-256 as we write it: 64 lower-case hex digits."""
    return _HEX.fullmatch(text) is not None


def multibase_sha256(digest: str) -> str:
    """`digestMultibase` of a lower-case hex SHA-256: “u” + base64url(0x12 0x20 + digest).

    Raises Malformed if `digest` is not 64 lower-case hex digits.
    """
    if not is_sha256(digest):
        raise Malformed("A SHA-256 is written as 64 lower-case hex digits.")
    return to_base64url(_SHA256_MULTIHASH + bytes.fromhex(digest))


def sha256_from_multibase(text: str) -> str:
    """The lower-case hex SHA-256 in a `digestMultibase` (“u…”, or another issuer's “z…”).

    Raises Malformed for any other digest.
    """
    data = from_base58(text) if text.startswith("z") else from_base64url(text)
    if len(data) != 34 or not data.startswith(_SHA256_MULTIHASH):
        raise Malformed("The digest is not a SHA-256 multihash.")
    return data[2:].hex()
