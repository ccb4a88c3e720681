"""A verdict as pages show it: each check in the reader's language, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _

from app.web.access import parts
from credentials.documents import JsonObject, as_list, id_of
from credentials.verify import Check, EvidenceItem, Finding, Outcome, Verdict
from storage.errors import NotFound
from storage.ids import CredentialId
from storage.vocabulary import CredentialState
from workflows.endorsements.queries import EndorsementView
from workflows.issuance.queries import CredentialView, public_credential
from workflows.words import marked

RESULTS = {
    Finding.PASSED: "pass",
    Finding.FAILED: "fail",
    Finding.UNKNOWN: "unknown",
    Finding.NOTED: "skipped",
}
OUTCOMES = {Outcome.VALID: "pass", Outcome.NOT_VALID: "fail", Outcome.CANNOT_TELL: "unknown"}
TITLES = {
    Outcome.VALID: marked("This credential is valid"),
    Outcome.NOT_VALID: marked("This credential is not valid"),
    Outcome.CANNOT_TELL: marked("We cannot tell whether this credential is valid"),
}
NAMES = {
    "well_formed": marked("Document"),
    "signature": marked("Signature"),
    "issuer": marked("Issuer"),
    "dates": marked("Dates"),
    "status": marked("Status"),
    "schema": marked("Form"),
    "evidence": marked("Evidence"),
    "subject": marked("What it speaks of"),
    "binding": marked("Holder"),
    "disclosed": marked("What was shown"),
}
MOST_REASONS = 2
SUSPENDED = marked("It is suspended by its issuer, for a time: %(reason)s")
REVOKED = marked("It was revoked by its issuer: %(reason)s")


@dataclass(frozen=True)
class Line:
    """A check: `result` is pass, fail, unknown or skipped."""

    name: str
    result: str
    text: str


@dataclass(frozen=True)
class EndorsementLines:
    """The checks of one endorsement: by whom, at which address, and whether all of them hold."""

    who: str
    address: str
    lines: Sequence[Line]
    holds: bool

    @property
    def known(self) -> bool:
        """Whether every check came to an answer."""
        return all(line.result != "unknown" for line in self.lines)


@dataclass(frozen=True)
class ShownVerdict:
    """A verdict for a page. `items` are the evidence items that carry a digest.

    `why` are the words of what failed or could not be told, for whoever reads no further.
    """

    result: str
    title: str
    why: Sequence[str]
    lines: Sequence[Line]
    endorsements: Sequence[EndorsementLines]
    files: Sequence[Line]
    items: Sequence[EvidenceItem]


def shown_verdict(
    verdict: Verdict, own: CredentialView | None, beside: Sequence[EndorsementView] = ()
) -> ShownVerdict:
    """The verdict in words.

    `own` is the credential where it is one of this site's, `beside` what stands on its page.
    """
    given = [check for check in verdict.checks if check.code == "evidence"]
    # a file that is another one says nothing against the credential
    decisive = tuple(one for one in verdict.checks if one.code != "evidence")
    outcome = Verdict(decisive).outcome
    telling = {Outcome.NOT_VALID: Finding.FAILED, Outcome.CANNOT_TELL: Finding.UNKNOWN}
    why = [one for one in decisive if one.outcome is telling.get(outcome)]
    return ShownVerdict(
        result=OUTCOMES[outcome],
        title=_(TITLES[outcome]),
        why=[_reason(check, own) for check in why[:MOST_REASONS]],
        lines=[_line(check, own) for check in verdict.checks if _is_of_the_document(check)],
        endorsements=_endorsements(verdict, beside),
        files=[_line(check, None) for check in given if check.outcome is not Finding.NOTED],
        items=[item for item in verdict.evidence if item.sha256],
    )


def own_credential(address: str | None) -> CredentialView | None:
    """The credential of this site that has this address, if there is one."""
    path = parts().site.path_of(address or "")
    if path is None or not path.startswith("/credentials/"):
        return None
    try:
        credential_id = CredentialId(UUID(path.removeprefix("/credentials/")))
        with parts().db.reading() as tx:
            return public_credential(tx, parts().site, credential_id)
    except (ValueError, NotFound):
        return None


def _is_of_the_document(check: Check) -> bool:
    return check.code != "evidence" and not check.code.startswith("endorsement")


def _line(check: Check, own: CredentialView | None) -> Line:
    words = _own_words(check, own) or _(check.message, **check.params)
    name = NAMES.get(check.code.removeprefix("endorsement.").partition(".")[0], check.code)
    return Line(_(name), RESULTS[check.outcome], words)


def _reason(check: Check, own: CredentialView | None) -> str:
    """A check's words; of what could not be told, with what it is about."""
    line = _line(check, own)
    return f"{line.name}: {line.text}" if check.outcome is Finding.UNKNOWN else line.text


def _own_words(check: Check, own: CredentialView | None) -> str:
    """Of our own credentials we know whether they come back, and the public reason."""
    if own is None or check.outcome is not Finding.FAILED or not check.code.startswith("status."):
        return ""
    if own.state is CredentialState.SUSPENDED:
        return str(_(SUSPENDED, reason=_(own.public_reason)))
    if own.state is CredentialState.REVOKED:
        return str(_(REVOKED, reason=_(own.public_reason)))
    return ""


def _endorsements(verdict: Verdict, beside: Sequence[EndorsementView]) -> list[EndorsementLines]:
    names = {**_names(verdict.document), **_names_beside(beside)}
    found: dict[str, list[Check]] = {}
    for check in verdict.checks:
        if check.code.startswith("endorsement"):
            found.setdefault(check.subject, []).append(check)
    return [
        EndorsementLines(
            names.get(address, address),
            address,
            [_line(check, None) for check in own],
            all(_holds(check) for check in own),
        )
        for address, own in found.items()
    ]


def _names(document: JsonObject | None) -> dict[str, str]:
    """Who gave each endorsement inside a document, by its address, as it says itself."""
    found = {}
    for one in as_list((document or {}).get("endorsement")):
        issuer = one.get("issuer") if isinstance(one, dict) else None
        name = issuer.get("name") if isinstance(issuer, dict) else None
        if isinstance(name, str):
            found[id_of(one) or ""] = name[:200]
    return found


def _names_beside(beside: Sequence[EndorsementView]) -> dict[str, str]:
    return {parts().site.endorsement(one.id): one.organisation for one in beside}


def _holds(check: Check) -> bool:
    """A check of the form may be left open; a failed one of an endorsement is only noted."""
    return check.outcome is Finding.PASSED or check.code == "endorsement.schema"
