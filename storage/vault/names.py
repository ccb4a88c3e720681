"""File names as they are written into a download's header."""

import unicodedata
from urllib.parse import quote

UNSAFE = frozenset('"\\/:*?<>|%;')
JOINERS = frozenset("\u200c\u200d")
LONGEST = 150


def attachment(file_name: str) -> str:
    """The Content-Disposition of a download (RFC 6266): never shown in place, named as given.

    Old readers get an ASCII name, all others the whole one by RFC 8187.
    """
    name = _safe(file_name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _safe(file_name: str) -> str:
    """The name without what could end the header or lead into another folder."""
    kept = "".join(map(_fit, file_name))
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if len(kept) > LONGEST and dot and len(ending) < 16:
        kept = f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
    return kept.strip(" .")[:LONGEST] or "file"


def _fit(letter: str) -> str:
    """A letter as a header can have it: blanks of every kind are plain spaces."""
    if unicodedata.category(letter) == "Zs":
        return " "
    return letter if (letter.isprintable() or letter in JOINERS) and letter not in UNSAFE else "_"
