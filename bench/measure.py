"""How a rate is measured, and how a row of the results looks."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

SECONDS = 3.0


@dataclass(frozen=True)
class Result:
    """One line: a value, its reference of the same run, their ratio, and the goal if there is one.

    `goal` is for the ratio; `met` says whether it was reached, or None without a goal.
    """

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float
    ratio: float
    goal: float | None
    met: bool | None

    def as_json(self) -> dict[str, object]:
        """The row as it is written to results.json."""
        return asdict(self)


def compared(
    name: str,
    unit: str,
    value: float,
    reference: str,
    reference_value: float,
    *,
    goal: float | None = None,
) -> Result:
    """A row; a goal is met when the ratio of value to reference reaches it."""
    ratio = value / reference_value
    met = None if goal is None else ratio >= goal
    return Result(
        name,
        round(value, 1),
        unit,
        reference,
        round(reference_value, 1),
        round(ratio, 4),
        goal,
        met,
    )


def rate(work: Callable[[], object], seconds: float = SECONDS) -> float:
    """How often per second the work is done, on one core."""
    work()
    count = 0
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        work()
        count += 1
    return count / took


def processor_rate(work: Callable[[], object], seconds: float = SECONDS) -> float:
    """How often per second of this process's own processor time: what else runs does not count."""
    work()
    count = 0
    began = time.process_time()
    while (took := time.process_time() - began) < seconds:
        work()
        count += 1
    return count / took
