"""Ways of being wrong that only tokens (VC-JWT) and pictures with a credential inside have.

`words` is part of the reason that must be given. `theirs` says whether openbadgeslib's verifier of
tokens looks at this at all: where it does, it must refuse as well.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from joserfc.jwk import OctKey, RSAKey

from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.did import did_web_url
from credentials.documents import JsonObject, dump_json
from credentials.openbadges import build_credential
from credentials.verdict import Finding
from tests.conformance.mutations import Case
from tests.fixtures.badges import (
    CLAIMS,
    DID,
    INDEX,
    ISSUED,
    LISTS,
    NOW,
    signed_credential,
    status_list,
    web,
)
from tests.fixtures.tokens import (
    RSA_METHOD,
    encoded,
    jws,
    rsa,
    rsa_jwk,
    rsa_pem,
    token,
    token_web,
)


@dataclass(frozen=True)
class FileMutation:
    """A way of being wrong."""

    name: str
    make: Callable[[], Case]
    code: str
    words: str
    finding: Finding
    theirs: bool


TOKENS: list[FileMutation] = []
PICTURES: list[FileMutation] = []


def token_mutation(
    code: str, words: str, *, finding: Finding = Finding.FAILED, theirs: bool = True
) -> Callable[..., object]:
    """Put a function into the table of tokens under its own name."""

    def keep(make: Callable[[], Case]) -> Callable[[], Case]:
        TOKENS.append(FileMutation(make.__name__, make, code, words, finding, theirs))
        return make

    return keep


def picture_mutation(code: str, words: str) -> Callable[..., object]:
    """Put a function into the table of pictures under its own name."""

    def keep(make: Callable[[], Case]) -> Callable[[], Case]:
        PICTURES.append(FileMutation(make.__name__, make, code, words, Finding.FAILED, False))
        return make

    return keep


def good_token() -> Case:
    """The token and the web in good order."""
    return Case(token(), token_web())


def forged(header: JsonObject, payload: JsonObject | None = None, number: int = 1) -> Case:
    """A token made by whoever has key `number`."""
    body = payload or _payload()
    return Case(jws(header, body, RSAKey.import_key(rsa(number))), token_web())


def _payload(**changes: object) -> JsonObject:
    claims = json.loads(_decoded(token().split(b".")[1]))
    return {key: value for key, value in {**claims, **changes}.items() if value is not None}


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _swapped(place: int, value: object) -> Case:
    parts = token().split(b".")
    parts[place] = encoded(value)
    return Case(b".".join(parts), token_web())


GOOD_HEADER: JsonObject = {"alg": "RS256", "kid": RSA_METHOD, "typ": "JWT"}


@token_mutation("signature", "does not match")
def token_with_another_name() -> Case:
    return _swapped(1, _payload(name="Welding"))


@token_mutation("signature", "does not match")
def token_with_another_digest() -> Case:
    evidence = [{"id": "urn:e:1", "type": ["Evidence"], "digestMultibase": "uEiDVFi1q1YbPVJWU7Ha4"}]
    return _swapped(1, _payload(evidence=evidence))


@token_mutation("signature", "does not match")
def token_with_a_longer_life() -> Case:
    later = ISSUED + timedelta(days=30 * 365)
    until = later.strftime("%Y-%m-%dT%H:%M:%SZ")
    return _swapped(1, _payload(validUntil=until, exp=int(later.timestamp())))


@token_mutation("signature", "proves nothing")
def token_that_says_it_is_not_signed() -> Case:
    parts = token().split(b".")
    return Case(encoded({**GOOD_HEADER, "alg": "none"}) + b"." + parts[1] + b".", token_web())


@token_mutation("signature", "proves nothing")
def token_whose_public_key_was_used_as_a_secret() -> Case:
    secret = OctKey.import_key(rsa_pem().encode().replace(b"-----", b"").strip())
    return Case(jws({**GOOD_HEADER, "alg": "HS256"}, _payload(), secret), token_web())


@token_mutation("signature", "not one for")
def token_with_another_algorithm_than_its_key() -> Case:
    return _swapped(0, {**GOOD_HEADER, "alg": "ES256"})


@token_mutation("signature", "does not match")
def token_signed_by_another() -> Case:
    return forged(GOOD_HEADER, number=2)


@token_mutation("signature", "does not match")
def token_with_a_header_of_another() -> Case:
    return _swapped(0, {**GOOD_HEADER, "typ": "vc+jwt"})


@token_mutation("issuer", "does not say which key")
def token_that_brings_the_key_of_its_forger() -> Case:
    return forged({"alg": "RS256", "jwk": rsa_jwk(2)}, number=2)


@token_mutation("issuer", "not a key of the issuer")
def token_signed_with_a_key_of_somebody_else() -> Case:
    return forged({**GOOD_HEADER, "kid": "did:web:elsewhere.example#key-1"}, number=2)


@token_mutation("issuer", "nothing shows", finding=Finding.UNKNOWN, theirs=False)
def token_whose_key_stands_on_another_site() -> Case:
    case = forged({**GOOD_HEADER, "kid": "https://elsewhere.example/key"}, number=2)
    case.web.put("https://elsewhere.example/key", rsa_jwk(2))
    return case


@token_mutation("issuer", "does not list the key")
def token_with_a_key_that_is_not_listed() -> Case:
    return forged({**GOOD_HEADER, "kid": f"{DID}#rsa-9"}, number=2)


@token_mutation("issuer", "does not use the key", theirs=False)
def token_with_a_key_outside_assertion_method() -> Case:
    case = good_token()
    document = json.loads(case.web.documents[did_web_url(DID)])
    document["assertionMethod"].remove(RSA_METHOD)
    case.web.put(did_web_url(DID), document)
    return case


@token_mutation("issuer", "no longer in use", theirs=False)
def token_with_a_key_that_was_revoked_before() -> Case:
    return Case(token(), token_web(revoked="2024-01-01T00:00:00Z"))


@token_mutation("well_formed", "disagree on “iss”")
def token_in_another_issuers_name() -> Case:
    return forged(GOOD_HEADER, _payload(iss="did:web:elsewhere.example"))


@token_mutation("well_formed", "disagree on “jti”")
def token_with_another_id() -> Case:
    return forged(GOOD_HEADER, _payload(jti="https://riverside.example/credentials/2"))


@token_mutation("well_formed", "disagree on “sub”")
def token_for_another_learner() -> Case:
    return forged(GOOD_HEADER, _payload(sub="urn:uuid:somebody-else"))


@token_mutation("well_formed", "disagree on “exp”", theirs=False)
def token_with_two_ends() -> Case:
    return forged(GOOD_HEADER, _payload(exp=4_000_000_000))


@token_mutation("dates", "was valid until")
def token_that_ended() -> Case:
    ended = replace(CLAIMS, valid_until=NOW - timedelta(days=1))
    return Case(token(ended), token_web())


@token_mutation("dates", "not valid before")
def token_of_tomorrow() -> Case:
    return Case(token(replace(CLAIMS, valid_from=NOW + timedelta(days=5000))), token_web())


@token_mutation("status.revocation", "was revoked", theirs=False)
def token_that_was_revoked() -> Case:
    case = good_token()
    case.web.put(LISTS["revocation"], status_list("revocation", INDEX))
    return case


@token_mutation("signature", "extension", finding=Finding.UNKNOWN)
def token_that_asks_for_an_extension() -> Case:
    return forged({**GOOD_HEADER, "crit": ["x"], "x": 1})


@token_mutation("well_formed", "nor a signed token")
def token_with_padding() -> Case:
    return Case(token() + b"=", token_web())


@token_mutation("well_formed", "stands twice", theirs=False)
def token_with_a_key_that_stands_twice() -> Case:
    text = json.dumps(_payload()).replace('"name":', '"name": "Welding", "name":', 1)
    header, _, signature = token().split(b".")
    return Case(b".".join((header, _bare(text.encode()), signature)), token_web())


def _bare(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@cache
def _badge() -> bytes:
    return draw_badge(BadgeFace("CNC", "Riverside"))


@cache
def _png() -> bytes:
    return badge_png(_badge(), 64)


def _chunk(body: bytes) -> bytes:
    whole = b"iTXt" + body
    return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))


def _credential(**changes: object) -> bytes:
    return dump_json({**signed_credential(), **changes})  # type: ignore[dict-item]


@picture_mutation("signature", "does not match")
def png_with_another_name() -> Case:
    return Case(bake_png(_png(), _credential(name="Welding")), web())


@picture_mutation("well_formed", "PNG is damaged")
def png_with_one_byte_changed_inside() -> Case:
    baked = bake_png(_png(), _credential())
    return Case(baked.replace(b"Riverside", b"Riverhide", 1), web())


@picture_mutation("well_formed", "more than one credential")
def png_with_two_credentials() -> Case:
    baked = bake_png(_png(), _credential())
    second = _chunk(b"openbadgecredential\0\0\0\0\0" + _credential(name="Welding"))
    return Case(baked[:-12] + second + baked[-12:], web())


@picture_mutation("well_formed", "PNG is damaged")
def png_that_was_cut_off() -> Case:
    return Case(bake_png(_png(), _credential())[:-200], web())


@picture_mutation("well_formed", "no credential inside")
def png_without_a_credential() -> Case:
    return Case(_png(), web())


@picture_mutation("well_formed", "too large")
def png_that_unpacks_without_end() -> Case:
    bomb = _chunk(b"openbadgecredential\0\1\0\0\0" + zlib.compress(b"0" * 50_000_000))
    return Case(_png()[:-12] + bomb + _png()[-12:], web())


@picture_mutation("signature", "no proof")
def png_with_a_credential_that_nobody_signed() -> Case:
    return Case(bake_png(_png(), dump_json(build_credential(CLAIMS))), web())


@picture_mutation("signature", "does not match")
def svg_with_another_name() -> Case:
    baked = bake_svg(_badge(), _credential())
    return Case(baked.replace(b"CNC set-up and first", b"CNC set-up and fifth"), web())


@picture_mutation("well_formed", "more than one credential")
def svg_with_two_credentials() -> Case:
    baked = bake_svg(_badge(), _credential())
    element = b'<openbadges:credential xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    return Case(baked.replace(b"</svg>", element + b' verify="a.b.c"/></svg>'), web())


@picture_mutation("well_formed", "document type declaration")
def svg_with_an_entity() -> Case:
    declared = b'<!DOCTYPE svg [<!ENTITY a "Welding">]>' + bake_svg(_badge(), _credential())
    return Case(declared, web())


@picture_mutation("well_formed", "SVG is damaged")
def svg_that_was_cut_off() -> Case:
    return Case(bake_svg(_badge(), _credential())[:-30], web())


@picture_mutation("well_formed", "no credential inside")
def svg_without_a_credential() -> Case:
    return Case(_badge(), web())


@picture_mutation("signature", "does not match")
def svg_with_a_token_of_another() -> Case:
    return Case(bake_svg(_badge(), token(number=2)), token_web())
