"""`python -m checks`: every rule on every file of ours; prints what breaks one."""

import sys
from collections.abc import Iterator
from pathlib import Path

from checks import python_rules, template_rules
from checks.violation import Violation

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("app", "workflows", "credentials", "storage")


def everything(root: Path) -> Iterator[Violation]:
    """What the rules find in a project."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            yield from python_rules.violations(path.relative_to(root), path.read_text())
    for path in sorted((root / "templates").rglob("*.html")):
        yield from template_rules.violations(path.relative_to(root), path.read_text())


def main(root: Path = ROOT) -> int:
    """Print all violations; the exit code."""
    found = sorted(everything(root))
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
