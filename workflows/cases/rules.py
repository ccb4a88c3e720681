"""When a case may be submitted, and what the learner is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import InvalidInput, Problem
from storage.vocabulary import EvidenceKind, EvidenceState
from workflows.cases.policy import Policy
from workflows.evidence.coverage import CoverageStatus, OutcomeCoverage

UNFINISHED = frozenset({EvidenceState.ANNOUNCED, EvidenceState.UPLOADING, EvidenceState.STORED})


@dataclass(frozen=True)
class Declaration:
    """What the learner signs at submission."""

    agreed: bool
    signed_name: str


@dataclass(frozen=True)
class ItemFacts:
    """What the rules of submission ask of an evidence item."""

    title: str
    kind: EvidenceKind
    state: EvidenceState
    own_part: str
    mapped: bool


def ready_to_submit(
    items: Sequence[ItemFacts],
    coverage: Sequence[OutcomeCoverage],
    policy: Policy,
    declaration: Declaration,
) -> None:
    """Return when the case may be submitted.

    Raises InvalidInput with everything that stands in the way, in the learner's words. Gaps in the
    evidence stand in the way only when the policy says "refuse".
    """
    problems = [*_item_problems(items), *_declaration_problems(declaration)]
    if not any(item.state is EvidenceState.SEALED for item in items):
        problems.insert(0, Problem("evidence", "Add at least one piece of evidence first."))
    if policy.on_gap == "refuse":
        problems += [
            problem
            for row in coverage
            if row.status is not CoverageStatus.COVERED
            for problem in row.missing
        ]
    if problems:
        raise InvalidInput("This case is not ready to be submitted yet.", problems=problems)


def rating_problems(
    ratings: Mapping[str, int], levels: Mapping[str, frozenset[int]]
) -> tuple[Problem, ...]:
    """What is wrong with a self-assessment: unknown outcomes, levels that do not exist."""
    return tuple(
        Problem(code, "Choose one of the levels of this outcome.")
        for code, level in ratings.items()
        if level not in levels.get(code, frozenset())
    )


def _item_problems(items: Sequence[ItemFacts]) -> list[Problem]:
    problems = []
    for item in items:
        if item.state in UNFINISHED:
            problems.append(
                Problem(
                    "evidence",
                    "“%(title)s” is not checked yet. Wait until it is sealed, or remove it.",
                    {"title": item.title},
                )
            )
        elif item.state is EvidenceState.SEALED and item.kind is not EvidenceKind.ATTESTATION:
            problems += _description_problems(item)
    return problems


def _description_problems(item: ItemFacts) -> list[Problem]:
    problems = []
    if not item.own_part.strip():
        problems.append(
            Problem(
                "evidence",
                "Say for “%(title)s” what you did yourself.",
                {"title": item.title},
            )
        )
    if not item.mapped:
        problems.append(
            Problem(
                "evidence",
                "Say for “%(title)s” which outcomes it shows.",
                {"title": item.title},
            )
        )
    return problems


def _declaration_problems(declaration: Declaration) -> list[Problem]:
    problems = []
    if not declaration.agreed:
        problems.append(Problem("agreed", "Read the declaration and tick the box to agree."))
    if len(declaration.signed_name.strip()) < 2:
        problems.append(Problem("signed_name", "Type your full name to sign."))
    return problems
