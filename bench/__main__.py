"""`make bench`: runs every benchmark, prints a table and writes bench/results.json."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from bench import batch, credentials, intake, status
from bench.measure import Result

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Measure, print, write."""
    found = []
    print(f"{'what':32} {'value':>12} {'reference':26} {'value':>12} {'ratio':>8}  goal")
    for result in chain(credentials.results(), status.results(), batch.results(), intake.results()):
        found.append(result)
        print(line(result), flush=True)
    _write(found)


def line(result: Result) -> str:
    """A row for the eye."""
    goal = "-" if result.met is None else f"{result.goal or ''} {'met' if result.met else 'MISSED'}"
    return (
        f"{result.name:32} {result.value:>12.1f} {result.reference:26} "
        f"{result.reference_value:>12.1f} {result.ratio:>8.4f}  {goal}"
    )


def _write(found: Sequence[Result]) -> None:
    rows = [result.as_json() for result in found]
    RESULTS.write_text(json.dumps({"benchmarks": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
