"""The states of the two outside voices, attestations and endorsements. Data, and what reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.errors import Conflict
from storage.vocabulary import VoiceState

S = VoiceState


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
