"""One whole installation as a person starts it: `assay up` in a folder of its own, as a demo."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from app.engines import stack
from app.engines.processes import Command, Kept, keep, log_of
from app.engines.state import free_ports, make_folder
from tests.fixtures.shared import ROOT

READY = "Assay is ready at "
START_SECONDS = 120
GRACE_SECONDS = 90


@dataclass(frozen=True)
class Installation:
    """Where it answers, and where browsers of its pages may send evidence."""

    site: str
    store: str
    home: Path


@contextmanager
def installation() -> Iterator[Installation]:
    """A running installation with the demo's people, removed with all its data at the end.

    It ends with the tests, also when those are killed.
    """
    home = Path(tempfile.mkdtemp(prefix="assay-browser-"))
    home.chmod(0o711)
    port = free_ports(1)[0]
    up = _start(home, port)
    try:
        _wait_until_ready(up, home)
        addresses = stack.attach(home) or {}
        yield Installation(f"http://127.0.0.1:{port}", addresses["S3_ENDPOINT_URL"], home)
    finally:
        up.stop()
        rmtree(home)


def _start(home: Path, port: int) -> Kept:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = {**kept, "ASSAY_HOME": str(home), "PORT": str(port), "ASSAY_ENV": "demo"}
    words = (sys.executable, "-m", "app.cli", "up")
    return keep(make_folder(home / "up"), Command(words, str(ROOT), grace=GRACE_SECONDS, env=env))


def _wait_until_ready(up: Kept, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY not in log_of(up.home).read_text():
        if up.code is not None or time.monotonic() > deadline:
            logs = [f"{log}:\n{log.read_text()[-3000:]}" for log in home.glob("parts/*/log")]
            raise AssertionError("It did not start:\n" + "\n".join([up.said(40), *logs]))
        time.sleep(0.1)
