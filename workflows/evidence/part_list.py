"""Whether the parts that are there are the file that was announced. Pure.

Stores answer 200 to a list with a part left out and make a shorter object of it, so nothing is
sent to the store before this has passed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.errors import Conflict, Problem
from storage.ids import Sha256
from storage.vault import KeptPart, PartPlan


@dataclass(frozen=True)
class RecordedPart:
    """A part that the browser sent and we wrote down."""

    number: int
    sha256: Sha256
    size: int
    etag: str


def check_part_list(
    plan: PartPlan,
    kept: Sequence[KeptPart],
    recorded: Mapping[int, RecordedPart],
    named: Sequence[int] | None = None,
) -> tuple[KeptPart, ...]:
    """The parts to complete the upload with, in order, each with its digest.

    `kept` is what the store has, `recorded` what we wrote down, `named` (where given) the numbers
    that the browser believes it sent, in its order. Raises Conflict that names the parts which
    are missing, doubled, out of order, not planned, of the wrong size or not what was recorded.
    """
    kept = each_once(kept, recorded)
    problems = [*_named_problems(plan, named), *_kept_problems(plan, kept, recorded)]
    if problems:
        raise Conflict("The upload is not complete.", problems=problems)
    return tuple(replace(part, sha256=recorded[part.number].sha256) for part in kept)


def parts_there(
    plan: PartPlan, kept: Iterable[KeptPart], recorded: Mapping[int, RecordedPart]
) -> tuple[RecordedPart, ...]:
    """The parts that need not be sent again: in the store, of the planned size, and recorded."""
    return tuple(
        recorded[part.number]
        for part in each_once(kept, recorded)
        if part.number in recorded and not _differs(plan, part, recorded)
    )


def each_once(
    kept: Iterable[KeptPart], recorded: Mapping[int, RecordedPart]
) -> tuple[KeptPart, ...]:
    """The parts in order, each number once: stores may list a part twice that was sent twice.

    Of two, the one that was written down counts.
    """
    chosen: dict[int, KeptPart] = {}
    for part in kept:
        written = recorded.get(part.number)
        if part.number not in chosen or (written is not None and written.etag == part.etag):
            chosen[part.number] = part
    return tuple(chosen[number] for number in sorted(chosen))


def recorded_end(kept: Iterable[KeptPart], recorded: Mapping[int, RecordedPart]) -> int:
    """How many bytes a recording has, when all that is there is all of it."""
    return sum(part.size for part in each_once(kept, recorded))


def in_ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: `1, 4–6`."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in ranges)


def _named_problems(plan: PartPlan, named: Sequence[int] | None) -> list[Problem]:
    if named is None:
        return []
    planned = range(1, plan.part_count + 1)
    doubled = [number for number, count in Counter(named).items() if count > 1]
    problems = [
        *_problem("left_out", "Parts left out: %(parts)s.", set(planned) - set(named)),
        *_problem("named_twice", "Parts named twice: %(parts)s.", doubled),
        *_problem(
            "not_planned", "Parts that were never planned: %(parts)s.", set(named) - set(planned)
        ),
    ]
    if not problems and list(named) != list(planned):
        displaced = [
            number for number, place in zip(named, planned, strict=True) if number != place
        ]
        problems = _problem("out_of_order", "Parts out of order: %(parts)s.", displaced)
    return problems


def _kept_problems(
    plan: PartPlan, kept: Sequence[KeptPart], recorded: Mapping[int, RecordedPart]
) -> list[Problem]:
    planned = set(range(1, plan.part_count + 1))
    there = {part.number for part in kept}
    wrong_size = {
        part.number
        for part in kept
        if part.number in planned and part.size != plan.size_of(part.number)
    }
    other = {
        part.number
        for part in kept
        if part.number in planned - wrong_size and _differs(plan, part, recorded)
    }
    return [
        *_problem("missing", "Parts missing: %(parts)s.", planned - there),
        *_problem("not_expected", "Parts that were never planned: %(parts)s.", there - planned),
        *_problem("wrong_size", "Parts of the wrong size: %(parts)s.", wrong_size),
        *_problem("send_again", "Parts that must be sent again: %(parts)s.", other),
    ]


def _differs(plan: PartPlan, part: KeptPart, recorded: Mapping[int, RecordedPart]) -> bool:
    written = recorded.get(part.number)
    return written is None or written.etag != part.etag or part.size != plan.size_of(part.number)


def _problem(field: str, message: str, numbers: Iterable[int]) -> list[Problem]:
    named = in_ranges(numbers)
    return [Problem(field, message, {"parts": named})] if named else []
