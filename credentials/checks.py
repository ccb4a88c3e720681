"""The checks every signed document is asked: well formed, signature, issuer, dates.

Used for the credential, for each endorsement and for status lists alike.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from credentials.canonical import canonicalize
from credentials.dates import read_instant, write_instant
from credentials.did import VerificationMethod, find_method, resolve_did
from credentials.documents import JsonObject, id_of
from credentials.errors import (
    BadProof,
    CannotFetch,
    CredentialError,
    Malformed,
    NotYetReadable,
)
from credentials.fetching import Fetcher
from credentials.keys import public_from_multibase
from credentials.proofs import Proof, holds, read_proof
from credentials.verdict import N_, Check, Finding, refused

_SKEW = timedelta(minutes=5)
_MOST_FETCHES = 16


@dataclass
class Setting:
    """What all checks of one verification share."""

    fetch: Fetcher
    now: datetime
    schemas: Path | None
    fetched: dict[str, bytes | CannotFetch] = field(default_factory=dict)

    def get(self, url: str, /) -> bytes:
        """Each address once, and a bounded number of them. Raises CannotFetch."""
        if url not in self.fetched:
            if len(self.fetched) >= _MOST_FETCHES:
                raise CannotFetch("%(url)s was not fetched: there are too many.", url=url[:200])
            try:
                self.fetched[url] = self.fetch(url)
            except CannotFetch as error:
                self.fetched[url] = error
        found = self.fetched[url]
        if isinstance(found, CannotFetch):
            raise found
        return found


@dataclass(frozen=True)
class Part:
    """What is being looked at: the credential itself, or an endorsement of it.

    An endorsement that ended or was withdrawn says nothing against the credential, so there
    `lapsed` is NOTED.
    """

    subject: str
    prefix: str = ""
    lapsed: Finding = Finding.FAILED

    def check(self, code: str, outcome: Finding, message: str, **params: str) -> Check:
        """A check of this part."""
        return Check(self.prefix + code, self.subject, outcome, message, params)

    def refused(self, code: str, error: CredentialError) -> Check:
        """The check an error ends in: what is not there, or not read yet, is unknown."""
        unknown = isinstance(error, CannotFetch | NotYetReadable)
        outcome = Finding.UNKNOWN if unknown else Finding.FAILED
        return refused(self.prefix + code, self.subject, outcome, error)


def check_secured(document: JsonObject, part: Part, setting: Setting) -> list[Check]:
    """What every signed document is asked: well formed, signature, issuer, dates.

    The first check is always “well_formed”; the others are missing if it failed.
    """
    try:
        proof = read_proof(document)
    except BadProof as error:
        return _without_proof(document, part, error)
    except CredentialError as error:
        return [part.refused("well_formed", error)]
    good = part.check("well_formed", Finding.PASSED, N_("The document is well formed."))
    dates = _check_dates(document, proof, part, setting.now)
    return [good, *_check_signature(document, proof, part, setting), dates]


def _without_proof(document: JsonObject, part: Part, error: BadProof) -> list[Check]:
    try:
        canonicalize({key: value for key, value in document.items() if key != "proof"})
    except CredentialError as malformed:
        return [part.refused("well_formed", malformed)]
    good = part.check("well_formed", Finding.PASSED, N_("The document is well formed."))
    return [good, part.refused("signature", error)]


def _check_signature(
    document: JsonObject, proof: Proof, part: Part, setting: Setting
) -> list[Check]:
    unread = part.check(
        "signature",
        Finding.UNKNOWN,
        N_("The signature was not checked: the issuer's key is not known."),
    )
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
        return [unread, part.refused("issuer", error)]
    return [_signature(proof, method, part), _issuer(proof, method, issuer, part)]


def _signature(proof: Proof, method: VerificationMethod, part: Part) -> Check:
    if holds(proof, public_from_multibase(method.public_multibase)):
        return part.check(
            "signature", Finding.PASSED, N_("The signature is good: nothing was changed.")
        )
    return part.check(
        "signature",
        Finding.FAILED,
        N_("The signature does not match: the document was changed or signed with another key."),
    )


def _issuer(proof: Proof, method: VerificationMethod, issuer: str, part: Part) -> Check:
    params = {"issuer": issuer[:200], "key": method.id[:200]}
    if method.controller != issuer:
        message = N_("The key %(key)s is controlled by somebody else than %(issuer)s.")
    elif not method.may_assert:
        message = N_("The issuer %(issuer)s does not use the key %(key)s to sign credentials.")
    elif _over(method.revoked, proof.created) or _over(method.expires, proof.created):
        message = N_("The key %(key)s was no longer in use when this was signed.")
    elif issuer.startswith("did:key:"):
        message = N_("The issuer is the key itself, %(issuer)s; nothing here shows who holds it.")
        return part.check("issuer", Finding.PASSED, message, **params)
    else:
        message = N_("The key is published by the issuer %(issuer)s for signing credentials.")
        return part.check("issuer", Finding.PASSED, message, **params)
    return part.check("issuer", Finding.FAILED, message, **params)


def _over(end: datetime | None, signed: datetime | None) -> bool:
    """Whether something signed then came after the end; without a date, any end is before it."""
    return end is not None and (signed is None or signed >= end)


def _check_dates(document: JsonObject, proof: Proof, part: Part, now: datetime) -> Check:
    try:
        begins, ends = read_instant(document, "validFrom"), read_instant(document, "validUntil")
    except Malformed as error:
        return part.refused("dates", error)
    if begins is not None and begins > now + _SKEW:
        message = N_("It is not valid before %(date)s.")
        return part.check("dates", Finding.FAILED, message, date=write_instant(begins))
    if ends is not None and ends < now:
        message = N_("It was valid until %(date)s.")
        return part.check("dates", part.lapsed, message, date=write_instant(ends))
    if proof.expires is not None and proof.expires < now:
        message = N_("Its signature was valid until %(date)s.")
        return part.check("dates", part.lapsed, message, date=write_instant(proof.expires))
    return part.check("dates", Finding.PASSED, N_("It is within its dates."))
