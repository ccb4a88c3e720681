"""Places in a recording: read as people write them, and written as they read them. Pure."""

import re

CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?:[.,](\d{1,3}))?")
SECONDS = re.compile(r"(\d{1,6})(?:[.,](\d{1,3}))?")


def read_time(text: str) -> int | None:
    """Milliseconds of `2:13`, `1:02:13`, `2:13.5` or `133`; None when it is none of these."""
    written = text.strip()
    if clock := CLOCK.fullmatch(written):
        hours, minutes, seconds, fraction = clock.groups()
        if hours is not None and int(minutes) > 59:
            return None
        whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    elif plain := SECONDS.fullmatch(written):
        whole, fraction = int(plain[1]), plain[2]
    else:
        return None
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def write_time(milliseconds: int) -> str:
    """`2:13`, `1:02:13`; with tenths only where there are any."""
    tenths, rest = divmod(milliseconds, 1000)
    hours, left = divmod(tenths, 3600)
    minutes, seconds = divmod(left, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{clock}.{rest // 100}" if rest >= 100 else clock


def media_fragment(start_ms: int, end_ms: int | None = None) -> str:
    """The place as browsers understand it behind `#` (W3C Media Fragments): `t=133,220`."""
    return f"t={_seconds(start_ms)}" + (f",{_seconds(end_ms)}" if end_ms is not None else "")


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)
