"""Strict JSON: what two parsers could read differently never becomes a document."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.documents import (
    MAX_DEPTH,
    JsonObject,
    check_number,
    dump_json,
    id_of,
    load_json,
    text_at,
    types_of,
)
from credentials.errors import Malformed

NUMBERS = st.integers(-(10**15) + 1, 10**15 - 1) | st.floats(1e-6, 1e14).filter(
    lambda number: not number.is_integer()
)
JSON = st.recursive(
    st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_written_reads_back_the_same(document: JsonObject) -> None:
    assert load_json(dump_json(document)) == document


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff{}", "not text in UTF-8"),
        (b'{"a": 1', "line 1, column"),
        (b"[]", "not a JSON object"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"a": {"b": 1, "b": 1}}', "stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e400}', "1e400"),
        (b'{"a": 1e15}', "1e15"),
        (b'{"a": 0.0000001}', "0.0000001"),
        (b'{"a": -0}', "-0"),
        (b'{"a": -0.0}', "-0.0"),
        (b'{"a": ' + b"9" * 5000 + b"}", "999"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"a": [{"\\uDFFFx": 1}]}', "half of a character"),
        (b'{"a": "\\udc00\\ud800"}', "half of a character"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nests deeper"),
        (b"[" * 200_000, "nests deeper"),
        (b'{"a": "' + b"x" * 3_000_000 + b'"}', "larger than"),
    ],
)
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        load_json(data)


def test_a_whole_float_is_read_as_the_integer_it_is_elsewhere() -> None:
    assert json.dumps(load_json(b'{"a": 3.0, "b": 1e3, "c": 0.0}')) == '{"a": 3, "b": 1000, "c": 0}'


def test_a_character_written_as_both_of_its_halves_is_whole() -> None:
    assert load_json(b'{"\\ud83d\\ude00": "\\\\ud800"}') == {"\U0001f600": "\\ud800"}


def test_the_deepest_allowed_document_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert load_json(b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize("number", [3.0, 1e-7, float("inf"), float("nan"), 10**16])
def test_numbers_that_programs_write_differently_cannot_be_signed(number: float) -> None:
    with pytest.raises(Malformed):
        check_number(number)


def test_a_value_of_another_kind_does_not_pass_for_an_absent_one() -> None:
    with pytest.raises(Malformed, match="validUntil"):
        text_at({"validUntil": ["2020-01-01T00:00:00Z"]}, "validUntil")
    assert text_at({}, "validUntil") is None


def test_ids_and_types_are_read_in_both_of_their_forms() -> None:
    assert id_of("urn:x:1") == id_of({"id": "urn:x:1"}) == "urn:x:1"
    assert id_of(["urn:x:1"]) is None
    assert types_of({"type": "A"}) == types_of({"type": ["A", 1]}) == ["A"]
    assert types_of({}) == []
