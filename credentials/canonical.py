"""JSON-LD → canonical bytes: the general route, with every safety before the cryptography.

What a signature covers is the RDF dataset; what we read is the JSON. `canonicalize` therefore
refuses every document in which the two could differ: undefined terms, relative addresses, nulls,
keys that are addresses, contexts that we did not pin, a node described in two places. It also
bounds the work a hostile document can cause.
"""

import re
from collections import Counter
from collections.abc import Iterator

import pyoxigraph

from credentials.contexts import Contexts, pinned_contexts
from credentials.direct import Statements, statements_of
from credentials.documents import (
    JsonObject,
    JsonValue,
    as_list,
    check_depth,
    check_number,
    load_json,
)
from credentials.errors import Malformed
from credentials.jsonld import (
    IRI,
    RELATIVE,
    UNDEFINED,
    canonical_lines,
    expand,
    is_address,
    parsed,
    to_quads,
)

__all__ = [
    "canonicalize",
    "is_address",
    "load_json",
    "may_be_signed",
    "screen",
    "screen_text",
]

MAX_VALUES = 20_000
MAX_OBJECTS = 2_000
MAX_TYPES = 4_000
MAX_CONTEXT_ENTRIES = 200
MAX_BLANK_NODES = 400
MAX_ALIKE = 6
"""Blank nodes that look alike and touch are told apart by trying their orders: n! of them."""

_ALLOWED_KEYWORDS = {"@context", "@value", "@language"}
_MOST_OWN_TERMS = 100
_OWN_ENTRY = {"@id", "@type"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EXPANDED_KEYWORDS = {"@id", "@type", "@value", "@language", "@graph", "@list"}
_SUBJECT_TYPE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementSubject"
_MAY_BE_SAID_OF_ROOT = {
    "@id",
    "@type",
    "https://purl.imsglobal.org/spec/vc/ob/vocab.html#endorsementComment",
}


def canonicalize(
    document: JsonObject, contexts: Contexts | None = None, *, own_contexts: bool = False
) -> bytes:
    """The canonical N-Quads (RDFC-1.0, SHA-256) of a JSON-LD document, in UTF-8.

    Read by the direct route where that can be, else by PyLD; with `contexts`, always by PyLD: the
    pinned ones for a second opinion, or others for test vectors that need them. With
    `own_contexts` a document may define terms of its own, as W3C's data model allows: such a
    signature says nothing about which term stands for what, so it is for programs that judge
    contexts themselves, and no verdict for people is made of it. Raises Malformed, with the reason,
    for any document whose JSON and RDF could be read differently.
    """
    known = pinned_contexts() if contexts is None else contexts
    screen(document, known, own_contexts=own_contexts)
    direct = statements_of(document) if contexts is None else None
    return _by_pyld(document, known, own_contexts=own_contexts) if direct is None else _of(direct)


def _of(said: Statements) -> bytes:
    """Only lines with a node without an id need RDFC-1.0: no other line is looked at by it."""
    quads = parsed(said.blank)
    _check_blank_nodes(quads)
    lines = {f"{line}\n".encode() for line in said.plain}
    return b"".join(sorted(lines.union(canonical_lines(quads))))


def _by_pyld(document: JsonObject, known: Contexts, *, own_contexts: bool) -> bytes:
    expanded = expand(document, known)
    _check_expanded(expanded, own_contexts=own_contexts)
    quads = to_quads(expanded)
    _check_blank_nodes(quads)
    return b"".join(canonical_lines(quads))


def screen(document: JsonObject, contexts: Contexts, *, own_contexts: bool = False) -> None:
    """Refuse, before any JSON-LD is done, what is too large or could be read two ways."""
    check_depth(document)
    _check_size(document)
    if "@context" not in document:
        raise Malformed("The document names no JSON-LD context.")
    for node in _nodes(document):
        for key, value in node.items():
            _check_key(key, own_contexts=own_contexts)
            if key == "@context":
                _check_context(value, contexts, own_contexts=own_contexts)
            elif value is None:
                raise Malformed("“%(key)s” is empty (null); no signature covers that.", key=key)
    for value in _values(document):
        _check_value(value)


def screen_text(text: str) -> None:
    """Refuse control characters and non-characters: implementations differ on their bytes."""
    found = _CONTROL.search(text)
    if found:
        raise Malformed(
            "A text has the character U+%(code)s, which cannot be signed.",
            code=f"{ord(found[0]):04X}",
        )


def may_be_signed(text: str) -> bool:
    """Whether a text has none of the characters that `screen_text` refuses."""
    return _CONTROL.search(text) is None


def _check_size(document: JsonObject) -> None:
    values = list(_values(document))
    objects = [value for value in values if isinstance(value, dict)]
    types = sum(len(as_list(node.get("type"))) for node in objects)
    contexts = sum(len(as_list(node.get("@context"))) for node in objects)
    if (
        len(values) > MAX_VALUES
        or len(objects) > MAX_OBJECTS
        or types > MAX_TYPES
        or contexts > MAX_CONTEXT_ENTRIES
    ):
        raise Malformed("The document has more parts than Assay reads.")


def _check_key(key: str, *, own_contexts: bool) -> None:
    screen_text(key)
    direction = own_contexts and key == "@direction"
    if key.startswith("@") and key not in _ALLOWED_KEYWORDS and not direction:
        raise Malformed("The document uses the JSON-LD keyword “%(key)s”.", key=key[:80])
    if ":" in key:
        raise Malformed("The key “%(key)s” is an address, not a term.", key=key[:200])


def _check_context(value: JsonValue, contexts: Contexts, *, own_contexts: bool) -> None:
    for entry in value if isinstance(value, list) else [value]:
        if own_contexts and isinstance(entry, dict):
            _check_own_context(entry)
        elif not isinstance(entry, str):
            raise Malformed("The document brings a JSON-LD context of its own.")
        elif entry not in contexts:
            raise Malformed(
                "The JSON-LD context %(url)s is not one that Assay knows.", url=entry[:200]
            )


def _check_own_context(context: JsonObject) -> None:
    """Terms for whole addresses and nothing else: no base, vocabulary, import or nesting."""
    inner = context.get("@context") if set(context) == {"@context"} else context
    if not isinstance(inner, dict) or len(inner) > _MOST_OWN_TERMS:
        raise Malformed("The document brings a JSON-LD context of a kind that Assay does not read.")
    for term, meaning in inner.items():
        if term == "@protected" and isinstance(meaning, bool):
            continue
        if not _is_own_term(term) or not _is_meaning(meaning):
            raise Malformed(
                "The document's own JSON-LD context defines “%(term)s” in a way that Assay does "
                "not read.",
                term=term[:80],
            )


def _is_own_term(term: str) -> bool:
    return bool(term) and not term.startswith("@") and ":" not in term and may_be_signed(term)


def _is_meaning(meaning: JsonValue) -> bool:
    """A whole address, never a keyword: an alias of `id` or `type` would hide from our checks."""
    if isinstance(meaning, dict) and set(meaning) <= _OWN_ENTRY:
        kind = meaning.get("@type", "@id")
        meant = meaning.get("@id")
        return _is_whole(meant) and (kind in ("@id", "@vocab") or _is_whole(kind))
    return _is_whole(meaning)


def _is_whole(value: JsonValue) -> bool:
    return isinstance(value, str) and is_address(value)


def _check_value(value: JsonValue) -> None:
    if isinstance(value, str):
        screen_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        check_number(value)
    elif isinstance(value, list) and None in value:
        raise Malformed("A list has an empty (null) place; no signature covers that.")


def _check_expanded(expanded: list[JsonValue], *, own_contexts: bool) -> None:
    if len(expanded) != 1:
        raise Malformed("The document is not one JSON-LD node.")
    root = expanded[0]
    for node in _objects(expanded):
        for key, value in node.items():
            if not (own_contexts and key == "@direction"):
                _check_expanded_entry(key, value)
        if node is not root and isinstance(root, dict):
            _check_not_about_root(node, root)


def _check_expanded_entry(key: str, value: JsonValue) -> None:
    if key not in _EXPANDED_KEYWORDS:
        _check_iri(key)
    if key in ("@id", "@type"):
        for name in as_list(value):
            _check_iri(str(name))


def _check_iri(iri: str) -> None:
    if iri == "@json":
        raise Malformed("The document holds raw JSON, whose bytes Assay does not vouch for.")
    if iri.startswith(UNDEFINED):
        term = iri.removeprefix(UNDEFINED)
        raise Malformed("The contexts do not define the term “%(term)s”.", term=term[:80])
    if iri.startswith("_:"):
        raise Malformed("The document names a blank node (“%(name)s”).", name=iri[:80])
    if iri.startswith("assay-relative:") or not IRI.fullmatch(iri):
        address = iri.removeprefix(RELATIVE)
        raise Malformed("“%(address)s” is not a whole address.", address=address[:200])


def _check_not_about_root(node: JsonObject, root: JsonObject) -> None:
    """Properties of the credential moved into another node of the same id sign alike."""
    if "@id" not in root or node.get("@id") != root["@id"]:
        return
    types = node.get("@type", [])
    if set(node) <= _MAY_BE_SAID_OF_ROOT and types in ([], [_SUBJECT_TYPE]):
        return
    raise Malformed("The document describes itself in a second place.")


def _check_blank_nodes(quads: list[pyoxigraph.Quad]) -> None:
    """Bound the factorial work that alike blank nodes next to each other cause in RDFC-1.0."""
    looks: dict[str, list[str]] = {}
    beside: dict[str, set[str]] = {}
    for quad in quads:
        parts = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        nodes = {part.value for part in parts if isinstance(part, pyoxigraph.BlankNode)}
        for node in nodes:
            looks.setdefault(node, []).append(_seen_from(node, parts))
            beside.setdefault(node, set()).update(nodes - {node})
    if len(looks) > MAX_BLANK_NODES:
        raise Malformed("The document has more nodes without an id than Assay reads.")
    sight = {node: "\n".join(sorted(lines)) for node, lines in looks.items()}
    times = Counter(sight.values())
    alike = {node for node, seen in sight.items() if times[seen] > 1}
    if sum(1 for node in alike if beside[node] & alike) > MAX_ALIKE:
        raise Malformed("The document has too many nodes without an id that look alike.")


def _seen_from(node: str, parts: tuple[object, ...]) -> str:
    """A quad as the node sees it: itself “_:a”, other blank nodes “_:z” (RDFC-1.0, 4.6)."""
    return " ".join(
        ("_:a" if part.value == node else "_:z")
        if isinstance(part, pyoxigraph.BlankNode)
        else str(part)
        for part in parts
    )


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return (part for part in _values(value) if isinstance(part, dict))


def _nodes(document: JsonObject) -> Iterator[JsonObject]:
    """The objects of a document; what its contexts are made of are none."""
    waiting: list[JsonValue] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(value for key, value in part.items() if key != "@context")
        elif isinstance(part, list):
            waiting.extend(part)


def _values(value: JsonValue) -> Iterator[JsonValue]:
    """The value and everything in it, in no particular order, without recursion."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
