"""The checks every signed document is asked: well formed, signature, issuer, dates.

Used for the credential, for each endorsement and for status lists alike, whether the proof is in
the document or the document in a token.
"""

from credentials.canonical import canonicalize
from credentials.did import find_method, resolve_did
from credentials.documents import JsonObject, as_list, id_of
from credentials.errors import BadProof, CredentialError, Malformed, NotYetReadable
from credentials.issuers import check_method
from credentials.jwt import VcJwt
from credentials.keys import public_from_multibase
from credentials.parts import Part, Setting, check_dates
from credentials.proofs import Proof, holds, read_proof
from credentials.token_checks import check_token
from credentials.verdict import Check

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
        proof = read_proof(given)
    except BadProof as error:
        return _without_proof(given, part, error)
    except CredentialError as error:
        return [part.refused("well_formed", error)]
    dates = check_dates(given, proof.expires, part, setting.now)
    return [part.well_formed(), *_check_signature(given, proof, part, setting), dates]


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
