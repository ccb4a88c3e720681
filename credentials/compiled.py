"""JSON-LD → canonical bytes: the compiled route, for shapes that were seen before.

Documents of one definition differ in a few texts and addresses and in nothing else. The general
route, by PyLD, is asked once what a shape comes to, with a sentinel in every place that may vary;
from then on values are put into the quads that it gave, nodes without an id are labelled by
RDFC-1.0's first-degree hashes, and lines are sorted. Where those hashes leave two nodes alike,
where a value could be read as anything but itself, or where a shape is new, the general route
answers.

    canonicalize(document)   what credentials.canonical.canonicalize gives, or its refusal

Why it is the same: a place whose sentinel comes out verbatim, as a literal or as an address, is
copied by JSON-LD without being looked at. Addresses keep their scheme, because expansion reads
that far; what is looked up in a vocabulary (types, statuses) belongs to the shape. Entries of a
set say nothing of each other, so a part that has an id adds its own lines and no others.
"""

import json
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final

import pyoxigraph
from cachetools import LRUCache

from credentials import canonical
from credentials.blocks import Line, Part
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, JsonValue, as_list, children
from credentials.errors import Malformed
from credentials.jsonld import expand, to_quads
from credentials.quads import Shape, part_of, shape_of
from credentials.shapes import (
    MARK,
    Constants,
    Form,
    Place,
    StandIns,
    Token,
    constants_of,
    take_apart,
)

CHARACTERS_KEPT = 64 * 1024 * 1024
PARTS_KEPT = 64
SIGHTS_KEPT = 4096

_MOST_OF_WHOLE = (10_000, 1_200, 2_800)
_MOST_OF_PART = (25, 2, 3)
"""Values, objects and types: with MOST_PARTS more parts there are no more than `screen` allows."""


def canonicalize(
    document: JsonObject, *, constants: Constants | None = None, form: Form | None = None
) -> bytes:
    """The canonical N-Quads (RDFC-1.0, SHA-256) of a document in the pinned contexts, in UTF-8.

    `constants`: what `constants_of` says of the document, and `form`: what `take_apart` makes of it
    with these, for who has them at hand. A shape is compiled when it comes a second time. Raises
    Malformed as the general route does.
    """
    known = constants_of(document) if constants is None else constants
    form = form or take_apart(document, known)
    filled = _filled(document, form, known) if form else None
    return canonical.canonicalize(document) if filled is None else filled


def known_shapes() -> int:
    """How many shapes are compiled at this moment in this process."""
    with _lock:
        return sum(shape is not None for shape in _shapes.values())


def forget() -> None:
    """Forget every shape, so that the next document of each goes the general route first."""
    with _lock:
        _shapes.clear()
        _sights.clear()
        _latest.clear()


class _New:
    """Stands for a shape that is to be compiled now."""


def _size(shape: Shape | None) -> int:
    return shape.characters if shape else 1000


_NEW: Final = _New()
_shapes: "LRUCache[tuple[Token, ...], Shape | None]" = LRUCache(CHARACTERS_KEPT, getsizeof=_size)
_sights: "LRUCache[int, bool]" = LRUCache(SIGHTS_KEPT)
_latest: dict[tuple[Token, ...], Shape] = {}
"""Those of `_shapes` that were met since one was compiled: one look is enough to find them."""
_lock = Lock()


def _filled(document: JsonObject, form: Form, constants: Constants) -> bytes | None:
    """What a shape makes of the document; None where the general route must answer."""
    shape = _latest.get(form.tokens)
    filled = shape.fill(form) if shape else None
    if filled is None:
        shape = _shape_for(document, form, constants)
        filled = shape.fill(form) if shape else None
    return filled


def _shape_for(document: JsonObject, form: Form, constants: Constants) -> Shape | None:
    """The shape, with what is known of its parts; None where the general route must answer."""
    known = _known(form)
    if known is None:
        return None
    if isinstance(known, _New):
        return _keep(form, _compile(document, form, constants))
    new = {part.tokens for part in form.parts} - known.parts.keys()
    if new and len(known.parts) + len(new) <= PARTS_KEPT:
        found = _compile(document, form, constants)
        same = found is not None and found.source == known.source
        with _lock:
            known.parts.update(found.parts if found and same else dict.fromkeys(new))
    return known


def _known(form: Form) -> "Shape | _New | None":
    """The shape; None where it is known not to compile, or was never seen before."""
    with _lock:
        if form.tokens in _shapes:
            shape = _shapes[form.tokens]
            if shape is not None:
                _latest[form.tokens] = shape
            return shape
        sight = hash(form.tokens)
        seen = sight in _sights
        _sights[sight] = True
    return _NEW if seen else None


def _keep(form: Form, shape: Shape | None) -> Shape | None:
    with _lock:
        if _size(shape) <= CHARACTERS_KEPT:
            _shapes[form.tokens] = shape
            _latest.clear()
    return shape


def _compile(document: JsonObject, form: Form, constants: Constants) -> Shape | None:
    """What the general route makes of the shape; None where a place does not come out verbatim.

    A document that has a text like a sentinel teaches nothing: what is constant in it could be
    taken for a place, and another document would be given the bytes of one that it is not.
    """
    if MARK in json.dumps(document, ensure_ascii=False):
        return None
    stand_ins = StandIns(document, constants)
    if not _small(stand_ins):
        return None
    contexts = pinned_contexts()
    try:
        canonical.canonicalize(stand_ins.document, contexts)
        quads = to_quads(expand(stand_ins.document, contexts))
        expected = canonical.canonicalize(document, contexts)
    except Malformed:
        return None
    shape = _shape_of(quads, stand_ins, form)
    return shape if shape and shape.fill(form) == expected else None


def _small(stand_ins: StandIns) -> bool:
    """Whether MOST_PARTS parts like these still stay below what the general route refuses."""
    return _within(stand_ins.document, _MOST_OF_WHOLE) and all(
        _within(part, _MOST_OF_PART) for part in stand_ins.parts
    )


def _within(node: JsonObject, most: tuple[int, int, int]) -> bool:
    values = list(_all_of(node))
    objects = [value for value in values if isinstance(value, dict)]
    types = sum(len(as_list(one.get("type"))) for one in objects)
    contexts = sum("@context" in one for one in objects) if most is _MOST_OF_PART else 0
    found = (len(values), len(objects), types)
    return not contexts and all(count <= limit for count, limit in zip(found, most, strict=True))


def _all_of(value: JsonValue) -> Iterator[JsonValue]:
    yield value
    for child in children(value):
        yield from _all_of(child)


def _shape_of(quads: Iterable[pyoxigraph.Quad], stand_ins: StandIns, form: Form) -> Shape | None:
    """The shape of these quads; None where a sentinel was changed or lost on the way."""
    reader = _Terms(stand_ins)
    lines = [reader.line(quad) for quad in quads]
    met = {part for line in lines for part in line.parts if not isinstance(part, str)}
    if met != set(stand_ins.place_of.values()) or any(MARK in line.template for line in lines):
        return None
    addresses = frozenset(reader.addresses)
    shape = shape_of(lines, len(form.values), addresses, frozenset(reader.named))
    for owner, part in enumerate(form.parts, start=1):
        if part.tokens not in shape.parts:
            shape.parts[part.tokens] = part_of(shape, owner, lines, addresses)
    return shape


class _Terms:
    """Reads quads as templates, and which places are addresses and which addresses are fixed."""

    def __init__(self, stand_ins: StandIns) -> None:
        self.place_of = stand_ins.place_of
        self.addresses: set[Place] = set()
        self.named: set[str] = set()

    def line(self, quad: pyoxigraph.Quad) -> Line:
        """A quad as a template."""
        given: list[object] = [quad.subject, quad.predicate, quad.object]
        if not isinstance(quad.graph_name, pyoxigraph.DefaultGraph):
            given.append(quad.graph_name)
        terms = [self._term(term) for term in given]
        text = " ".join(template for template, _ in terms)
        return Line(f"{text} .", tuple(part for _, part in terms if part is not None))

    def _term(self, term: object) -> tuple[str, Part | None]:
        """A term as a template, and the place or the node without an id that it holds."""
        if isinstance(term, pyoxigraph.BlankNode):
            return "%s", f"_:{term.value}"
        if isinstance(term, pyoxigraph.NamedNode):
            place = self.place_of.get(term.value)
            if place is not None:
                self.addresses.add(place)
                return "<%s>", place
            self.named.add(term.value)
        if isinstance(term, pyoxigraph.Literal):
            place = self.place_of.get(term.value)
            if place is not None:
                quoted = _plain(f'"{term.value}"')
                return _plain(str(term)).replace(quoted, '"%s"', 1), place
        return _plain(str(term)), None


def _plain(text: str) -> str:
    return text.replace("%", "%%")
