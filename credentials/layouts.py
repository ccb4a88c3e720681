"""Documents of one shape with parts of the same kinds in the same order, as one template.

What stands in it is put in at once, and only blocks are sorted: lines of a subject keep their order
whatever they say, as long as no two subjects are the same.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import eq

from credentials.blocks import BETWEEN, Line, Lines, Part, blocks_of, in_pieces, picker
from credentials.canonical import is_address, may_be_signed
from credentials.labels import node_of, write_labels
from credentials.shapes import Form, Place

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NEVER_SIGNED = bytes({*range(0x20), 0x7F} - {*b"\n\r\t"})
_PLAIN_ADDRESSES = re.compile(
    r"(?:(?>(?>https?://[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?"
    r"|urn:uuid:[0-9a-f-]+|did:[a-z]+:[A-Za-z0-9._-]+)(?:#[A-Za-z0-9._~-]*)?)\n)*"
)
"""Addresses as we make them, each with a line end, which need no closer look."""


class Layout:
    """The whole, and its parts one after the other, each with so many values.

    Slots are the values of the whole, the labels of its nodes, and the values of each part.
    """

    def __init__(
        self,
        whole: Iterable[Line],
        parts: Sequence[Sequence[Line]],
        values: Sequence[int],
        addresses: Iterable[Place],
    ) -> None:
        """`values`: how many the whole has, and then each part; `parts`' places name their part."""
        lines = [*dict.fromkeys([*whole, *(line for part in parts for line in part)])]
        names = sorted({name for line in lines for name in line.nodes})
        slot_of = _slots(values, names)
        blocks = blocks_of(lines)
        self._slot_of = slot_of
        self._first_label = values[0]
        self._labels = [""] * len(names)
        self._nodes = [node_of(name, lines, slot_of) for name in names]
        self._pieces = [piece for block in blocks.values() for piece in in_pieces(block)]
        self._lines = Lines(self._pieces, slot_of)
        varying = [slot_of(one) for one in blocks if not _is_fixed(one)]
        self._subjects = picker(varying)
        self._spoken_of = frozenset(str(one)[1:-1] for one in blocks if _is_fixed(one))
        self._addresses = picker([slot_of(place) for place in addresses])

    def fill(self, form: Form) -> bytes | None:
        """The canonical bytes; None where this is not enough to know them."""
        values = [*form.values, *self._labels]
        for part in form.parts:
            values += part.values
        slots = written(values)
        if slots is None or not are_addresses(self._addresses(values)):
            return None
        hashes = [node.hash(slots) for node in self._nodes]
        if not write_labels(self._nodes, hashes, slots, self._first_label):
            return None
        subjects = self._subjects(slots)
        met = set(subjects)
        if len(met) < len(subjects) or not met.isdisjoint(self._spoken_of):
            return None
        return self._sorted(self._lines.blocks(slots))

    def _sorted(self, blocks: list[str]) -> bytes | None:
        """The blocks in their order; None where a line stands twice.

        What follows is written in the order that the first document had: sorting what is nearly
        sorted takes little time.
        """
        pieces, self._pieces = self._pieces, []
        if pieces:
            order = sorted(range(len(blocks)), key=blocks.__getitem__)
            self._lines = Lines([pieces[number] for number in order], self._slot_of)
        blocks.sort()
        if any(map(eq, blocks, blocks[1:])):
            return None
        blocks.append("")
        return "\n".join(blocks).encode()


def written(values: list[str]) -> list[str] | None:
    """The values as N-Quads write them; None where one of them may not be signed."""
    joined = " ".join(values)
    if not (_is_plain_ascii(joined) or may_be_signed(joined)):
        return None
    special = [character for character in _ESCAPES if character in joined]
    if not special:
        return values
    apart = BETWEEN.join(values)
    for character in special:
        apart = apart.replace(character, _ESCAPES[character])
    return apart.split(BETWEEN)


def _is_plain_ascii(text: str) -> bool:
    """Whether a text may be signed, for texts without letters of other alphabets: much faster."""
    if not text.isascii():
        return False
    data = text.encode()
    return len(data.translate(None, _NEVER_SIGNED)) == len(data)


def are_addresses(values: Sequence[str]) -> bool:
    """Whether all of these may stand as addresses."""
    plain = _PLAIN_ADDRESSES.fullmatch("\n".join([*values, ""]))
    return plain is not None or all(map(is_address, values))


def _is_fixed(subject: Part) -> bool:
    return isinstance(subject, str) and subject.startswith("<")


def _slots(values: Sequence[int], names: list[str]) -> Callable[[Part], int]:
    starts = [0, values[0] + len(names)]
    for count in values[1:]:
        starts.append(starts[-1] + count)

    def slot_of(part: Part) -> int:
        if isinstance(part, str):
            return values[0] + names.index(part)
        owner, place = part
        return starts[owner] + place

    return slot_of
