"""The checks of a credential that is a token (VC-JWT): its key, found through its issuer.

A token may bring its key or name an address of one. Neither says whose key it is: a key counts
for an issuer only where the issuer's DID document or the issuer's own site has it.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, unquote, urldefrag, urlsplit

from joserfc.jwk import Key

from credentials.did import did_web_url, resolve_did
from credentials.documents import JsonObject, id_of, text_at
from credentials.errors import BadKey, BadProof, CannotFetch, CredentialError, Malformed
from credentials.issuers import check_method, issuer_is_key
from credentials.jwk import (
    KeyMethod,
    asserting_methods,
    find_key_method,
    key_of_did,
    read_jwk,
    read_keys,
    same_key,
)
from credentials.jwt import VcJwt, check_algorithm, token_holds
from credentials.parts import Part, Setting, check_dates, validity
from credentials.verdict import N_, Check, Finding


@dataclass(frozen=True)
class _Found:
    """A key, and what it shows about the issuer."""

    key: Key
    issuer: Check


def check_token(given: VcJwt, part: Part, setting: Setting) -> list[Check]:
    """Well formed, signature, issuer, dates."""
    dates = check_dates(given.credential, given.expires, part, setting.now)
    return [part.well_formed(), *_check_signature(given, part, setting), dates]


def _check_signature(given: VcJwt, part: Part, setting: Setting) -> list[Check]:
    try:
        check_algorithm(given.token.header)
    except CredentialError as error:
        return [part.refused("signature", error)]
    try:
        found = _find(given, part, setting)
    except CredentialError as error:
        return [part.signature_unchecked(), part.refused("issuer", error)]
    try:
        return [part.signature(token_holds(given.token, found.key)), found.issuer]
    except CredentialError as error:
        return [part.refused("signature", error), found.issuer]


def _find(given: VcJwt, part: Part, setting: Setting) -> _Found:
    """The key that the token must have been signed with. Raises what makes it unknown or wrong."""
    issuer = id_of(given.credential.get("issuer"))
    if issuer is None:
        raise Malformed("The document names no issuer.")
    header = given.token.header
    kid = text_at(header, "kid")
    own = key_of_did(issuer)
    if own is not None:
        return _Found(own, issuer_is_key(issuer, part))
    if kid is not None and kid.startswith(("https://", "http://")):
        return _at_address(kid, issuer, part, setting)
    if issuer.startswith("did:"):
        method = _in_did_document(issuer, kid, _brought(header), setting)
        return _Found(method.key, check_method(method, _signed_at(given), issuer, part))
    brought = _brought(header)
    if brought is None:
        raise CannotFetch(
            "The token does not say where the key of %(issuer)s is.", issuer=issuer[:200]
        )
    message = N_("The token brings its key itself; nothing shows that it is the issuer's.")
    return _Found(brought, part.check("issuer", Finding.UNKNOWN, message))


def _at_address(kid: str, issuer: str, part: Part, setting: Setting) -> _Found:
    """A key that has an address: the issuer's if it stands on the issuer's own site."""
    key = read_keys(setting.get(urldefrag(kid).url), kid)
    params = {"key": kid[:200], "issuer": issuer[:200]}
    if _is_at(kid, issuer):
        message = N_("The key stands at %(key)s, on the site of the issuer %(issuer)s.")
        return _Found(key, part.check("issuer", Finding.PASSED, message, **params))
    message = N_("The key stands at %(key)s; nothing shows that it is one of %(issuer)s.")
    return _Found(key, part.check("issuer", Finding.UNKNOWN, message, **params))


def _in_did_document(
    issuer: str, kid: str | None, brought: Key | None, setting: Setting
) -> KeyMethod:
    """The issuer's key of that name, else the one brought, else the only one."""
    if kid is not None and kid.startswith("did:") and kid.partition("#")[0] != issuer:
        raise BadProof(
            "It was signed with %(key)s, which is not a key of the issuer %(issuer)s.",
            key=kid[:200],
            issuer=issuer[:200],
        )
    document = resolve_did(issuer, setting.get)
    if kid is not None:
        name = kid if kid.startswith("did:") else f"{issuer}#{kid.removeprefix('#')}"
        return find_key_method(document, name)
    methods = asserting_methods(document)
    if brought is not None:
        methods = [method for method in methods if same_key(method.key, brought)]
    if len(methods) != 1:
        raise BadKey("The token does not say which key of %(issuer)s made it.", issuer=issuer[:200])
    return methods[0]


def _brought(header: JsonObject) -> Key | None:
    jwk = header.get("jwk")
    return read_jwk(jwk) if isinstance(jwk, dict) else None


def _signed_at(given: VcJwt) -> datetime | None:
    """A token has no date of its own that a verifier may rely on; the credential's has to do."""
    return validity(given.credential)[0]


def _is_at(kid: str, issuer: str) -> bool:
    """Whether an address is on the issuer's site; of a did:web with a path, under that path.

    Which scheme counts is the fetcher's rule: https, but for one's own house in development.
    Raises Malformed.
    """
    tenant = issuer.startswith("did:web:")
    home = _split(did_web_url(issuer) if tenant else issuer)
    place = _split(kid)
    under = home.path.removesuffix("did.json") if tenant and issuer.count(":") > 2 else "/"
    if {".", ".."} & {*unquote(place.path).replace("\\", "/").split("/")}:
        return False
    return place.netloc.lower() == home.netloc.lower() and place.path.startswith(under)


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise Malformed("“%(address)s” is not a whole address.", address=address[:200]) from None
