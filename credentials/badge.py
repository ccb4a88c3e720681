"""The badge's picture, drawn from plain values: an SVG whose text is outlines, and PNGs of it.

No fonts are needed where it is shown, and the same values draw the same picture on every machine.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import resvg_py
import typst

from credentials.canonical import screen_text
from credentials.colours import DEFAULT_ACCENT, DEFAULT_COLOUR, checked_colour, dark_enough
from credentials.errors import Malformed
from credentials.fonts import FAMILIES, fonts_for
from credentials.lettering import breakable, is_right_to_left, mark_of, pieces, shortened
from credentials.logos import framed

TEMPLATES = Path(__file__).parent / "templates"
_MOST_PLACES = 8
_ON_COLOUR = 7.0
"""The contrast that the paper-coloured letters need on the colour, to stay readable when small."""


@dataclass(frozen=True)
class BadgeFace:
    """What the picture shows. `colour` and `accent` are “#rrggbb”.

    `mark` is the short text in the middle (up to 4 letters; made from the title if empty);
    `place` of `places` are the dots beside the level, none if `places` is 0. `logo` is a PNG that
    stands above the mark.
    """

    title: str
    institution: str
    level: str = ""
    mark: str = ""
    place: int = 0
    places: int = 0
    colour: str = DEFAULT_COLOUR
    accent: str = DEFAULT_ACCENT
    logo: bytes = field(default=b"", repr=False)


def draw_badge(face: BadgeFace) -> bytes:
    """The badge as SVG, 512 by 512, with a title for readers that cannot see it.

    A colour too pale for white letters is darkened, a long title cut, a letter that no font has
    left out. Raises Malformed for what is no colour, no PNG, or no text that could be signed.
    """
    screen_text(face.mark)
    shown = {
        "title": breakable(shortened(face.title, 96)),
        "level": shortened(face.level, 30),
        "mark": shortened(face.mark[:4] or mark_of(face.title), 4),
        "institution": pieces(shortened(face.institution, 60)),
        "direction": _direction(face.title),
        "ring": _direction(face.institution),
        "families": FAMILIES,
        "colour": dark_enough(face.colour, _ON_COLOUR),
        "accent": checked_colour(face.accent),
        "place": face.place,
        "places": min(face.places, _MOST_PLACES),
    }
    fonts = fonts_for(face.title, face.institution, face.level, face.mark)
    inputs = {"face": json.dumps(shown, ensure_ascii=False), "logo": framed(face.logo)}
    try:
        svg = typst.compile(
            TEMPLATES / "badge.typ", format="svg", sys_inputs=inputs, font_paths=fonts
        )
    except typst.TypstError as error:
        raise Malformed("The badge cannot be drawn: %(why)s", why=error.message) from None
    return _with_title(svg.decode(), face).encode()


def badge_png(svg: bytes, size: int = 512) -> bytes:
    """The SVG as a PNG of `size` by `size` pixels, transparent around the seal."""
    return resvg_py.svg_to_bytes(
        svg_string=svg.decode(), width=size, height=size, skip_system_fonts=True
    )


def _direction(text: str) -> str:
    return "rtl" if is_right_to_left(text) else "ltr"


def _with_title(svg: str, face: BadgeFace) -> str:
    """Typst's SVG with plain sizes and a title, so that it scales and can be read aloud."""
    level = f", {face.level}" if face.level else ""
    title = escape(f"{face.title}{level}. {face.institution}")
    head, rest = svg.split(">", 1)
    head = re.sub(r'(width|height)="([0-9.]+)pt"', r'\1="\2"', head)
    return f'{head} role="img"><title>{title}</title>{rest}'
