"""The verdict on an SD-JWT VC, each check on its own line: what wallets show, ours and others'.

The key is found through the issuer: at its site (JWT VC Issuer Metadata), in its DID document, or
in its name. The status is the IETF's Token Status List.
"""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from joserfc.jwk import Key

from credentials.dates import write_instant
from credentials.did import resolve_did
from credentials.documents import JsonObject, load_json, text_at
from credentials.errors import (
    BadKey,
    BadProof,
    BadStatus,
    CannotFetch,
    CredentialError,
    Malformed,
    NotYetReadable,
)
from credentials.issuers import check_method, issuer_is_key
from credentials.jwk import KeyMethod, find_key_method, key_of_did, read_jwk, read_keys
from credentials.jwt import Token, check_algorithm, read_token, token_holds
from credentials.parts import SKEW, Part, Setting, check_dates
from credentials.sd_jwt_reading import SdJwt, digest_of, read_sd_jwt
from credentials.token_status_list import IN_FORCE, REVOKED, SUSPENDED, TYPE, status_at
from credentials.verdict import N_, Check, Finding

_WELL_KNOWN = "/.well-known/jwt-vc-issuer"
_LATEST = 253402300799
_LONGEST = 200


def check_sd_jwt(data: bytes, setting: Setting) -> tuple[list[Check], JsonObject | None]:
    """All checks but those of evidence, and what the credential says with all that was shown.

    Raises nothing: what cannot be read is the one check that says so.
    """
    try:
        given = read_sd_jwt(data)
    except CredentialError as error:
        return [Part("").refused("well_formed", error)], None
    part = Part(text_at(given.claims, "vct") or "")
    return list(_checks(given, part, setting)), given.claims


def _checks(given: SdJwt, part: Part, setting: Setting) -> Iterator[Check]:
    yield part.well_formed()
    yield from _check_signature(given, part, setting)
    yield _check_dates(given.claims, part, setting)
    yield _check_status(given, part, setting)
    yield _check_binding(given, part, setting.now)
    yield _disclosed(given, part)


def _check_signature(given: SdJwt, part: Part, setting: Setting) -> list[Check]:
    try:
        check_algorithm(given.token.header)
    except CredentialError as error:
        return [part.refused("signature", error)]
    try:
        key, issuer = _issuer_key(given.token, part, setting)
    except CredentialError as error:
        return [part.signature_unchecked(), part.refused("issuer", error)]
    try:
        return [part.signature(token_holds(given.token, key)), issuer]
    except CredentialError as error:
        return [part.refused("signature", error), issuer]


def _issuer_key(token: Token, part: Part, setting: Setting) -> tuple[Key, Check]:
    """The key that the token must have been signed with, and what it shows of its issuer."""
    issuer, kid = text_at(token.payload, "iss"), text_at(token.header, "kid")
    if issuer is None:
        if "x5c" in token.header:
            raise NotYetReadable("Issuers that are shown by a certificate are not read yet.")
        raise Malformed("The document names no issuer.")
    own = key_of_did(issuer)
    if own is not None:
        return own, issuer_is_key(issuer, part)
    if issuer.startswith("did:"):
        method = _in_did_document(issuer, kid, setting)
        return method.key, check_method(method, _instant(token.payload, "iat"), issuer, part)
    message = N_("The site of the issuer %(issuer)s publishes the key.")
    found = part.check("issuer", Finding.PASSED, message, issuer=issuer[:_LONGEST])
    return _at_site(issuer, kid, setting), found


def _in_did_document(issuer: str, kid: str | None, setting: Setting) -> KeyMethod:
    if kid is None:
        raise BadKey("The token does not say which key of %(issuer)s made it.", issuer=issuer[:200])
    name = kid if kid.startswith("did:") else f"{issuer}#{kid.removeprefix('#')}"
    if name.partition("#")[0] != issuer:
        raise BadProof(
            "It was signed with %(key)s, which is not a key of the issuer %(issuer)s.",
            key=kid[:_LONGEST],
            issuer=issuer[:_LONGEST],
        )
    return find_key_method(resolve_did(issuer, setting.get), name)


def _at_site(issuer: str, kid: str | None, setting: Setting) -> Key:
    """The key in the JWT VC Issuer Metadata. Raises CannotFetch, Malformed, BadKey."""
    known = load_json(setting.get(metadata_address(issuer)))
    if known.get("issuer") != issuer:
        raise Malformed("What is published there is about another issuer.")
    keys, address = known.get("jwks"), known.get("jwks_uri")
    if isinstance(keys, dict):
        return read_keys(json.dumps(keys).encode(), kid or "")
    if isinstance(address, str):
        return read_keys(setting.get(address), kid or "")
    raise BadKey("The issuer publishes no keys.")


def metadata_address(issuer: str) -> str:
    """Where the keys of an issuer of that name are published. Raises Malformed."""
    try:
        parts = urlsplit(issuer)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
        raise Malformed("“%(address)s” is not a whole address.", address=issuer[:_LONGEST])
    return f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path.rstrip('/')}"


def _check_dates(claims: JsonObject, part: Part, setting: Setting) -> Check:
    """Whether it is within its dates, in the words that other credentials are told in."""
    try:
        begins, ends = _instant(claims, "nbf"), _instant(claims, "exp")
    except CredentialError as error:
        return part.refused("dates", error)
    dated: JsonObject = {}
    if begins is not None:
        dated["validFrom"] = write_instant(begins)
    if ends is not None:
        dated["validUntil"] = write_instant(ends)
    return check_dates(dated, None, part, setting.now)


def _check_status(given: SdJwt, part: Part, setting: Setting) -> Check:
    held = given.claims.get("status")
    place = held.get("status_list") if isinstance(held, dict) else None
    if held is None:
        message = N_("It names no status list, so it cannot be revoked.")
        return part.check("status", Finding.NOTED, message)
    try:
        if not isinstance(place, dict):
            raise NotYetReadable("Its status is of a kind that Assay does not read.")
        status = _look_up(place, text_at(given.claims, "iss"), setting)
    except CredentialError as error:
        return part.refused("status", error)
    if status == IN_FORCE:
        return part.check("status.revocation", Finding.PASSED, N_("It is not revoked."))
    if status == REVOKED:
        message = N_("It was revoked by its issuer.")
        return part.check("status.revocation", part.lapsed, message)
    if status == SUSPENDED:
        message = N_("It is suspended by its issuer.")
        return part.check("status.suspension", part.lapsed, message)
    message = N_("Its status is one that only its issuer knows the meaning of: %(status)s.")
    return part.check("status", Finding.UNKNOWN, message, status=str(status))


def _look_up(place: JsonObject, issuer: str | None, setting: Setting) -> int:
    """What a list of the credential's own issuer says today. Raises CredentialError."""
    index, url = place.get("idx"), text_at(place, "uri")
    if isinstance(index, bool) or not isinstance(index, int) or url is None:
        raise BadStatus("The status entry names no list.")
    token = read_token(setting.get(url))
    if token.header.get("typ") != TYPE or token.payload.get("sub") != url:
        raise BadStatus("What was found there is not a status list.")
    if text_at(token.payload, "iss") not in (None, issuer):
        raise NotYetReadable("Its status list is somebody else's, which is not read yet.")
    check_algorithm(token.header)
    said = Token({**token.header}, {"iss": issuer}, token.signed, token.signature)
    key, _ = _issuer_key(said, Part(url), setting)
    if not token_holds(token, key):
        raise BadStatus("The signature of its status list does not hold.")
    ends = _instant(token.payload, "exp")
    if ends is not None and ends < setting.now:
        raise CannotFetch(
            "The status list that was found is out of date: it was valid until %(date)s.",
            date=write_instant(ends),
        )
    return status_at(token.payload, index)


def _check_binding(given: SdJwt, part: Part, now: datetime) -> Check:
    """Whether whoever showed it holds the key that it is bound to."""
    held = given.claims.get("cnf")
    if given.binding is None:
        message = N_("It is bound to nobody's key.")
        if held is not None:
            message = N_("It is bound to a key; whoever gave it to you did not show to hold it.")
        return part.check("binding", Finding.NOTED, message)
    jwk = held.get("jwk") if isinstance(held, dict) else None
    try:
        if not isinstance(jwk, dict):
            raise BadProof("It is shown by a key that it is not bound to.")
        _check_binding_token(given, given.binding, read_jwk(jwk))
        _check_binding_dates(given.binding, now)
    except CredentialError as error:
        return part.refused("binding", error)
    at = _instant(given.binding.payload, "iat")
    message = N_(
        "Whoever showed it holds its key. It was shown to %(audience)s on %(date)s; only they can"
        " tell whether they asked for it."
    )
    audience = str(given.binding.payload.get("aud"))[:_LONGEST]
    date = write_instant(at) if at else ""
    return part.check("binding", Finding.PASSED, message, audience=audience, date=date)


def _check_binding_token(given: SdJwt, binding: Token, key: Key) -> None:
    """Raise CredentialError unless the token is over what is shown, and by that key."""
    check_algorithm(binding.header)
    told = binding.payload
    if binding.header.get("typ") != "kb+jwt" or _instant(told, "iat") is None:
        raise Malformed("What should show that its holder has the key is something else.")
    if not isinstance(told.get("aud"), str) or not isinstance(told.get("nonce"), str):
        raise Malformed("It does not say to whom the credential was shown.")
    over = digest_of(given.presented, given.hashed)
    if not hmac.compare_digest((text_at(told, "sd_hash") or "").encode(), over.encode()):
        raise BadProof("It was shown with other disclosures than these.")
    if not token_holds(binding, key):
        raise BadProof("Whoever showed it does not hold the key that it is bound to.")


def _check_binding_dates(binding: Token, now: datetime) -> None:
    """Raise BadProof for what was shown in time to come, or only until a time that is over."""
    at, ends = _instant(binding.payload, "iat"), _instant(binding.payload, "exp")
    if at is not None and at > now + SKEW:
        raise BadProof("It says that it was shown at a time that is still to come.")
    if ends is not None and ends < now - SKEW:
        raise BadProof("It was shown for a time that is over.")


def _disclosed(given: SdJwt, part: Part) -> Check:
    if given.hidden == 0:
        message = N_("Everything that it says was shown.")
        return part.check("disclosed", Finding.NOTED, message)
    message = N_("Of what its holder may hide, %(shown)s parts were shown and %(hidden)s were not.")
    counted = {"shown": str(given.shown), "hidden": str(given.hidden)}
    return part.check("disclosed", Finding.NOTED, message, **counted)


def _instant(claims: JsonObject, name: str) -> datetime | None:
    """A NumericDate (RFC 7519). Raises Malformed."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise Malformed("“%(key)s” is not a date.", key=name)
    return datetime.fromtimestamp(value, UTC)
