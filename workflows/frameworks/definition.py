"""A credential definition as typed values: what its JSON body must hold to be of use.

The body is an Open Badges Achievement with its rubric and its rules of evidence (PLAR.md 2 and 9).
"""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from storage.errors import InvalidInput, Problem
from storage.ids import CriterionCode, OutcomeCode
from storage.vocabulary import EvidenceKind
from workflows.canonical import canonical_json


class Frozen(BaseModel):
    """Values do not change, and nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(Frozen):
    """An ordered, described step of a criterion. `value` counts from 1."""

    value: int = Field(ge=1)
    label: str = Field(min_length=1)
    descriptor: str = Field(min_length=1)


class Criterion(Frozen):
    """A row of the rubric. `threshold` is the lowest level that passes."""

    code: CriterionCode
    title: str = Field(min_length=1)
    levels: tuple[Level, ...] = Field(min_length=2)
    threshold: int

    @model_validator(mode="after")
    def _ordered(self) -> "Criterion":
        values = [level.value for level in self.levels]
        if values != list(range(values[0], values[0] + len(values))):
            raise ValueError("levels must be numbered one after the other, from low to high")
        if self.threshold not in values:
            raise ValueError("the threshold must be one of the levels")
        return self

    def level(self, value: int) -> Level:
        """The level with this value. Raises KeyError when there is none."""
        for level in self.levels:
            if level.value == value:
                return level
        raise KeyError(value)


class EvidenceRule(Frozen):
    """What an outcome needs: so many items, so many of them direct, of these kinds."""

    min_items: int = Field(ge=0)
    min_direct: int = Field(ge=0)
    kinds: tuple[EvidenceKind, ...] = Field(min_length=1)


class Alignment(Frozen):
    """A place in somebody else's framework."""

    framework: str
    label: str
    uri: str


class Outcome(Frozen):
    """What a learner knows or can do, and how it is shown and judged."""

    code: OutcomeCode
    statement: str = Field(min_length=1)
    mandatory: bool = True
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    evidence: EvidenceRule
    currency_months: int | None = Field(default=None, ge=1)
    alignments: tuple[Alignment, ...] = ()
    attestation_item: str = ""


class Elements(Frozen):
    """The elements of the European approach that the outcomes do not say (PLAR.md 9)."""

    workload_hours: int | None = None
    credits: float | None = None
    eqf_level: int | None = Field(default=None, ge=1, le=8)
    assessment_type: str = ""
    participation: str = ""
    supervision: str = ""
    quality_assurance: str = ""
    prerequisites: str = ""
    further_information: str = ""


class Definition(Frozen):
    """A credential definition, whole."""

    code: str = Field(min_length=1)
    title: str = Field(min_length=1)
    description: str = ""
    noc: str = ""
    esco_occupation: str = ""
    validity_months: int | None = None
    level: str = ""
    language: str = "en"
    fee: str = ""
    usual_days: int | None = None
    elements: Elements = Elements()
    outcomes: tuple[Outcome, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_once(self) -> "Definition":
        codes = [outcome.code for outcome in self.outcomes]
        rows = [criterion.code for criterion in self.criteria()]
        if len(set(codes)) != len(codes) or len(set(rows)) != len(rows):
            raise ValueError("each outcome and each criterion needs a code of its own")
        return self

    def criteria(self) -> tuple[Criterion, ...]:
        """All rows of the rubric, in order."""
        return tuple(criterion for outcome in self.outcomes for criterion in outcome.criteria)

    def outcome(self, code: str) -> Outcome:
        """The outcome with this code. Raises KeyError when there is none."""
        for outcome in self.outcomes:
            if outcome.code == code:
                return outcome
        raise KeyError(code)

    def criterion(self, code: str) -> Criterion:
        """The criterion with this code. Raises KeyError when there is none."""
        for criterion in self.criteria():
            if criterion.code == code:
                return criterion
        raise KeyError(code)


def read_definition(body: Mapping[str, object]) -> Definition:
    """The typed values of a definition's body. Raises InvalidInput naming each fault's place."""
    return _read(canonical_json(body))


@lru_cache(maxsize=256)
def _read(body: bytes) -> Definition:
    try:
        return Definition.model_validate_json(body)
    except ValidationError as error:
        problems = [
            Problem(".".join(str(step) for step in fault["loc"]), fault["msg"])
            for fault in error.errors()
        ]
        raise InvalidInput("This credential definition cannot be used.", problems=problems) from (
            error
        )
