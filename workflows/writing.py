"""Text as people write it, made fit to be kept: what one line is, and what is left out of any text.

Blanks of every kind become plain spaces in a line. What turns the direction of all that follows,
and what nobody ever sees, is left out everywhere: it could only mislead whoever reads. Joiners stay
(Persian, Indic scripts and emoji are written with them), and so do marks that turn nothing but
themselves.
"""

import re
from typing import Final

JOINERS: Final = frozenset("\u200c\u200d")
# embeddings, overrides and isolates; what has no width; leftovers of old encodings; invisible tags
_MISLEADING = re.compile(
    "[\u202a-\u202e\u2066-\u2069"
    "\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"
    "\x7f-\x84\x86-\x9f\U000e0000-\U000e007f]"
)
_ENDS_OF_LINES = re.compile("\r\n|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def one_line(text: str) -> str:
    """The text as one line: words with single spaces between, and nothing that misleads."""
    return " ".join(_MISLEADING.sub("", text).split())


def lines(text: str) -> str:
    """The text with its own lines and blanks, each line ended alike, and nothing that misleads."""
    return _ENDS_OF_LINES.sub("\n", _MISLEADING.sub("", text))


def is_seen(text: str) -> bool:
    """Whether every letter of a line is one that is seen, or joins others that are."""
    return all(letter.isprintable() or letter in JOINERS for letter in text)
