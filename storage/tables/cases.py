"""Cases, self-assessments and the manifests that submissions freeze."""

from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Sequence,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import CaseState, CoverageBasis

CASE_NUMBERS = Sequence("case_number", start=1001, metadata=Table.metadata)


class Case(Table, table=True):
    """One learner's way to one credential.

    `version` counts the changes of state; a move is a compare-and-swap on (state, version).
    `number` is what people call it by. `decision_id` is there from the decision on.
    `name_in_clear`: the learner wants their name to stand in the credential. `renews_id`: the
    credential that this case renews; its definition then asks for the outcomes that need fresh
    evidence, and no others.
    """

    __tablename__ = "plar_case"
    __table_args__ = (
        one_of("state", CaseState),
        CheckConstraint(
            "state NOT IN ('decided', 'released', 'closed', 'appeal') OR decision_id IS NOT NULL",
            name="decided_has_decision",
        ),
        CheckConstraint(
            "state IN ('draft', 'withdrawn', 'expired') OR submitted_at IS NOT NULL",
            name="submitted_has_time",
        ),
        CheckConstraint("round >= 1", name="round_positive"),
    )

    id: UUID = Field(primary_key=True)
    number: int = Field(unique=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    learner_id: UUID = Field(foreign_key="account.id", index=True)
    definition_id: UUID = Field(foreign_key="definition_version.id", index=True)
    policy_id: UUID = Field(foreign_key="policy_version.id")
    state: str = Field(index=True)
    version: int = 1
    round: int = 1
    opened_at: datetime = moment()
    submitted_at: datetime | None = maybe_moment()
    due_at: datetime | None = maybe_moment()
    closed_at: datetime | None = maybe_moment()
    note_to_learner: str = ""
    name_in_clear: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    renews_id: UUID | None = Field(
        default=None,
        sa_column=Column(
            Uuid,
            ForeignKey("credential.id", name="fk_plar_case_renews_id", use_alter=True),
            index=True,
        ),
    )
    decision_id: UUID | None = Field(
        default=None,
        sa_column=Column(
            Uuid, ForeignKey("decision.id", name="fk_plar_case_decision_id", use_alter=True)
        ),
    )


class CaseUsage(Table, table=True):
    """How many items a case holds, and how many bytes, announced ones included.

    A trigger counts (`storage/tables/guards.py`), in the transaction that adds an item, rejects or
    erases it, or learns its true size; `workflows/invariants.py` counts again.
    """

    __tablename__ = "case_usage"

    case_id: UUID = Field(primary_key=True, foreign_key="plar_case.id")
    items: int
    bytes: int = Field(sa_type=BigInteger)


class SelfRating(Table, table=True):
    """How a learner rates themselves on one outcome. It informs; it never counts."""

    __tablename__ = "self_rating"

    case_id: UUID = Field(primary_key=True, foreign_key="plar_case.id")
    outcome_code: str = Field(primary_key=True)
    level: int
    note: str = ""
    rated_at: datetime = moment()


class Manifest(Table, table=True):
    """What was submitted in one round, frozen. `digest` is the SHA-256 of the canonical JSON."""

    __tablename__ = "manifest"
    __table_args__ = (UniqueConstraint("case_id", "round"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id")
    round: int
    body: dict[str, object] = document()
    digest: str
    signed_name: str
    signed_at: datetime = moment()


class CoverageRecord(Table, table=True):
    """How the outcomes of a round stood, in words, when an act was done upon it; never changed.

    `as_of` is the day by which the age of the work was reckoned: the assessment date from the
    acceptance on, so that no later clock makes evidence older. `outcomes` is one object for each.
    """

    __tablename__ = "coverage_record"
    __table_args__ = (one_of("basis", CoverageBasis),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int
    basis: str
    as_of: date
    outcomes: list[dict[str, object]] = Field(default_factory=list, sa_type=JSONB)
    recorded_at: datetime = moment()
