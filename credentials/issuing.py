"""Signing many credentials of a definition: what they share is written once and looked at once.

The document and its proof are the same as by `build_credential` and `add_proof`. It is not screened
beforehand, because canonicalising refuses what could not be signed safely.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock

from cachetools import LRUCache

from credentials import compiled
from credentials.claims import AchievementClaims, CredentialClaims, IssuerProfile
from credentials.documents import JsonObject
from credentials.keys import Signer
from credentials.openbadges import CONTEXTS, achievement_of, assemble, profile_of
from credentials.plans import Plans
from credentials.proofs import CRYPTOSUITE, proof_options, proof_over
from credentials.shapes import Constants, as_constant

DEFINITIONS_KEPT = 64


@dataclass(frozen=True)
class _Shared:
    """What credentials of one definition and issuer share. Nobody changes it any more."""

    achievement_claims: AchievementClaims
    issuer_claims: IssuerProfile
    achievement: JsonObject
    issuer: JsonObject
    constants: Constants
    plans: Plans


_kept: "LRUCache[tuple[int, int], _Shared]" = LRUCache(DEFINITIONS_KEPT)
_lock = Lock()


def sign_credential(
    claims: CredentialClaims, key: Signer, verification_method: str, created: datetime
) -> JsonObject:
    """The signed credential of these claims. It is read and written, and not to be changed.

    Fast for claims that share their `achievement` and `issuer` with others, as those do which
    `claims_from_json` reads. Raises Malformed if the claims contradict each other or could not be
    signed safely.
    """
    shared = _shared(claims)
    planned = shared.plans.write(claims)
    document, form = planned or (assemble(claims, shared.achievement, shared.issuer), None)
    canonical = compiled.canonicalize(document, constants=shared.constants, form=form)
    options = proof_options(CRYPTOSUITE, verification_method, created)
    hashes = _hash_of_options(verification_method, created) + hashlib.sha256(canonical).digest()
    return {**document, "proof": [proof_over(hashes, options, key)]}


@lru_cache(maxsize=256)
def _hash_of_options(verification_method: str, created: datetime) -> bytes:
    """Kept, for a batch is signed within seconds."""
    options = proof_options(CRYPTOSUITE, verification_method, created)
    return hashlib.sha256(compiled.canonicalize({**options, "@context": [*CONTEXTS]})).digest()


def _shared(claims: CredentialClaims) -> _Shared:
    """Found by identity: an object in the list is alive, so that no other has its `id()`."""
    name = id(claims.achievement), id(claims.issuer)
    with _lock:
        found = _kept.get(name)
    if found is None:
        found = _write(claims.achievement, claims.issuer)
        with _lock:
            _kept[name] = found
    return found


def _write(achievement: AchievementClaims, issuer: IssuerProfile) -> _Shared:
    parts = achievement_of(achievement), profile_of(issuer)
    found = {id(part): as_constant(part) for part in parts}
    constants = {part: data for part, data in found.items() if data is not None}
    return _Shared(achievement, issuer, *parts, constants, Plans(*parts, constants))
