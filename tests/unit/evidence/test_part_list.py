"""The server's own check of the part list, on plain values."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.errors import Conflict
from storage.ids import sha256_of
from storage.vault import KeptPart, PartPlan
from workflows.evidence.part_list import (
    RecordedPart,
    check_part_list,
    in_ranges,
    parts_there,
    recorded_end,
)

PLAN = PartPlan(size=25, part_size=10, part_count=3)
KEPT = (KeptPart(1, "a", 10), KeptPart(2, "b", 10), KeptPart(3, "c", 5))


def recorded(kept: Sequence[KeptPart] = KEPT) -> dict[int, RecordedPart]:
    return {
        part.number: RecordedPart(part.number, sha256_of(part.etag.encode()), part.size, part.etag)
        for part in kept
    }


def refusal(kept: Sequence[KeptPart] = KEPT, named: Sequence[int] | None = None) -> str:
    with pytest.raises(Conflict) as refused:
        check_part_list(PLAN, kept, recorded(), named)
    return str(refused.value)


def test_a_whole_list_is_taken_as_it_is() -> None:
    whole = tuple(replace(part, sha256=sha256_of(part.etag.encode())) for part in KEPT)
    assert check_part_list(PLAN, KEPT, recorded()) == whole
    assert check_part_list(PLAN, KEPT, recorded(), [1, 2, 3]) == whole


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([1, 3], "Parts left out: 2"),
        ([1, 2, 2, 3], "Parts named twice: 2"),
        ([1, 3, 2], "Parts out of order: 2–3"),
        ([1, 2, 3, 4], "Parts that were never planned: 4"),
        ([], "Parts left out: 1–3"),
    ],
)
def test_a_wrong_list_is_refused_and_the_parts_are_named(named: list[int], said: str) -> None:
    assert said in refusal(named=named)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (KEPT[:2], "Parts missing: 3"),
        ((), "Parts missing: 1–3"),
        ((KEPT[0], KeptPart(2, "b", 9), KEPT[2]), "Parts of the wrong size: 2"),
        ((*KEPT[:2], KeptPart(3, "c", 6)), "Parts of the wrong size: 3"),
        ((*KEPT, KeptPart(4, "d", 5)), "Parts that were never planned: 4"),
        ((KEPT[0], KeptPart(2, "other", 10), KEPT[2]), "Parts that must be sent again: 2"),
    ],
)
def test_what_the_store_has_must_be_what_was_planned_and_recorded(
    kept: Sequence[KeptPart], said: str
) -> None:
    assert said in refusal(kept)


def test_a_part_that_was_never_recorded_must_be_sent_again() -> None:
    with pytest.raises(Conflict, match="sent again"):
        check_part_list(PLAN, KEPT, recorded(KEPT[1:]))


def test_only_parts_that_are_there_and_right_need_not_travel_again() -> None:
    written = recorded()
    assert [part.number for part in parts_there(PLAN, KEPT, written)] == [1, 2, 3]
    assert [part.number for part in parts_there(PLAN, KEPT[1:], written)] == [2, 3]
    short = (KeptPart(1, "a", 9), KEPT[1], KEPT[2])
    assert [part.number for part in parts_there(PLAN, short, written)] == [2, 3]
    assert parts_there(PLAN, KEPT, {}) == ()


def test_numbers_are_written_as_ranges() -> None:
    assert in_ranges([5, 4, 1, 6, 9]) == "1, 4–6, 9"
    assert in_ranges([]) == ""


def test_a_part_that_the_store_lists_twice_is_there_once() -> None:
    doubled = (KEPT[0], KeptPart(2, "older", 10), KEPT[1], KEPT[2], KEPT[2])
    assert [part.number for part in parts_there(PLAN, doubled, recorded())] == [1, 2, 3]
    assert [part.etag for part in check_part_list(PLAN, doubled, recorded())] == ["a", "b", "c"]


def test_the_end_of_a_recording_is_the_sum_of_what_is_there() -> None:
    assert recorded_end((*KEPT, KEPT[1]), recorded()) == 25
    assert recorded_end((), {}) == 0
