"""What the entries of the parts (relay, sweeper, worker) have in common."""

import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from app import logs
from app.cli.surroundings import settings_of_a_part

if TYPE_CHECKING:
    from app.container import Container


def run_part(work: "Callable[[Container], None]") -> int:
    """Build the container, do the part's work until it is told to stop, close everything."""
    # told to stop while the parts are still being built
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = settings_of_a_part()
    logs.configure(settings.log_level)
    from app.container import build

    container = build(settings)
    try:
        work(container)
    finally:
        container.close()
    return 0
