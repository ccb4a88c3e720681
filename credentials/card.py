"""The picture that stands for a credential where its address is shared, and in other sites' pages.

It says the state in words, so that a credential that is not in force never looks as if it were.
"""

import json
from dataclasses import asdict, dataclass, field

import typst

from credentials.badge import TEMPLATES
from credentials.colours import DEFAULT_ACCENT, DEFAULT_COLOUR, checked_colour, dark_enough
from credentials.errors import Malformed
from credentials.fonts import FAMILIES, fonts_for
from credentials.lettering import breakable, is_right_to_left, shortened
from credentials.logos import framed

WIDE, STRIP = (1200, 630), (640, 200)
"""Open Graph's size, and one for a column of text, in pixels; a strip is drawn double."""
_ON_WHITE = 7.0


@dataclass(frozen=True)
class CardFace:
    """What the card says. `state` stands over it where the credential is not in force; '' if it is.

    `awarded` is the line above the learner's name, `checked` the one at the foot.
    """

    title: str
    institution: str
    learner: str
    awarded: str
    day: str
    address: str
    checked: str
    state: str = ""
    colour: str = DEFAULT_COLOUR
    accent: str = DEFAULT_ACCENT
    logo: bytes = field(default=b"", repr=False)


def draw_card(face: CardFace, badge: bytes, *, strip: bool = False) -> bytes:
    """The card as PNG: 1200 by 630, or as a strip of 1280 by 400 to be shown at half of it.

    `badge` is an unbaked SVG. Raises Malformed for what is no colour, or no text to be signed.
    """
    width, height = STRIP if strip else WIDE
    shown = {
        **_told(face),
        "title": breakable(shortened(face.title, 110)),
        "institution": shortened(face.institution, 70),
        "learner": shortened(face.learner, 60),
        "state": shortened(face.state, 40),
        "direction": "rtl" if is_right_to_left(face.title) else "ltr",
        "colour": dark_enough(face.colour, _ON_WHITE),
        "accent": checked_colour(face.accent),
        "families": FAMILIES,
        "width": width,
        "height": height,
        "strip": strip,
    }
    fonts = fonts_for(face.title, face.institution, face.learner, face.state, face.awarded)
    inputs = {
        "face": json.dumps(shown, ensure_ascii=False),
        "badge": badge.decode(),
        "logo": framed(face.logo),
    }
    try:
        return typst.compile(
            TEMPLATES / "card.typ",
            format="png",
            ppi=144 if strip else 72,
            sys_inputs=inputs,
            font_paths=fonts,
        )
    except typst.TypstError as error:
        raise Malformed("The card cannot be drawn: %(why)s", why=error.message) from None


def _told(face: CardFace) -> dict[str, object]:
    """Its words, without the logo's bytes."""
    return {name: value for name, value in asdict(face).items() if name != "logo"}
