"""JSON-LD → canonical bytes: the compiled route, for shapes that were seen before.

Documents of one definition differ in a few texts and addresses and in nothing else. The general
route is asked once what a shape comes to, with a sentinel in every place that may vary; from then
on values are put into the quads that it gave, nodes without an id are labelled by RDFC-1.0's
first-degree hashes, and lines are sorted. Where those hashes leave two nodes alike, where a value
could be read as anything but itself, or where a shape is new, the general route answers.

    canonicalize(document)   what credentials.canonical.canonicalize gives, or its refusal

Why it is the same: a place whose sentinel comes out verbatim, as a literal or as an address, is
copied by JSON-LD without being looked at. Addresses keep their scheme, because expansion reads
that far; what is looked up in a vocabulary (types, statuses) belongs to the shape.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import pyoxigraph
from cachetools import LRUCache

from credentials import canonical
from credentials.canonical import is_address, may_be_signed
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject
from credentials.errors import Malformed
from credentials.jsonld import expand, to_quads
from credentials.shapes import (
    MARK,
    NO_CONSTANTS,
    Constants,
    Form,
    StandIns,
    Token,
    take_apart,
)

SHAPES_KEPT = 256
SIGHTS_KEPT = 4096

_ESCAPED = re.compile(r'["\\\n\r\t]')
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def canonicalize(document: JsonObject, *, constants: Constants = NO_CONSTANTS) -> bytes:
    """The canonical N-Quads (RDFC-1.0, SHA-256) of a document in the pinned contexts, in UTF-8.

    `constants` are parts, by their `id()`, that many documents share and that nobody changes any
    more: they are looked into once per shape. A shape is compiled when it comes a second time, and
    at once where there are constants. Raises Malformed as the general route does.
    """
    form = take_apart(document, constants)
    shape = _known(form, eager=bool(constants)) if form else None
    if form and shape is _NEW:
        shape = _keep(form, _compile(document, form, constants))
    filled = shape.fill(form.values) if form and isinstance(shape, Shape) else None
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


@dataclass(frozen=True)
class _Line:
    """A quad as a template; `parts` are its places and its nodes without an id, in order."""

    template: str
    parts: tuple[Token, ...]


@dataclass(frozen=True)
class _Node:
    """A node without an id: its lines as it sees them itself, and its hash where that is fixed.

    `alone`: none of its lines has another node without an id.
    """

    name: str
    lines: tuple[_Line, ...]
    alone: bool
    fixed: str | None = None


@dataclass(frozen=True)
class Shape:
    """What documents of one shape come to.

    `constant` are the lines without places, sorted; `varying` the others as one template.
    """

    constant: tuple[str, ...]
    varying: _Line
    nodes: tuple[_Node, ...]
    addresses: frozenset[int]
    keeps: tuple[JsonObject, ...] = ()

    def fill(self, values: Sequence[str]) -> bytes | None:
        """The canonical bytes with these values; None where the general route must answer."""
        if not may_be_signed("\n".join(values)):
            return None
        if not all(is_address(values[place]) for place in self.addresses):
            return None
        written: dict[Token, str] = dict(enumerate(map(_written, values)))
        if not self._label(written):
            return None
        filled = self.varying.template % tuple([written[part] for part in self.varying.parts])
        lines = {*self.constant, *filled.split("\n")} if filled else set(self.constant)
        return ("\n".join(sorted(lines)) + "\n").encode()

    def _label(self, written: dict[Token, str]) -> bool:
        """Add the canonical labels to what is written; false when that needs more than this.

        RDFC-1.0, section 4.4: nodes of a hash of their own first, by hash; then those that share
        one. Alike nodes that touch no other such node are the same but for their names, so any
        order of theirs gives the same lines.
        """
        alike: dict[str, list[_Node]] = {}
        for node in self.nodes:
            alike.setdefault(node.fixed or _first_degree(node, written), []).append(node)
        order = sorted(alike, key=lambda seen: (len(alike[seen]) > 1, seen))
        labelled = [node for seen in order for node in alike[seen]]
        for number, node in enumerate(labelled):
            written[node.name] = f"_:c14n{number}"
        groups = (group for group in alike.values() if len(group) > 1)
        return all(node.alone for group in groups for node in group)


class _New:
    """Stands for a shape that is to be compiled now."""


_NEW: Final = _New()
_shapes: "LRUCache[tuple[Token, ...], Shape | None]" = LRUCache(SHAPES_KEPT)
_sights: "LRUCache[int, bool]" = LRUCache(SIGHTS_KEPT)
_lock = Lock()


def _known(form: Form, *, eager: bool) -> "Shape | _New | None":
    """The shape; None where it is known not to compile, or was never seen before."""
    with _lock:
        if form.tokens in _shapes:
            return _shapes[form.tokens]
        sight = hash(form.tokens)
        seen = sight in _sights
        _sights[sight] = True
    return _NEW if seen or eager else None


def _keep(form: Form, shape: Shape | None) -> Shape | None:
    with _lock:
        _shapes[form.tokens] = shape
    return shape


def _compile(document: JsonObject, form: Form, constants: Constants) -> Shape | None:
    """What the general route makes of the shape; None where a place does not come out verbatim."""
    stand_ins = StandIns(form, constants)
    try:
        sample = stand_ins.document(document)
        canonical.canonicalize(sample)
        quads = to_quads(expand(sample, pinned_contexts()))
        expected = canonical.canonicalize(document)
    except Malformed:
        return None
    shape = _shape_of(quads, stand_ins)
    return shape if shape and shape.fill(form.values) == expected else None


def _shape_of(quads: list[pyoxigraph.Quad], stand_ins: StandIns) -> Shape | None:
    """The shape of these quads; None where a sentinel was changed or lost on the way."""
    addresses: set[int] = set()
    met: set[int] = set()
    lines = []
    for quad in quads:
        terms = [_term(term, stand_ins, addresses) for term in _terms(quad)]
        met |= {part for _, part in terms if isinstance(part, int)}
        lines.append(_line(terms))
    if met != set(range(len(stand_ins.sentinels))) or any(MARK in line.template for line in lines):
        return None
    constant = sorted({line.template % () for line in lines if not line.parts})
    varying = [line for line in lines if line.parts]
    return Shape(
        constant=tuple(constant),
        varying=_Line(
            "\n".join(line.template for line in varying),
            tuple(part for line in varying for part in line.parts),
        ),
        nodes=_nodes(varying),
        addresses=frozenset(addresses),
        keeps=tuple(stand_ins.kept),
    )


def _terms(quad: pyoxigraph.Quad) -> list[object]:
    terms: list[object] = [quad.subject, quad.predicate, quad.object]
    if not isinstance(quad.graph_name, pyoxigraph.DefaultGraph):
        terms.append(quad.graph_name)
    return terms


def _term(term: object, stand_ins: StandIns, addresses: set[int]) -> tuple[str, Token | None]:
    """A term as a template, and the place or the node without an id that it holds."""
    if isinstance(term, pyoxigraph.BlankNode):
        return "%s", f"_:{term.value}"
    if isinstance(term, pyoxigraph.NamedNode):
        place = stand_ins.place_of.get(term.value)
        if place is not None:
            addresses.add(place)
            return "<%s>", place
    if isinstance(term, pyoxigraph.Literal):
        place = stand_ins.place_of.get(term.value)
        if place is not None:
            quoted = f'"{term.value}"'
            return _plain(str(term)).replace(_plain(quoted), '"%s"', 1), place
    return _plain(str(term)), None


def _plain(text: str) -> str:
    return text.replace("%", "%%")


def _line(terms: list[tuple[str, Token | None]]) -> _Line:
    text = " ".join(template for template, _ in terms)
    return _Line(f"{text} .", tuple(part for _, part in terms if part is not None))


def _nodes(lines: Sequence[_Line]) -> tuple[_Node, ...]:
    """Every node without an id, with its lines as it sees them itself (RDFC-1.0, section 4.6)."""
    names = dict.fromkeys(part for line in lines for part in line.parts if isinstance(part, str))
    return tuple(_node(name, lines) for name in names)


def _node(name: str, lines: Sequence[_Line]) -> _Node:
    own = [line for line in lines if name in line.parts]
    others = {part for line in own for part in line.parts if isinstance(part, str)} - {name}
    seen = tuple(_seen_by(name, line) for line in own)
    node = _Node(name, seen, alone=not others)
    varies = any(line.parts for line in seen)
    return node if varies else replace(node, fixed=_first_degree(node, {}))


def _seen_by(name: str, line: _Line) -> _Line:
    """The line with itself as “_:a” and other nodes without an id as “_:z”."""
    shown = tuple(
        "%s" if isinstance(part, int) else "_:a" if part == name else "_:z" for part in line.parts
    )
    kept = line.template.replace("%%", "%%%%") % shown
    return _Line(kept, tuple(part for part in line.parts if isinstance(part, int)))


def _first_degree(node: _Node, written: Mapping[Token, str]) -> str:
    lines = [line.template % tuple(written[part] for part in line.parts) for line in node.lines]
    return hashlib.sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()


def _written(text: str) -> str:
    return text.translate(_ESCAPES) if _ESCAPED.search(text) else text
