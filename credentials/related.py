"""Integrity of related resources (data model 2.0, section 5.3): what a document says of other
documents' bytes, compared with those bytes.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable

from credentials.canonical import is_address
from credentials.contexts import digests_of
from credentials.documents import JsonObject, as_list
from credentials.errors import Malformed
from credentials.multibase import from_base58, from_base64url

MOST_RESOURCES = 10
_SRI = {"sha256": 32, "sha384": 48, "sha512": 64}
_MULTIHASH = {b"\x12\x20": 32, b"\x20\x30": 48, b"\x13\x40": 64}
_WRONG = "The related resource %(url)s has other bytes than the document says."


def check_related(document: JsonObject, get: Callable[[str], bytes]) -> None:
    """Compare every related resource with its digest. `get` gives the bytes at an address.

    Raises Malformed for what is wrong, CannotFetch where a resource could not be had.
    """
    resources = as_list(document.get("relatedResource"))
    if len(resources) > MOST_RESOURCES:
        raise Malformed("The document names more related resources than Assay compares.")
    seen: set[str] = set()
    for resource in resources:
        if not isinstance(resource, dict):
            raise Malformed("A related resource is not an object.")
        url = resource.get("id")
        if not isinstance(url, str) or not is_address(url) or url in seen:
            raise Malformed("A related resource has no address of its own.")
        seen.add(url)
        _check_resource(resource, url, get)


def _check_resource(resource: JsonObject, url: str, get: Callable[[str], bytes]) -> None:
    said = [_sri(one) for one in _texts(resource, "digestSRI")]
    said += [_multibase(one) for one in _texts(resource, "digestMultibase")]
    if not said:
        raise Malformed("A related resource has no digest.")
    known = digests_of(url) or _digests(get(url))
    if not set(said) <= known:
        raise Malformed(_WRONG, url=url[:200])


def _texts(resource: JsonObject, key: str) -> list[str]:
    found: list[str] = []
    for one in as_list(resource.get(key)):
        if not isinstance(one, str):
            raise Malformed("“%(key)s” is not a text.", key=key)
        found += one.split()
    return found


def _sri(text: str) -> str:
    """The hex digest of a Subresource Integrity text, “sha384-…”."""
    name, _, body = text.partition("-")
    try:
        digest = base64.b64decode(body.encode("ascii"), altchars=None, validate=True)
    except (UnicodeEncodeError, binascii.Error):
        digest = b""
    if len(digest) != _SRI.get(name):
        raise Malformed("“%(key)s” is not a digest.", key="digestSRI")
    return digest.hex()


def _multibase(text: str) -> str:
    """The hex digest of a multibase text: of a multihash or, as W3C's own tests have it, bare."""
    data = from_base58(text) if text.startswith("z") else from_base64url(text)
    if _MULTIHASH.get(data[:2]) == len(data) - 2:
        return data[2:].hex()
    if len(data) not in _SRI.values():
        raise Malformed("“%(key)s” is not a digest.", key="digestMultibase")
    return data.hex()


def _digests(data: bytes) -> frozenset[str]:
    algorithms = (hashlib.sha256, hashlib.sha384, hashlib.sha512)
    return frozenset(algorithm(data).hexdigest() for algorithm in algorithms)
