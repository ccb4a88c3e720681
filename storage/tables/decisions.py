"""Decisions per outcome, and the registrar's release."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import OutcomeResult


class Decision(Table, table=True):
    """What was decided of one round of a case. One live decision a round."""

    __tablename__ = "decision"
    __table_args__ = (
        Index(
            "ix_decision_live",
            "case_id",
            "round",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        CheckConstraint(
            "released_by IS NULL OR released_by <> decider_id", name="released_by_another"
        ),
        CheckConstraint("(released_by IS NULL) = (released_at IS NULL)", name="released_has_time"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int
    decider_id: UUID = Field(foreign_key="account.id")
    decided_at: datetime = moment()
    summary: str
    gap_plan: list[dict[str, object]] = document()
    replaced_at: datetime | None = maybe_moment()
    released_by: UUID | None = Field(default=None, foreign_key="account.id")
    released_at: datetime | None = maybe_moment()


class OutcomeDecision(Table, table=True):
    """What was decided of one outcome, with its level where it was recognised."""

    __tablename__ = "outcome_decision"
    __table_args__ = (
        one_of("result", OutcomeResult),
        CheckConstraint("result <> 'recognised' OR level IS NOT NULL", name="recognised_has_level"),
        CheckConstraint("result = 'recognised' OR level IS NULL", name="unmet_has_no_level"),
    )

    decision_id: UUID = Field(primary_key=True, foreign_key="decision.id")
    outcome_code: str = Field(primary_key=True)
    result: str
    level: int | None = None
    reason: str = ""
