"""Whether a document has the form of Open Badges 3.0.

Our own check of what matters to a reader is always there. Where a folder with 1EdTech's JSON
Schemas is given and has the one the document names, that one decides as well.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from jsonschema import Draft201909Validator
from jsonschema.exceptions import SchemaError

from credentials.contexts import CREDENTIALS_V1, CREDENTIALS_V2
from credentials.documents import JsonObject, JsonValue, as_list, types_of
from credentials.errors import NotYetReadable

ACHIEVEMENT_TYPES = {"OpenBadgeCredential", "AchievementCredential"}
ENDORSEMENT_TYPE = "EndorsementCredential"

_SHOWN = 3
_REQUIRED: dict[str, tuple[str, ...]] = {
    "": ("id", "name", "issuer", "validFrom", "credentialSubject"),
    "credentialSubject": ("type", "achievement"),
    "credentialSubject.achievement": ("id", "type", "name", "description", "criteria"),
}
_REQUIRED_OF_ENDORSEMENT: dict[str, tuple[str, ...]] = {
    "": ("id", "name", "issuer", "validFrom", "credentialSubject"),
    "credentialSubject": ("id", "type"),
}
_TYPES = {
    "credentialSubject": "AchievementSubject",
    "credentialSubject.achievement": "Achievement",
}


def check_form(document: JsonObject, schemas: Path | None) -> list[str]:
    """What is wrong with the form, in words for people; empty if nothing is.

    Raises NotYetReadable for a credential that is neither a badge nor an endorsement.
    """
    kinds = set(types_of(document))
    read = _as_version_2(document)
    if ENDORSEMENT_TYPE in kinds:
        found = [*_missing(read, _REQUIRED_OF_ENDORSEMENT), *_common(read)]
    elif kinds & ACHIEVEMENT_TYPES:
        found = [*_missing(read, _REQUIRED), *_common(read), *_badge(read)]
    else:
        raise NotYetReadable("It is not an Open Badge, so its form was not checked.")
    return (found or list(_by_schema(document, schemas)))[:_SHOWN]


def _as_version_2(document: JsonObject) -> JsonObject:
    """A credential of data model 1.1 under the names that version 2 has for the same things."""
    contexts = as_list(document.get("@context"))
    if contexts[:1] != [CREDENTIALS_V1] or "issuanceDate" not in document:
        return document
    renamed = {**document, "@context": [CREDENTIALS_V2, *contexts[1:]]}
    return {**renamed, "validFrom": document["issuanceDate"]}


def _missing(document: JsonObject, required: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for place, keys in required.items():
        node = _at(document, place)
        if not isinstance(node, dict):
            yield f"{place} is not an object"
            continue
        for key in keys:
            if key not in node:
                yield f"{place}.{key}".lstrip(".") + " is missing"


def _common(document: JsonObject) -> Iterator[str]:
    if as_list(document.get("@context"))[:1] != [CREDENTIALS_V2]:
        yield f"@context does not begin with {CREDENTIALS_V2}"
    for entry in as_list(document.get("credentialStatus")):
        if not isinstance(entry, dict) or not types_of(entry):
            yield "credentialStatus has no type"


def _badge(document: JsonObject) -> Iterator[str]:
    for place, kind in _TYPES.items():
        node = _at(document, place)
        if isinstance(node, dict) and kind not in types_of(node):
            yield f"{place}.type has no {kind}"
    for item in as_list(document.get("evidence")):
        if not isinstance(item, dict) or "Evidence" not in types_of(item):
            yield "evidence has an item that is not Evidence"


def _at(document: JsonObject, place: str) -> JsonValue:
    node: JsonValue = document
    for key in filter(None, place.split(".")):
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _by_schema(document: JsonObject, schemas: Path | None) -> Iterator[str]:
    for named in as_list(document.get("credentialSchema")):
        schema = _schema_file(named, schemas)
        if schema is None:
            continue
        for variant in _with_one_status(document):
            for error in Draft201909Validator(schema).iter_errors(variant):
                place = ".".join(map(str, error.absolute_path)) or "the document"
                yield f"{place}: {error.message[:200]}"


def _schema_file(named: JsonValue, schemas: Path | None) -> dict[str, object] | None:
    address = named.get("id") if isinstance(named, dict) else None
    if schemas is None or not isinstance(address, str):
        return None
    file = schemas / Path(urlsplit(address).path).name
    try:
        schema = cast(dict[str, object], json.loads(file.read_bytes()))
        Draft201909Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError):
        return None
    return schema


def _with_one_status(document: JsonObject) -> Iterator[JsonObject]:
    """1EdTech's schemas know one status object; the VC data model allows several: try each."""
    entries = as_list(document.get("credentialStatus"))
    if len(entries) < 2:
        yield document
    else:
        for entry in entries:
            yield {**document, "credentialStatus": entry}
