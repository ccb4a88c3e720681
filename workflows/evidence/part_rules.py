"""Which parts of an upload may be signed and sent. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import Conflict, InvalidInput, Problem
from storage.ids import Sha256
from storage.vault import PartPlan
from workflows.evidence.part_list import RecordedPart

SIGNED_AT_ONCE = 32
DIGEST = re.compile(r"[0-9a-f]{64}")
OTHER_FILE = (
    "This is not the file that was begun: it has the same name and size, and other bytes. Choose "
    "the first file again, or remove the unfinished upload before you send this one."
)


@dataclass(frozen=True)
class WantedPart:
    """A part that the browser would like to send, by the digest of its bytes.

    `size` need not be said, except of the last part of a recording: it is smaller than planned.
    """

    number: int
    sha256: Sha256
    size: int | None = None


@dataclass(frozen=True)
class SentPart:
    """A part that the browser sent, with the ETag that the store answered."""

    number: int
    sha256: Sha256
    etag: str
    size: int | None = None


def fit_to_sign(
    plan: PartPlan,
    wanted: Sequence[WantedPart],
    recorded: Mapping[int, RecordedPart],
    *,
    open_ended: bool,
) -> list[int]:
    """The sizes of the parts when they may be sent.

    Raises InvalidInput (a part that is not planned), Conflict (it was recorded with other bytes).
    """
    if not 0 < len(wanted) <= SIGNED_AT_ONCE:
        raise InvalidInput("Between 1 and %(most)s parts at a time.", {"most": SIGNED_AT_ONCE})
    return [_size_to_sign(plan, part, recorded, open_ended) for part in wanted]


def _size_to_sign(
    plan: PartPlan, part: WantedPart, recorded: Mapping[int, RecordedPart], open_ended: bool
) -> int:
    if not 1 <= part.number <= plan.part_count:
        words = "Part %(number)s is not planned."
        if open_ended and part.number > plan.part_count:
            words = "There is no room for part %(number)s: the recording must end here."
        problem = Problem("number", words, {"number": part.number})
        raise InvalidInput("This upload has no such part.", problems=[problem])
    if not DIGEST.fullmatch(part.sha256):
        raise InvalidInput("A part needs its SHA-256 as 64 lower-case hex digits.")
    planned = plan.size_of(part.number)
    size = planned if part.size is None else part.size
    if size != planned and not (open_ended and 0 < size < planned):
        problem = Problem("size", "Part %(number)s has another size.", {"number": part.number})
        raise InvalidInput("This part does not fit the plan.", problems=[problem])
    known = recorded.get(part.number)
    if known is not None and known.sha256 != part.sha256:
        raise Conflict(OTHER_FILE)
    return size
