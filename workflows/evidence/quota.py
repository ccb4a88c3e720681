"""How much room there is for one more file: in the case, and with the institution. Pure."""

from storage.errors import TooMany
from storage.vault import SMALLEST_PART
from workflows.evidence.rules import Limits, Usage, in_words


def room_for(size: int | None, case: Usage, institution_bytes: int, limits: Limits) -> int:
    """How many bytes to hold for a file of this size, or for a recording of unknown size (None).

    `case` and `institution_bytes` are what is held already; held together, they never pass the
    limits. Raises TooMany with what is left.
    """
    if case.items >= limits.case_items:
        raise TooMany(
            "This case has %(count)s items, and more cannot be added. Remove one first.",
            {"count": case.items},
        )
    left_in_case = max(0, limits.case_bytes - case.size)
    left_in_all = max(0, limits.institution_bytes - institution_bytes)
    if size is None:
        return _room_to_record(min(left_in_case, left_in_all), limits)
    if size > left_in_case:
        raise TooMany(
            "This case has room for %(left)s more of its %(all)s, and this file has %(size)s. "
            "Remove something first.",
            {
                "left": in_words(left_in_case),
                "all": in_words(limits.case_bytes),
                "size": in_words(size),
            },
        )
    if size > left_in_all:
        raise TooMany(
            "The institution has room for %(left)s more evidence of all its learners, and this "
            "file has %(size)s. Please tell the institution; what is here already stays.",
            {"left": in_words(left_in_all), "size": in_words(size)},
        )
    return size


def _room_to_record(left: int, limits: Limits) -> int:
    """As much as a recording may need; what it does not need is given back at its end."""
    if left < SMALLEST_PART:
        raise TooMany(
            "There is room for %(left)s more, which is too little for a recording. Remove "
            "something first.",
            {"left": in_words(left)},
        )
    return min(left, limits.recording_bytes, limits.file_bytes)
