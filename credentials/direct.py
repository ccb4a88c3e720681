"""JSON-LD → N-Quads by the direct route: documents in pinned contexts, straight from their JSON.

PyLD reads any JSON-LD there is and takes its time for it. Nearly every document that comes here
uses a handful of its constructs; those are read by this module, and whatever else one of them
holds, however slight, makes it PyLD's (`None`). It never refuses a document and never guesses:
a refusal, and the reason for it, is always the general route's. Only for documents that `screen`
has looked through.
"""

import re
from collections.abc import Mapping

from credentials.documents import JsonObject, JsonValue
from credentials.jsonld import is_address
from credentials.scopes import Property, Scope, Scopes, Term, Unfamiliar

_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_UNREAD_KINDS = {
    f"{_XSD}double",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#dirLangString",
}
"""Datatypes whose values JSON-LD or RDF write in a way of their own."""

_ESCAPED = re.compile('["\\\\\n\r\t]')
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_EXPONENT = re.compile(r"(\d)0*E\+?(-)?0*(\d)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_ASCII_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+")
_PLAIN_ADDRESS = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?(?:#[A-Za-z0-9._~-]*)?"
    r"|urn:uuid:[0-9a-f-]+|did:[a-z]+:[A-Za-z0-9._-]+(?:#[A-Za-z0-9._~-]*)?"
)

_scopes = Scopes()


class Statements:
    """What a document says: lines of N-Quads, those that name a node without an id apart."""

    def __init__(self) -> None:
        self.plain: list[str] = []
        self.blank: list[str] = []


def statements_of(document: JsonObject) -> Statements | None:
    """The document's N-Quads; None for a document that only PyLD reads.

    They are the ones that the general route comes to, and the general route would not refuse them;
    bounds on nodes without an id are for the caller.
    """
    writer = _Writer(document)
    try:
        writer.node(_scopes.first().embedded(document.get("@context")), document, "", root=True)
    except Unfamiliar:
        return None
    found = writer.statements
    return found if found.plain or found.blank else None


class _Writer:
    """Goes through one document and writes down its statements."""

    def __init__(self, document: JsonObject) -> None:
        self.statements = Statements()
        self._nameless = 0
        self._root = document.get("id")

    def node(self, scope: Scope, node: JsonObject, graph: str, *, root: bool = False) -> str:
        """Write what a node says; returns the node as it stands in lines."""
        if not root and "@context" in node:
            scope = scope.embedded(node["@context"])
        types: tuple[str, ...] = ()
        if "type" in node:
            if not scope.plain:
                raise Unfamiliar
            scope, types = scope.typed(node["type"])
        if not scope.plain:
            raise Unfamiliar
        subject = self._subject(node, scope, root=root)
        for means in types:
            self._say(subject, _RDF_TYPE, means, graph)
        for key, value in node.items():
            if key not in ("id", "type", "@context"):
                self._values(subject, scope.property(key), value, graph)
        return subject

    def _subject(self, node: JsonObject, scope: Scope, *, root: bool) -> str:
        if "id" not in node:
            return self._blank()
        if not root and len(node) > 1 and node["id"] == self._root:
            raise Unfamiliar
        return _address(node["id"], scope.terms)

    def _blank(self) -> str:
        self._nameless += 1
        return f"_:b{self._nameless}"

    def _values(self, subject: str, by: Property, value: JsonValue, graph: str) -> None:
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, dict):
                said = self._object(subject, by, one, graph)
            elif isinstance(one, str):
                said = _text(by, one)
            else:
                said = _number(by, one)
            self._say(subject, by.predicate, said, graph)

    def _object(self, subject: str, by: Property, value: JsonObject, graph: str) -> str:
        if by.graph:
            if len(value) == 1 and "id" in value:
                raise Unfamiliar
            name = self._blank()
            self.node(by.inside, value, f" {name}")
            return name
        if "@value" in value:
            return _tagged(value)
        if len(value) == 1 and "id" in value:
            if not by.scope.plain:
                raise Unfamiliar
            return _address(value["id"], by.scope.terms)
        return self.node(by.inside, value, graph)

    def _say(self, subject: str, predicate: str, said: str, graph: str) -> None:
        line = f"{subject} {predicate} {said}{graph} ."
        if graph or said[0] == "_" or subject[0] == "_":
            self.statements.blank.append(line)
        else:
            self.statements.plain.append(line)


def _address(value: JsonValue, terms: Mapping[str, Term]) -> str:
    """A whole address that no prefix of the contexts could change."""
    if not isinstance(value, str):
        raise Unfamiliar
    if not _PLAIN_ADDRESS.fullmatch(value) and not (
        _ASCII_ADDRESS.fullmatch(value) and is_address(value)
    ):
        raise Unfamiliar
    if value.partition(":")[0] in terms:
        raise Unfamiliar
    return f"<{value}>"


def _text(by: Property, text: str) -> str:
    """A text as the property has it: an address, a word of a vocabulary, or a literal."""
    if by.graph:
        raise Unfamiliar
    if by.kind == "@id":
        return _address(text, by.scope.terms)
    if by.kind == "@vocab":
        term = by.scope.terms.get(text)
        return _address(text if term is None else term.means, {} if term else by.scope.terms)
    return _literal(text) + _datatype(by.kind, f"{_XSD}string")


def _number(by: Property, value: JsonValue) -> str:
    """A number or a truth as JSON-LD writes it (JSON-LD 1.1 API, section 8.2.2)."""
    if by.graph or by.kind in ("@id", "@vocab"):
        raise Unfamiliar
    if isinstance(value, bool):
        return f'"{str(value).lower()}"' + _datatype(by.kind, f"{_XSD}boolean")
    if isinstance(value, int):
        return f'"{value}"' + _datatype(by.kind, f"{_XSD}integer")
    if isinstance(value, float):
        written = _EXPONENT.sub(r"\1E\2\3", f"{value:.15E}")
        return f'"{written}"' + _datatype(by.kind, f"{_XSD}double")
    raise Unfamiliar


def _tagged(value: JsonObject) -> str:
    """A text with its language, or one that is to be read as nothing but a text."""
    text, language = value["@value"], value.get("@language", "")
    if not isinstance(text, str) or not isinstance(language, str):
        raise Unfamiliar
    if not set(value) <= {"@value", "@language"}:
        raise Unfamiliar
    if "@language" not in value:
        return _literal(text)
    if not _LANGUAGE.fullmatch(language):
        raise Unfamiliar
    return f"{_literal(text)}@{language.lower()}"


def _literal(text: str) -> str:
    return f'"{text.translate(_ESCAPES) if _ESCAPED.search(text) else text}"'


def _datatype(kind: str | None, otherwise: str) -> str:
    """The datatype as it is written after a literal; that of plain texts is not."""
    if kind in _UNREAD_KINDS:
        raise Unfamiliar
    means = kind or otherwise
    if means == f"{_XSD}string":
        return ""
    if kind and not is_address(kind):
        raise Unfamiliar
    return f"^^<{means}>"
