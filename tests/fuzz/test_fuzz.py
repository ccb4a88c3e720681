"""A short run of the fuzzing in `make fuzz`: whatever strangers send, a verdict comes out.

Nothing but a verdict, never “valid” for what was changed, under 2 s of processor time and 200 MB.
"""

import os
from pathlib import Path

import pytest

from tests.fuzz.child import MOST_CPU, MOST_MEMORY
from tests.fuzz.run import fuzz
from tests.fuzz.seeds import KINDS

SECONDS = float(os.environ.get("ASSAY_FUZZ_SECONDS", "0.4"))
SEED = int(os.environ.get("ASSAY_FUZZ_SEED", "1"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_ends_in_a_verdict(kind: str, tmp_path: Path) -> None:
    report = fuzz(kind, SECONDS, SEED, tmp_path)
    assert report.faults == []
    assert report.inputs > 0
    assert report.slowest < MOST_CPU
    assert report.memory < MOST_MEMORY
