"""Which files are looked into, and what a look that fails is worth."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from workflows.archives.findings import Findings, Refusal, Unseen
from workflows.confining import (
    LIMITS,
    Confined,
    Crashed,
    Json,
    JsonObject,
    Limits,
    Source,
    TooLarge,
    TooSlow,
)
from workflows.evidence.to_look_into import look_inside, sort_to_look_into

NOTHING = Source(0, lambda _offset, _length: b"")


class Says:
    """A confined process that ends as it is told to, after reading what it is told to."""

    def __init__(self, end: JsonObject | Confined, reads: list[tuple[int, int]]) -> None:
        self.end = end
        self.reads = reads
        self.got: list[bytes] = []

    def run(
        self,
        task: str,
        args: Mapping[str, Json],
        *,
        folder: Path | None = None,
        source: Source | None = None,
        limits: Limits = LIMITS,
    ) -> JsonObject:
        assert source is not None
        self.got = [source.read(offset, length) for offset, length in self.reads]
        if isinstance(self.end, Confined):
            raise self.end
        return self.end


@pytest.mark.parametrize(
    ("name", "media_type", "head", "sort"),
    [
        ("a.zip", "application/zip", b"PK\x03\x04", "zip"),
        ("a.docx", "application/vnd.openxmlformats", b"PK\x03\x04", "zip"),
        ("a.pdf", "application/pdf", b"%PDF-1.7", ""),
        ("a.svg", "image/svg+xml", b"<svg/>", ""),
        ("a.svg", "image/svg+xml", b"<!DOCTYPE svg []><svg/>", "xml"),
        ("a.txt", "text/xml", b"<!DOCTYPE a []><a/>", "xml"),
        ("a.txt", "text/plain", b"<!DOCTYPE is a word", ""),
    ],
)
def test_archives_and_xml_that_declares_something_are_looked_into(
    name: str, media_type: str, head: bytes, sort: str
) -> None:
    assert sort_to_look_into(name, media_type, head, head) == sort


def test_what_the_look_found_comes_back() -> None:
    found = Findings(members=3, expanded=9, refusal=Refusal.OUTSIDE, name="../x", formats=["zip"])
    assert look_inside(Says(found.as_json(), []), "zip", NOTHING) == found


@pytest.mark.parametrize(
    "end",
    [TooSlow("x"), TooLarge("x"), Crashed("x"), {"members": "many"}, {"refusal": "unheard of"}],
)
def test_a_look_that_fails_is_never_good(end: JsonObject | Confined) -> None:
    assert look_inside(Says(end, []), "zip", NOTHING).unseen is Unseen.TOO_MUCH


def test_reading_straight_on_takes_large_pieces_and_jumps_take_small_ones() -> None:
    body = bytes(range(256)) * 20_000
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return body[offset : offset + length]

    reads = [(0, 65_536), (65_536, 65_536), (131_072, 65_536), (4_000_000, 100), (5_119_990, 10)]
    says = Says({"members": 1, "expanded": 1, "depth": 0}, reads)
    look_inside(says, "zip", Source(len(body), read))
    assert says.got == [body[offset : offset + length] for offset, length in reads]
    assert len(asked) == 3
    assert max(asked) == 1024**2
