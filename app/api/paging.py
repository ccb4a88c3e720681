"""Which page of a list a program asks for, as Open Badges 3.0 has it: limit, offset, since."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import request

from app.web.forms import SOME_WRONG
from storage.errors import InvalidInput, Problem
from workflows.words import marked

USUAL = MOST = 100
FURTHEST = 1_000_000
SINCE = marked("Send a date and time, such as 2026-03-01T09:00:00Z.")
WHOLE = marked("Send a whole number from %(least)s to %(most)s.")


@dataclass(frozen=True)
class Page:
    """So many from there on; only what was issued after `since`, where it is given."""

    limit: int
    offset: int
    since: datetime | None
    since_text: str = ""

    def query(self, offset: int) -> dict[str, str | int]:
        """The same question for another page."""
        asked: dict[str, str | int] = {"limit": self.limit, "offset": offset}
        return asked | ({"since": self.since_text} if self.since_text else {})


def page_asked() -> Page:
    """What the query asks for; more than a page holds is cut to one. Raises InvalidInput."""
    text = request.args.get("since", "")
    return Page(
        min(_number("limit", USUAL, least=1), MOST),
        _number("offset", 0, least=0),
        _moment(text) if "since" in request.args else None,
        text,
    )


def _number(name: str, usual: int, *, least: int) -> int:
    text = request.args.get(name)
    if text is None:
        return usual
    # also for ten thousand digits, which int() refuses in its own way
    if not text.isascii() or not text.isdigit() or len(text) > 7 or int(text) < least:
        raise _refused(name, WHOLE, {"least": least, "most": FURTHEST})
    return int(text)


def _moment(text: str) -> datetime:
    """A time without a zone is UTC, as the specification writes it; a plus sign may come as a
    blank, for that is what it means in an address."""
    try:
        read = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("since", SINCE) from None


def _refused(name: str, words: str, params: dict[str, int] | None = None) -> InvalidInput:
    return InvalidInput(SOME_WRONG, problems=[Problem(name, words, params or {})])
