"""Credentials as SD-JWT VC (RFC 9901, draft-ietf-oauth-sd-jwt-vc): written here, and only here.

The holder chooses later what of `hidden` and of `lists` a verifier sees. The bytes are openvc's;
what is hidden inside a list is laid out here, entry by entry.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from openvc.errors import OpenvcError
from openvc.keys import P256SigningKey
from openvc.proof.sd_jwt import (
    SdJwtVcProofSuite,
    disclosure_digest,
    make_array_disclosure,
)

from credentials.documents import JsonObject, JsonValue, check_depth
from credentials.errors import Malformed
from credentials.p256 import p256_jwk

MEDIA_TYPE = "application/dc+sd-jwt"
_SALT_BYTES = 16


@dataclass(frozen=True)
class SdClaims:
    """What an SD-JWT VC says. `shown` is always seen, each value of `hidden` and each entry of
    `lists` only where its holder shows it."""

    shown: JsonObject
    hidden: JsonObject = field(default_factory=dict)
    lists: Mapping[str, Sequence[JsonValue]] = field(default_factory=dict)


def write_sd_jwt_vc(claims: SdClaims, key: EllipticCurvePrivateKey, holder: JsonObject) -> str:
    """The signed credential with all its disclosures, bound to the key of its holder (a JWK).

    ES256. `shown` must bring `iss`, `vct` and `iat`. Raises Malformed for claims that would not
    be an SD-JWT VC.
    """
    payload = {**claims.shown, **claims.hidden}
    check_depth(payload)
    laid_out, disclosures = _lay_out(claims.lists)
    signer = P256SigningKey(key, kid=str(p256_jwk(key)["kid"]))
    try:
        signed = SdJwtVcProofSuite().issue(
            {**payload, **laid_out},
            signing_key=signer,
            disclosable=sorted(claims.hidden),
            holder_jwk=dict(holder),
        )
    except OpenvcError as error:
        raise Malformed("This cannot become an SD-JWT VC: %(why)s.", why=str(error)) from None
    return signed + "".join(f"{disclosure}~" for disclosure in disclosures)


def _lay_out(lists: Mapping[str, Sequence[JsonValue]]) -> tuple[JsonObject, list[str]]:
    """Each list as digests of its entries, and the disclosures that the digests stand for."""
    laid_out: JsonObject = {}
    disclosures = []
    for name, entries in lists.items():
        made = [make_array_disclosure(_salt(), entry) for entry in entries]
        laid_out[name] = [{"...": disclosure_digest(one)} for one in made]
        disclosures += made
    return laid_out, disclosures


def _salt() -> str:
    return secrets.token_urlsafe(_SALT_BYTES)
