"""Supervisors' statements as pages show them, in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from flask_babel import format_date
from flask_babel import gettext as _

from workflows.attestations.document import KeptStatement, identity_of_kept
from workflows.attestations.queries import Asked
from workflows.attestations.rules import (
    ANCHORS,
    DECLINE_REASONS,
    FREQUENCIES,
    RELATIONS,
    DeclineReason,
    identity_words,
)


class Step(NamedTuple):
    """A step of the scale."""

    value: int
    title: str
    descriptor: str


@dataclass(frozen=True)
class ShownStatement:
    """A statement with its words; `steps` by their value."""

    statement: KeptStatement
    steps: Mapping[int, Step]
    relation: str
    frequency: str
    identity: Sequence[str]


@dataclass(frozen=True)
class AskedRow:
    """Somebody who was asked, with why they declined and what they said."""

    asked: Asked
    why: str
    shown: ShownStatement | None


def month(text: str) -> str:
    """A month that was written as 2021-05, in words."""
    return str(format_date(date.fromisoformat(f"{text[:7]}-01"), "LLLL yyyy"))


def steps() -> list[Step]:
    """The scale, lowest first."""
    return [Step(one.value, _(one.title), _(one.descriptor)) for one in ANCHORS]


def shown_statement(kept: KeptStatement) -> ShownStatement:
    """A statement in the reader's language."""
    told = identity_words(identity_of_kept(kept))
    return ShownStatement(
        statement=kept,
        steps={step.value: step for step in steps()},
        relation=_(RELATIONS[kept.relation]),
        frequency=_(FREQUENCIES[kept.frequency]),
        identity=[_(one.message, **one.params) for one in told],
    )


def asked_rows(asked: Sequence[Asked]) -> list[AskedRow]:
    """Everyone who was asked, for the learner."""
    return [AskedRow(one, _why(one), _shown(one)) for one in asked]


def _why(asked: Asked) -> str:
    if not asked.decline_reason:
        return ""
    return str(_(DECLINE_REASONS[DeclineReason(asked.decline_reason)]))


def _shown(asked: Asked) -> ShownStatement | None:
    return shown_statement(asked.statement) if asked.statement else None
