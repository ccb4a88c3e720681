"""Places in a recording are read as people write them."""

import pytest

from storage.errors import InvalidInput
from workflows.evidence.marks import read_mark, within
from workflows.evidence.times import media_fragment, read_time, write_time


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2:13", 133_000),
        (" 02:13 ", 133_000),
        ("1:02:13", 3_733_000),
        ("2:13.5", 133_500),
        ("133", 133_000),
        ("0:00", 0),
        ("90:00", 5_400_000),
        ("2:13,25", 133_250),
    ],
)
def test_times_are_understood(text: str, milliseconds: int) -> None:
    assert read_time(text) == milliseconds


@pytest.mark.parametrize("text", ["", "two", "2:60", "1:60:00", "-1:00", "2:1", "1:2:3:4", "2.1.3"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(133_000, "2:13"), (3_733_000, "1:02:13"), (133_500, "2:13.5"), (0, "0:00"), (99, "0:00")],
)
def test_times_are_written_as_they_are_read(milliseconds: int, text: str) -> None:
    assert write_time(milliseconds) == text


def test_a_place_in_an_address() -> None:
    assert media_fragment(133_000) == "t=133"
    assert media_fragment(133_500, 220_000) == "t=133.5,220"


def test_a_mark_is_read_with_a_problem_for_each_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_mark("then", "later", "x" * 501, "")
    assert [problem.field for problem in refused.value.problems] == ["start", "end", "note"]
    with pytest.raises(InvalidInput, match="after the beginning"):
        read_mark("0:20", "0:10", "Skims", "")
    with pytest.raises(InvalidInput, match="choose an outcome"):
        read_mark("0:20", "", " ", "")


def test_a_mark_beyond_the_end_is_refused_where_the_length_is_known() -> None:
    wanted = read_mark("0:20", "0:31", "Skims", "")
    within(wanted, None)
    within(wanted, 30_500)
    with pytest.raises(InvalidInput, match="ends at 0:25"):
        within(wanted, 25_000)
