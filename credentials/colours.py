"""Colours of an institution, made dark enough for what is written in them or on them."""

import re
from collections.abc import Iterable

from credentials.errors import Malformed

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT_COLOUR = "#17324d"
DEFAULT_ACCENT = "#b8893b"
PAPER = "#ffffff"


def checked_colour(colour: str) -> str:
    """The colour. Raises Malformed unless it is “#rrggbb”."""
    if not COLOUR.fullmatch(colour):
        raise Malformed("“%(colour)s” is not a colour like #17324d.", colour=colour)
    return colour


def dark_enough(colour: str, contrast: float) -> str:
    """The colour, darkened until it has this contrast with white (WCAG 2.2). Raises Malformed."""
    parts = _parts(checked_colour(colour))
    while 1.05 / (_luminance(parts) + 0.05) < contrast:
        parts = [part * 0.95 for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2). Raises Malformed."""
    dark, light = sorted(_luminance(_parts(checked_colour(colour))) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _parts(colour: str) -> list[float]:
    return [part / 255 for part in bytes.fromhex(colour[1:])]


def _luminance(parts: Iterable[float]) -> float:
    """Relative luminance (WCAG 2.2) of sRGB parts between 0 and 1."""
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
