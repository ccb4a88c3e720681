"""What a definition must say before it may be published. Pure."""

from storage.errors import Problem
from workflows.frameworks.definition import Definition


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
