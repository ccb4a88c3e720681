"""What a tool says: facts, signals, members and what it drew, as JSON that the looker checks.

What is drawn lies in the folder under a name that says all: `page-3.webp`. A name is given only to
what is whole, so that what a tool drew before it was ended can still be used.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from workflows.confining import Json, JsonObject

DAMAGED, TOO_LARGE = "damaged", "too_large"


@dataclass
class Report:
    """Fills up while a tool works."""

    folder: Path
    facts: dict[str, Json] = field(default_factory=dict)
    signals: list[Json] = field(default_factory=list)
    listing: list[Json] = field(default_factory=list)
    drawn: list[Json] = field(default_factory=list)
    trouble: str = ""
    renders: bool = False

    def know(self, **facts: Json | date) -> None:
        """Facts, those that are empty left out."""
        for name, value in facts.items():
            if value not in {None, "", 0}:
                self.facts[name] = value.isoformat() if isinstance(value, date) else value

    def signal(self, code: str, **params: str | int) -> None:
        """Something to inform of."""
        self.signals.append({"code": code, "params": dict(params)})

    def keep(
        self,
        kind: str,
        number: int,
        ending: str,
        write: Callable[[IO[bytes]], object],
        size: tuple[int, int] | None = None,
    ) -> None:
        """Write something drawn; it gets its name when it is whole."""
        name = f"{kind}-{number}.{ending}"
        unfinished = self.folder / "unfinished"
        with unfinished.open("wb") as file:
            write(file)
        unfinished.rename(self.folder / name)
        width, height = size or (None, None)
        self.drawn.append({"file": name, "width": width, "height": height})

    def document(self) -> JsonObject:
        """All of it as JSON."""
        return {
            "facts": self.facts,
            "signals": self.signals,
            "listing": self.listing,
            "drawn": self.drawn,
            "trouble": self.trouble,
            "renders": self.renders,
        }
