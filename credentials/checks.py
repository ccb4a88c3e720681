"""The checks every signed document is asked: well formed, signature, issuer, dates.

Used for the credential, for each endorsement and for status lists alike, whether the proof is in
the document or the document in a token.
"""

from collections.abc import Iterator, Sequence

from credentials import compiled
from credentials.canonical import canonicalize
from credentials.did import find_method, resolve_did
from credentials.documents import JsonObject, JsonValue, as_list, children, id_of
from credentials.errors import BadProof, CredentialError, Malformed, NotYetReadable
from credentials.issuers import check_method
from credentials.jwt import VcJwt
from credentials.keys import public_from_multibase
from credentials.parts import Part, Setting, check_dates
from credentials.proof_sets import read_proofs
from credentials.proofs import Proof, holds, read_proof
from credentials.token_checks import check_token
from credentials.verdict import N_, Check, Finding

_MOST_PROOFS = 4
"""Each may cost a canonicalisation of a document made to be hard."""

_NOT_YET = {
    *("ecdsa-rdfc-2019", "ecdsa-jcs-2019", "ecdsa-sd-2023", "bbs-2023", "ecdsa-xi-2023"),
    *("Ed25519Signature2018", "Ed25519Signature2020", "JsonWebSignature2020"),
    *("RsaSignature2018", "EcdsaSecp256k1Signature2019", "BbsBlsSignature2020"),
}
"""Kinds of proof that others make and this version does not check."""


def check_secured(given: JsonObject | VcJwt, part: Part, setting: Setting) -> list[Check]:
    """What every signed document is asked: well formed, signature, issuer, dates.

    The first check is always “well_formed”; the others are missing if it failed.
    """
    if isinstance(given, VcJwt):
        return check_token(given, part, setting)
    try:
        _check_evidence_once(given)
        proofs = _read(given)
    except BadProof as error:
        return _without_proof(given, part, error)
    except CredentialError as error:
        return [part.refused("well_formed", error)]
    ends = min((proof.expires for proof in proofs if proof.expires), default=None)
    dates = check_dates(given, ends, part, setting.now)
    return [part.well_formed(), *_check_signatures(given, proofs, part, setting), dates]


def _check_evidence_once(document: JsonObject) -> None:
    """Raise Malformed if evidence is described in two places that differ.

    A signature covers what is said of it, wherever it is said: part of an item could be moved to
    where no reader looks, its digest for one.
    """
    items = {id_of(item): item for item in as_list(document.get("evidence")) if id_of(item)}
    waiting: list[JsonValue] = [document] if items else []
    while waiting:
        node = waiting.pop()
        waiting += [part for part in children(node) if isinstance(part, dict | list)]
        if not isinstance(node, dict):
            continue
        name = node.get("id")
        if not isinstance(name, str) or name not in items or items[name] == node:
            continue
        if not set(node) <= {"id", "type"}:
            raise Malformed("The evidence %(id)s is described in two places.", id=name[:200])


def _read(document: JsonObject) -> list[Proof]:
    """All proofs, with one canonicalisation for those that are over the same document."""
    if len(as_list(document.get("proof"))) <= 1:
        return [read_proof(document)]
    if len(as_list(document["proof"])) > _MOST_PROOFS:
        raise BadProof("The document carries more proofs than Assay reads.")
    known: dict[int, tuple[JsonObject, bytes]] = {}

    def canonical(part: JsonObject) -> bytes:
        if id(part) not in known:
            known[id(part)] = part, compiled.canonicalize(part)
        return known[id(part)][1]

    return read_proofs(document, canonical)


def _without_proof(document: JsonObject, part: Part, error: BadProof) -> list[Check]:
    try:
        canonicalize({key: value for key, value in document.items() if key != "proof"})
    except CredentialError as malformed:
        return [part.refused("well_formed", malformed)]
    kind = _kind_not_read(document)
    if kind is None:
        return [part.well_formed(), part.refused("signature", error)]
    unread = NotYetReadable("Signatures of the kind %(name)s are not read yet.", name=kind)
    return [part.well_formed(), part.refused("signature", unread)]


def _kind_not_read(document: JsonObject) -> str | None:
    """The kind of a proof that is sound perhaps, but not checked by this version."""
    for proof in as_list(document.get("proof")):
        if isinstance(proof, dict):
            for key in ("cryptosuite", "type"):
                kind = proof.get(key)
                if isinstance(kind, str) and kind in _NOT_YET:
                    return kind
    return None


def _check_signatures(
    document: JsonObject, proofs: Sequence[Proof], part: Part, setting: Setting
) -> Iterator[Check]:
    """Every proof: those of the issuer, without whom it is nobody's, then those of others."""
    issuer = id_of(document.get("issuer")) if len(proofs) > 1 else None
    own = [proof for proof in proofs if _signer(proof) == issuer] or proofs[:1]
    for proof in own:
        yield from _check_signature(document, proof, part, setting)
    for proof in proofs:
        if proof not in own:
            yield _also_signed(proof, part, setting)


def _also_signed(proof: Proof, part: Part, setting: Setting) -> Check:
    """The signature of somebody beside the issuer."""
    signer = {"signer": _signer(proof)[:200]}
    try:
        document = resolve_did(_signer(proof), setting.get)
        method = find_method(document, proof.verification_method)
    except CredentialError as error:
        return part.refused("signature", error)
    if not holds(proof, public_from_multibase(method.public_multibase)) or not method.may_assert:
        message = N_("The signature of %(signer)s, who is not the issuer, does not hold.")
        return part.check("signature", Finding.FAILED, message, **signer)
    message = N_("It is signed by %(signer)s as well, who is not the issuer.")
    return part.check("signature", Finding.PASSED, message, **signer)


def _signer(proof: Proof) -> str:
    return proof.verification_method.partition("#")[0]


def _check_signature(
    document: JsonObject, proof: Proof, part: Part, setting: Setting
) -> list[Check]:
    try:
        issuer = id_of(document.get("issuer"))
        if issuer is None:
            raise Malformed("The document names no issuer.")
        if proof.verification_method.partition("#")[0] != issuer:
            raise BadProof(
                "It was signed with %(key)s, which is not a key of the issuer %(issuer)s.",
                key=proof.verification_method[:200],
                issuer=issuer[:200],
            )
        method = find_method(resolve_did(issuer, setting.get), proof.verification_method)
    except CredentialError as error:
        return [part.signature_unchecked(), part.refused("issuer", error)]
    good = holds(proof, public_from_multibase(method.public_multibase))
    return [part.signature(good), check_method(method, proof.created, issuer, part)]
