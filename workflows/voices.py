"""What attestations and endorsements share: their states as data, and the period they speak of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from storage.errors import Conflict, Problem
from storage.vocabulary import VoiceState

S = VoiceState
_MONTH = re.compile(r"(\d{4})-(\d\d)(-\d\d)?")


@dataclass(frozen=True)
class Turn:
    """From which states an act leads to which."""

    sources: frozenset[VoiceState]
    target: VoiceState


TURNS: Mapping[str, Turn] = {
    "open": Turn(frozenset({S.ASKED}), S.OPENED),
    "give": Turn(frozenset({S.OPENED}), S.GIVEN),
    "decline": Turn(frozenset({S.OPENED}), S.DECLINED),
    "take_back": Turn(frozenset({S.ASKED, S.OPENED}), S.EXPIRED),
    "expire": Turn(frozenset({S.ASKED, S.OPENED}), S.EXPIRED),
    "withdraw": Turn(frozenset({S.GIVEN}), S.WITHDRAWN),
}

LIVE = frozenset({S.ASKED, S.OPENED})
"""States in which an answer is still awaited."""


def turned(state: str, act: str) -> VoiceState:
    """The state that an act leads to. Raises Conflict when it is not possible from this one."""
    turn = TURNS[act]
    if VoiceState(state) not in turn.sources:
        raise Conflict("This was answered already. Reload the page to see how it stands now.")
    return turn.target


def period_problems(since: str, until: str, today: date) -> list[Problem]:
    """What is wrong with a period of months, such as `2021-05` to `2024-11`, or to nothing."""
    first, last = _month(since), _month(until)
    this = (today.year, today.month)
    if first is None or first > this:
        return [Problem("since", "Write the first month in which you saw their work, as 2021-05.")]
    if until.strip() and (last is None or last > this):
        return [Problem("until", "Write the last month as 2024-11, or leave it empty.")]
    if last is not None and last < first:
        return [Problem("until", "The last month lies before the first one.")]
    return []


def _month(text: str) -> tuple[int, int] | None:
    found = _MONTH.fullmatch(text.strip())
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    return (year, month) if year >= 1940 and 1 <= month <= 12 else None
