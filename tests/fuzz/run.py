"""Runs the fuzzing of one kind of input in a process of its own, and reads what it reports."""

import json
import subprocess
import sys
from pathlib import Path

from tests.fuzz.child import Report

ROOT = Path(__file__).parents[2]


def fuzz(kind: str, seconds: float, seed: int, folder: Path) -> Report:
    """Fuzz a kind for so long. A process that was killed is a fault, with its last input named."""
    command = [sys.executable, "-m", "tests.fuzz.child", kind, str(seconds), str(seed), str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=3 * seconds + 120
    )
    if done.returncode == 0:
        return Report(**json.loads(done.stdout.splitlines()[-1]))
    last = folder / f"{kind}-current"
    why = f"ended with {done.returncode}: {done.stderr[-300:]}"
    if last.exists():
        why += f" while judging {last.rename(folder / f'{kind}-killed')}"
    return Report(kind, faults=[why])
