"""One whole installation as a person starts it: `assay up` in a folder of its own, as a demo."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from app.engines import stack
from app.engines.state import free_ports
from tests.fixtures.proxy import Proxy
from tests.fixtures.shared import ROOT

READY = "Assay is ready at "
GRACE_SECONDS = 90
NO_OTHERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Installation:
    """Where it answers, and where browsers of its pages may send evidence: over a line that tests
    can break."""

    site: str
    store: str
    home: Path
    line: Proxy


@contextmanager
def installation(
    settings: Mapping[str, str] = NO_OTHERS, *, breakable: bool = True
) -> Iterator[Installation]:
    """A running installation with the demo's people, removed with all its data at the end.

    `settings`: others than the demo's own. Evidence goes straight to the store when the line to it
    is not `breakable`.
    """
    home = Path(tempfile.mkdtemp(prefix="assay-browser-"))
    home.chmod(0o711)
    port = free_ports(1)[0]
    line = Proxy("http://127.0.0.1:9")  # the store has no address yet
    public = {"S3_PUBLIC_ENDPOINT_URL": line.url} if breakable else {}
    up = _start(home, port, {**public, **settings})
    try:
        _wait_until_ready(up, home)
        addresses = stack.attach(home) or {}
        line.lead_to(addresses["S3_ENDPOINT_URL"])
        store = line.url if breakable else addresses["S3_ENDPOINT_URL"]
        yield Installation(f"http://127.0.0.1:{port}", store, home, line)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(GRACE_SECONDS)
        line.close()
        rmtree(home)


def _start(home: Path, port: int, settings: Mapping[str, str]) -> "subprocess.Popen[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = {**kept, "ASSAY_HOME": str(home), "PORT": str(port), "ASSAY_ENV": "demo", **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "up"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_until_ready(up: "subprocess.Popen[str]", home: Path) -> None:
    """Read what it says up to the ready line; it says little afterwards."""
    assert up.stdout is not None
    said = []
    for line in up.stdout:
        said.append(line)
        if line.startswith(READY):
            return
    logs = [f"{log}:\n{log.read_text()[-3000:]}" for log in home.glob("parts/*/log")]
    raise AssertionError("It did not start:\n" + "".join(said) + "\n".join(logs))
