"""Installs hashed requirements and shows how far it is; quiet but for that unless it fails.

Runs in a fresh virtual environment, so it uses the standard library only.
"""

import re
import subprocess
import sys
from collections import deque
from pathlib import Path

WORDS_KEPT = 30


def main(requirements: str) -> int:
    """Install one requirements file; pip's exit code."""
    total = len(re.findall(r"^[a-z0-9].*==", Path(requirements).read_text(), re.M | re.I))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--require-hashes", "-r", requirements]
    said: deque[str] = deque(maxlen=WORDS_KEPT)
    collected = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if line.startswith(("Collecting", "Requirement already")):
                collected += 1
                show(f"  {collected} of about {total} packages", last=False)
            elif line.startswith("Installing collected"):
                show("  all are here; unpacking", last=True)
    if pip.returncode:
        print(f"Could not install {requirements}. pip said:\n{''.join(said)}", file=sys.stderr)
    return pip.returncode


def show(line: str, *, last: bool) -> None:
    """A line that replaces the one before on a terminal; elsewhere only what is last."""
    if sys.stdout.isatty():
        print(f"\r{line:<60}", end="\n" if last else "", flush=True)
    elif last:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
