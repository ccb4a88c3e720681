"""One line at the foot of a terminal that says how far a long look has come."""

import time
from typing import TextIO

EVERY_SECONDS = 0.2
WIDTH = 78


class Progress:
    """Counts steps and shows the latest; silent where nobody watches."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self._count = 0
        self._next = 0.0
        self._written = False

    def step(self, what: str) -> None:
        """One more was looked at."""
        self._count += 1
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        line = f"{self._count:>9}  {what}"[:WIDTH]
        self._stream.write(f"\r{line:<{WIDTH}}")
        self._stream.flush()
        self._written = True

    def clear(self) -> None:
        """Leave the line empty for something else to be told."""
        if self._written:
            self._stream.write("\r" + " " * WIDTH + "\r")
            self._stream.flush()
            self._written = False
