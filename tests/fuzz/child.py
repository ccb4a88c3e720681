"""Run as a program: fuzzes one kind of input for a while, within limits, and reports in JSON.

`python -m tests.fuzz.child KIND SECONDS SEED FOLDER`. The input that is being judged stands in
FOLDER, so that one that kills the process is not lost.
"""

import json
import random
import re
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from credentials import pdf_child
from tests.fuzz import targets
from tests.fuzz.seeds import documents, seeds, tokens

MOST_CPU = 2.0
MOST_MEMORY = 200 * 1024 * 1024
_GIVE_UP_CPU = 20


@dataclass
class Report:
    """What a run came to. Times are processor seconds, memory is the peak in bytes."""

    kind: str
    inputs: int = 0
    slowest: float = 0.0
    memory: int = 0
    faults: list[str] = field(default_factory=list)


class Watch:
    """Asks one question after the other and writes down what each took."""

    def __init__(self, report: Report, folder: Path) -> None:
        self._report = report
        self._folder = folder
        self._current = folder / f"{report.kind}-current"

    def look(self, data: bytes, ask: targets.Ask) -> None:
        """Ask one question; what is wrong goes into the report and the input into the folder."""
        self._current.write_bytes(data)
        begun = cpu()
        try:
            ask()
        except Exception as error:  # any at all is what is looked for
            self._keep(data, f"{type(error).__name__}: {error}"[:300])
        took = cpu() - begun
        self._report.inputs += 1
        self._report.slowest = max(self._report.slowest, took)
        self._report.memory = max(self._report.memory, memory())
        if took > MOST_CPU:
            self._keep(data, f"{took:.1f} s")
        if self._report.memory > MOST_MEMORY:
            self._keep(data, f"{self._report.memory} bytes")
            self.finish()
            sys.exit(0)

    def finish(self) -> None:
        """Write the report."""
        self._current.unlink(missing_ok=True)
        print(json.dumps(asdict(self._report)))

    def _keep(self, data: bytes, what: str) -> None:
        name = f"{self._report.kind}-{len(self._report.faults):03d}"
        (self._folder / name).write_bytes(data)
        self._report.faults.append(f"{name}: {what}")


def cpu() -> float:
    """Processor seconds of this process and of those it started and ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def memory() -> int:
    """The most memory that this process, or the largest one it started, ever held at once."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if sys.platform == "darwin":
        return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children)
    # ru_maxrss of a process counts what its parent held when it was started
    return max(_high_water(), children) * 1024


def _high_water() -> int:
    [line] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line)


def forget_peak() -> None:
    """Begin to count the peak anew: what Hypothesis builds once on a new machine is not ours."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def limit(seconds: float) -> None:
    """No input may take the machine with it: beyond these the process ends."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (3 * MOST_MEMORY, 3 * MOST_MEMORY))
    most = int(cpu() + seconds) + _GIVE_UP_CPU
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))


def main(kind: str, seconds: float, seed: int, folder: Path) -> None:
    """Fuzz one kind."""
    for made in (documents, tokens):
        made()
    seeds("json" if kind in ("documents", "web") else kind)
    pdf_child.limit_qpdf()
    if kind == "documents":
        targets.hypotheses(seed, 1, lambda data, ask: None)
        forget_peak()
    limit(seconds)
    watch = Watch(Report(kind), folder)
    chance = random.Random(seed)
    until = time.monotonic() + seconds
    for data, ask in targets.asked(kind, chance):
        watch.look(data, ask)
        if kind == "documents" and chance.random() < 0.01:
            targets.hypotheses(chance.randrange(2**32), 20, watch.look)
        if time.monotonic() > until:
            break
    watch.finish()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
