"""How a process that runs for ever is asked to end."""

import signal
from threading import Event


def when_told() -> Event:
    """An event that SIGTERM and SIGINT set."""
    told = Event()
    tell(told)
    return told


def tell(told: Event) -> None:
    """Let SIGTERM and SIGINT set the event, and do nothing else."""
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, lambda *_: told.set())
