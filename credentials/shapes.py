"""Documents taken apart: what belongs to a shape, the values in its places, and stand-ins for them.

Two documents with the same tokens are taken apart alike, place by place. Entries of `evidence` and
`result` that have an id are parts of their own, so that how many there are, and which of them say
what, makes no new shape of the whole.
"""

import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from credentials.documents import JsonObject, JsonValue

MOST_PLACES = 2000
MOST_PARTS = 400
LONGEST_CONSTANT = 64 * 1024
SCHEMES = ("https://", "http://", "urn:", "did:", "mailto:")

_NUMBERED = tuple(enumerate(SCHEMES, start=1))

CHOSEN = frozenset(
    {
        "@context",
        "@language",
        "achievementType",
        "cryptosuite",
        "identityType",
        "proofPurpose",
        "resultType",
        "status",
        "statusPurpose",
        "targetType",
        "type",
    }
)
"""Keys whose values are words of a vocabulary: those belong to the shape."""

ROOT, CONSTANT, OPEN_LIST, CLOSE_LIST, PLAIN, PART, TEXT = range(7)
"""TEXT and the numbers after it: a text that begins with no scheme, or the first, second, … one."""

Token = int | str | bytes | tuple[str, ...]
Constants = Mapping[int, bytes]
"""Parts that belong to the shape as they are, by their `id()`, each as the bytes it comes to."""

NO_CONSTANTS: Final[Constants] = {}
MARK = "assay-place-"


@dataclass(frozen=True)
class Form:
    """A document, or a part of one, taken apart: its shape, and the values in their places."""

    tokens: tuple[Token, ...]
    values: list[str]
    parts: list["Form"] = field(default_factory=list)


def as_constant(part: JsonValue) -> bytes | None:
    """The bytes of a part that many documents share; None for what is none, or too long.

    Parts have the same bytes only if they are the same to the type of each number. They are never
    read again: version 2 of marshal is the one whose bytes depend on nothing but the value.
    """
    if not isinstance(part, dict):
        return None
    try:
        data = marshal.dumps(part, 2)
    except ValueError:
        return None
    return data if len(data) <= LONGEST_CONSTANT else None


def constants_of(document: JsonObject) -> Constants:
    """What documents of one definition and issuer share: the achievement and the issuer."""
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    found = [(part, as_constant(part)) for part in (achievement, document.get("issuer"))]
    return {id(part): data for part, data in found if data is not None}


def take_apart(document: JsonObject, constants: Constants) -> Form | None:
    """Take a document apart; None for one that is too deep or too large to be worth it."""
    root = document.get("id")
    reader = _Reader(root if isinstance(root, str) else None, constants, _lists_apart(document))
    try:
        tokens, values = reader.node(document)
    except RecursionError:
        return None
    if reader.root is not None:
        values.insert(0, reader.root)
    places = len(values) + sum(len(part.values) for part in reader.parts)
    if places > MOST_PLACES or len(reader.parts) > MOST_PARTS:
        return None
    return Form(tuple(tokens), values, reader.parts)


class _Reader:
    """Goes through a document once and writes down tokens and values.

    An object is its keys and then its members' tokens; a text that stands in a place is a number;
    a text that belongs to the shape stands for itself, where its key or the number before it says
    so. So no text of a document can be taken for its structure.
    """

    def __init__(self, root: str | None, constants: Constants, apart: frozenset[int]) -> None:
        self.root = root
        self.constants = constants
        self.apart = apart
        self.parts: list[Form] = []

    def node(self, node: JsonObject) -> tuple[list[Token], list[str]]:
        """The tokens and the values of an object."""
        tokens: list[Token] = []
        values: list[str] = []
        self._members(node, tokens, values)
        return tokens, values

    def _members(self, node: JsonObject, tokens: list[Token], values: list[str]) -> None:
        tokens.append(tuple(node))
        for key, value in node.items():
            if isinstance(value, str):
                if key in CHOSEN:
                    tokens.append(value)
                elif key == "id" and value == self.root:
                    tokens.append(ROOT)
                else:
                    tokens.append(TEXT + scheme_of(value) if value.startswith(SCHEMES) else TEXT)
                    values.append(value)
            elif key in CHOSEN and isinstance(value, list) and _are_texts(value):
                tokens += (OPEN_LIST, *value, CLOSE_LIST)
            else:
                self._value(key, value, tokens, values)

    def _value(self, key: str, value: JsonValue, tokens: list[Token], values: list[str]) -> None:
        if isinstance(value, dict):
            constant = self.constants.get(id(value))
            if constant is None:
                self._members(value, tokens, values)
            else:
                tokens += (CONSTANT, constant)
        elif isinstance(value, list):
            self._list(key, value, tokens, values)
        else:
            tokens += (PLAIN, repr(value))

    def _list(
        self, key: str, entries: list[JsonValue], tokens: list[Token], values: list[str]
    ) -> None:
        tokens.append(OPEN_LIST)
        if id(entries) in self.apart:
            tokens.append(PART)
            for entry in entries:
                own, held = self.node(entry) if isinstance(entry, dict) else ([], [])
                self.parts.append(Form((key, *own), held))
        else:
            for entry in entries:
                if isinstance(entry, str):
                    self._text(key, entry, tokens, values)
                else:
                    self._value(key, entry, tokens, values)
        tokens.append(CLOSE_LIST)

    def _text(self, key: str, text: str, tokens: list[Token], values: list[str]) -> None:
        """A text in a list: as in `_members`, where most texts stand and calls cost most."""
        if key in CHOSEN:
            tokens.append(text)
        elif key == "id" and text == self.root:
            tokens.append(ROOT)
        else:
            tokens.append(TEXT + scheme_of(text))
            values.append(text)


def _are_texts(entries: list[JsonValue]) -> TypeGuard[list[str]]:
    return all(isinstance(entry, str) for entry in entries)


def _lists_apart(document: JsonObject) -> frozenset[int]:
    """The lists, by their `id()`, whose entries are parts: all of them have ids of their own."""
    subject = document.get("credentialSubject")
    lists = (document.get("evidence"), subject.get("result") if isinstance(subject, dict) else None)
    return frozenset(id(entries) for entries in lists if _stand_alone(entries))


def _stand_alone(entries: JsonValue) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("id"), str) and "@context" not in entry
        for entry in entries
    )


def scheme_of(text: str) -> int:
    """How an address begins, as a number; 0 for any other text."""
    if text.startswith(SCHEMES):
        for number, scheme in _NUMBERED:
            if text.startswith(scheme):
                return number
    return 0


Place = tuple[int, int]
"""Whose place it is, the whole's (0) or a part's (from 1), and which of its places."""


class StandIns:
    """A document with sentinels in its places, and which place each of them stands for."""

    def __init__(self, document: JsonObject, constants: Constants) -> None:
        self.place_of: dict[str, Place] = {}
        self._constants = constants
        self._apart = _lists_apart(document)
        self._next = [0]
        self.parts: list[JsonObject] = []
        root = document.get("id")
        self._root = root if isinstance(root, str) else None
        self._root_sentinel = self._new(0, self._root) if self._root is not None else ""
        self.document = self._members(0, document)

    def _members(self, owner: int, node: JsonObject) -> JsonObject:
        return {key: self._value(owner, key, value) for key, value in node.items()}

    def _value(self, owner: int, key: str, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self._text(owner, key, value)
        if isinstance(value, dict):
            return value if id(value) in self._constants else self._members(owner, value)
        if isinstance(value, list):
            if id(value) in self._apart:
                return [self._part(entry) for entry in value]
            return [self._value(owner, key, entry) for entry in value]
        return value

    def _part(self, entry: JsonValue) -> JsonValue:
        self._next.append(0)
        owner = len(self._next) - 1
        part = self._members(owner, entry) if isinstance(entry, dict) else {}
        self.parts.append(part)
        return part

    def _text(self, owner: int, key: str, text: str) -> str:
        if key in CHOSEN:
            return text
        if key == "id" and text == self._root:
            return self._root_sentinel
        return self._new(owner, text)

    def _new(self, owner: int, text: str) -> str:
        place = (owner, self._next[owner])
        self._next[owner] += 1
        number = scheme_of(text)
        scheme = SCHEMES[number - 1] if number else ""
        sentinel = f"{scheme}{MARK}{owner}-{place[1]}.example"
        self.place_of[sentinel] = place
        return sentinel
