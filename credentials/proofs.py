"""Data Integrity proofs of the cryptosuite eddsa-rdfc-2022: add, read, check.

See W3C Data Integrity EdDSA Cryptosuites v1.0, section 3.2: the signature is over
SHA-256(canonical proof options) + SHA-256(canonical document without its proof).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cryptography.exceptions import InvalidSignature

from credentials import compiled
from credentials.canonical import canonicalize
from credentials.contexts import Contexts
from credentials.dates import read_instant, write_instant
from credentials.documents import JsonObject, as_list, text_at
from credentials.errors import BadProof, Malformed
from credentials.keys import PublicKey, Signer
from credentials.multibase import from_base58, to_base58

CRYPTOSUITE = "eddsa-rdfc-2022"


@dataclass(frozen=True)
class Proof:
    """A proof as it stands in a document, with what its signature is over."""

    verification_method: str
    created: datetime | None
    expires: datetime | None
    signature: bytes
    signed: bytes


def add_proof(
    document: JsonObject,
    key: Signer,
    verification_method: str,
    created: datetime,
    contexts: Contexts | None = None,
) -> JsonObject:
    """The document with a proof by `key`, in a list of one; the given document is not changed.

    Raises BadProof if it has a proof already, Malformed if it cannot be canonicalised safely.
    """
    if "proof" in document:
        raise BadProof("The document has a proof already.")
    options: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": write_instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(_signed_bytes(document, options, contexts))
    return {**document, "proof": [{**options, "proofValue": to_base58(signature)}]}


def read_proof(document: JsonObject, contexts: Contexts | None = None) -> Proof:
    """The document's one proof, not yet checked against a key.

    Raises BadProof if there is none, more than one, or one of another kind; Malformed if the
    document cannot be canonicalised safely.
    """
    options = _the_proof(document)
    if (
        text_at(options, "type") != "DataIntegrityProof"
        or options.get("cryptosuite") != CRYPTOSUITE
    ):
        raise BadProof("The proof is not of the kind %(kind)s.", kind=CRYPTOSUITE)
    if options.get("proofPurpose") != "assertionMethod":
        raise BadProof("The proof was not made to assert something.")
    if "previousProof" in options:
        raise BadProof("The proof is part of a chain whose other parts are missing.")
    method = text_at(options, "verificationMethod")
    if method is None:
        raise BadProof("The proof does not say which key made it.")
    created, expires = read_instant(options, "created"), read_instant(options, "expires")
    unsigned = {key: value for key, value in document.items() if key != "proof"}
    bare = {key: value for key, value in options.items() if key != "proofValue"}
    signed = _signed_bytes(unsigned, bare, contexts)
    return Proof(method, created, expires, _signature(options), signed)


def holds(proof: Proof, key: PublicKey) -> bool:
    """Whether `key` made this proof over this document."""
    try:
        key.verify(proof.signature, proof.signed)
    except InvalidSignature:
        return False
    return True


def check_proof(
    document: JsonObject,
    resolve_key: Callable[[str], PublicKey],
    contexts: Contexts | None = None,
) -> Proof:
    """The document's proof, checked with the key that `resolve_key` gives for its name.

    Raises BadProof if it does not hold; what `resolve_key` raises passes through.
    """
    proof = read_proof(document, contexts)
    if not holds(proof, resolve_key(proof.verification_method)):
        raise BadProof("The signature does not match the document.")
    return proof


def _the_proof(document: JsonObject) -> JsonObject:
    proofs = as_list(document.get("proof"))
    if not proofs:
        raise BadProof("The document carries no proof.")
    if len(proofs) > 1:
        raise BadProof("The document carries several proofs; Assay reads documents with one.")
    proof = proofs[0]
    if not isinstance(proof, dict):
        raise BadProof("The proof is not an object.")
    return proof


def _signature(options: JsonObject) -> bytes:
    value = text_at(options, "proofValue")
    try:
        signature = from_base58(value or "")
    except Malformed:
        signature = b""
    if len(signature) != 64:
        raise BadProof("The proof has no Ed25519 signature in it.")
    return signature


def _signed_bytes(unsigned: JsonObject, options: JsonObject, contexts: Contexts | None) -> bytes:
    """Section 3.2.4: the hash of the proof options, then the hash of the document.

    The options are read in the document's own context, whatever they say themselves.
    """
    named = unsigned.get("@context")
    if "@context" in options and options["@context"] != named:
        raise BadProof("The proof names other JSON-LD contexts than the document.")
    if contexts is None:
        write = compiled.canonicalize
    else:
        write = partial(canonicalize, contexts=contexts)
    document = write(unsigned)
    proof = write({**options, "@context": named})
    return hashlib.sha256(proof).digest() + hashlib.sha256(document).digest()
