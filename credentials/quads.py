"""What documents of one shape come to, as templates of canonical N-Quads to put values into.

A shape is what the whole always says; its parts (each evidence item, each result) are lines that
are added for every entry. Nodes without an id are labelled by RDFC-1.0's first-degree hashes.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import eq, itemgetter

from credentials.canonical import is_address, may_be_signed
from credentials.shapes import Form, Place, Token

_SPECIAL = re.compile('[\x00-\x1f\x7f-\x9f"\\\\\ud800-\udfff\ufffe\uffff]')
"""What is written another way in N-Quads, or must not be signed at all."""

_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_LABEL = "_:c14n"
_PLAIN_ADDRESS = re.compile(
    r"(?:https?://[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?|urn:uuid:[0-9a-f-]+"
    r"|did:[a-z]+:[A-Za-z0-9._-]+)(?:#[A-Za-z0-9._~-]*)?"
)
"""Addresses as we make them, which need no closer look."""

Part = Place | str
"""What stands in a line: a place, or the name of a node without an id."""


@dataclass(frozen=True)
class Line:
    """A quad as a template; `parts` are its places and its nodes without an id, in order."""

    template: str
    parts: tuple[Part, ...]

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes without an id that it names."""
        return frozenset(part for part in self.parts if isinstance(part, str))

    @property
    def owners(self) -> frozenset[int]:
        """The parts of the document that it belongs to."""
        return frozenset(part[0] for part in self.parts if not isinstance(part, str)) - {0}

    def seen_by(self, name: str) -> "Line":
        """The line with itself as “_:a” and other nodes as “_:z” (RDFC-1.0, section 4.6)."""
        shown = tuple(
            ("_:a" if part == name else "_:z") if isinstance(part, str) else "%s"
            for part in self.parts
        )
        kept = self.template.replace("%%", "%%%%") % shown
        return Line(kept, tuple(part for part in self.parts if not isinstance(part, str)))


class Lines:
    """Some lines as one template, and where in a list of slots its values are."""

    def __init__(self, lines: Sequence[Line], slot_of: Callable[[Part], int]) -> None:
        slots = [slot_of(part) for line in lines for part in line.parts]
        template = "\n".join(line.template for line in lines)
        self.characters = len(template)
        self._template = template if slots else template % ()
        self._pick = itemgetter(*slots) if slots else None
        self._none = not lines

    def write(self, slots: list[str]) -> list[str]:
        """The lines with what stands in the slots."""
        if self._none:
            return []
        text = self._template if self._pick is None else self._template % self._pick(slots)
        return text.split("\n")


@dataclass(frozen=True)
class PartShape:
    """The lines that an entry adds, and how nodes without an id see them, by the node's number."""

    lines: Lines
    seen: dict[int, Lines]
    addresses: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """A node without an id: its lines as it sees them, and its hash where nothing changes it.

    `alone`: none of its lines has another node without an id.
    """

    name: str
    lines: Lines
    alone: bool
    fixed: str | None


@dataclass(frozen=True)
class Shape:
    """What documents of one shape come to; `constant` are the lines that never change, sorted.

    `named`: the addresses in constant lines. `source`: its lines, to compare it with another.
    """

    places: int
    constant: tuple[str, ...]
    varying: Lines
    nodes: tuple[Node, ...]
    addresses: tuple[int, ...]
    named: frozenset[str]
    source: frozenset[Line]
    parts: dict[tuple[Token, ...], PartShape | None] = field(default_factory=dict)

    @property
    def characters(self) -> int:
        """About how much memory it takes."""
        lines = sum(map(len, self.constant)) + self.varying.characters
        return 4 * lines + 1000 * len(self.parts)

    def fill(self, form: Form) -> bytes | None:
        """The canonical bytes of a document; None where the general route must answer.

        It does where a line of a node without an id stands twice: a dataset is a set, and the
        node's hash has counted both.
        """
        if form.values and form.values[0] in self.named:
            return None
        base = _written(form.values)
        if base is None or not _are_addresses(form.values, self.addresses):
            return None
        base += [""] * len(self.nodes)
        added = self._added(form.parts)
        if added is None or not self._label(base, added):
            return None
        lines = [*self.constant, *self.varying.write(base)]
        for shape, values in added:
            lines += shape.lines.write(base + values)
        lines.sort()
        if any(map(eq, lines, lines[1:])):
            if any(one == other and _LABEL in one for one, other in pairwise(lines)):
                return None
            lines = sorted(set(lines))
        lines.append("")
        return "\n".join(lines).encode()

    def _added(self, parts: Sequence[Form]) -> list[tuple[PartShape, list[str]]] | None:
        added = []
        for part in parts:
            shape = self.parts.get(part.tokens)
            if shape is None or not _are_addresses(part.values, shape.addresses):
                return None
            written = _written(part.values)
            if written is None:
                return None
            added.append((shape, written))
        return added

    def _label(self, base: list[str], added: list[tuple[PartShape, list[str]]]) -> bool:
        """Write the canonical labels into their slots; false when that needs more than this.

        RDFC-1.0, section 4.4: nodes of a hash of their own first, by hash; then those that share
        one. Alike nodes that touch no other such node are the same but for their names, so any
        order of theirs gives the same lines.
        """
        alike: dict[str, list[int]] = {}
        touched = {number for shape, _ in added for number in shape.seen}
        for number, node in enumerate(self.nodes):
            if node.fixed is None or number in touched:
                seen = _hash(self._seen(number, base, added))
            else:
                seen = node.fixed
            alike.setdefault(seen, []).append(number)
        label = 0
        for _, seen in sorted((len(alike[seen]) > 1, seen) for seen in alike):
            group = alike[seen]
            if len(group) > 1 and not all(self.nodes[number].alone for number in group):
                return False
            for number in group:
                base[self.places + number] = f"{_LABEL}{label}"
                label += 1
        return True

    def _seen(
        self, number: int, base: list[str], added: list[tuple[PartShape, list[str]]]
    ) -> list[str]:
        lines = self.nodes[number].lines.write(base)
        for shape, values in added:
            if number in shape.seen:
                lines += shape.seen[number].write(base + values)
        return lines


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
        varying=Lines([line for line in own if line.parts], slot_of),
        nodes=tuple(_node(name, own, slot_of) for name in names),
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
        number: Lines([line.seen_by(name) for line in own if name in line.nodes], slot_of)
        for number, name in enumerate(names)
        if any(name in line.nodes for line in own)
    }
    places = tuple(sorted(place for one, place in addresses if one == owner))
    return PartShape(Lines(own, slot_of), seen, places)


def _slots(places: int, names: list[str]) -> Callable[[Part], int]:
    """Slots: the whole's places, the labels of its nodes, and then the places of a part."""

    def slot_of(part: Part) -> int:
        if isinstance(part, str):
            return places + names.index(part)
        owner, place = part
        return place if owner == 0 else places + len(names) + place

    return slot_of


def _node(name: str, lines: Sequence[Line], slot_of: Callable[[Part], int]) -> Node:
    own = [line for line in lines if name in line.nodes]
    seen = [line.seen_by(name) for line in own]
    written = Lines(seen, slot_of)
    varies = any(line.parts for line in seen)
    alone = all(line.nodes == {name} for line in own)
    return Node(name, written, alone, None if varies else _hash(written.write([])))


def _hash(lines: list[str]) -> str:
    lines.sort()
    lines.append("")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _written(values: list[str]) -> list[str] | None:
    """The values as N-Quads write them; None where one of them may not be signed."""
    if not _SPECIAL.search(" ".join(values)):
        return [*values]
    if not may_be_signed(" ".join(values)):
        return None
    return [value.translate(_ESCAPES) for value in values]


def _are_addresses(values: list[str], places: Sequence[int]) -> bool:
    return all(
        _PLAIN_ADDRESS.fullmatch(values[place]) or is_address(values[place]) for place in places
    )
