"""Decisions per outcome, the registrar's release, and appeals."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import AppealGround, AppealResult, OutcomeResult


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


class Appeal(Table, table=True):
    """That a learner asked for a released decision to be looked at anew, and what came of it.

    `reviewer_id`: who was appointed to answer it. `ended_at`: when it was over, which is with its
    answer or, where that leads to a new decision, with the release of that; `changed`: whether the
    new decision differs.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        one_of("result", AppealResult),
        Index(
            "ix_appeal_once",
            "decision_id",
            unique=True,
            postgresql_where=text("result IS DISTINCT FROM 'taken_back'"),
        ),
        Index(
            "ix_appeal_running", "case_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        CheckConstraint("(result IS NULL) = (answered_at IS NULL)", name="answered_has_time"),
        CheckConstraint("(reviewer_id IS NULL) = (received_at IS NULL)", name="received_has_time"),
        CheckConstraint("ended_at IS NULL OR result IS NOT NULL", name="ended_is_answered"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    decision_id: UUID = Field(foreign_key="decision.id")
    reason: str
    asked_at: datetime = moment()
    reviewer_id: UUID | None = Field(default=None, foreign_key="account.id")
    received_at: datetime | None = maybe_moment()
    result: str | None = None
    answer: str = ""
    answered_by: UUID | None = Field(default=None, foreign_key="account.id")
    answered_at: datetime | None = maybe_moment()
    ended_at: datetime | None = maybe_moment()
    changed: bool | None = None


class AppealPoint(Table, table=True):
    """What an appeal holds against the decision on one outcome."""

    __tablename__ = "appeal_point"
    __table_args__ = (one_of("ground", AppealGround),)

    appeal_id: UUID = Field(primary_key=True, foreign_key="appeal.id")
    outcome_code: str = Field(primary_key=True)
    ground: str
