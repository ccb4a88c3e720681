"""Proofs of a wallet that it holds a key (OpenID4VCI 1.0, appendix F.1): checked by openvc.

A proof counts for one issuer, once, for a short time. It brings its key (`jwk`) or names one that
needs no looking up (`kid` with a did:key or did:jwk).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

from joserfc.jwk import Key
from openvc.errors import OpenvcError
from openvc.openid4vci import ProofReplayed, verify_credential_request_proofs

from credentials.documents import JsonObject, JsonValue
from credentials.errors import BadKey, BadProof, CredentialError
from credentials.jwk import key_of_did, read_jwk

ALGORITHMS = ("ES256", "EdDSA", "Ed25519")
"""What a proof may be signed with; the metadata of the issuer says the same."""
MOST_PROOFS = 10
_OLDEST_SECONDS = 300
_SKEW_SECONDS = 60


class StaleNonce(BadProof):
    """The proof is over a nonce that is not ours, is spent, or is too old."""


def check_key_proofs(
    proofs: JsonValue, *, audience: str, now: datetime, spend: Callable[[str], bool]
) -> tuple[JsonObject, ...]:
    """The keys (JWKs) that a wallet showed to hold, each one once.

    `proofs` is the request's member of that name. `spend` is asked once, after all signatures were
    found good, and says whether the nonce counts. Raises BadProof, and StaleNonce where only the
    nonce speaks against them.
    """
    request = {"credential_configuration_id": "any", "proofs": proofs}
    try:
        verified = verify_credential_request_proofs(
            request,
            credential_issuer=audience,
            check_nonce=spend,
            resolve_proof_key=_key_named,
            max_age_s=_OLDEST_SECONDS,
            leeway_s=_SKEW_SECONDS,
            now=now,
            allowed_algs=frozenset(ALGORITHMS),
            batch_size=MOST_PROOFS,
        )
        return tuple(_public(read_jwk(cast(JsonObject, one.public_jwk))) for one in verified)
    except ProofReplayed:
        raise StaleNonce("The nonce of the key proof is unknown, spent or too old.") from None
    except (OpenvcError, CredentialError) as error:
        why = str(error)[:200].rstrip(".")
        raise BadProof("The key proof was refused: %(why)s.", why=why) from None


def _key_named(kid: str) -> dict[str, JsonValue]:
    """The key that a `kid` is. Raises BadKey, NotYetReadable."""
    did, _, fragment = kid.partition("#")
    key = key_of_did(did)
    if key is None:
        raise BadKey("Only keys named by did:key and did:jwk are looked up.")
    if fragment and fragment != ("0" if did.startswith("did:jwk:") else did.rpartition(":")[2]):
        raise BadKey("There is no such key in %(did)s.", did=did[:80])
    return _public(key)


def _public(key: Key) -> JsonObject:
    """Only what a public key is made of."""
    parts = cast(Mapping[str, JsonValue], key.as_dict(private=False))
    return {name: parts[name] for name in ("kty", "crv", "x", "y") if name in parts}
