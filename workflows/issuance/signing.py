"""Documents under a key, and read back before anybody sees them.

One alone is signed and read back by the general route of JSON-LD. Many of a kind are signed by the
compiled route, which is two hundred times as fast; one in five hundred of those is read back
by the general route before it is published, and the first of each definition always.
"""

import secrets
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json

from credentials.claims import (
    AchievementClaims,
    CredentialClaims,
    IdentityClaim,
    IssuerProfile,
    LearnerClaim,
)
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json
from credentials.issuing import sign_credential
from credentials.keys import generate_ed25519
from credentials.proofs import add_proof, check_proof
from workflows.issuance.keys import SigningKey

RECHECKED = 500
"""One in so many is read back by the general route."""


@dataclass(frozen=True)
class Unsigned:
    """A document that had a proof and is to get another one."""

    document: JsonObject
    definition_id: UUID


@dataclass(frozen=True)
class Told:
    """What a credential says, and when it is signed.

    Credentials of one definition share the very objects of their achievement and issuer; that is
    what makes signing them fast.
    """

    claims: CredentialClaims
    at: datetime
    definition_id: UUID


def warm_up(at: datetime) -> None:
    """Read the contexts, and understand once what every credential says, before processes are
    forked that would each do so anew. Signs something of nobody with a key that is forgotten."""
    nobody = IssuerProfile("did:web:nobody.example", "Nobody")
    address, kind = "https://nobody.example/nothing", "https://nobody.example/kind"
    claims = CredentialClaims(
        id=address,
        name="Nothing",
        description="Nothing",
        issuer=nobody,
        valid_from=at,
        awarded_date=at,
        learner=LearnerClaim(identities=(IdentityClaim("name", "Nobody"),)),
        achievement=AchievementClaims(kind, "Nothing", "Nothing", kind, "Nothing"),
    )
    key, method = generate_ed25519(), f"{nobody.id}#key"
    signed = sign_credential(claims, key, method, at)
    check_proof(signed, lambda _: key.public_key(), pinned_contexts())


def sign_alone(document: JsonObject, key: SigningKey, at: datetime) -> str:
    """The signed document as text. Raises BadProof when it does not verify, Malformed."""
    contexts = pinned_contexts()
    signed = add_proof(document, key.private, key.verification_method, at, contexts)
    check_proof(signed, lambda _: key.public, contexts)
    return dump_json(signed).decode()


def sign_many(given: Iterable[Told], key: SigningKey) -> list[str]:
    """The signed credentials as texts, in their order.

    Raises BadProof when one of those that are read back does not verify: then none is to be used.
    """
    seen, draws = set[UUID](), _draws()
    texts = []
    for one in given:
        signed = sign_credential(one.claims, key.private, key.verification_method, one.at)
        texts.append(_read_back(signed, key, one.definition_id, seen, draws))
    return texts


def sign_anew(given: Iterable[Unsigned], key: SigningKey, at: datetime) -> list[str]:
    """The documents with a new proof as texts, in their order. Raises BadProof, Malformed."""
    seen, draws = set[UUID](), _draws()
    texts = []
    for one in given:
        signed = add_proof(one.document, key.private, key.verification_method, at)
        texts.append(_read_back(signed, key, one.definition_id, seen, draws))
    return texts


def _read_back(
    signed: JsonObject, key: SigningKey, definition_id: UUID, seen: set[UUID], draws: Iterator[bool]
) -> str:
    """The text; the first of a definition and one in 500 are checked by the general route."""
    if next(draws) or definition_id not in seen:
        check_proof(signed, lambda _: key.public, pinned_contexts())
    seen.add(definition_id)
    return to_json(signed, indent=2).decode() + "\n"


def _draws() -> Iterator[bool]:
    """Without end, for one document after the other: whether it is one of the one in 500."""
    while True:
        for drawn in array("I", secrets.token_bytes(4096)):
            yield drawn % RECHECKED == 0
