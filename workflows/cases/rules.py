"""When a case may be submitted, and what the learner is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import InvalidInput, Problem
from storage.vocabulary import AiUse, EvidenceKind, EvidenceState, PeopleShown
from workflows.cases.policy import Policy
from workflows.evidence.coverage import CoverageStatus, OutcomeCoverage
from workflows.evidence.rules import still_to_say
from workflows.words import marked

ASKED_OF_ITEM: Mapping[str, str] = {
    "own_part": marked("Say for “%(title)s” what you did yourself."),
    "outcomes": marked("Say for “%(title)s” which outcomes it shows."),
    "people": marked("Say for “%(title)s” whether other people can be seen or heard in it."),
    "ai": marked("Say for “%(title)s” whether AI tools had a part in it."),
}
WITH_GAPS = marked(
    "Some outcomes are thin or missing. Add what would meet them, or tick that you submit with "
    "these gaps."
)
UNFINISHED = frozenset({EvidenceState.ANNOUNCED, EvidenceState.UPLOADING, EvidenceState.STORED})


@dataclass(frozen=True)
class Declaration:
    """What the learner signs at submission. `with_gaps`: they submit although something is thin or
    missing, and know it."""

    agreed: bool
    signed_name: str
    with_gaps: bool = False


@dataclass(frozen=True)
class ItemFacts:
    """What the rules of submission ask of an evidence item."""

    title: str
    kind: EvidenceKind
    state: EvidenceState
    own_part: str
    mapped: bool
    people: PeopleShown
    ai: AiUse

    @property
    def to_say(self) -> tuple[str, ...]:
        """What the learner has still to say of it, by the fields' names."""
        return still_to_say(
            self.kind, self.own_part, mapped=self.mapped, people=self.people, ai=self.ai
        )


def ready_to_submit(
    items: Sequence[ItemFacts],
    coverage: Sequence[OutcomeCoverage],
    policy: Policy,
    declaration: Declaration,
) -> None:
    """Return when the case may be submitted.

    Raises InvalidInput with everything that stands in the way, in the learner's words. Gaps in the
    evidence stand in the way where the policy says "refuse", and else until the learner says that
    they submit with them.
    """
    problems = [*_item_problems(items), *_declaration_problems(declaration)]
    if not any(item.state is EvidenceState.SEALED for item in items):
        problems.insert(0, Problem("evidence", "Add at least one piece of evidence first."))
    gaps = [row for row in coverage if row.status is not CoverageStatus.COVERED]
    if policy.on_gap == "refuse":
        problems += [problem for row in gaps for problem in row.missing]
    elif gaps and not declaration.with_gaps:
        problems.append(Problem("with_gaps", WITH_GAPS))
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
            problems += [
                Problem("evidence", ASKED_OF_ITEM[name], {"title": item.title})
                for name in item.to_say
            ]
    return problems


def _declaration_problems(declaration: Declaration) -> list[Problem]:
    problems = []
    if not declaration.agreed:
        problems.append(Problem("agreed", "Read the declaration and tick the box to agree."))
    if len(declaration.signed_name.strip()) < 2:
        problems.append(Problem("signed_name", "Type your full name to sign."))
    return problems
