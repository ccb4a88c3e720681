"""Logos as they are drawn anew, away from everything; and what colours come to, in words."""

import io
import random

import pytest
from PIL import Image

from app.sandbox import ChildProcesses
from credentials.colours import contrast
from credentials.errors import Malformed
from credentials.logos import framed
from storage.errors import InvalidInput
from workflows.appearance.commands import draw_anew
from workflows.appearance.drawing import BOX, MOST_BYTES
from workflows.appearance.rules import Comes, checked_colours, checked_text, colour_checks

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">%s</svg>'
BLOCK = '<rect x="20" y="10" width="60" height="30" fill="#00aa66"/>'
PAIRS = zip("abcdefgh", "bcdefghi", strict=True)
ENTITIES = "".join(f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in PAIRS)
BOMB = f'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]>{SVG % f"<desc>&i;</desc>{BLOCK}"}'


def picture(kind: str, size: tuple[int, int] = (200, 80), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#336699").save(out, format=kind, **more)
    return out.getvalue()


def drawn(given: bytes) -> Image.Image:
    data, size = draw_anew(ChildProcesses(), given)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("PNG", size)
    assert len(data) <= MOST_BYTES
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_become_a_png_of_their_dots_alone(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken in somebody's garden"
    image = drawn(picture(kind, exif=exif))
    assert image.size == (200, 80)
    assert not image.getexif() and "exif" not in image.info


def test_a_drawing_is_drawn_large_without_its_scripts_and_files_and_cut_to_what_is_seen() -> None:
    hostile = '<script>alert(1)</script><image href="file:///etc/passwd" width="9" height="9"/>'
    image = drawn((SVG % f"{hostile}{BLOCK}").encode())
    assert image.getpixel((5, 5)) == (0, 0xAA, 0x66, 255)
    assert abs(image.width / image.height - 2) < 0.02
    assert image.width > BOX[0] / 2


def test_what_is_too_much_is_made_smaller_until_it_is_small() -> None:
    noise = random.Random(4).randbytes(900 * 900 * 3)  # dots, not secrets
    out = io.BytesIO()
    Image.frombytes("RGB", (900, 900), noise).save(out, format="PNG")
    assert drawn(out.getvalue()).width < BOX[0]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "could not be read"),
        (b"GIF89a", "could not be read"),
        (BOMB.encode(), "could not be read"),
        ((SVG % "<text>Northbridge</text>").encode(), "letters that need a font"),
        ((SVG % "").encode(), "nothing to be seen"),
        (picture("PNG", (40, 20)), "too small"),
        (picture("PNG", (8000, 6000)), "too many dots"),
    ],
)
def test_what_is_no_logo_is_refused_in_words(given: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        draw_anew(ChildProcesses(), given)
    assert refused.value.problems[0].field == "logo"


def test_colours_are_written_one_way() -> None:
    assert checked_colours(" #AABBCC ", "#000000") == ("#aabbcc", "#000000")
    with pytest.raises(InvalidInput) as refused:
        checked_colours("blue", "#12")
    assert [problem.field for problem in refused.value.problems] == ["colour", "accent"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 121])
def test_words_for_those_who_cannot_see_the_logo_are_asked_for(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_text(text)


def test_a_dark_colour_stays_and_a_pale_one_is_darkened_and_named() -> None:
    dark, pale = colour_checks("#17324d", "#7a5a1e"), colour_checks("#ffee88", "#fff6c0")
    assert {one.comes for one in dark} == {Comes.AS_IT_IS}
    assert [one.comes for one in pale][:3] == [Comes.DARKER] * 3
    assert all(contrast(one.used, "#ffffff") >= 5.5 for one in (*dark[:3], *pale[:3]))
    assert colour_checks("#17324d", "#17324d")[3].comes is Comes.UNSEEN


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)


def test_only_a_png_goes_into_a_drawing() -> None:
    assert framed(b"") == ""
    with pytest.raises(Malformed, match="not a PNG"):
        framed(b"<svg/>")
