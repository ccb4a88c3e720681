"""Documents under a key, and read back before anybody sees them.

One alone is signed and read back by the general route of JSON-LD. Many of a kind are signed by the
compiled route, which is two hundred times as fast; one in a hundred of those is read back by the
general route before it is published, and the first of each kind always.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json
from credentials.proofs import add_proof, check_proof
from workflows.issuance.keys import SigningKey

RECHECKED = 100
"""One in so many is read back by the general route."""


@dataclass(frozen=True)
class ToSign:
    """A document without a proof, when it is signed, and what kind it is of.

    Of a kind are those that one definition made: their documents differ in values, not in shape.
    """

    document: JsonObject
    at: datetime
    kind: object = None


def sign_alone(document: JsonObject, key: SigningKey, at: datetime) -> str:
    """The signed document as text. Raises BadProof when it does not verify, Malformed."""
    contexts = pinned_contexts()
    signed = add_proof(document, key.private, key.verification_method, at, contexts)
    check_proof(signed, lambda _: key.public, contexts)
    return dump_json(signed).decode()


def sign_many(given: Sequence[ToSign], key: SigningKey) -> list[str]:
    """The signed documents as texts, in their order.

    Raises BadProof when one of those that are read back does not verify: then none is to be used.
    """
    seen: set[object] = set()
    texts = []
    for one in given:
        signed = add_proof(one.document, key.private, key.verification_method, one.at)
        if one.kind not in seen or secrets.randbelow(RECHECKED) == 0:
            check_proof(signed, lambda _: key.public, pinned_contexts())
        seen.add(one.kind)
        texts.append(dump_json(signed).decode())
    return texts
