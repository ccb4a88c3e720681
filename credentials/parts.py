"""What all checks of a verification share: where they ask, when it is, and of what they speak."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from credentials.dates import read_instant, write_instant
from credentials.documents import JsonObject
from credentials.errors import CannotFetch, CredentialError, Malformed, NotYetReadable
from credentials.fetching import Fetcher
from credentials.verdict import N_, Check, Finding, refused

SKEW = timedelta(minutes=5)
_MOST_FETCHES = 16
_LONGEST_ADDRESS = 2000


@dataclass
class Setting:
    """What all checks of one verification share."""

    fetch: Fetcher
    now: datetime
    schemas: Path | None
    fetched: dict[str, bytes | CannotFetch] = field(default_factory=dict)

    def get(self, url: str, /) -> bytes:
        """Each address once, and a bounded number of them. Raises CannotFetch."""
        if len(url) > _LONGEST_ADDRESS:
            raise CannotFetch("%(url)s… was not fetched: it is too long.", url=url[:200])
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

    def well_formed(self) -> Check:
        """The check that every readable document passes first."""
        return self.check("well_formed", Finding.PASSED, N_("The document is well formed."))

    def signature(self, holds: bool) -> Check:
        """Whether the signature is the key's over this document."""
        if holds:
            message = N_("The signature is good: nothing was changed.")
            return self.check("signature", Finding.PASSED, message)
        message = N_(
            "The signature does not match: the document was changed or signed with another key."
        )
        return self.check("signature", Finding.FAILED, message)

    def signature_unchecked(self) -> Check:
        """The signature of somebody whose key could not be had."""
        message = N_("The signature was not checked: the issuer's key is not known.")
        return self.check("signature", Finding.UNKNOWN, message)


def validity(document: JsonObject) -> tuple[datetime | None, datetime | None]:
    """From when until when a credential says it is valid, in the words of version 2 or 1.1.

    Raises Malformed for a date that is none.
    """
    begins = read_instant(document, "validFrom") or read_instant(document, "issuanceDate")
    ends = read_instant(document, "validUntil") or read_instant(document, "expirationDate")
    return begins, ends


def outside_dates(
    begins: datetime | None, ends: datetime | None, part: Part, now: datetime
) -> Check | None:
    """What is wrong when now is not between the two; None when it is."""
    if begins is not None and begins > now + SKEW:
        message = N_("It is not valid before %(date)s.")
        return part.check("dates", Finding.FAILED, message, date=write_instant(begins))
    if ends is not None and ends < now:
        message = N_("It was valid until %(date)s.")
        return part.check("dates", part.lapsed, message, date=write_instant(ends))
    return None


def check_dates(
    document: JsonObject, proof_expires: datetime | None, part: Part, now: datetime
) -> Check:
    """Whether a document is within its dates, and its proof within its own."""
    try:
        begins, ends = validity(document)
    except Malformed as error:
        return part.refused("dates", error)
    if (outside := outside_dates(begins, ends, part, now)) is not None:
        return outside
    if proof_expires is not None and proof_expires < now:
        message = N_("Its signature was valid until %(date)s.")
        return part.check("dates", part.lapsed, message, date=write_instant(proof_expires))
    return part.check("dates", Finding.PASSED, N_("It is within its dates."))
