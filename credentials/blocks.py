"""Templates of N-Quads, in blocks: the lines of one subject, in the order that sorting gives them.

Lines of one subject stand together wherever lines are sorted, and two of different subjects are in
the order of these; inside a block, lines of different predicates are in the order of these.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter

from credentials.shapes import Place

_PERCENT = re.compile("(%%|%s)")
BETWEEN = "\0"
"""Stands between blocks: no text that may be signed has it."""

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

    @property
    def terms(self) -> tuple[str, str, str]:
        """Subject, predicate, and the rest."""
        subject, predicate, rest = self.template.split(" ", 2)
        return subject, predicate, rest

    @property
    def subject(self) -> Part:
        """The place or the node that it speaks of, or the address that always stands there."""
        term = self.terms[0]
        return self.parts[0] if term in ("<%s>", "%s") else plain(term)

    def seen_by(self, name: str) -> "Line":
        """The line with itself as “_:a” and other nodes as “_:z” (RDFC-1.0, section 4.6)."""
        shown = tuple(
            ("_:a" if part == name else "_:z") if isinstance(part, str) else "%s"
            for part in self.parts
        )
        kept = self.template.replace("%%", "%%%%") % shown
        return Line(kept, tuple(part for part in self.parts if not isinstance(part, str)))


class Lines:
    """Blocks of lines as one template, and where in a list of slots their values are."""

    def __init__(self, blocks: Iterable[Sequence[Line]], slot_of: Callable[[Part], int]) -> None:
        given = [block for block in blocks if block]
        slots = [slot_of(part) for block in given for line in block for part in line.parts]
        template = BETWEEN.join("\n".join(line.template for line in block) for block in given)
        self.characters = len(template)
        self._pieces = _around_places(template)
        self._pick = picker(slots)
        self._none = not given

    def write(self, slots: list[str]) -> str:
        """The lines with what stands in the slots."""
        pieces = self._pieces.copy()
        pieces[1::2] = self._pick(slots)
        return "".join(pieces)

    def lines(self, slots: list[str]) -> list[str]:
        """The lines, each as a text; for a single block."""
        return [] if self._none else self.write(slots).split("\n")

    def blocks(self, slots: list[str]) -> list[str]:
        """The blocks, each a text of lines."""
        return [] if self._none else self.write(slots).split(BETWEEN)


def blocks_of(lines: Iterable[Line]) -> dict[Part, list[Line]]:
    """The lines by their subjects, each block in its order as far as that is known."""
    found: dict[Part, list[Line]] = {}
    for line in lines:
        found.setdefault(line.subject, []).append(line)
    return {subject: sorted(block, key=_by_terms) for subject, block in found.items()}


def is_ordered(block: Sequence[Line]) -> bool:
    """Whether a block of `blocks_of` is sorted and has no line twice, whatever stands in it."""
    return all(
        one.terms[1] != other.terms[1] or _is_before(one, other) for one, other in pairwise(block)
    ) and not any("%s" in line.terms[1].replace("%%", "") for line in block)


def in_pieces(block: Sequence[Line]) -> Iterator[list[Line]]:
    """A block of `blocks_of` in pieces that stay sorted inside, whatever stands in them.

    Lines of the same predicate whose order depends on what they say are pieces of their own.
    """
    whole: list[Line] = []
    for _, lines in groupby(block, key=lambda line: line.terms[1]):
        alike = [*lines]
        if is_ordered(alike):
            whole += alike
            continue
        if whole:
            yield whole
        whole = []
        yield from ([line] for line in alike)
    if whole:
        yield whole


def picker(slots: Sequence[int]) -> Callable[[list[str]], Sequence[str]]:
    """Picks what stands in these slots."""
    if len(slots) > 1:
        return itemgetter(*slots)
    return lambda given: [given[slot] for slot in slots]


def _around_places(template: str) -> list[str]:
    """What stands around the places of a template, with room for what stands in them."""
    pieces = [""]
    for piece in _PERCENT.split(template):
        if piece == "%s":
            pieces += ["", ""]
        else:
            pieces[-1] += "%" if piece == "%%" else piece
    return pieces


def plain(text: str) -> str:
    """A template without places as the text that it comes to."""
    return text.replace("%%", "%")


def _is_before(one: Line, other: Line) -> bool:
    """Whether lines of the same predicate end in different ways that no value changes."""
    rests = one.terms[2], other.terms[2]
    varies = any("%s" in rest.replace("%%", "") for rest in rests)
    return not varies and rests[0] != rests[1]


def _by_terms(line: Line) -> tuple[str, str]:
    _, predicate, rest = line.terms
    return plain(predicate), plain(rest)
