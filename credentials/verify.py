"""The verdict on a credential: every check on its own, and “the signature is good” apart from “it
is revoked”.

Nothing here trusts a document before its signature: remote things are fetched through the given
`Fetcher` only, a bounded number of them, and what cannot be had makes the verdict “cannot tell”.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from credentials.checks import Part, Setting, check_secured
from credentials.digests import sha256_from_multibase
from credentials.documents import JsonObject, JsonValue, as_list, id_of, load_json, text_at
from credentials.errors import (
    BadStatus,
    CannotFetch,
    CredentialError,
    Malformed,
    NotYetReadable,
)
from credentials.fetching import Fetcher
from credentials.reading import read_credential
from credentials.schema import check_form
from credentials.status_list import read_status
from credentials.verdict import N_, Check, EvidenceItem, Finding, Outcome, Verdict, refused

__all__ = [
    "Check",
    "EvidenceItem",
    "Fetcher",
    "Finding",
    "Outcome",
    "Verdict",
    "evidence_of",
    "verify",
]

_MOST_ENDORSEMENTS = 20


def verify(
    data: bytes,
    *,
    fetch: Fetcher,
    now: datetime,
    evidence: Mapping[str, str] | None = None,
    endorsements: Sequence[bytes] = (),
    schemas: Path | None = None,
) -> Verdict:
    """The verdict on a credential given as JSON, baked PNG or baked SVG.

    `evidence` maps names of files at hand to their lower-case hex SHA-256; `endorsements` are
    EndorsementCredentials that stand outside the document (on the credential's page, in a bundle);
    `schemas` is a folder with 1EdTech's JSON Schemas. Raises nothing: every refusal is a check.
    """
    setting = Setting(fetch, now, schemas)
    try:
        document = read_credential(data)
        part = Part(id_of(document) or "")
    except CredentialError as error:
        return Verdict((Part("").refused("well_formed", error),))
    checks = list(_check_document(document, part, setting))
    if checks[0].outcome is not Finding.PASSED:
        return Verdict(tuple(checks), document)
    checks += _check_endorsements(document, endorsements, setting)
    items = evidence_of(document)
    checks += _check_evidence(items, evidence or {})
    return Verdict(tuple(checks), document, items)


def _check_document(document: JsonObject, part: Part, setting: Setting) -> Iterator[Check]:
    """Form, signature, issuer, dates and status of a credential or an endorsement."""
    secured = check_secured(document, part, setting)
    yield from secured
    if secured[0].outcome is Finding.PASSED:
        yield _check_form(document, part, setting)
        yield from _check_status(document, part, setting)


def _check_form(document: JsonObject, part: Part, setting: Setting) -> Check:
    try:
        wrong = check_form(document, setting.schemas)
    except NotYetReadable as error:
        return refused(part.prefix + "schema", part.subject, Finding.NOTED, error)
    if wrong:
        message = N_("It has not the form of Open Badges 3.0: %(problems)s.")
        return part.check("schema", Finding.FAILED, message, problems="; ".join(wrong))
    return part.check("schema", Finding.PASSED, N_("It has the form of Open Badges 3.0."))


def _check_status(document: JsonObject, part: Part, setting: Setting) -> Iterator[Check]:
    entries = as_list(document.get("credentialStatus"))
    if not entries:
        yield part.check(
            "status", Finding.NOTED, N_("It names no status list, so it cannot be revoked.")
        )
    for entry in entries:
        yield _check_entry(entry, id_of(document.get("issuer")), part, setting)


def _check_entry(entry: JsonValue, issuer: str | None, part: Part, setting: Setting) -> Check:
    try:
        if not isinstance(entry, dict):
            raise BadStatus("The status entry is not an object.")
        purpose = text_at(entry, "statusPurpose")
        if text_at(entry, "type") != "BitstringStatusListEntry":
            raise NotYetReadable("Its status is of a kind that Assay does not read.")
        if purpose not in ("revocation", "suspension"):
            message = N_("A status with the purpose “%(purpose)s” was not looked up.")
            return part.check("status", Finding.NOTED, message, purpose=str(purpose)[:80])
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
    document = load_json(setting.get(url))
    if id_of(document.get("issuer")) != issuer:
        raise BadStatus("The status list was issued by somebody else.")
    for check in check_secured(document, Part(url), setting):
        if check.outcome is Finding.UNKNOWN:
            raise CannotFetch("Its status list cannot be checked: %(why)s", why=check.text)
        if check.outcome is Finding.FAILED:
            raise BadStatus("Its status list is not good: %(why)s", why=check.text)
    return read_status(document, entry)


def _check_endorsements(
    document: JsonObject, outside: Sequence[bytes], setting: Setting
) -> Iterator[Check]:
    """Every endorsement on its own: those inside the document, then those beside it."""
    own = id_of(document)
    endorsements: list[tuple[JsonValue | bytes, set[str | None]]] = [*_embedded(document)]
    endorsements += [(data, {own}) for data in outside]
    for endorsement, expected in endorsements[:_MOST_ENDORSEMENTS]:
        yield from _check_endorsement(endorsement, expected, setting)
    if len(endorsements) > _MOST_ENDORSEMENTS:
        message = N_("There are more endorsements than Assay checks.")
        yield Check("endorsement", own or "", Finding.UNKNOWN, message)


def _embedded(document: JsonObject) -> Iterator[tuple[JsonValue, set[str | None]]]:
    """Endorsements in the document, each with the ids of what it may speak of."""
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    nodes = [node for node in (achievement, document.get("issuer")) if isinstance(node, dict)]
    for endorsement in as_list(document.get("endorsement")):
        yield endorsement, {id_of(document), *map(id_of, nodes)}
    for node in nodes:
        for endorsement in as_list(node.get("endorsement")):
            yield endorsement, {id_of(node)}


def _check_endorsement(
    given: JsonValue | bytes, expected: set[str | None], setting: Setting
) -> Iterator[Check]:
    part = Part("", "endorsement.", Finding.NOTED)
    try:
        endorsement = load_json(given) if isinstance(given, bytes) else given
        if not isinstance(endorsement, dict):
            raise Malformed("An endorsement is not an object.")
        part = replace(part, subject=id_of(endorsement) or "")
        subject = id_of(endorsement.get("credentialSubject"))
    except CredentialError as error:
        yield part.refused("well_formed", error)
        return
    yield from _check_document(endorsement, part, setting)
    if subject in expected and subject is not None:
        message = N_("It speaks of this credential.")
        yield part.check("subject", Finding.PASSED, message)
    else:
        message = N_("It speaks of something else: %(subject)s.")
        yield part.check("subject", Finding.FAILED, message, subject=str(subject)[:200])


def evidence_of(document: JsonObject) -> tuple[EvidenceItem, ...]:
    """The evidence items a credential names, with their digests in hex where they have one."""
    items = [item for item in as_list(document.get("evidence")) if isinstance(item, dict)]
    return tuple(_evidence_item(item) for item in items)


def _evidence_item(item: JsonObject) -> EvidenceItem:
    texts = {key: value for key, value in item.items() if isinstance(value, str)}
    try:
        digest = sha256_from_multibase(texts["digestMultibase"])
    except (KeyError, CredentialError):
        digest = None
    return EvidenceItem(
        id=texts.get("id", ""),
        name=texts.get("name", ""),
        genre=texts.get("genre", ""),
        media_type=texts.get("mediaType", ""),
        sha256=digest,
    )


def _check_evidence(items: Sequence[EvidenceItem], files: Mapping[str, str]) -> Iterator[Check]:
    """Each file at hand against the digests, then each item that no file was given for."""
    known = {item.sha256: item.name for item in items if item.sha256 is not None}
    for name, digest in files.items():
        if digest in known:
            message = N_("“%(file)s” is the file that was assessed as “%(item)s”.")
            params = {"file": name, "item": known[digest]}
            yield Check("evidence", name, Finding.PASSED, message, params)
        else:
            message = N_("No evidence in this credential has the digest of “%(file)s”.")
            yield Check("evidence", name, Finding.FAILED, message, {"file": name})
    for item in items:
        if item.sha256 is None:
            message = N_("“%(item)s” carries no digest, so no file can be compared with it.")
            yield Check("evidence", item.id, Finding.NOTED, message, {"item": item.name})
        elif item.sha256 not in files.values():
            message = N_("“%(item)s” was not checked: no file was given for it.")
            yield Check("evidence", item.id, Finding.NOTED, message, {"item": item.name})
