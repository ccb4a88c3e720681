"""`make fuzz`: every kind of input for ASSAY_FUZZ_SECONDS (600), one after the other.

ASSAY_FUZZ_KINDS names some of them, ASSAY_FUZZ_SEED another beginning. What was answered wrongly is
kept in `fuzz-found/`.
"""

import os
import secrets
import sys
from pathlib import Path

from tests.fuzz.run import fuzz
from tests.fuzz.seeds import KINDS

FOUND = Path("fuzz-found")


def main() -> int:
    """One line for each kind; 1 if anything was answered wrongly."""
    seconds = float(os.environ.get("ASSAY_FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("ASSAY_FUZZ_SEED") or secrets.randbits(32))
    kinds = os.environ.get("ASSAY_FUZZ_KINDS", " ".join(KINDS)).split()
    FOUND.mkdir(exist_ok=True)
    print(f"{seconds:.0f} s each, seed {seed}", flush=True)
    wrong = 0
    for kind in kinds:
        report = fuzz(kind, seconds, seed, FOUND)
        wrong += len(report.faults)
        megabytes = report.memory / 1024 / 1024
        print(
            f"{kind:11} {report.inputs:9} inputs, slowest {report.slowest:5.2f} s, "
            f"peak {megabytes:4.0f} MB, {len(report.faults)} faults",
            flush=True,
        )
        for fault in report.faults[:10]:
            print(f"            {fault}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
