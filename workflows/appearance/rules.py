"""What can be a logo, and what colours come to where they are used. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from credentials.colours import COLOUR, PAPER, contrast, dark_enough
from storage.errors import InvalidInput, Problem
from workflows.appearance.drawing import Refused
from workflows.words import marked

MOST_GIVEN = 2 * 1024 * 1024
"""How large a file may be that is handed in, in bytes."""
LONGEST_TEXT = 120
SEEN = 1.3
"""The contrast from which a thin line is seen on the other colour."""
ON_BADGE, ON_PAPER = 7.0, 5.5
"""The contrasts that the badge and the certificate hold, darkening a colour where they must."""


WORDS: Mapping[Refused, str] = {
    Refused.UNREADABLE: marked("This file could not be read as a PNG, JPEG, WebP or SVG picture."),
    Refused.TOO_MANY_DOTS: marked("This picture has too many dots. Save it smaller."),
    Refused.TOO_SMALL: marked("This picture is too small: its longer side needs 64 dots or more."),
    Refused.EMPTY: marked("There is nothing to be seen in this picture."),
    Refused.LETTERS: marked(
        "This drawing holds letters that need a font. Turn them into outlines, or save it as PNG."
    ),
}


class Comes(StrEnum):
    """What becomes of a colour in one place."""

    AS_IT_IS = "as_it_is"
    DARKER = "darker"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class ColourCheck:
    """What a colour comes to in one place, in words; `used` is what is drawn there, `ratio` the
    contrast of what was chosen."""

    name: str
    comes: Comes
    words: str
    ratio: float
    used: str


def checked_colours(colour: str, accent: str) -> tuple[str, str]:
    """Both as “#rrggbb” in small letters. Raises InvalidInput, by field."""
    found = {"colour": colour.strip().lower(), "accent": accent.strip().lower()}
    words = marked(
        "A colour is written like #17324d: a hash and six characters, 0 to 9 and a to f."
    )
    problems = [
        Problem(name, words) for name, value in found.items() if not COLOUR.fullmatch(value)
    ]
    if problems:
        raise InvalidInput(words, problems=problems)
    return found["colour"], found["accent"]


def checked_text(text: str) -> str:
    """What stands for a logo where it cannot be seen. Raises InvalidInput."""
    said = " ".join(text.split())
    if not said:
        words = marked("Say in a few words what the logo shows, for people who cannot see it.")
        raise InvalidInput(words, problems=[Problem("text", words)])
    if len(said) > LONGEST_TEXT:
        words = marked("Say it in at most %(most)s letters.")
        raise InvalidInput(
            words, {"most": LONGEST_TEXT}, [Problem("text", words, {"most": LONGEST_TEXT})]
        )
    return said


def no_logo(words: str) -> InvalidInput:
    """That a file is no logo, and why."""
    return InvalidInput(words, problems=[Problem("logo", words)])


def colour_checks(colour: str, accent: str) -> Sequence[ColourCheck]:
    """What people can read in these colours, place by place."""
    return (
        _read(
            marked("First colour, with light letters on it"),
            colour,
            ON_BADGE,
            marked("They are read on it, also where a badge is small."),
            marked("Badges use it darker, so that they are read also where a badge is small."),
        ),
        _read(
            marked("First colour, on paper"),
            colour,
            ON_PAPER,
            marked("Headings in it are read on a certificate."),
            marked("Certificates use it darker: headings in it would not be read on white."),
        ),
        _read(
            marked("Second colour, on paper"),
            accent,
            ON_PAPER,
            marked("Words in it are read on a certificate."),
            marked("Words on a certificate use it darker. Lines keep it as it is."),
        ),
        _lines_on(colour, accent),
    )


def _read(name: str, given: str, needed: float, as_it_is: str, darker: str) -> ColourCheck:
    used = dark_enough(given, needed)
    ratio = contrast(given, PAPER)
    if used.lower() == given.lower():
        return ColourCheck(name, Comes.AS_IT_IS, as_it_is, ratio, used)
    return ColourCheck(name, Comes.DARKER, darker, ratio, used)


def _lines_on(colour: str, accent: str) -> ColourCheck:
    name = marked("Second colour, on the first")
    ratio = contrast(dark_enough(colour, ON_BADGE), accent)
    if ratio >= SEEN:
        words = marked("Lines in it are seen on a badge.")
        return ColourCheck(name, Comes.AS_IT_IS, words, ratio, accent)
    words = marked("The two are nearly the same: lines in it will not be seen on a badge.")
    return ColourCheck(name, Comes.UNSEEN, words, ratio, accent)
