"""What comes back from the tools that look into files, as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storage.vocabulary import PreviewKind
from workflows.looking.looks import Facts, Member
from workflows.words import marked

TOOL_VERSION = 2
"""Counted up when the tools find more: what an older version looked at is looked at again."""

DAMAGED = marked("This file could not be opened to be shown here; it may be damaged or unusual.")
TOO_MUCH = marked("Showing this file would take more time or memory than a file may have here.")
TOO_LARGE = marked("This file is too large to be shown here.")
GAVE_UP = marked("This file could not be looked into, and staff have been told.")

Progress = Callable[[int], None]
"""Told how much is done, in percent."""


@dataclass(frozen=True)
class Drawn:
    """A picture, page, text or rendition that was made, in a file that goes with its `Seen`."""

    kind: PreviewKind
    number: int
    media_type: str
    path: Path
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Seen:
    """What a tool found. `signals` are codes with params; `trouble` a message id, or ''.

    `renders`: browsers cannot play the original, and a rendition can be made.
    """

    facts: Facts = field(default_factory=Facts)
    signals: tuple[tuple[str, Mapping[str, str | int]], ...] = ()
    listing: tuple[Member, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    trouble: str = ""
    renders: bool = False
