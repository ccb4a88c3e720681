"""Everything that speaks against a credential or a presentation, for programs that ask by VC-API.

Every kind of verifiable credential, with several proofs, terms of its own and statuses of any
purpose; `verify` is the verdict for people, on badges.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from credentials.data_model import check_credential, check_presentation, validity
from credentials.dates import write_instant
from credentials.did import VerificationMethod, find_method, resolve_did
from credentials.documents import JsonObject, as_list, id_of, load_json, types_of
from credentials.envelopes import enveloped_credential, enveloped_presentation, is_envelope
from credentials.errors import (
    BadKey,
    BadProof,
    BadStatus,
    CannotFetch,
    CredentialError,
    NotYetReadable,
)
from credentials.keys import public_from_multibase
from credentials.parts import Part, Setting
from credentials.proof_sets import read_proofs, without_proofs
from credentials.proofs import ASSERTION, AUTHENTICATION, Canonicalize, Proof, holds
from credentials.related import check_related
from credentials.status_entry import ENTRY, WITHDRAWN, read_entry
from credentials.token_checks import check_token
from credentials.verdict import Finding


@dataclass(frozen=True)
class Question:
    """How it is asked: where and when, how documents are read, and what a presentation is for."""

    setting: Setting
    canonicalize: Canonicalize
    status: bool = True
    domain: str | None = None
    challenge: str | None = None

    @property
    def now(self) -> datetime:
        """When it is asked."""
        return self.setting.now


def against_credential(document: JsonObject, question: Question) -> Iterator[CredentialError]:
    """What speaks against a credential: nothing, or errors with words for people."""
    if is_envelope(document):
        yield from _against_enveloped(document, question)
        return
    try:
        check_credential(document)
        proofs = read_proofs(document, question.canonicalize)
    except CredentialError as error:
        yield error
        return
    issuer = id_of(document["issuer"])
    yield from _against_proofs(proofs, issuer, ASSERTION, question)
    yield from _against_dates(document, question.now)
    yield from _against_the_rest(document, question)


def against_presentation(
    document: JsonObject, question: Question, *, signed: bool = True
) -> Iterator[CredentialError]:
    """What speaks against a presentation and every credential in it.

    With `signed` false it needs no proof: then only the credentials are vouched for.
    """
    try:
        if is_envelope(document):
            document = enveloped_presentation(
                document, question.setting, question.domain, question.challenge
            )
            signed = False
        check_presentation(document)
        if signed:
            proofs = read_proofs(document, question.canonicalize, AUTHENTICATION)
        else:
            proofs = []
            question.canonicalize(without_proofs(document))
    except CredentialError as error:
        yield error
        return
    if signed:
        yield from _against_proofs(proofs, id_of(document.get("holder")), AUTHENTICATION, question)
        yield from _against_use(proofs, question)
    for one in as_list(document.get("verifiableCredential")):
        if isinstance(one, dict):
            yield from against_credential(one, question)


def _against_enveloped(node: JsonObject, question: Question) -> Iterator[CredentialError]:
    """A credential in a token: what is in it, whose token it is, and until when."""
    try:
        given = enveloped_credential(node)
        check_credential(given.credential)
        question.canonicalize(without_proofs(given.credential))
    except CredentialError as error:
        yield error
        return
    for check in check_token(given, Part(""), question.setting):
        if check.outcome is Finding.FAILED:
            yield BadProof(check.message, **check.params)
        elif check.outcome is Finding.UNKNOWN:
            yield NotYetReadable(check.message, **check.params)
    yield from _against_the_rest(given.credential, question)


def _against_the_rest(document: JsonObject, question: Question) -> Iterator[CredentialError]:
    """Related resources and statuses, whichever way the credential is secured."""
    yield from _against_related(document, question)
    if question.status:
        for entry in as_list(document.get("credentialStatus")):
            yield from _against_status(entry, id_of(document["issuer"]), question)


def _against_proofs(
    proofs: list[Proof], party: str | None, purpose: str, question: Question
) -> Iterator[CredentialError]:
    """Every proof must hold, and one of them must be of the issuer's or holder's own key."""
    for proof in proofs:
        try:
            _check_proof(proof, purpose, question)
        except CredentialError as error:
            yield error
    if party is not None and all(_did(proof) != party for proof in proofs):
        yield BadProof("No proof was made with a key of %(party)s.", party=party[:200])


def _check_proof(proof: Proof, purpose: str, question: Question) -> None:
    did = _did(proof)
    method = find_method(resolve_did(did, question.setting.get), proof.verification_method)
    allowed = method.may_assert if purpose == ASSERTION else method.may_authenticate
    if method.controller != did or not allowed:
        raise BadKey(
            "The key %(key)s may not be used for %(purpose)s.", key=method.id[:200], purpose=purpose
        )
    if _over(method, proof.created):
        raise BadKey(
            "The key %(key)s was no longer in use when this was signed.", key=method.id[:200]
        )
    if not holds(proof, public_from_multibase(method.public_multibase)):
        raise BadProof("The signature does not match the document.")
    if proof.expires is not None and proof.expires < question.now:
        raise BadProof("Its signature was valid until %(date)s.", date=write_instant(proof.expires))


def _did(proof: Proof) -> str:
    return proof.verification_method.partition("#")[0]


def _over(method: VerificationMethod, signed: datetime | None) -> bool:
    ends = [end for end in (method.revoked, method.expires) if end is not None]
    return any(signed is None or signed >= end for end in ends)


def _against_use(proofs: list[Proof], question: Question) -> Iterator[CredentialError]:
    """A presentation made for somebody else, or for another time, is not one for the asker."""
    if question.domain is not None and not all(question.domain in one.domains for one in proofs):
        yield BadProof(
            "The presentation was not made for %(domain)s.", domain=question.domain[:200]
        )
    if question.challenge is not None and any(
        one.challenge != question.challenge for one in proofs
    ):
        yield BadProof("The presentation does not answer the challenge.")


def _against_dates(document: JsonObject, now: datetime) -> Iterator[CredentialError]:
    begins, ends = validity(document)
    if begins is not None and begins > now:
        yield BadProof("It is not valid before %(date)s.", date=write_instant(begins))
    if ends is not None and ends < now:
        yield BadProof("It was valid until %(date)s.", date=write_instant(ends))


def _against_related(document: JsonObject, question: Question) -> Iterator[CredentialError]:
    try:
        check_related(document, question.setting.get)
    except CredentialError as error:
        yield error


def _against_status(
    entry: object, issuer: str | None, question: Question
) -> Iterator[CredentialError]:
    if not isinstance(entry, dict) or ENTRY not in types_of(entry):
        yield NotYetReadable("Its status is of a kind that Assay does not read.")
        return
    try:
        status = read_entry(_status_list(entry, issuer, question), entry)
    except CredentialError as error:
        yield error
        return
    if status.purpose in WITHDRAWN and status.value:
        messages = {
            "revocation": "It was revoked by its issuer.",
            "suspension": "It is suspended by its issuer.",
        }
        yield BadStatus(messages[status.purpose])


def _status_list(entry: JsonObject, issuer: str | None, question: Question) -> JsonObject:
    """The list an entry names, if it is good and of the credential's own issuer."""
    url = str(entry.get("statusListCredential"))
    document = load_json(question.setting.get(url))
    if id_of(document.get("issuer")) != issuer:
        raise BadStatus("The status list was issued by somebody else.")
    unlisted = Question(question.setting, question.canonicalize, status=False)
    for error in against_credential(document, unlisted):
        if isinstance(error, CannotFetch | NotYetReadable):
            raise CannotFetch("Its status list cannot be checked: %(why)s", why=error.reason)
        raise BadStatus("Its status list is not good: %(why)s", why=error.reason)
    return document
