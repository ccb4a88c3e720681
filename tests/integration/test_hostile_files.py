"""Files that were made to hurt whoever opens them cost their own process, and little of it."""

import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.fixtures import looked
from tests.fixtures.looking import CONFINED, codes, look, source_of
from workflows.confining import MIB, Source
from workflows.looking.seeing import Seen

BEARABLE_CPU = 100
"""Seconds of processor time that one file may cost, however it is made: facts and pictures."""


@contextmanager
def bounded(body: bytes, name: str) -> Iterator[Seen]:
    """A confined look, which must not have cost more than a file may."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with look(body, name, CONFINED) as seen:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert spent < BEARABLE_CPU
        yield seen


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: looked.png_of(30_000, 30_000), "huge.png"),
        (lambda: looked.png_of(1, 2**31 - 1), "tall.png"),
        (lambda: looked.word(text=looked.xml_bomb()), "lol.docx"),
        (looked.zip_bomb, "bomb.docx"),
        (lambda: looked.pdf()[:300], "cut.pdf"),
        (lambda: looked.film()[:3000], "cut.mp4"),
        (lambda: looked.photo()[:400], "cut.jpg"),
        (looked.recursive_pdf, "recursive.pdf"),
    ],
)
def test_a_bomb_or_a_stump_ends_as_trouble_and_nothing_else(
    make: Callable[[], bytes], name: str
) -> None:
    with bounded(make(), name) as seen:
        assert seen.trouble or seen.drawn


def test_an_archive_that_unpacks_to_gigabytes_is_listed_and_not_unpacked() -> None:
    with bounded(looked.gzip_bomb(), "bomb.tar.gz") as seen:
        assert [one.name for one in seen.listing] == ["nothing"]


def test_an_entity_from_outside_is_not_fetched() -> None:
    with bounded(looked.word(text=looked.outside_entity()), "xxe.docx") as seen:
        for one in seen.drawn:
            assert b"root:" not in one.path.read_bytes()
        assert seen.trouble


def test_a_script_in_a_picture_is_told_and_gone_from_the_preview() -> None:
    with bounded(looked.image("GIF") + b"<script>alert(1)</script>", "a.gif") as seen:
        assert "ambiguous" in codes(seen)
        assert seen.drawn
        assert all(b"<script" not in one.path.read_bytes() for one in seen.drawn)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (looked.pdf(producer="x"), "a.pdf"),
        (looked.photo(), "a.jpg"),
        (looked.film(seconds=1), "a.mp4"),
        (looked.word(), "a.docx"),
    ],
)
def test_damaged_bytes_never_break_the_looker(body: bytes, name: str) -> None:
    chance = random.Random(name)
    for _ in range(2):
        broken = bytearray(body)
        for _ in range(40):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with CONFINED.look(source_of(bytes(broken)), looked.TYPES[name[-3:]], name) as seen:
            assert seen.facts is not None


def test_of_a_film_of_gigabytes_only_its_index_and_one_place_are_read() -> None:
    """The film's bytes are few; between its beginning and its end lie 4 GiB of nothing."""
    film = looked.film(seconds=2)
    # a box that is to be skipped, with its size in 64 bits
    gap = 4 * 1024**3
    skipped = (1).to_bytes(4, "big") + b"free" + gap.to_bytes(8, "big")
    read: list[int] = []

    def piece(offset: int, length: int) -> bytes:
        read.append(length)
        body = film + skipped
        have = body[offset : offset + length]
        return have + bytes(min(length, len(film) + gap - offset) - len(have))

    began = time.process_time()
    with CONFINED.look(Source(len(film) + gap, piece), "video/mp4", "long.mp4") as seen:
        assert seen.facts.duration_ms == 2000
        assert {one.kind.value for one in seen.drawn} == {"poster", "thumbnail"}
    assert sum(read) < 64 * MIB
    assert time.process_time() - began < 30
