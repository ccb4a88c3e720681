"""Bitstring status lists: the right bit, the left-most first, and no list that lies."""

import base64
import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.documents import JsonObject
from credentials.errors import BadStatus
from credentials.multibase import from_base64url
from credentials.status_list import (
    LENGTH,
    build_status_entry,
    build_status_list_credential,
    decode_bits,
    encode_bits,
    get_bit,
    new_bits,
    read_status,
    set_bit,
)
from tests.fixtures.badges import DID, ISSUED, LISTS

URL = LISTS["revocation"]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, LENGTH - 1), max_size=30))
def test_exactly_the_set_places_are_set(taken: set[int]) -> None:
    bits = new_bits()
    for index in taken:
        bits = set_bit(bits, index, True)
    read = decode_bits(encode_bits(bits))
    assert all(get_bit(read, index) for index in taken)
    assert int.from_bytes(read).bit_count() == len(taken)


def test_a_place_can_be_cleared_again() -> None:
    bits = set_bit(set_bit(new_bits(), 9, True), 8, True)
    assert get_bit(set_bit(bits, 9, False), 8)
    assert not get_bit(set_bit(bits, 9, False), 9)


def test_the_first_place_is_the_left_most_bit() -> None:
    assert set_bit(new_bits(), 0, True)[0] == 0b1000_0000
    assert set_bit(new_bits(), 7, True)[0] == 0b0000_0001
    assert set_bit(new_bits(), 8, True)[1] == 0b1000_0000


def test_the_example_of_the_standard_is_an_empty_list() -> None:
    """The encodedList of the Bitstring Status List Recommendation, example 3."""
    text = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    assert decode_bits(text) == new_bits()
    assert decode_bits(text.removeprefix("u")) == new_bits()


def test_the_same_bits_give_the_same_text() -> None:
    assert encode_bits(new_bits()) == encode_bits(new_bits())
    assert gzip.decompress(from_base64url(encode_bits(new_bits()))) == new_bits()


@pytest.mark.parametrize("index", [-1, LENGTH])
def test_there_is_nothing_beside_the_list(index: int) -> None:
    with pytest.raises(BadStatus, match="no place"):
        get_bit(new_bits(), index)
    with pytest.raises(BadStatus, match="no place"):
        set_bit(new_bits(), index, True)


def packed(bits: bytes) -> str:
    """Any bytes as an encodedList."""
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "u",
        "u!",
        "uAAAA",
        packed(b"\0" * (LENGTH // 8 - 1)),
        packed(b"\0" * 9_000_000),
        packed(random.Random(1).randbytes(LENGTH // 8))[:-400],
    ],
    ids=["empty", "no data", "no base64", "no gzip", "short", "bomb", "cut off"],
)
def test_a_bad_list_is_refused(text: str) -> None:
    with pytest.raises(BadStatus):
        decode_bits(text)


def build(purpose: str = "revocation", *taken: int) -> JsonObject:
    """A list with some places set, without a proof."""
    bits = new_bits()
    for index in taken:
        bits = set_bit(bits, index, True)
    return build_status_list_credential(URL, DID, purpose, bits, valid_from=ISSUED)


def test_the_entrys_place_is_read_from_its_list() -> None:
    document = build("revocation", 5)
    assert read_status(document, build_status_entry(URL, 5, "revocation"))
    assert not read_status(document, build_status_entry(URL, 6, "revocation"))


def test_a_subject_in_a_list_is_read_too() -> None:
    document = build()
    document["credentialSubject"] = [document["credentialSubject"]]
    assert not read_status(document, build_status_entry(URL, 6, "revocation"))


def with_subject(**more: object) -> JsonObject:
    """A list with its subject changed."""
    document = build()
    document["credentialSubject"] = {**document["credentialSubject"], **more}  # type: ignore[dict-item]
    return document


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({**build(), "id": "https://elsewhere.example/1"}, "another one"),
        ({**build(), "type": ["VerifiableCredential"]}, "not a status list"),
        ({**build(), "credentialSubject": "x"}, "not a status list"),
        ({**build(), "credentialSubject": []}, "not a status list"),
        (with_subject(type="StatusList2021"), "not a status list"),
        (build("suspension"), "another purpose"),
        (with_subject(statusSize=2), "more than one bit"),
        (with_subject(encodedList="u"), "damaged"),
    ],
)
def test_a_list_that_does_not_fit_the_entry_is_refused(document: JsonObject, reason: str) -> None:
    with pytest.raises(BadStatus, match=reason):
        read_status(document, build_status_entry(URL, 1, "revocation"))


@pytest.mark.parametrize("index", ["", "-1", "1.5", "x", "١", "9" * 20])
def test_a_place_that_is_no_number_is_refused(index: str) -> None:
    entry = {**build_status_entry(URL, 1, "revocation"), "statusListIndex": index}
    with pytest.raises(BadStatus, match="not a number"):
        read_status(build(), entry)


def test_a_short_list_is_never_published() -> None:
    with pytest.raises(BadStatus, match="shorter"):
        build_status_list_credential(URL, DID, "revocation", b"\0", valid_from=ISSUED)
