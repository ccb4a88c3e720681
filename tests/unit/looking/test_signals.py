"""Signals in words: they inform, each place in them is filled, and a tool's junk says nothing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.evidence.file_types import Flag
from workflows.looking.looks import Facts, Member, Signal, printable
from workflows.looking.signals import (
    MESSAGES,
    SHOWN_BY_BYTES,
    Claimed,
    kept_signals,
    said_signals,
)

WORK = date(2026, 1, 10)
VERDICTS = ("fake", "forged", "fraud", "suspicious", "cheat", "tamper", "manipulat", "proof")


def said(
    facts: Facts | None = None,
    *,
    work_from: date | None = WORK,
    work_to: date | None = WORK,
    flags: frozenset[Flag] = frozenset(),
    **more: str | bool,
) -> list[Signal]:
    claimed = Claimed(
        file_name="photo.jpg",
        media_type="image/png",
        flags=flags,
        work_from=work_from,
        work_to=work_to,
        recorded_with=str(more.get("recorded_with", "")),
        same_bytes=bool(more.get("same_bytes", False)),
        statement=str(more.get("statement", "")),
    )
    return list(said_signals(facts or Facts(), claimed))


def codes(signals: list[Signal]) -> list[str]:
    return [one.code for one in signals]


def test_no_signal_is_a_verdict() -> None:
    for words in MESSAGES.values():
        assert not [word for word in VERDICTS if word in words.lower()]


def test_every_code_that_bytes_can_show_has_its_words() -> None:
    assert MESSAGES.keys() >= SHOWN_BY_BYTES


@pytest.mark.parametrize(
    ("created", "camera", "expected"),
    [
        (date(2026, 1, 10), "", []),
        (date(2026, 1, 11), "", []),
        (date(2026, 1, 13), "", ["created_after_work"]),
        (date(2026, 1, 1), "", ["created_before_work"]),
        (date(2026, 1, 30), "Fairphone", []),
        (date(2026, 3, 1), "Fairphone", ["photo_date_far"]),
        (date(2025, 11, 1), "Fairphone", ["photo_date_far"]),
        (None, "", []),
    ],
)
def test_days_are_compared_with_the_days_of_the_work(
    created: date | None, camera: str, expected: list[str]
) -> None:
    assert codes(said(Facts(created_on=created, camera=camera))) == expected


def test_without_days_of_the_work_nothing_is_compared() -> None:
    assert said(Facts(created_on=WORK), work_from=None, work_to=None) == []


def test_one_day_of_the_work_is_enough_to_compare() -> None:
    found = said(Facts(created_on=date(2026, 2, 1)), work_from=None)
    assert codes(found) == ["created_after_work"]


def test_a_name_of_another_type_is_told_with_both() -> None:
    (found,) = said(flags=frozenset({Flag.TYPE_DIFFERS}))
    assert found.params == {"ending": "jpg", "media_type": "image/png"}
    assert codes(said(flags=frozenset({Flag.TYPE_UNKNOWN}))) == ["type_unknown"]


def test_what_was_recorded_here_says_so() -> None:
    (found,) = said(recorded_with="video/webm;codecs=vp9")
    assert found.code == "recorded_here"


def test_the_same_bytes_are_told_and_then_with_what_the_learner_says() -> None:
    assert codes(said(same_bytes=True)) == ["same_bytes"]
    (found,) = said(same_bytes=True, statement="We wrote it together.")
    assert found.message % found.params == (
        "The same bytes are also in another case. This learner says: We wrote it together."
    )


def test_what_a_look_kept_comes_back_in_words() -> None:
    (found,) = kept_signals([{"code": "embedded_files", "params": {"count": 2}}])
    assert found.message % found.params == "The PDF carries 2 other files inside."


@pytest.mark.parametrize(
    "kept",
    [
        {"code": "same_bytes", "params": {}},
        {"code": "never heard of", "params": {}},
        {"code": "embedded_files", "params": {}},
        {"code": "embedded_files", "params": None},
        {"code": 7, "params": {}},
        {},
    ],
)
def test_what_a_tool_cannot_know_or_say_is_passed_over(kept: dict[str, object]) -> None:
    assert kept_signals([kept]) == ()


@given(st.text(), st.one_of(st.text(), st.integers(), st.none()))
def test_words_from_files_never_hold_what_moves_or_hides_text(name: str, other: object) -> None:
    member = Member.model_validate({"name": name, "size": 1})
    assert member.name.isprintable()
    assert len(member.name) <= 200
    assert (
        printable(Facts.model_validate({"author": other}).author)
        == Facts.model_validate({"author": other}).author
    )
