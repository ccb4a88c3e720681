"""Documents with several Data Integrity proofs: sets, and chains by `previousProof`.

See W3C Verifiable Credential Data Integrity 1.0, sections 2.1.1, 2.1.2 and 4.5: a proof that names
others is over the document with those proofs in it, and holds only if they hold.
"""

from collections.abc import Sequence

from credentials.documents import JsonObject, JsonValue, as_list
from credentials.errors import BadProof
from credentials.keys import Signer
from credentials.proofs import ASSERTION, Canonicalize, Proof, make_proof, read_one

MOST_PROOFS = 8
"""Each costs a canonicalisation; nothing honest has more."""

_NO_SUCH = "The proof builds upon a proof that is not there."


def read_proofs(
    document: JsonObject, canonicalize: Canonicalize, purpose: str = ASSERTION
) -> list[Proof]:
    """All proofs of a document, none of them checked against a key yet.

    Raises BadProof if there is none or one cannot count; Malformed if the document cannot be
    canonicalised safely.
    """
    proofs = _listed(document)
    if not proofs:
        raise BadProof("The document carries no proof.")
    unsigned = without_proofs(document)
    return [
        read_one(_with(unsigned, _previous(one, proofs)), one, canonicalize, purpose)
        for one in proofs
    ]


def append_proof(
    document: JsonObject, options: JsonObject, key: Signer, canonicalize: Canonicalize
) -> JsonObject:
    """The document with one more proof by `key`; those that it has stay.

    Where `options` names `previousProof`, the new proof is over those too. Raises BadProof if there
    are too many or a named one is missing; Malformed if the document cannot be canonicalised.
    """
    proofs = _listed(document)
    if len(proofs) >= MOST_PROOFS:
        raise BadProof("The document carries more proofs than Assay reads.")
    base = _with(without_proofs(document), _previous(options, proofs))
    made = make_proof(base, options, key, canonicalize)
    every: list[JsonValue] = [*proofs, made]
    return {**document, "proof": every}


def without_proofs(document: JsonObject) -> JsonObject:
    """The document that its proofs are over."""
    return {key: value for key, value in document.items() if key != "proof"}


def _listed(document: JsonObject) -> list[JsonObject]:
    given = as_list(document.get("proof"))
    proofs = [one for one in given if isinstance(one, dict)]
    if len(proofs) != len(given):
        raise BadProof("The proof is not an object.")
    if len(proofs) > MOST_PROOFS:
        raise BadProof("The document carries more proofs than Assay reads.")
    names = [one["id"] for one in proofs if "id" in one]
    if len(names) != len({str(name) for name in names}):
        raise BadProof("Two proofs have the same id.")
    return proofs


def _previous(options: JsonObject, proofs: Sequence[JsonObject]) -> list[JsonObject]:
    """The proofs that one builds upon, in the order in which they stand in the document."""
    wanted = as_list(options.get("previousProof"))
    found = [one for one in proofs if one is not options and one.get("id") in wanted]
    if len(found) != len(wanted):
        raise BadProof(_NO_SUCH)
    return found


def _with(unsigned: JsonObject, previous: Sequence[JsonObject]) -> JsonObject:
    if not previous:
        return unsigned
    kept: list[JsonValue] = list(previous)
    return {**unsigned, "proof": kept}
