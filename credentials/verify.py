"""The verdict on a credential: every check on its own, and “the signature is good” apart from “it
is revoked”.

Nothing here trusts a document before its signature: remote things are fetched through the given
`Fetcher` only, a bounded number of them, and what cannot be had makes the verdict “cannot tell”.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from credentials.checks import check_secured
from credentials.digests import sha256_from_multibase
from credentials.documents import JsonObject, JsonValue, as_list, id_of
from credentials.errors import CredentialError, Malformed, NotYetReadable
from credentials.fetching import Fetcher
from credentials.jwt import VcJwt
from credentials.openbadges2 import check_open_badge_2, is_open_badge_2
from credentials.parts import Part, Setting
from credentials.reading import Secured, credential_bytes, document_of, read_secured
from credentials.schema import check_form
from credentials.sd_jwt_checks import check_sd_jwt
from credentials.sd_jwt_reading import is_sd_jwt
from credentials.status_checks import check_status
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
_ADDRESS = re.compile(rb"https?://[\x21-\x7e]{1,2000}")


def verify(
    data: bytes,
    *,
    fetch: Fetcher,
    now: datetime,
    evidence: Mapping[str, str] | None = None,
    endorsements: Sequence[bytes] = (),
    schemas: Path | None = None,
) -> Verdict:
    """The verdict on a credential: JSON, a token (VC-JWT, SD-JWT VC), a baked PNG or SVG, a
    certificate PDF.

    `evidence` maps names of files at hand to their lower-case hex SHA-256; `endorsements` are
    EndorsementCredentials that stand outside the document (on the credential's page, in a bundle);
    `schemas` is a folder with 1EdTech's JSON Schemas. Raises nothing: every refusal is a check.
    """
    setting = Setting(fetch, now, schemas)
    try:
        text = _text(data, setting)
        if is_sd_jwt(text):
            return _judge_sd_jwt(text, setting, evidence or {})
        given = read_secured(text)
        part = Part(id_of(document_of(given)) or "")
    except CredentialError as error:
        return Verdict((Part("").refused("well_formed", error),))
    try:
        return _judge(given, part, setting, endorsements, evidence or {})
    except CredentialError as error:
        return Verdict((part.refused("well_formed", error),), document_of(given))


def _judge(
    given: Secured,
    part: Part,
    setting: Setting,
    endorsements: Sequence[bytes],
    evidence: Mapping[str, str],
) -> Verdict:
    """All checks. Raises CredentialError for a document that cannot even be looked through."""
    checks, document = _check_document(given, part, setting)
    if checks[0].outcome is not Finding.PASSED:
        return Verdict(tuple(checks), document)
    checks += _check_endorsements(document, endorsements, setting)
    items = evidence_of(document)
    checks += _check_evidence(items, evidence)
    return Verdict(tuple(checks), document, items)


def _judge_sd_jwt(data: bytes, setting: Setting, evidence: Mapping[str, str]) -> Verdict:
    """All checks of what wallets show."""
    checks, claims = check_sd_jwt(data, setting)
    if claims is None:
        return Verdict(tuple(checks))
    items = evidence_of(claims)
    return Verdict((*checks, *_check_evidence(items, evidence)), claims, items)


def _text(data: bytes, setting: Setting) -> bytes:
    """The credential's text in a file; a picture that holds only an address leads there, once."""
    text = credential_bytes(data)
    if not _ADDRESS.fullmatch(text.strip()):
        return text
    return credential_bytes(setting.get(text.strip().decode("ascii")))


def _check_document(given: Secured, part: Part, setting: Setting) -> tuple[list[Check], JsonObject]:
    """Form, signature, issuer, dates and status of a credential or an endorsement."""
    document = document_of(given)
    if is_open_badge_2(document):
        return check_open_badge_2(given, part, setting)
    checks = check_secured(given, part, setting)
    if checks[0].outcome is Finding.PASSED:
        checks.append(_check_form(document, part, setting))
        checks += check_status(document, part, setting)
    return checks, document


def _check_form(document: JsonObject, part: Part, setting: Setting) -> Check:
    try:
        wrong = check_form(document, setting.schemas)
    except NotYetReadable as error:
        return refused(part.prefix + "schema", part.subject, Finding.NOTED, error)
    if wrong:
        message = N_("It has not the form of Open Badges 3.0: %(problems)s.")
        return part.check("schema", Finding.FAILED, message, problems="; ".join(wrong))
    return part.check("schema", Finding.PASSED, N_("It has the form of Open Badges 3.0."))


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


def _embedded(document: JsonObject) -> Iterator[tuple[JsonValue | bytes, set[str | None]]]:
    """Endorsements in the document, each with the ids of what it may speak of."""
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    nodes = [node for node in (achievement, document.get("issuer")) if isinstance(node, dict)]
    for endorsement in _endorsements_of(document):
        yield endorsement, {id_of(document), *map(id_of, nodes)}
    for node in nodes:
        for endorsement in _endorsements_of(node):
            yield endorsement, {id_of(node)}


def _endorsements_of(node: JsonObject) -> Iterator[JsonValue | bytes]:
    yield from as_list(node.get("endorsement"))
    for token in as_list(node.get("endorsementJwt")):
        yield token.encode("utf-8", "replace") if isinstance(token, str) else token


def _check_endorsement(
    given: JsonValue | bytes, expected: set[str | None], setting: Setting
) -> Iterator[Check]:
    part = Part("", "endorsement.", Finding.NOTED)
    try:
        secured = read_secured(given) if isinstance(given, bytes) else given
        if not isinstance(secured, dict | VcJwt):
            raise Malformed("An endorsement is not an object.")
        endorsement = document_of(secured)
        part = replace(part, subject=id_of(endorsement) or "")
        subject = id_of(endorsement.get("credentialSubject"))
    except CredentialError as error:
        yield part.refused("well_formed", error)
        return
    yield from _check_document(secured, part, setting)[0]
    if subject in expected and subject is not None:
        message = N_("It speaks of this credential.")
        yield part.check("subject", Finding.PASSED, message)
    else:
        message = N_("It speaks of something else: %(subject)s.")
        yield part.check("subject", Finding.FAILED, message, subject=str(subject)[:200])


def evidence_of(document: JsonObject) -> tuple[EvidenceItem, ...]:
    """The evidence items a credential names, with their digests in hex where they have one.

    Each is told once: a signature does not notice the same item said again.
    """
    items = [item for item in as_list(document.get("evidence")) if isinstance(item, dict)]
    return tuple(dict.fromkeys(_evidence_item(item) for item in items))


def _evidence_item(item: JsonObject) -> EvidenceItem:
    texts = {key: text for key, value in item.items() if (text := _only_text(value)) is not None}
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


def _only_text(value: JsonValue) -> str | None:
    """A text, also as a list of one: a signature does not notice the difference."""
    parts = [part for part in as_list(value) if part != []]
    text = parts[0] if len(parts) == 1 else None
    return text if isinstance(text, str) else None


def _check_evidence(items: Sequence[EvidenceItem], files: Mapping[str, str]) -> Iterator[Check]:
    """Each file at hand against the digests, then each item that no file was given for."""
    known = {item.sha256: item.name[:200] for item in items if item.sha256 is not None}
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
            yield Check("evidence", item.id, Finding.NOTED, message, {"item": item.name[:200]})
        elif item.sha256 not in files.values():
            message = N_("“%(item)s” was not checked: no file was given for it.")
            yield Check("evidence", item.id, Finding.NOTED, message, {"item": item.name[:200]})
