"""How a file is cut into parts, within what S3 stores allow. Pure."""

from dataclasses import dataclass

MIB = 1024**2
SMALLEST_PART = 5 * MIB
"""S3 refuses smaller ones, except as the last."""
PART_SIZES = (SMALLEST_PART, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB)
"""Small parts lose little when a line breaks; large ones keep long lists short."""
COMFORTABLE_COUNT = 256
LARGEST_COUNT = 10_000
LARGEST_FILE = 5 * 1024**4


@dataclass(frozen=True)
class PartPlan:
    """A file of `size` bytes in `part_count` parts, all of `part_size` bytes but the last."""

    size: int
    part_size: int
    part_count: int

    def size_of(self, number: int) -> int:
        """How many bytes part `number` (from 1) has."""
        if number < self.part_count:
            return self.part_size
        return self.size - self.part_size * (self.part_count - 1)

    def ended_at(self, size: int) -> "PartPlan":
        """The plan with the same parts for a recording that turned out to have so many bytes."""
        count = _rounded_up(size, self.part_size) // self.part_size
        return PartPlan(size, self.part_size, count)

    def sizes(self) -> tuple[int, ...]:
        """The sizes of all parts, in order."""
        return tuple(self.size_of(number) for number in range(1, self.part_count + 1))


def plan_parts(size: int) -> PartPlan:
    """The plan for a file of so many bytes.

    Raises ValueError for an empty file and for more than a store can keep (5 TiB).
    """
    if not 0 < size <= LARGEST_FILE:
        raise ValueError(f"a file of {size} bytes cannot be sent in parts")
    part_size = next(
        (each for each in PART_SIZES if size <= each * COMFORTABLE_COUNT), PART_SIZES[-1]
    )
    if size > part_size * LARGEST_COUNT:
        part_size = _rounded_up(size, LARGEST_COUNT * MIB) // LARGEST_COUNT
    return PartPlan(size, part_size, _rounded_up(size, part_size) // part_size)


def plan_open_ended(most: int) -> PartPlan:
    """The plan for a recording that ends nobody knows when, and has at most so many bytes.

    Its parts are as small as stores allow, so that little is lost with the device that takes it.
    The plan is that of the longest recording; `ended_at` makes it that of the one that was taken.
    Raises ValueError when there is no room for one part.
    """
    if most < SMALLEST_PART:
        raise ValueError(f"{most} bytes are no room for a recording")
    most = min(most, SMALLEST_PART * LARGEST_COUNT)
    return PartPlan(most, SMALLEST_PART, _rounded_up(most, SMALLEST_PART) // SMALLEST_PART)


def _rounded_up(value: int, step: int) -> int:
    return -(-value // step) * step
