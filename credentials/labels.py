"""Labels of nodes without an id, by RDFC-1.0's first-degree hashes (section 4.4 and 4.6)."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from credentials.blocks import Line, Lines, Part, blocks_of, is_ordered

LABEL = "_:c14n"


@dataclass(frozen=True)
class Node:
    """A node without an id: its lines as it sees them, and its hash where nothing changes it.

    `alone`: none of its lines has another node without an id. `ordered`: its lines stand sorted.
    """

    name: str
    lines: Lines
    alone: bool
    ordered: bool
    fixed: str | None

    def hash(self, slots: list[str]) -> str:
        """Its first-degree hash with what stands in the slots."""
        if self.fixed is not None:
            return self.fixed
        text = self.lines.write(slots)
        return hash_of(text if self.ordered else _sorted(text.split("\n")))


def node_of(name: str, lines: Iterable[Line], slot_of: Callable[[Part], int]) -> Node:
    """The node of this name in these lines."""
    own = [line for line in lines if name in line.nodes]
    blocks = blocks_of(line.seen_by(name) for line in own)
    subjects = sorted(blocks, key=lambda one: (_is_nameless(one), str(one)))
    ordered = sum(not _is_nameless(one) for one in subjects) <= 1
    seen = [line for subject in subjects for line in blocks[subject]]
    written = Lines([seen], slot_of)
    fixed = None
    if not any(line.parts for line in seen):
        fixed = hash_of(_sorted(written.write([]).split("\n")))
    return Node(
        name,
        written,
        alone=all(line.nodes == {name} for line in own),
        ordered=ordered and all(map(is_ordered, blocks.values())),
        fixed=fixed,
    )


def write_labels(
    nodes: Sequence[Node], hashes: Iterable[str], slots: list[str], first: int
) -> bool:
    """Write the canonical labels into their slots; false when that needs more than hashes.

    Nodes of a hash of their own come first, by hash; then those that share one. Alike nodes that
    touch no other such node are the same but for their names, so any order of theirs gives the
    same lines.
    """
    alike: dict[str, list[int]] = {}
    for number, seen in enumerate(hashes):
        alike.setdefault(seen, []).append(number)
    label = 0
    for _, seen in sorted((len(group) > 1, seen) for seen, group in alike.items()):
        group = alike[seen]
        if len(group) > 1 and not all(nodes[number].alone for number in group):
            return False
        for number in group:
            slots[first + number] = f"{LABEL}{label}"
            label += 1
    return True


def hash_of(text: str) -> str:
    """The hash of sorted lines, of which the last has no line end yet."""
    return hashlib.sha256(f"{text}\n".encode()).hexdigest()


def _is_nameless(subject: Part) -> bool:
    return isinstance(subject, str) and subject.startswith("_:")


def _sorted(lines: list[str]) -> str:
    return "\n".join(sorted(lines))
