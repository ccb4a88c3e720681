"""Documents taken apart: what belongs to a shape, the values in its places, and stand-ins for them.

Two documents with the same tokens are taken apart alike, place by place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.documents import JsonObject, JsonValue

MOST_PLACES = 2000
SCHEMES = ("https://", "http://", "urn:", "did:", "mailto:")

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

OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, WORD, PLAIN, TEXT, ROOT, CONSTANT = range(9)

Token = int | str
Constants = Mapping[int, JsonObject]
NO_CONSTANTS: Final[Constants] = {}
MARK = "assay-place-"


@dataclass(frozen=True)
class Form:
    """A document taken apart: what belongs to its shape, and the values in their places."""

    tokens: tuple[Token, ...]
    values: list[str]


def take_apart(document: JsonObject, constants: Constants) -> Form | None:
    """Take a document apart; None for one that is too deep or too large to be worth it."""
    root = document.get("id")
    values = [root] if isinstance(root, str) else []
    tokens: list[Token] = [OPEN]
    reader = _Reader(tokens, values, values[0] if values else None, constants)
    try:
        reader.members(document)
    except RecursionError:
        return None
    return Form(tuple(tokens), values) if len(values) <= MOST_PLACES else None


class _Reader:
    """Goes through a document once and writes down tokens and values.

    Tokens that stand for structure are numbers, everything else is text, and each kind of value
    is announced by a number: two documents with the same tokens are taken apart alike.
    """

    def __init__(
        self, tokens: list[Token], values: list[str], root: str | None, constants: Constants
    ) -> None:
        self.token = tokens.append
        self.values = values
        self.root = root
        self.constants = constants

    def members(self, node: JsonObject) -> None:
        """Go through an object's members, in their order."""
        for key, value in node.items():
            self.token(key)
            self.value(key, value)
        self.token(CLOSE)

    def value(self, key: str, value: JsonValue) -> None:
        """One value that stands under `key`, or in a list there."""
        if isinstance(value, str):
            self._text(key, value)
        elif isinstance(value, dict):
            if id(value) in self.constants:
                self.token(CONSTANT)
                self.token(id(value))
            else:
                self.token(OPEN)
                self.members(value)
        elif isinstance(value, list):
            self.token(OPEN_LIST)
            for entry in value:
                self.value(key, entry)
            self.token(CLOSE_LIST)
        else:
            self.token(PLAIN)
            self.token(repr(value))

    def _text(self, key: str, text: str) -> None:
        if key in CHOSEN:
            self.token(WORD)
            self.token(text)
        elif key == "id" and text == self.root:
            self.token(ROOT)
        else:
            self.token(TEXT)
            self.token(_scheme(text))
            self.values.append(text)


def _scheme(text: str) -> str:
    """How an address begins; '' for any other text."""
    for scheme in SCHEMES:
        if text.startswith(scheme):
            return scheme
    return ""


class StandIns:
    """Sentinels for the places of a form, and which place each stands for."""

    def __init__(self, form: Form, constants: Constants) -> None:
        self.sentinels = [_sentinel(place, text) for place, text in enumerate(form.values)]
        self.place_of = {sentinel: place for place, sentinel in enumerate(self.sentinels)}
        self.constants = constants
        self.kept: list[JsonObject] = []
        self.root: str | None = None
        self.next = 0

    def document(self, document: JsonObject) -> JsonObject:
        """The document with sentinels for its values, in the order in which they were read."""
        root = document.get("id")
        self.root = root if isinstance(root, str) else None
        self.next = 0 if self.root is None else 1
        return self._members(document)

    def _members(self, node: JsonObject) -> JsonObject:
        return {key: self._value(key, value) for key, value in node.items()}

    def _value(self, key: str, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self._text(key, value)
        if isinstance(value, dict):
            if id(value) in self.constants:
                self.kept.append(value)
                return value
            return self._members(value)
        if isinstance(value, list):
            return [self._value(key, entry) for entry in value]
        return value

    def _text(self, key: str, text: str) -> str:
        if key in CHOSEN:
            return text
        if key == "id" and text == self.root:
            return self.sentinels[0]
        self.next += 1
        return self.sentinels[self.next - 1]


def _sentinel(place: int, text: str) -> str:
    return f"{_scheme(text)}{MARK}{place}.example"
