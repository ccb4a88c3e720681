"""A credential definition as typed values: what its JSON body must hold to be of use.

The body is an Open Badges Achievement with its rubric and its rules of evidence (PLAR.md 2 and 9).
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from storage.errors import InvalidInput, Problem
from storage.ids import CriterionCode, OutcomeCode
from storage.vocabulary import EvidenceKind
from workflows.canonical import canonical_json

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
"""As Open Badges 3.0 writes languages."""


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
    """The elements of the European approach that the outcomes do not say (PLAR.md 9).

    `national_level` is the level in the national framework, with its address.
    """

    workload_hours: int | None = None
    credits: float | None = None
    credit_system: str = ""
    eqf_level: int | None = Field(default=None, ge=1, le=8)
    national_level: Alignment | None = None
    field_of_study: str = ""
    assessment_type: str = ""
    participation: str = ""
    supervision: str = ""
    quality_assurance: str = ""
    prerequisites: str = ""
    grade: str = ""
    stackability: str = ""
    further_information: str = ""


class Renewal(Frozen):
    """How a credential that runs out is renewed: with fresh evidence for these outcomes.

    No outcomes named: for all of them. The holder is told so many days before.
    """

    outcomes: tuple[OutcomeCode, ...] = ()
    notice_days: int = Field(default=60, ge=1, le=730)


class StackPart(Frozen):
    """A credential definition, by its code, that this one is made of."""

    code: str = Field(min_length=1)
    title: str = Field(min_length=1)
    required: bool = True


class CriterionWords(Frozen):
    """A row of the rubric in another language: its title, and label and text of each level."""

    title: str = Field(min_length=1)
    levels: tuple[tuple[str, str], ...] = Field(min_length=2)


class Translation(Frozen):
    """A definition's words in another language: all that a credential says, nothing left out."""

    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    level: str = ""
    outcomes: Mapping[OutcomeCode, str]
    criteria: Mapping[CriterionCode, CriterionWords]
    elements: Mapping[str, str] = {}


class Definition(Frozen):
    """A credential definition, whole. `docs/definitions.md` says what each field is for.

    `language` is that of all its words. With `issue_in` “learner” a credential is issued in the
    learner's language where there is a translation; a credential is always in one language.
    """

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
    partial_statement: bool = True
    renewal: Renewal | None = None
    parts: tuple[StackPart, ...] = ()
    parts_needed: int | None = Field(default=None, ge=1)
    issue_in: Literal["definition", "learner"] = "definition"
    translations: Mapping[str, Translation] = {}

    @model_validator(mode="after")
    def _codes_once(self) -> "Definition":
        codes = [outcome.code for outcome in self.outcomes]
        rows = [criterion.code for criterion in self.criteria()]
        if len(set(codes)) != len(codes) or len(set(rows)) != len(rows):
            raise ValueError("each outcome and each criterion needs a code of its own")
        return self

    @model_validator(mode="after")
    def _renewable(self) -> "Definition":
        if self.renewal is None:
            return self
        if self.validity_months is None:
            raise ValueError("renewal needs validity_months: what never runs out is not renewed")
        for code in self.renewal.outcomes:
            if code not in {outcome.code for outcome in self.outcomes}:
                raise ValueError(f"renewal names {code}, which is no outcome of this definition")
        return self

    @model_validator(mode="after")
    def _stackable(self) -> "Definition":
        codes = [part.code for part in self.parts]
        if len(set(codes)) != len(codes) or self.code in codes:
            raise ValueError("each part must be another definition, named once")
        if self.parts_needed is not None and self.parts_needed > len(codes):
            raise ValueError("parts_needed is more than there are parts")
        return self

    @model_validator(mode="after")
    def _translated_whole(self) -> "Definition":
        for language, words in self.translations.items():
            for problem in _gaps(self, language, words):
                raise ValueError(problem)
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


def definition_body(definition: Definition) -> dict[str, object]:
    """The JSON that is kept of a definition.

    What was added to the format later stands in it only where it says something, so that the same
    definition keeps its hash.
    """
    body = definition.model_dump(mode="json")
    elements = {
        key: value for key, value in body["elements"].items() if value or key not in _LATER_ELEMENTS
    }
    kept = {key: value for key, value in body.items() if key not in _LATER or value != _LATER[key]}
    return {**kept, "elements": elements}


_LATER: Mapping[str, object] = {
    "partial_statement": True,
    "renewal": None,
    "parts": [],
    "parts_needed": None,
    "issue_in": "definition",
    "translations": {},
}
_LATER_ELEMENTS = {"credit_system", "national_level", "field_of_study", "grade", "stackability"}


def _gaps(definition: Definition, language: str, words: Translation) -> Iterator[str]:
    """What a translation leaves out, or has that the definition has not."""
    if not LANGUAGE.fullmatch(language) or language == definition.language:
        yield f"translations: “{language}” must be another language, such as fr or pt-BR"
    outcomes = {outcome.code for outcome in definition.outcomes}
    rows = {row.code: len(row.levels) for row in definition.criteria()}
    for code in sorted(outcomes ^ set(words.outcomes)):
        yield f"translations.{language}: outcome {code} must be in both, once"
    for row in sorted(rows.keys() ^ set(words.criteria)):
        yield f"translations.{language}: criterion {row} must be in both, once"
    for row, words_of_row in words.criteria.items():
        if len(words_of_row.levels) != rows[row]:
            yield f"translations.{language}: criterion {row} must have {rows[row]} levels"
    told = {key for key, value in definition.elements.model_dump().items() if _is_text(value)}
    for key in sorted(told ^ set(words.elements)):
        yield f"translations.{language}.elements: {key} must be in both, or in neither"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


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
