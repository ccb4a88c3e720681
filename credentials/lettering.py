"""Words made ready to be drawn in little room: cut at a word, long words breakable, kept together
where a script joins its letters."""

import re
import unicodedata

from credentials.fonts import drawable

_LONG_WORD = 22
_SOFT_HYPHEN = "\u00ad"
_RIGHT_TO_LEFT = ("R", "AL")
_SMALL_WORDS = {"and", "of", "the", "in", "for", "to", "a", "an", "with", "de", "et", "du", "la"}


def shortened(text: str, most: int) -> str:
    """The drawable text on one line, cut at a word after `most` letters, with “…”."""
    line = " ".join(drawable(text).split())
    if len(line) <= most:
        return line
    cut = line[:most].rpartition(" ")[0]
    return (cut if len(cut) > most // 2 else line[:most]).rstrip(" ,;:–-") + "…"


def breakable(text: str) -> str:
    """The text with soft hyphens in long words, and no line ending after a hyphen of others."""
    return " ".join(_split_word(word) for word in text.split(" "))


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left (Unicode's rule P2)."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", *_RIGHT_TO_LEFT):
            return direction in _RIGHT_TO_LEFT
    return False


def pieces(text: str) -> list[str]:
    """What stands around a circle, in order from left to right: letters, or whole words where a
    script joins letters or runs from right to left."""
    if any(_keeps_together(letter) for letter in text):
        words = text.split()
        return words[::-1] if is_right_to_left(text) else words
    return _clusters(text)


def mark_of(title: str) -> str:
    """Up to four letters that stand for a title: its first abbreviation, else its initials."""
    words: list[str] = re.findall(r"\w+", title)
    short = [word for word in words if 2 <= len(word) <= 4 and word.isupper()]
    if short:
        return short[0]
    telling = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    initials = [word[0] for word in telling[:3]]
    if any(_keeps_together(letter) for letter in initials):
        return initials[0]
    return "".join(initials).upper()


def _keeps_together(letter: str) -> bool:
    """Hebrew, Arabic, the scripts of India, Tibetan, Burmese, Khmer, Mongolian; not Thai, Lao."""
    in_asia = "\u0590" <= letter <= "\u109f" or "\u1780" <= letter <= "\u18af"
    return in_asia and not "\u0e00" <= letter <= "\u0eff"


def _clusters(text: str) -> list[str]:
    """Letters, each with the marks that stand on it."""
    found: list[str] = []
    for letter in text:
        if found and unicodedata.category(letter).startswith("M"):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _split_word(word: str) -> str:
    if len(word) <= _LONG_WORD:
        return word.replace("-", "\u2011")
    if ord(max(word)) > 0x24F:
        return word
    step = _LONG_WORD // 2
    return _SOFT_HYPHEN.join(word[at : at + step] for at in range(0, len(word), step))
