"""Colours of an institution, made dark enough for what is written in them or on them."""

import re
from collections.abc import Iterable

from credentials.errors import Malformed

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT_COLOUR = "#17324d"
DEFAULT_ACCENT = "#b8893b"


def checked_colour(colour: str) -> str:
    """The colour. Raises Malformed unless it is “#rrggbb”."""
    if not COLOUR.fullmatch(colour):
        raise Malformed("“%(colour)s” is not a colour like #17324d.", colour=colour)
    return colour


def dark_enough(colour: str, contrast: float) -> str:
    """The colour, darkened until it has this contrast with white (WCAG 2.2). Raises Malformed."""
    parts = [part / 255 for part in bytes.fromhex(checked_colour(colour)[1:])]
    while 1.05 / (_luminance(parts) + 0.05) < contrast:
        parts = [part * 0.95 for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _luminance(parts: Iterable[float]) -> float:
    """Relative luminance (WCAG 2.2) of sRGB parts between 0 and 1."""
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
