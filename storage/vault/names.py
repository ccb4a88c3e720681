"""File names as they are written into a download's header."""

from urllib.parse import quote

UNSAFE = frozenset('"\\/:*?<>|%;')
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
    kept = "".join(
        letter if letter.isprintable() and letter not in UNSAFE else "_" for letter in file_name
    )
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if len(kept) > LONGEST and dot and len(ending) < 16:
        kept = f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
    return kept.strip(" .")[:LONGEST] or "file"
