"""What documents of one shape come to, as templates of canonical N-Quads to put values into.

A shape is what the whole always says; its parts (each evidence item, each result) are lines that
are added for every entry. Parts in an order that was met before have a layout, which is faster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from credentials.blocks import Line, Lines, Part
from credentials.labels import LABEL, Node, hash_of, node_of, write_labels
from credentials.layouts import Layout, are_addresses, written
from credentials.shapes import Form, Place, Token

LAYOUTS_KEPT = 16
"""Of a shape: the first that come twice. Parts in other orders are put together line by line."""

Tokens = tuple[Token, ...]


@dataclass(frozen=True, eq=False)
class PartShape:
    """The lines that an entry adds, and how nodes without an id see them, by the node's number.

    `source`: its lines, to lay them out with others.
    """

    lines: Lines
    seen: dict[int, Lines]
    addresses: tuple[int, ...]
    source: tuple[Line, ...]

    def as_part(self, owner: int) -> tuple[Line, ...]:
        """Its lines with their places named for the part of this number."""
        return tuple(Line(line.template, _renamed(line.parts, owner)) for line in self.source)


Added = list[tuple[PartShape, list[str]]]
"""The parts of a document, with the values in their places."""


@dataclass(frozen=True)
class Shape:
    """What documents of one shape come to; `constant` are the lines that never change, sorted.

    `named`: the addresses in constant lines. `source`: its lines, to compare it with another.
    `layouts`: by the parts in their order; None for an order that was met once.
    """

    places: int
    constant: tuple[str, ...]
    varying: Lines
    nodes: tuple[Node, ...]
    addresses: tuple[int, ...]
    named: frozenset[str]
    source: frozenset[Line]
    parts: dict[Tokens, PartShape | None] = field(default_factory=dict)
    layouts: dict[tuple[PartShape, ...], Layout | None] = field(default_factory=dict)

    @property
    def characters(self) -> int:
        """About how much memory it takes with all the layouts that it may have."""
        lines = sum(map(len, self.constant)) + self.varying.characters
        return (4 + 2 * LAYOUTS_KEPT) * lines + 1000 * len(self.parts)

    def fill(self, form: Form) -> bytes | None:
        """The canonical bytes of a document; None where the general route must answer."""
        if form.values and form.values[0] in self.named:
            return None
        parts = [self.parts.get(part.tokens) for part in form.parts]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        layout = self._layout(form, tuple(known))
        filled = layout.fill(form) if layout else None
        return self._by_lines(form, known) if filled is None else filled

    def _layout(self, form: Form, parts: tuple[PartShape, ...]) -> Layout | None:
        """The layout of these parts, which is made when they come a second time."""
        found = self.layouts.get(parts)
        if found is None:
            seen = parts in self.layouts
            if len(self.layouts) >= LAYOUTS_KEPT and not seen:
                self._forget_what_came_once()
            if seen or len(self.layouts) < LAYOUTS_KEPT:
                found = self.layouts[parts] = self._lay_out(form, parts) if seen else None
        return found

    def _forget_what_came_once(self) -> None:
        for parts, layout in [*self.layouts.items()]:
            if layout is None:
                self.layouts.pop(parts, None)

    def _lay_out(self, form: Form, parts: tuple[PartShape, ...]) -> Layout:
        places = [(0, place) for place in self.addresses]
        for owner, part in enumerate(parts, start=1):
            places += [(owner, place) for place in part.addresses]
        return Layout(
            sorted(self.source, key=str),
            [part.as_part(owner) for owner, part in enumerate(parts, start=1)],
            [self.places, *(len(part.values) for part in form.parts)],
            places,
        )

    def _by_lines(self, form: Form, parts: Sequence[PartShape]) -> bytes | None:
        """Line by line: None where a line of a node without an id stands twice.

        A dataset is a set, and the node's hash has counted both.
        """
        added = _added(form.parts, parts)
        base = written(form.values)
        addresses = [form.values[place] for place in self.addresses]
        if added is None or base is None or not are_addresses(addresses):
            return None
        base = [*base, *[""] * len(self.nodes)]
        hashes = [self._hash(number, base, added) for number in range(len(self.nodes))]
        if not write_labels(self.nodes, hashes, base, self.places):
            return None
        lines = [*self.constant, *self.varying.lines(base)]
        for shape, values in added:
            lines += shape.lines.lines(base + values)
        lines.sort()
        if any(one == other and LABEL in one for one, other in pairwise(lines)):
            return None
        return "\n".join([*sorted(set(lines)), ""]).encode()

    def _hash(self, number: int, base: list[str], added: Added) -> str:
        """The first-degree hash of a node without an id."""
        touching = [
            shape.seen[number].lines(base + values)
            for shape, values in added
            if number in shape.seen
        ]
        node = self.nodes[number]
        if not touching:
            return node.hash(base)
        return hash_of("\n".join(sorted(chain(node.lines.lines(base), *touching))))


def _added(forms: Sequence[Form], parts: Sequence[PartShape]) -> Added | None:
    """The parts with their values as they are written; None where one may not stand there."""
    added = []
    for form, part in zip(forms, parts, strict=True):
        values = written(form.values)
        if values is None or not are_addresses([form.values[place] for place in part.addresses]):
            return None
        added.append((part, values))
    return added


def shape_of(
    lines: Sequence[Line], places: int, addresses: frozenset[Place], named: frozenset[str]
) -> Shape:
    """The shape that the lines which belong to no part come to; `places` are those of the whole."""
    own = [line for line in lines if not line.owners]
    names = sorted({name for line in own for name in line.nodes})
    slot_of = _slots(places, names)
    return Shape(
        places=places,
        constant=tuple(sorted({line.template % () for line in own if not line.parts})),
        varying=Lines([[line for line in own if line.parts]], slot_of),
        nodes=tuple(node_of(name, own, slot_of) for name in names),
        addresses=tuple(sorted(place for owner, place in addresses if owner == 0)),
        named=named,
        source=frozenset(own),
    )


def part_of(
    shape: Shape, owner: int, lines: Sequence[Line], addresses: frozenset[Place]
) -> PartShape | None:
    """What one part adds to a shape; None where it cannot be told apart from the rest."""
    own = [line for line in lines if owner in line.owners]
    names = [node.name for node in shape.nodes]
    if any(line.owners != {owner} or not line.nodes <= set(names) for line in own):
        return None
    slot_of = _slots(shape.places, names)
    seen = {
        number: Lines([[line.seen_by(name) for line in own if name in line.nodes]], slot_of)
        for number, name in enumerate(names)
        if any(name in line.nodes for line in own)
    }
    places = tuple(sorted(place for one, place in addresses if one == owner))
    return PartShape(Lines([own], slot_of), seen, places, tuple(own))


def _slots(places: int, names: list[str]) -> Callable[[Part], int]:
    """Slots: the whole's places, the labels of its nodes, and then the places of a part."""

    def slot_of(part: Part) -> int:
        if isinstance(part, str):
            return places + names.index(part)
        owner, place = part
        return place if owner == 0 else places + len(names) + place

    return slot_of


def _renamed(parts: tuple[Part, ...], owner: int) -> tuple[Part, ...]:
    return tuple(
        (owner, part[1]) if not isinstance(part, str) and part[0] else part for part in parts
    )
