"""Instants as credentials write them: RFC 3339 with a zone, to the second when we write."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from credentials.documents import JsonObject, text_at
from credentials.errors import Malformed

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


@lru_cache(maxsize=4096)
def write_instant(instant: datetime) -> str:
    """“2026-05-01T10:00:00Z”. Raises Malformed for a time without a zone."""
    if instant.tzinfo is None:
        raise Malformed("A time in a credential needs its zone.")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def read_instant(document: JsonObject, key: str) -> datetime | None:
    """The instant under `key`, in UTC, or None if there is none.

    Raises Malformed for anything that is not one RFC 3339 text with a zone.
    """
    text = text_at(document, key)
    if text is None:
        return None
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed("“%(key)s” is not a date and time with a zone.", key=key)
