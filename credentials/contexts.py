"""The JSON-LD contexts this house reads, pinned by digest. No context is ever fetched.

The bytes come from the wheels of `openbadgeslib` and `pyld`; a context that is not in this list, or
whose bytes are not the ones listed, does not exist for us.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

from credentials.documents import JsonObject
from credentials.errors import Malformed

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
"""What credentials/v2 has built in and documents of version 1 name beside their own context."""
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
MULTIKEY = "https://w3id.org/security/multikey/v1"
DID = "https://www.w3.org/ns/did/v1"
"""Named in DID documents, which are read as plain JSON and never canonicalised."""

_PINNED: Mapping[str, tuple[str, str]] = {
    CREDENTIALS_V2: (
        "credentials-v2.json",
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
        "ob-v3p0-context-3.0.1.json",
        "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
        "ob-v3p0-context-3.0.2.json",
        "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
    ),
    OPEN_BADGES: (
        "ob-v3p0-context-3.0.3.json",
        "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
    ),
    OPEN_BADGES_EXTENSIONS: (
        "ob-v3p0-extensions.json",
        "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93",
    ),
    DATA_INTEGRITY: (
        "security-data-integrity-v2.json",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    MULTIKEY: (
        "security-multikey-v1.json",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": (
        "clr_context_2.0.1.json",
        "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
    ),
}
_PINNED_ELSEWHERE: Mapping[str, tuple[str, str, str]] = {
    CREDENTIALS_V1: (
        "pyld.documentloader.frozen",
        "bundled/credentials-v1.jsonld",
        "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
    ),
}

_WHEEL = "openbadgeslib.ob3.contexts"
_PUBLISHED_BEFORE: Mapping[str, frozenset[str]] = {
    CREDENTIALS_V1: frozenset(
        {"ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"},
    ),
    CREDENTIALS_V2: frozenset(
        {
            "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
            "35239c36999d2155312091af194a1edb61634d6ad789a5e5b1"
            "9f2aebdd762dd9d1dcaada40eda7ef921c6b8c0ae107a0",
        }
    ),
}
"""SHA-256 and SHA-384 of bytes that W3C publishes or published for a context beside the pinned
ones: the same JSON in other lines, and credentials/v2 as its Candidate Recommendation of 2024 has
it, which W3C's own tests name."""

Contexts = Mapping[str, JsonObject]


@cache
def pinned_contexts() -> Contexts:
    """Every context we read, by its address. Raises Malformed if a pinned one has other bytes."""
    return {url: _parsed(data) for url, data in _pinned_bytes().items()}


def read_pinned(name: str, digest: str) -> JsonObject:
    """A context of the wheel by its file name. Raises Malformed if it has another SHA-256."""
    return _parsed(_read_bytes(_WHEEL, name, digest))


@cache
def digests_of(url: str) -> frozenset[str]:
    """Hex digests (SHA-256, -384, -512) that bytes of a pinned context have or had; empty for
    addresses that are not pinned.
    """
    data = _pinned_bytes().get(url)
    if data is None:
        return frozenset()
    known = {hash(data).hexdigest() for hash in (hashlib.sha256, hashlib.sha384, hashlib.sha512)}
    return frozenset(known | _PUBLISHED_BEFORE.get(url, frozenset()))


@cache
def _pinned_bytes() -> Mapping[str, bytes]:
    found = {url: _read_bytes(_WHEEL, name, digest) for url, (name, digest) in _PINNED.items()}
    elsewhere = {url: _read_bytes(*where) for url, where in _PINNED_ELSEWHERE.items()}
    return {**found, **elsewhere}


def _read_bytes(package: str, name: str, digest: str) -> bytes:
    data = files(package).joinpath(name).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise Malformed("The JSON-LD context %(name)s is not the one that was pinned.", name=name)
    return data


def _parsed(data: bytes) -> JsonObject:
    return cast(JsonObject, json.loads(data))
