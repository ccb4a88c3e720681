"""What a verification found: each check on its own, and what they come to together.

The words are English gettext message ids with `%(name)s` places. Those of checks are marked with
`N_`, those of errors are the errors' first argument, so that they can be collected (`pybabel
extract -k N_ -k Malformed -k BadProof …`); whoever shows them translates and fills them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from credentials.documents import JsonObject
from credentials.errors import CredentialError


def N_(message: str) -> str:
    """Mark a text for translation elsewhere."""
    return message


class Outcome(StrEnum):
    """What all checks come to."""

    VALID = "valid"
    NOT_VALID = "not_valid"
    CANNOT_TELL = "cannot_tell"


class Finding(StrEnum):
    """What one check came to. NOTED is for the reader and decides nothing."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOTED = "noted"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    `code` is stable: well_formed, signature, issuer, dates, status.revocation, status.suspension,
    status, schema, evidence, for an SD-JWT VC binding and disclosed too, and for an endorsement
    each of these after “endorsement.”, with endorsement.subject. `subject` is the id of what was
    looked at, or the name of a given file.
    """

    code: str
    subject: str
    outcome: Finding
    message: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message in English with its places filled."""
        return self.message % self.params if self.params else self.message


@dataclass(frozen=True)
class EvidenceItem:
    """An evidence item as the credential names it; `sha256` is hex, or None if it has none."""

    id: str
    name: str
    genre: str
    media_type: str
    sha256: str | None


@dataclass(frozen=True)
class Verdict:
    """The checks in the order they were made, and the document if there was a readable one."""

    checks: tuple[Check, ...]
    document: JsonObject | None = None
    evidence: tuple[EvidenceItem, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Not valid if anything failed; else cannot tell if anything is unknown; else valid."""
        findings = {check.outcome for check in self.checks}
        if Finding.FAILED in findings:
            return Outcome.NOT_VALID
        return Outcome.CANNOT_TELL if Finding.UNKNOWN in findings else Outcome.VALID

    def of(self, code: str) -> tuple[Check, ...]:
        """The checks with this code."""
        return tuple(check for check in self.checks if check.code == code)


def refused(code: str, subject: str, outcome: Finding, error: CredentialError) -> Check:
    """A check that ended in an error, with the error's words."""
    return Check(code, subject, outcome, error.message, error.params)
