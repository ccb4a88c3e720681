"""How a logo is drawn. Apart, so that the confined task need not load what checks it."""

from enum import StrEnum

BOX = (720, 360)
"""Its greatest width and height, in pixels."""
LEAST_SIDE = 64
"""The shortest that the longer side of a picture may be, in pixels."""
MOST_BYTES = 200 * 1024
"""How large it is at most when it is drawn."""


class Refused(StrEnum):
    """Why a file is no logo."""

    UNREADABLE = "unreadable"
    TOO_MANY_DOTS = "too_many_dots"
    TOO_SMALL = "too_small"
    EMPTY = "empty"
    LETTERS = "letters"
