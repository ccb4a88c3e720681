"""Runs the tests under coverage, holds the coverage to its floor, and ends with pytest's summary.

The summary comes last so that whoever reads only the end of the output reads that.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOOR = 95
# the rooms in which every line and branch matters
HELD = ("workflows", "credentials")


def main(arguments: list[str]) -> int:
    """Run pytest with `arguments`; the exit code is pytest's, or 1 when coverage is too low."""
    code, summary = _pytest(arguments)
    # a run of chosen tests says nothing about coverage
    too_low = False if arguments else not _covered()
    print(summary, flush=True)
    return code or int(too_low)


def _pytest(arguments: list[str]) -> tuple[int, str]:
    """pytest's exit code and its last line."""
    last = ""
    # chosen tests run one after the other, all of them in two processes, file by file
    spread = [] if arguments else ["-n", "2", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", "--cov", "--cov-report=", *spread, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return tests.returncode, last


def _covered() -> bool:
    """Whether each of the held rooms reaches the floor, lines and branches together."""
    results = [_room(name) for name in HELD]
    return all(results)


def _room(name: str) -> bool:
    report = [sys.executable, "-m", "coverage", "report", f"--include={name}/*"]
    options = [f"--fail-under={FLOOR}", "--skip-covered", "--show-missing", "--precision=1"]
    reached = subprocess.run([*report, *options], cwd=ROOT, check=False).returncode == 0
    if not reached:
        print(f"Coverage of {name}/ is below {FLOOR} %.")
    return reached


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
