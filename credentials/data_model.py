"""What W3C's Verifiable Credentials Data Model asks of a credential and a presentation, v2.0 and,
for reading, v1.1.

Structure only: undefined terms and relative addresses are found when a document is canonicalised,
digests of related resources in `related`, proofs in `proofs` and `proof_sets`.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from credentials.canonical import is_address
from credentials.contexts import CREDENTIALS_V1, CREDENTIALS_V2
from credentials.dates import read_instant
from credentials.documents import JsonObject, JsonValue, as_list, children
from credentials.errors import Malformed
from credentials.status_entry import ENTRY, LIST_CREDENTIAL, check_entry, check_list

CREDENTIAL, PRESENTATION = "VerifiableCredential", "VerifiablePresentation"
MOST_CREDENTIALS = 20

_TYPED = ("credentialStatus", "termsOfUse", "evidence", "refreshService", "proof")
_WORDS = ("name", "description")
_LANGUAGE_VALUE = {"@value", "@language", "@direction"}
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def is_version_1(document: JsonObject) -> bool:
    """Whether the document is one of data model 1.1."""
    return as_list(document.get("@context"))[:1] == [CREDENTIALS_V1]


def check_credential(document: JsonObject) -> None:
    """Raise Malformed or BadStatus for the first thing that makes it no verifiable credential."""
    _check_base(document, CREDENTIAL)
    _check_party(document, "issuer", required=True)
    _check_subjects(document)
    _check_validity(document)
    for key in _TYPED:
        for node in _nodes_at(document, key):
            _check_typed(node, key)
    for node in _nodes_at(document, "credentialSchema"):
        _check_typed(node, "credentialSchema")
        if "id" not in node:
            raise Malformed("“%(key)s” has no id.", key="credentialSchema")
    for entry in _nodes_at(document, "credentialStatus"):
        if entry.get("type") == ENTRY:
            check_entry(entry)
    if LIST_CREDENTIAL in as_list(document["type"]):
        check_list(document)
    _check_texts(document)


def check_presentation(document: JsonObject) -> None:
    """Raise Malformed for the first thing that makes it no verifiable presentation.

    The credentials in it are looked at only as far as they are objects.
    """
    _check_base(document, PRESENTATION)
    _check_party(document, "holder", required=False)
    for key in ("termsOfUse", "proof"):
        for node in _nodes_at(document, key):
            _check_typed(node, key)
    if len(_nodes_at(document, "verifiableCredential")) > MOST_CREDENTIALS:
        raise Malformed("The presentation has more credentials than Assay reads.")
    _check_texts(document)


def _check_base(document: JsonObject, kind: str) -> None:
    contexts = as_list(document.get("@context"))
    if contexts[:1] not in ([CREDENTIALS_V2], [CREDENTIALS_V1]):
        raise Malformed("@context does not begin with %(url)s.", url=CREDENTIALS_V2)
    if CREDENTIALS_V1 in contexts and CREDENTIALS_V2 in contexts:
        raise Malformed("@context names two versions of the data model.")
    _check_id(document, "The document")
    if kind not in _types(document, "The document"):
        raise Malformed("The document does not have the type %(type)s.", type=kind)


def _check_party(document: JsonObject, key: str, *, required: bool) -> None:
    """An issuer or a holder: an address, or an object with one as its id."""
    value = document.get(key)
    if value is None and key not in document and not required:
        return
    address = value.get("id") if isinstance(value, dict) else value
    if not isinstance(address, str) or not is_address(address):
        raise Malformed("“%(key)s” is not an address, nor an object with one as its id.", key=key)


def _check_subjects(document: JsonObject) -> None:
    subjects = _nodes_at(document, "credentialSubject")
    if not subjects:
        raise Malformed(
            "The document is about nobody: “%(key)s” is missing.", key="credentialSubject"
        )
    for subject in subjects:
        if not subject:
            raise Malformed("“%(key)s” says nothing.", key="credentialSubject")
        _check_id(subject, "credentialSubject")


def _check_validity(document: JsonObject) -> None:
    begins, ends = validity(document)
    if is_version_1(document) and begins is None:
        raise Malformed("“%(key)s” is missing.", key="issuanceDate")
    if begins is not None and ends is not None and ends < begins:
        raise Malformed("The document ends before it begins.")


def validity(document: JsonObject) -> tuple[datetime | None, datetime | None]:
    """From when and until when it is valid. Raises Malformed for what is not a date and time."""
    names = ("issuanceDate", "expirationDate") if is_version_1(document) else _DATES
    begins, ends = (read_instant(document, name) for name in names)
    return begins, ends


_DATES = ("validFrom", "validUntil")


def _check_typed(node: JsonObject, key: str) -> None:
    _types(node, key)
    _check_id(node, key)


def _types(node: JsonObject, place: str) -> list[str]:
    found = as_list(node.get("type"))
    if not found or not all(isinstance(one, str) and one for one in found):
        raise Malformed("%(place)s has no type.", place=place)
    return cast(list[str], found)


def _check_id(node: JsonObject, place: str) -> None:
    value = node.get("id")
    if "id" in node and not (isinstance(value, str) and is_address(value)):
        raise Malformed("%(place)s has an id that is not one whole address.", place=place)


def _nodes_at(document: JsonObject, key: str) -> list[JsonObject]:
    """The objects under a key: one or several, and nothing else."""
    given = as_list(document.get(key))
    found = [one for one in given if isinstance(one, dict)]
    if len(found) != len(given) or (key in document and not given):
        raise Malformed("“%(key)s” is not an object, nor a list of objects.", key=key)
    return found


def _check_texts(document: JsonObject) -> None:
    """Names and descriptions, and texts in a language wherever they stand (section 11.1)."""
    for node in (document, document.get("issuer"), document.get("holder")):
        for key in _WORDS:
            if isinstance(node, dict) and key in node:
                _check_words(node[key], key)
    for value in _every_object(document):
        if _LANGUAGE_VALUE & set(value):
            _check_language_value(value)


def _check_words(value: JsonValue, key: str) -> None:
    for one in as_list(value):
        if not isinstance(one, str | dict) or (isinstance(one, dict) and "@value" not in one):
            raise Malformed("“%(key)s” is not a text, nor a text in a language.", key=key)


def _check_language_value(value: JsonObject) -> None:
    language = value.get("@language", "en")
    if (
        not set(value) <= _LANGUAGE_VALUE
        or not isinstance(value.get("@value"), str)
        or not isinstance(language, str)
        or not _LANGUAGE.fullmatch(language)
        or value.get("@direction", "ltr") not in ("ltr", "rtl")
    ):
        raise Malformed("A text in a language has other parts than text, language and direction.")


def _every_object(document: JsonObject) -> Iterator[JsonObject]:
    waiting: list[JsonValue] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
        waiting.extend(children(part))
