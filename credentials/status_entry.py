"""Bitstring Status List v1.0: what an entry and a list must look like, and reading a status of any
size, with its message.

`status_list` builds and reads our own lists of one bit; this is for those of everybody.
"""

import re
from dataclasses import dataclass

from credentials.canonical import is_address
from credentials.documents import JsonObject, JsonValue, as_list, text_at, types_of
from credentials.errors import BadStatus
from credentials.status_list import LENGTH, decode_bits

ENTRY, LIST = "BitstringStatusListEntry", "BitstringStatusList"
LIST_CREDENTIAL = "BitstringStatusListCredential"
WITHDRAWN = ("revocation", "suspension")
"""Purposes for which any value but zero speaks against the credential."""

_LARGEST_SIZE = 8
_INDEX = re.compile(r"0|[1-9][0-9]{0,11}")
_STATUS = re.compile(r"0x[0-9A-Fa-f]{1,2}")


@dataclass(frozen=True)
class Status:
    """What a list says of a credential; `message` is the issuer's word for the value, if any."""

    purpose: str
    value: int
    message: str | None


def check_entry(entry: JsonObject) -> None:
    """Section 2.1: raise BadStatus for an entry that no list could answer."""
    if not text_at(entry, "statusPurpose"):
        raise BadStatus("The status entry does not say what it is for.")
    _index(entry)
    address = text_at(entry, "statusListCredential")
    if address is None or not is_address(address):
        raise BadStatus("The status entry names no list.")
    if entry.get("id") == address:
        raise BadStatus("The id of the status entry is the address of the list.")
    _messages(entry, _size(entry))
    for reference in as_list(entry.get("statusReference")):
        if not isinstance(reference, str) or not is_address(reference):
            raise BadStatus("The status entry refers to something that has no whole address.")


def check_list(document: JsonObject) -> None:
    """Section 2.2: raise BadStatus for a status list credential that nobody could read."""
    subject = _subject(document)
    purposes = as_list(subject.get("statusPurpose"))
    if not purposes or not all(isinstance(one, str) and one for one in purposes):
        raise BadStatus("The status list does not say what it is for.")
    ttl = subject.get("ttl", 0)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 0:
        raise BadStatus("How long the status list may be kept is not a number.")
    _encoded(subject)


def read_entry(document: JsonObject, entry: JsonObject) -> Status:
    """What the list `document` says at the entry's place (section 3.2).

    Signature, issuer and dates of the list are for the caller. Raises BadStatus.
    """
    check_entry(entry)
    check_list(document)
    if "id" in document and document["id"] != entry["statusListCredential"]:
        raise BadStatus("The status list found there is another one.")
    subject = _subject(document)
    purpose, size = str(entry["statusPurpose"]), _size(entry)
    if purpose not in as_list(subject.get("statusPurpose")):
        raise BadStatus("The status list is for another purpose.")
    bits = _encoded(subject)
    if len(bits) * 8 < LENGTH * size:
        raise BadStatus("The status list is shorter than 131,072 entries.")
    index = _index(entry)
    if (index + 1) * size > len(bits) * 8:
        raise BadStatus("The status list has no place %(index)s.", index=str(index))
    value = _value(bits, index * size, size)
    return Status(purpose, value, _messages(entry, size).get(value))


def _subject(document: JsonObject) -> JsonObject:
    subjects = as_list(document.get("credentialSubject"))
    subject = subjects[0] if len(subjects) == 1 else None
    if LIST_CREDENTIAL not in types_of(document) or not isinstance(subject, dict):
        raise BadStatus("What was found there is not a status list.")
    if LIST not in types_of(subject):
        raise BadStatus("What was found there is not a status list.")
    return subject


def _encoded(subject: JsonObject) -> bytes:
    text = text_at(subject, "encodedList") or ""
    if not text.startswith("u"):
        raise BadStatus("The status list is not written as base64url.")
    return decode_bits(text)


def _index(entry: JsonObject) -> int:
    text = entry.get("statusListIndex")
    if not isinstance(text, str) or not _INDEX.fullmatch(text):
        raise BadStatus("The place in the status list is not a number.")
    return int(text)


def _size(entry: JsonObject) -> int:
    size = entry.get("statusSize", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _LARGEST_SIZE:
        raise BadStatus("The size of a status is a number from 1 to 8.")
    return size


def _messages(entry: JsonObject, size: int) -> dict[int, str]:
    """The issuer's words by value: as many as there are values, or none for a single bit."""
    given = entry.get("statusMessage")
    if given is None and size == 1:
        return {}
    found = dict(map(_message, given)) if isinstance(given, list) else {}
    if sorted(found) != list(range(2**size)):
        raise BadStatus("The status entry has not one message for each value.")
    return found


def _message(given: JsonValue) -> tuple[int, str]:
    status = given.get("status") if isinstance(given, dict) else None
    message = given.get("message") if isinstance(given, dict) else None
    if not isinstance(status, str) or not _STATUS.fullmatch(status) or not isinstance(message, str):
        raise BadStatus("A message of the status entry has no value or no words.")
    return int(status, 16), message


def _value(bits: bytes, start: int, size: int) -> int:
    """`size` bits from `start`, the first of them the most significant."""
    last = start + size - 1
    window = int.from_bytes(bits[start // 8 : last // 8 + 1])
    return (window >> (7 - last % 8)) & ((1 << size) - 1)
