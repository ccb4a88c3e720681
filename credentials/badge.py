"""The badge's picture, drawn from plain values: an SVG whose text is outlines, and PNGs of it.

No fonts are needed where it is shown, and the same values draw the same picture on every machine.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import resvg_py
import typst

from credentials.canonical import screen_text
from credentials.errors import Malformed

TEMPLATES = Path(__file__).parent / "templates"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SMALL_WORDS = {"and", "of", "the", "in", "for", "to", "a", "an", "with", "de", "et", "du", "la"}
_PALEST = 7.0
"""The contrast with white that the paper-coloured letters need to stay readable when small."""


@dataclass(frozen=True)
class BadgeFace:
    """What the picture shows. `colour` and `accent` are “#rrggbb”.

    `mark` is the short text in the middle (up to 4 letters; made from the title if empty);
    `place` of `places` are the dots under the level, none if `places` is 0.
    """

    title: str
    institution: str
    level: str = ""
    mark: str = ""
    place: int = 0
    places: int = 0
    colour: str = "#17324d"
    accent: str = "#b8893b"


def draw_badge(face: BadgeFace) -> bytes:
    """The badge as SVG, 512 by 512, with a title for readers that cannot see it.

    A colour too pale for white letters is darkened. Raises Malformed for what is no colour, or no
    text that could be signed.
    """
    for text in (face.title, face.institution, face.level, face.mark):
        screen_text(text)
    inputs = {
        "title": face.title,
        "institution": face.institution,
        "level": face.level,
        "mark": face.mark[:4] or mark_of(face.title),
        "colour": _dark_enough(face.colour),
        "accent": _checked(face.accent),
        "place": str(face.place),
        "places": str(min(face.places, 12)),
    }
    try:
        svg = typst.compile(TEMPLATES / "badge.typ", format="svg", sys_inputs=inputs)
    except typst.TypstError as error:
        raise Malformed("The badge cannot be drawn: %(why)s", why=error.message) from None
    return _with_title(svg.decode(), face).encode()


def badge_png(svg: bytes, size: int = 512) -> bytes:
    """The SVG as a PNG of `size` by `size` pixels, transparent around the seal."""
    return resvg_py.svg_to_bytes(
        svg_string=svg.decode(), width=size, height=size, skip_system_fonts=True
    )


def mark_of(title: str) -> str:
    """Up to four letters that stand for a title: its first abbreviation, else its initials."""
    words: list[str] = re.findall(r"\w+", title)
    short = [word for word in words if 2 <= len(word) <= 4 and word.isupper()]
    if short:
        return short[0]
    telling = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    return "".join(word[0] for word in telling[:3]).upper()


def _with_title(svg: str, face: BadgeFace) -> str:
    """Typst's SVG with plain sizes and a title, so that it scales and can be read aloud."""
    level = f", {face.level}" if face.level else ""
    title = escape(f"{face.title}{level}. {face.institution}")
    head, rest = svg.split(">", 1)
    head = re.sub(r'(width|height)="([0-9.]+)pt"', r'\1="\2"', head)
    return f'{head} role="img"><title>{title}</title>{rest}'


def _checked(colour: str) -> str:
    if not _COLOUR.fullmatch(colour):
        raise Malformed("“%(colour)s” is not a colour like #17324d.", colour=colour)
    return colour


def _dark_enough(colour: str) -> str:
    parts = _parts(_checked(colour))
    while 1.05 / (_luminance(parts) + 0.05) < _PALEST:
        parts = [part * 0.95 for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _parts(colour: str) -> list[float]:
    return [part / 255 for part in bytes.fromhex(colour[1:])]


def _luminance(parts: Iterable[float]) -> float:
    """Relative luminance (WCAG 2.2) of sRGB parts between 0 and 1."""
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
