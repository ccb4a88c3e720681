"""JSON documents as they come and go: typed values, strict parsing with limits, one way of writing.

Parsing is strict because a signature covers meaning, not bytes: what two parsers read differently
(duplicate keys, huge numbers, NaN) is refused before anything is made of it.
"""

import json
import math
from collections import Counter
from typing import cast

from pydantic import JsonValue

from credentials.errors import Malformed

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "JsonObject",
    "JsonValue",
    "as_list",
    "check_depth",
    "check_number",
    "children",
    "dump_json",
    "id_of",
    "load_json",
    "text_at",
    "types_of",
]

JsonObject = dict[str, JsonValue]

MAX_BYTES = 2 * 1024 * 1024
"""A badge with an embedded picture is some 100 kB; nothing honest is larger than this."""

MAX_DEPTH = 40
_LARGEST = 1e15
_SMALLEST = 1e-6


def load_json(data: bytes, *, max_bytes: int = MAX_BYTES) -> JsonObject:
    """The JSON object in `data` (UTF-8).

    Raises Malformed for anything else, for duplicate keys, for nesting deeper than MAX_DEPTH, for
    more than `max_bytes`, for half of a character written as an escape, and for numbers outside
    1e-6…1e15, on whose text implementations differ.
    """
    if len(data) > max_bytes:
        raise Malformed("The document is larger than %(limit)s bytes.", limit=str(max_bytes))
    try:
        parsed = cast(
            object,
            json.loads(
                data.decode("utf-8-sig"),
                object_pairs_hook=_object_without_duplicates,
                parse_float=_number,
                parse_int=_number,
                parse_constant=_refuse_constant,
            ),
        )
    except UnicodeDecodeError:
        raise Malformed("The document is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            "The document is not JSON: line %(line)s, column %(column)s.",
            line=str(error.lineno),
            column=str(error.colno),
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(parsed, dict):
        raise Malformed("The document is not a JSON object.")
    document = cast(JsonObject, parsed)
    check_depth(document)
    if b"\\ud" in data.lower():
        _check_whole_characters(document)
    return document


def dump_json(document: JsonObject) -> bytes:
    """The document as people and programs get it: UTF-8, indented by two, a line break at the end.

    Reading it back with `load_json` gives the same value.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode() + b"\n"


def check_depth(value: JsonValue) -> None:
    """Raise Malformed if lists and objects nest deeper than MAX_DEPTH."""
    level: list[JsonObject | list[JsonValue]]
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH - 1):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))  # half the time of a union
        ]
        if not level:
            return
    if any(level):
        raise _too_deep()


def children(value: JsonValue) -> list[JsonValue]:
    """What a list or an object holds; nothing for a plain value."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def as_list(value: JsonValue) -> list[JsonValue]:
    """JSON-LD's habit undone: nothing, one thing or a list of things, always as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text_at(document: JsonObject, key: str) -> str | None:
    """The text under `key`, or None if there is nothing.

    Raises Malformed if something else than a text stands there: a value that we cannot read must
    not pass for a value that is absent.
    """
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise Malformed("“%(key)s” is not a text.", key=key)


def types_of(document: JsonObject) -> list[str]:
    """The `type` of a node as a list of names."""
    return [name for name in as_list(document.get("type")) if isinstance(name, str)]


def id_of(value: JsonValue) -> str | None:
    """The identifier of a node given as an object or as its bare identifier."""
    if isinstance(value, dict):
        return text_at(value, "id")
    return value if isinstance(value, str) else None


def _check_whole_characters(document: JsonObject) -> None:
    """Raise Malformed for a text or a key that has no UTF-8: a surrogate without its other half."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Malformed("A text has half of a character, which cannot be signed.") from None


def _object_without_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    document = dict(pairs)
    if len(document) != len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise Malformed("The key “%(key)s” stands twice in one object.", key=twice[:80])
    return document


def _number(text: str) -> int | float:
    """A number every implementation writes alike: 3.0 is 3, and the range is that of doubles."""
    value = float(text)
    if value == 0 and text.startswith("-"):
        raise _bad_number(text)
    if value != 0 and not _SMALLEST <= abs(value) < _LARGEST:
        raise _bad_number(text)
    return int(value) if value.is_integer() else value


def check_number(value: float) -> None:
    """Raise Malformed for a number that implementations would write differently."""
    if not math.isfinite(value) or (value != 0 and not _SMALLEST <= abs(value) < _LARGEST):
        raise _bad_number(repr(value))
    if isinstance(value, float) and value.is_integer():
        raise _bad_number(repr(value))


def _refuse_constant(text: str) -> JsonValue:
    raise _bad_number(text)


def _bad_number(text: str) -> Malformed:
    return Malformed(
        "The number %(number)s is not one that every program reads alike.", number=text[:40]
    )


def _too_deep() -> Malformed:
    return Malformed("The document nests deeper than %(limit)s levels.", limit=str(MAX_DEPTH))
