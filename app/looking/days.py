"""Days as files write them; what is no day is none."""

import re
from datetime import date

DAY = re.compile(r"(?:D:)?(\d{4})[-:.]?(\d{2})[-:.]?(\d{2})")
FIRST_YEAR = 1980


def day(text: object) -> date | None:
    """The day in `D:20260302…`, `2026-03-02T…` or `2026:03:02 …`; None when there is none."""
    found = DAY.match(str(text or "").strip())
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return day if day.year >= FIRST_YEAR else None  # clocks that were never set
