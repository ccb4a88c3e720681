"""Whether a credential was revoked or suspended, apart from whether its signature is good.

Bitstring status lists (and StatusList2021, their forerunner), as documents or as tokens, and
1EdTech's list of revoked credentials. A list that is away or out of date says nothing: then the
answer is unknown.
"""

from collections.abc import Iterator

from credentials.checks import check_secured
from credentials.dates import write_instant
from credentials.documents import JsonObject, JsonValue, as_list, id_of, load_json, text_at
from credentials.errors import BadStatus, CannotFetch, CredentialError, NotYetReadable
from credentials.jwt import VcJwt
from credentials.parts import Part, Setting, validity
from credentials.reading import document_of, read_secured
from credentials.status_list import read_status
from credentials.verdict import N_, Check, Finding

_BITSTRING = "BitstringStatusListEntry"
_FORERUNNER = "StatusList2021Entry"
_REVOCATION_LIST = "1EdTechRevocationList"
_NOT_READ = "Its status is of a kind that Assay does not read."


def check_status(document: JsonObject, part: Part, setting: Setting) -> Iterator[Check]:
    """Each status entry of a credential or an endorsement, looked up."""
    entries = as_list(document.get("credentialStatus"))
    if not entries:
        yield part.check(
            "status", Finding.NOTED, N_("It names no status list, so it cannot be revoked.")
        )
    for entry in entries:
        yield _check_entry(entry, document, part, setting)


def _check_entry(entry: JsonValue, document: JsonObject, part: Part, setting: Setting) -> Check:
    try:
        if not isinstance(entry, dict):
            raise BadStatus("The status entry is not an object.")
        kind, purpose = text_at(entry, "type"), text_at(entry, "statusPurpose")
        if kind == _REVOCATION_LIST:
            return _check_revocation_list(entry, document, part, setting)
        if kind not in (_BITSTRING, _FORERUNNER):
            raise NotYetReadable(_NOT_READ)
        if purpose not in ("revocation", "suspension"):
            message = N_("A status with the purpose “%(purpose)s” was not looked up.")
            return part.check("status", Finding.NOTED, message, purpose=str(purpose)[:80])
        issuer = id_of(document.get("issuer"))
    except CredentialError as error:
        return part.refused("status", error)
    try:
        withdrawn = _look_up(entry, issuer, setting)
    except CredentialError as error:
        return part.refused(f"status.{purpose}", error)
    if withdrawn and purpose == "revocation" and _may_come_back(entry, issuer, setting):
        purpose = "suspension"
    return _status(purpose, withdrawn, part)


def _status(purpose: str, withdrawn: bool, part: Part) -> Check:
    messages = {
        ("revocation", True): N_("It was revoked by its issuer."),
        ("revocation", False): N_("It is not revoked."),
        ("suspension", True): N_("It is suspended by its issuer."),
        ("suspension", False): N_("It is not suspended."),
    }
    outcome = part.lapsed if withdrawn else Finding.PASSED
    return part.check(f"status.{purpose}", outcome, messages[purpose, withdrawn])


def _may_come_back(entry: JsonObject, issuer: str | None, setting: Setting) -> bool:
    """Whether the suspension list that the entry refers to has the same place set.

    A list that cannot be relied on says nothing: then what is withdrawn counts as revoked.
    """
    reference = entry.get("statusReference")
    if not isinstance(reference, str):
        return False
    referred = {**entry, "statusPurpose": "suspension", "statusListCredential": reference}
    try:
        return _look_up(referred, issuer, setting)
    except CredentialError:
        return False


def _look_up(entry: JsonObject, issuer: str | None, setting: Setting) -> bool:
    """The entry's bit, from a list that the credential's own issuer signed and that is current."""
    url = text_at(entry, "statusListCredential")
    if url is None:
        raise BadStatus("The status entry names no list.")
    given = read_secured(setting.get(url))
    document = document_of(given)
    if id_of(document.get("issuer")) != issuer:
        raise BadStatus("The status list was issued by somebody else.")
    _check_current(given, setting)
    for check in check_secured(given, Part(url), setting):
        if check.outcome is Finding.UNKNOWN:
            raise CannotFetch("Its status list cannot be checked: %(why)s", why=check.text)
        if check.outcome is Finding.FAILED:
            raise BadStatus("Its status list is not good: %(why)s", why=check.text)
    if text_at(entry, "type") == _FORERUNNER:
        document, entry = _as_bitstring(document), {**entry, "type": _BITSTRING}
    return read_status(document, entry)


def _check_current(given: JsonObject | VcJwt, setting: Setting) -> None:
    """A list that ended says nothing about today. Raises CannotFetch, Malformed."""
    ends = validity(document_of(given))[1]
    if ends is not None and ends < setting.now:
        raise CannotFetch(
            "The status list that was found is out of date: it was valid until %(date)s.",
            date=write_instant(ends),
        )


def _as_bitstring(document: JsonObject) -> JsonObject:
    """A StatusList2021 under the names that Bitstring status lists have today."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict) or subject.get("type") != "StatusList2021":
        raise BadStatus("What was found there is not a status list.")
    today = {**subject, "type": "BitstringStatusList"}
    return {**document, "type": ["BitstringStatusListCredential"], "credentialSubject": today}


def _check_revocation_list(
    entry: JsonObject, document: JsonObject, part: Part, setting: Setting
) -> Check:
    """1EdTech's list: plain JSON at an address that the signed credential names."""
    try:
        url, name = id_of(entry), id_of(document)
        if url is None or name is None:
            raise BadStatus("The status entry names no list.")
        found = load_json(setting.get(url))
        if id_of(found.get("issuer")) != id_of(document.get("issuer")):
            raise BadStatus("The status list was issued by somebody else.")
        revoked = any(_revokes(one, name) for one in as_list(found.get("revokedCredential")))
    except CredentialError as error:
        return part.refused("status.revocation", error)
    return _status("revocation", revoked, part)


def _revokes(one: JsonValue, name: str) -> bool:
    return id_of(one) == name and not (isinstance(one, dict) and one.get("revoked") is False)
