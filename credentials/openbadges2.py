"""Open Badges 2.0: hosted and signed assertions, each check on its own.

A hosted badge is what stands at its address on the issuer's own site; a signed one is a compact
JWS whose key the issuer's profile lists. See Open Badges 2.0, “Verification” and “Revocation”.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from joserfc.jwk import Key

from credentials.dates import read_instant
from credentials.documents import (
    JsonObject,
    JsonValue,
    as_list,
    id_of,
    load_json,
    text_at,
    types_of,
)
from credentials.errors import BadProof, CannotFetch, CredentialError, Malformed, NotYetReadable
from credentials.jwk import key_of_pem
from credentials.jwt import VcJwt, token_holds
from credentials.parts import Part, Setting, outside_dates
from credentials.reading import Secured, document_of
from credentials.verdict import N_, Check, Finding

CONTEXT = "https://w3id.org/openbadges/v2"
_REQUIRED = ("id", "recipient", "badge", "verification", "issuedOn")
_HOSTED, _SIGNED = ("HostedBadge", "hosted"), ("SignedBadge", "signed")
_OF_VERSION_3 = ("issuer", "credentialSubject")
"""What an assertion has no such members for: nobody looks at them, so nobody is told of them."""


@dataclass(frozen=True)
class _Badge:
    """An assertion with what it points to: the class of badge and the issuer's profile."""

    assertion: JsonObject
    badge: JsonObject
    issuer: JsonObject


def is_open_badge_2(document: JsonObject) -> bool:
    """Whether this is an assertion of Open Badges 2."""
    return CONTEXT in as_list(document.get("@context")) and "Assertion" in types_of(document)


def check_open_badge_2(
    given: Secured, part: Part, setting: Setting
) -> tuple[list[Check], JsonObject]:
    """The checks, “well_formed” first, and the assertion with its badge and issuer filled in."""
    assertion = document_of(given)
    try:
        kind = _kind(assertion)
    except CredentialError as error:
        return [part.refused("well_formed", error)], _told(assertion)
    checks = [part.well_formed()]
    try:
        held = _held(assertion, kind, setting)
        found = _follow(held, setting)
    except CredentialError as error:
        gone = isinstance(error, CannotFetch) and error.params.get("status") == "410"
        lost = Part(part.subject).refused("issuer", error)
        checks += [part.signature_unchecked(), lost, _dates(assertion, part, setting.now)]
        return checks + ([_revoked(part, "")] if gone else []), _told(assertion)
    secured = _check_hosted if kind in _HOSTED else _check_signed
    checks += secured(given, found, part, setting)
    checks += [_dates(held, part, setting.now), _status(found, kind, part, setting)]
    message = N_("It has the form of Open Badges 2.0.")
    checks.append(part.check("schema", Finding.PASSED, message))
    badge: JsonObject = {**found.badge, "issuer": found.issuer}
    return checks, {**_told(held), "id": assertion["id"], "badge": badge}


def _told(assertion: JsonObject) -> JsonObject:
    """The assertion without what the checks do not look at and a reader would take for judged."""
    return {key: value for key, value in assertion.items() if key not in _OF_VERSION_3}


def _kind(assertion: JsonObject) -> str:
    """How the assertion says that it is to be verified. Raises Malformed, NotYetReadable."""
    for key in _REQUIRED:
        if key not in assertion:
            raise Malformed("The badge has no “%(key)s”.", key=key)
    text_at(assertion, "id")
    verification = assertion["verification"]
    kind = text_at(verification, "type") if isinstance(verification, dict) else None
    if kind not in (*_HOSTED, *_SIGNED):
        raise NotYetReadable("It does not say how it is to be verified.")
    return str(kind)


def _held(assertion: JsonObject, kind: str, setting: Setting) -> JsonObject:
    """The assertion that counts: of a hosted one what stands at its address."""
    if kind in _SIGNED:
        return assertion
    return load_json(setting.get(id_of(assertion) or ""))


def _follow(assertion: JsonObject, setting: Setting) -> _Badge:
    """The badge and the issuer's profile as they stand at their own addresses."""
    badge = assertion.get("badge")
    if not isinstance(badge, dict):
        badge = load_json(setting.get(text_at(assertion, "badge") or ""))
    issuer = id_of(badge.get("issuer"))
    if issuer is None:
        raise Malformed("The document names no issuer.")
    profile = load_json(setting.get(issuer))
    if id_of(profile) != issuer:
        raise Malformed("The issuer's profile found at %(url)s is another's.", url=issuer[:200])
    return _Badge(assertion, badge, profile)


def _check_hosted(given: Secured, found: _Badge, part: Part, setting: Setting) -> list[Check]:
    address = id_of(document_of(given)) or ""
    different = list(_differences(document_of(given), found.assertion))
    if different:
        message = N_("What stands at its address says something else of: %(keys)s.")
        same = part.check("signature", Finding.FAILED, message, keys=", ".join(different)[:200])
    else:
        message = N_("It stands unchanged at its address, %(address)s.")
        same = part.check("signature", Finding.PASSED, message, address=address[:200])
    return [same, _scope(document_of(given), found, part)]


def _differences(given: JsonObject, hosted: JsonObject) -> Iterator[str]:
    for key, value in given.items():
        if key == "@context" or value == hosted.get(key):
            continue
        if key in ("issuedOn", "expires") and _instant(given, key) == _instant(hosted, key):
            continue
        yield key


def _scope(given: JsonObject, found: _Badge, part: Part) -> Check:
    """Whether the issuer's profile answers for the address the assertion stands at."""
    address, issuer = id_of(given) or "", id_of(found.issuer) or ""
    params = {"address": address[:200], "issuer": issuer[:200]}
    if _answers_for(found.issuer, issuer, address):
        message = N_("It stands at %(address)s, for which the issuer %(issuer)s answers.")
        return part.check("issuer", Finding.PASSED, message, **params)
    message = N_("It stands at %(address)s, for which the issuer %(issuer)s does not answer.")
    return part.check("issuer", Finding.FAILED, message, **params)


def _answers_for(profile: JsonObject, issuer: str, address: str) -> bool:
    rules = profile.get("verification")
    rules = rules if isinstance(rules, dict) else {}
    starts, hosts = as_list(rules.get("startsWith")), as_list(rules.get("allowedOrigins"))
    if starts:
        return any(isinstance(start, str) and _is_under(address, start) for start in starts)
    place = _split(address)
    if hosts:
        return place.hostname in hosts or f"{place.scheme}://{place.netloc}" in hosts
    return _origin(place) == _origin(_split(issuer))


def _is_under(address: str, start: str) -> bool:
    """Whether an address lies under another: same site, and a path that goes on from it."""
    place, base = _split(address), _split(start)
    path = base.path.rstrip("/")
    return _origin(place) == _origin(base) and (
        place.path == base.path or place.path.startswith(f"{path}/")
    )


def _origin(place: SplitResult) -> tuple[str, str]:
    return place.scheme, place.netloc.lower()


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _check_signed(given: Secured, found: _Badge, part: Part, setting: Setting) -> list[Check]:
    if not isinstance(given, VcJwt):
        bare = BadProof("It says that it is signed, and carries no signature.")
        return [part.refused("signature", bare)]
    try:
        name, key = _key(found, setting)
    except CredentialError as error:
        return [part.signature_unchecked(), part.refused("issuer", error)]
    message = N_("The key %(key)s is one that the issuer %(issuer)s lists as its own.")
    issuer = (id_of(found.issuer) or "")[:200]
    theirs = part.check("issuer", Finding.PASSED, message, key=name[:200], issuer=issuer)
    try:
        return [part.signature(token_holds(given.token, key)), theirs]
    except CredentialError as error:
        return [part.refused("signature", error), theirs]


def _key(found: _Badge, setting: Setting) -> tuple[str, Key]:
    """The key named by the assertion, which names its owner and is named by it."""
    verification = found.assertion["verification"]
    listed = as_list(found.issuer.get("publicKey"))
    named = text_at(verification, "creator") if isinstance(verification, dict) else None
    name = named or (id_of(listed[0]) if listed else None)
    if name is None:
        raise BadProof("The badge does not say which key made it.")
    document = load_json(setting.get(name))
    owner = id_of(document.get("owner"))
    if owner != id_of(found.issuer) or name not in map(id_of, listed):
        raise BadProof(
            "It was signed with %(key)s, which is not a key of the issuer %(issuer)s.",
            key=name[:200],
            issuer=(id_of(found.issuer) or "")[:200],
        )
    return name, key_of_pem(text_at(document, "publicKeyPem") or "")


def _dates(assertion: JsonObject, part: Part, now: datetime) -> Check:
    try:
        begins, ends = read_instant(assertion, "issuedOn"), read_instant(assertion, "expires")
    except Malformed as error:
        return part.refused("dates", error)
    outside = outside_dates(begins, ends, part, now)
    return outside or part.check("dates", Finding.PASSED, N_("It is within its dates."))


def _status(found: _Badge, kind: str, part: Part, setting: Setting) -> Check:
    fine = part.check("status.revocation", Finding.PASSED, N_("It is not revoked."))
    try:
        if found.assertion.get("revoked") is True:
            return _revoked(part, text_at(found.assertion, "revocationReason") or "")
        address = id_of(found.issuer.get("revocationList"))
        if address is None and kind in _SIGNED:
            message = N_("It names no status list, so it cannot be revoked.")
            return part.check("status", Finding.NOTED, message)
        if address is None:
            return fine
        listed = as_list(load_json(setting.get(address)).get("revokedAssertions"))
        reasons = list(_reasons(listed, id_of(found.assertion)))
    except CredentialError as error:
        return part.refused("status.revocation", error)
    return _revoked(part, reasons[0]) if reasons else fine


def _reasons(listed: list[JsonValue], name: str | None) -> Iterator[str]:
    for one in listed:
        if id_of(one) == name or (isinstance(one, dict) and one.get("uid") == name):
            yield (text_at(one, "revocationReason") or "") if isinstance(one, dict) else ""


def _revoked(part: Part, reason: str) -> Check:
    if not reason:
        message = N_("It was revoked by its issuer.")
        return part.check("status.revocation", part.lapsed, message)
    message = N_("It was revoked by its issuer, who says: %(reason)s")
    return part.check("status.revocation", part.lapsed, message, reason=reason[:300])


def _instant(document: JsonObject, key: str) -> datetime | None:
    try:
        return read_instant(document, key)
    except Malformed:
        return None
