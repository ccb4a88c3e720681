"""Decentralised identifiers: did:web documents of an institution, and did:key.

A did:web document lists every key the institution ever signed with. A retired key stays in
`assertionMethod`: taking it out would kill the badges it signed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from credentials.contexts import DID, MULTIKEY
from credentials.dates import read_instant
from credentials.documents import JsonObject, JsonValue, as_list, id_of, load_json, text_at
from credentials.errors import BadKey, CredentialError, Malformed, NotYetReadable
from credentials.fetching import Fetcher
from credentials.keys import public_from_multibase

_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_MAX_DOCUMENT = 256 * 1024


@dataclass(frozen=True)
class PublishedKey:
    """A key of the institution as its DID document shows it: `fragment` is its name there."""

    fragment: str
    public_multibase: str


@dataclass(frozen=True)
class VerificationMethod:
    """A key found in a DID document, and what the document says of it."""

    id: str
    controller: str
    public_multibase: str
    may_assert: bool
    revoked: datetime | None
    expires: datetime | None
    may_authenticate: bool = False


def did_web(base_url: str) -> str:
    """The did:web of an address: https://a.example:8443/x → did:web:a.example%3A8443:x.

    Raises Malformed if there is no host in it.
    """
    parts = urlsplit(base_url)
    if not parts.hostname:
        raise Malformed("“%(address)s” is not a whole address.", address=base_url)
    host = quote(parts.netloc.rpartition("@")[2], safe="")
    path = [quote(part, safe="") for part in parts.path.split("/") if part]
    return ":".join(["did:web", host, *path])


def did_web_url(did: str) -> str:
    """Where a did:web's document is: https, `/.well-known/did.json` or `/<path>/did.json`.

    Raises Malformed if `did` is not a did:web with a host.
    """
    if not _DID.fullmatch(did) or not did.startswith("did:web:"):
        raise Malformed("“%(did)s” is not a did:web identifier.", did=did[:200])
    host, *path = did.removeprefix("did:web:").split(":")
    authority = unquote(host)
    if not _HOST.fullmatch(authority) or not all(path) or {".", ".."} & {*map(unquote, path)}:
        raise Malformed("“%(did)s” is not a did:web identifier.", did=did[:200])
    return f"https://{authority}/{'/'.join(path or ['.well-known'])}/did.json"


def build_did_document(did: str, keys: Sequence[PublishedKey]) -> JsonObject:
    """The DID document of an institution with all of its keys, current and retired."""
    methods: list[JsonValue] = [
        {
            "id": f"{did}#{key.fragment}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.public_multibase,
        }
        for key in keys
    ]
    names: list[JsonValue] = [f"{did}#{key.fragment}" for key in keys]
    return {
        "@context": [DID, MULTIKEY],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": names,
    }


def resolve_did(did: str, fetch: Fetcher) -> JsonObject:
    """The DID document of a did:key (made here) or a did:web (fetched).

    Raises CannotFetch if it cannot be had, Malformed or BadKey if it is wrong, NotYetReadable for
    other methods.
    """
    if did.startswith("did:key:"):
        return _did_key_document(did)
    if did.startswith("did:web:"):
        document = load_json(fetch(did_web_url(did)), max_bytes=_MAX_DOCUMENT)
        if document.get("id") != did:
            raise Malformed("The DID document found for %(did)s is another's.", did=did)
        return document
    raise NotYetReadable("Keys named like “%(did)s” are not read yet.", did=did[:80])


def find_method(document: JsonObject, name: str) -> VerificationMethod:
    """The key called `name` in a DID document.

    Raises BadKey if it is not there, is there twice, or is not an Ed25519 Multikey.
    """
    return _read_method(named_method(document, name), name, document)


def named_method(document: JsonObject, name: str) -> JsonObject:
    """The one method called `name`, as it stands in a DID document.

    Raises BadKey if it is not there or is there twice.
    """
    places = ("verificationMethod", "assertionMethod", "authentication")
    items = [item for place in places for item in as_list(document.get(place))]
    named = [item for item in items if isinstance(item, dict) and item.get("id") == name]
    if len(named) != 1:
        raise BadKey("The issuer's DID document does not list the key %(key)s.", key=name[:200])
    return named[0]


def _read_method(method: JsonObject, name: str, document: JsonObject) -> VerificationMethod:
    multibase = text_at(method, "publicKeyMultibase")
    kind = text_at(method, "type")
    if kind not in ("Multikey", "Ed25519VerificationKey2020") or multibase is None:
        raise BadKey("The key %(key)s is not an Ed25519 Multikey.", key=name[:200])
    public_from_multibase(multibase)
    return VerificationMethod(
        id=name,
        controller=text_at(method, "controller") or "",
        public_multibase=multibase,
        may_assert=name in map(id_of, as_list(document.get("assertionMethod"))),
        revoked=read_instant(method, "revoked"),
        expires=read_instant(method, "expires"),
        may_authenticate=name in map(id_of, as_list(document.get("authentication"))),
    )


def _did_key_document(did: str) -> JsonObject:
    multibase = did.removeprefix("did:key:")
    try:
        public_from_multibase(multibase)
    except CredentialError:
        raise NotYetReadable("The key in %(did)s is not an Ed25519 key.", did=did[:80]) from None
    document = build_did_document(did, [PublishedKey(multibase, multibase)])
    return {**document, "authentication": document["assertionMethod"]}
