"""Data Integrity proofs of the cryptosuites eddsa-rdfc-2022 and eddsa-jcs-2022: add, read, check.

See W3C Data Integrity EdDSA Cryptosuites v1.0, sections 3.2 and 3.3: the signature is over
SHA-256(canonical proof options) + SHA-256(canonical document without its proof). Documents with
several proofs are for `proof_sets`.
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
from credentials.jcs import canonicalize_json
from credentials.keys import PublicKey, Signer
from credentials.multibase import from_base58, to_base58

CRYPTOSUITE = "eddsa-rdfc-2022"
CRYPTOSUITE_JCS = "eddsa-jcs-2022"
CRYPTOSUITES = (CRYPTOSUITE, CRYPTOSUITE_JCS)
ASSERTION = "assertionMethod"
AUTHENTICATION = "authentication"

Canonicalize = Callable[[JsonObject], bytes]
"""Canonical N-Quads of a document; Malformed where its JSON and RDF could be read differently."""


@dataclass(frozen=True)
class Proof:
    """A proof as it stands in a document, with what its signature is over."""

    verification_method: str
    created: datetime | None
    expires: datetime | None
    signature: bytes
    signed: bytes
    cryptosuite: str = CRYPTOSUITE
    domains: tuple[str, ...] = ()
    challenge: str | None = None


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
    options = proof_options(CRYPTOSUITE, verification_method, created)
    return {**document, "proof": [make_proof(document, options, key, general_or(contexts))]}


def proof_options(
    cryptosuite: str, verification_method: str, created: datetime, purpose: str = ASSERTION
) -> JsonObject:
    """What a proof says of itself, before it is made."""
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": cryptosuite,
        "created": write_instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": purpose,
    }


def make_proof(
    unsigned: JsonObject, options: JsonObject, key: Signer, canonicalize: Canonicalize
) -> JsonObject:
    """The proof by `key` over a document without proofs, or with those that it builds upon.

    Raises Malformed if either cannot be canonicalised safely.
    """
    if options.get("cryptosuite") == CRYPTOSUITE_JCS and "@context" in unsigned:
        options = {**options, "@context": unsigned["@context"]}
    return proof_over(_signed_bytes(unsigned, options, canonicalize), options, key)


def proof_over(hashes: bytes, options: JsonObject, key: Signer) -> JsonObject:
    """The proof by `key` over the hash of these options and the hash of a document."""
    return {**options, "proofValue": to_base58(key.sign(hashes))}


def general_or(contexts: Contexts | None) -> Canonicalize:
    """How documents are canonicalised: the compiled route for the pinned contexts."""
    return compiled.canonicalize if contexts is None else partial(canonicalize, contexts=contexts)


def read_proof(document: JsonObject, contexts: Contexts | None = None) -> Proof:
    """The document's one proof, not yet checked against a key.

    Raises BadProof if there is none, more than one, or one of another kind; Malformed if the
    document cannot be canonicalised safely.
    """
    options = _the_proof(document)
    if "previousProof" in options:
        raise BadProof("The proof is part of a chain whose other parts are missing.")
    unsigned = {key: value for key, value in document.items() if key != "proof"}
    return read_one(unsigned, options, general_or(contexts))


def read_one(
    unsigned: JsonObject,
    options: JsonObject,
    canonicalize: Canonicalize,
    purpose: str = ASSERTION,
) -> Proof:
    """A proof over a document without proofs, or with those that it builds upon.

    Raises BadProof if it is of another kind or purpose; Malformed if the document cannot be
    canonicalised safely.
    """
    cryptosuite = options.get("cryptosuite")
    if options.get("type") != "DataIntegrityProof" or cryptosuite not in CRYPTOSUITES:
        raise BadProof("The proof is not of the kind %(kind)s.", kind=" or ".join(CRYPTOSUITES))
    if options.get("proofPurpose") != purpose:
        if purpose == ASSERTION:
            raise BadProof("The proof was not made to assert something.")
        raise BadProof("The proof was not made for %(purpose)s.", purpose=purpose)
    method = text_at(options, "verificationMethod")
    if method is None:
        raise BadProof("The proof does not say which key made it.")
    bare = {key: value for key, value in options.items() if key != "proofValue"}
    return Proof(
        verification_method=method,
        created=read_instant(options, "created"),
        expires=read_instant(options, "expires"),
        signature=_signature(options),
        signed=_signed_bytes(unsigned, bare, canonicalize),
        cryptosuite=str(cryptosuite),
        domains=_domains(options),
        challenge=text_at(options, "challenge"),
    )


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


def _domains(options: JsonObject) -> tuple[str, ...]:
    named = as_list(options.get("domain"))
    texts = tuple(one for one in named if isinstance(one, str))
    if len(texts) != len(named):
        raise BadProof("The proof names a domain that is not a text.")
    return texts


def _signed_bytes(unsigned: JsonObject, options: JsonObject, canonicalize: Canonicalize) -> bytes:
    """The hash of the proof options, then the hash of the document."""
    if options.get("cryptosuite") == CRYPTOSUITE_JCS:
        document, proof = _json_texts(unsigned, options, canonicalize)
    else:
        document, proof = _datasets(unsigned, options, canonicalize)
    return hashlib.sha256(proof).digest() + hashlib.sha256(document).digest()


def _datasets(
    unsigned: JsonObject, options: JsonObject, canonicalize: Canonicalize
) -> tuple[bytes, bytes]:
    """Section 3.2.4. The options are read in the document's own context, whatever they say."""
    named = unsigned.get("@context")
    if "@context" in options and options["@context"] != named:
        raise BadProof("The proof names other JSON-LD contexts than the document.")
    return canonicalize(unsigned), canonicalize({**options, "@context": named})


def _json_texts(
    unsigned: JsonObject, options: JsonObject, canonicalize: Canonicalize
) -> tuple[bytes, bytes]:
    """Section 3.3.2. The document is read as JSON-LD too: what is undefined there says nothing."""
    canonicalize(unsigned)
    if "@context" in options:
        named, signed = as_list(unsigned.get("@context")), as_list(options["@context"])
        if named[: len(signed)] != signed:
            raise BadProof("The proof names other JSON-LD contexts than the document.")
        unsigned = {**unsigned, "@context": options["@context"]}
    return canonicalize_json(unsigned), canonicalize_json(options)
