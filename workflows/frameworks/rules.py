"""What a definition must say before it may be published. Pure."""

from collections.abc import Iterator

from storage.errors import Problem
from workflows.frameworks.definition import Definition
from workflows.writing import lines, one_line

_LINES = frozenset({"title", "label", "code", "name"})
"""What is shown as one line, wherever it stands in a definition."""
MISLEADING = (
    "Write this without characters that nobody sees; a title also without line breaks, and with "
    "single plain spaces."
)


def fit_to_publish(definition: Definition) -> tuple[Problem, ...]:
    """What is missing of the elements that every credential must say; empty when none is."""
    elements = definition.elements
    needed = {
        "description": definition.description,
        "level": definition.level,
        "elements.workload_hours": elements.workload_hours,
        "elements.eqf_level": elements.eqf_level or elements.national_level,
        "elements.assessment_type": elements.assessment_type,
        "elements.participation": elements.participation,
        "elements.quality_assurance": elements.quality_assurance,
    }
    missing = [
        Problem(name, "This must be filled in.") for name, value in needed.items() if not value
    ]
    unreachable = [
        Problem(
            f"outcomes.{outcome.code}.evidence",
            "Asks for more direct items than items.",
        )
        for outcome in definition.outcomes
        if outcome.evidence.min_direct > outcome.evidence.min_items
    ]
    return (*missing, *unreachable)


def misleading_words(body: object) -> tuple[Problem, ...]:
    """What of a definition's words cannot be shown as it is, by its place; empty when all can."""
    return tuple(_misleading(body, "", ""))


def _misleading(value: object, place: str, name: str) -> Iterator[Problem]:
    if isinstance(value, str):
        fit = one_line(value) if name in _LINES else lines(value)
        if fit != value:
            yield Problem(place, MISLEADING)
    steps: list[tuple[str, object]] = []
    if isinstance(value, dict):
        steps = [(str(step), inner) for step, inner in value.items()]
    elif isinstance(value, list):
        steps = [(str(number), inner) for number, inner in enumerate(value)]
    for step, inner in steps:
        yield from _misleading(inner, f"{place}.{step}".lstrip("."), step)
