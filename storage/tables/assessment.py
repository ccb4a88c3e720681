"""Assessors on a case: assignments, conflict declarations, score sheets, agreement."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, document, maybe_moment, moment, one_of
from storage.vocabulary import (
    AgreementRule,
    AssignmentState,
    ConflictAnswer,
    OverrideAnswer,
    SheetState,
)


class Assignment(Table, table=True):
    """An assessor's place on one round of a case. `seat` is 1, 2, or 3 for the third assessor."""

    __tablename__ = "assignment"
    __table_args__ = (
        one_of("state", AssignmentState),
        one_of("conflict", ConflictAnswer),
        Index(
            "ix_assignment_seat",
            "case_id",
            "round",
            "seat",
            unique=True,
            postgresql_where=text("state NOT IN ('declined', 'excluded')"),
        ),
        Index("ix_assignment_person", "case_id", "round", "assessor_id", unique=True),
        CheckConstraint("seat BETWEEN 1 AND 3", name="seat_known"),
        CheckConstraint(
            "state <> 'cleared' OR (conflict IS NOT NULL AND declared_at IS NOT NULL"
            " AND (conflict <> 'yes' OR override_id IS NOT NULL))",
            name="cleared_has_declared",
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int
    seat: int
    assessor_id: UUID = Field(foreign_key="account.id", index=True)
    state: str
    offered_at: datetime = moment()
    offered_by: UUID = Field(foreign_key="account.id")
    conflict: str | None = None
    conflict_detail: str = ""
    declared_at: datetime | None = maybe_moment()
    settled_by: UUID | None = Field(default=None, foreign_key="account.id")
    settled_why: str = ""
    settled_at: datetime | None = maybe_moment()
    decline_reason: str = ""
    criteria: list[str] = document()
    override_id: UUID | None = Field(default=None, foreign_key="conflict_override.id")


class ConflictOverride(Table, table=True):
    """That an assessor may assess a case in spite of a conflict: proposed by one person, confirmed
    or refused by a second. `about`: what bars the assessor, in words."""

    __tablename__ = "conflict_override"
    __table_args__ = (
        one_of("answer", OverrideAnswer),
        CheckConstraint(
            "proposed_by <> assessor_id AND answered_by <> proposed_by"
            " AND answered_by <> assessor_id",
            name="two_keys",
        ),
        CheckConstraint("why <> ''", name="has_reason"),
        CheckConstraint(
            "(answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_at IS NULL)"
            " AND (answer IS NULL) = (answered_why = '')",
            name="answered_whole",
        ),
        Index(
            "ix_conflict_override_waiting",
            "case_id",
            "round",
            "assessor_id",
            unique=True,
            postgresql_where=text("answer IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int
    assessor_id: UUID = Field(foreign_key="account.id", index=True)
    about: list[str] = document()
    why: str
    proposed_by: UUID = Field(foreign_key="account.id")
    proposed_at: datetime = moment()
    answer: str | None = None
    answered_by: UUID | None = Field(default=None, foreign_key="account.id")
    answered_why: str = ""
    answered_at: datetime | None = maybe_moment()


class ScoreSheet(Table, table=True):
    """One assessor's scores. It keeps the hash of the definition version it is scored with."""

    __tablename__ = "score_sheet"
    __table_args__ = (
        one_of("state", SheetState),
        Index(
            "ix_score_sheet_open",
            "case_id",
            "assessor_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state = 'open' OR finalised_at IS NOT NULL", name="final_has_time"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    assignment_id: UUID = Field(foreign_key="assignment.id", unique=True)
    assessor_id: UUID = Field(foreign_key="account.id", index=True)
    round: int
    seat: int
    definition_hash: str
    state: str
    version: int = 1
    opened_at: datetime = moment()
    finalised_at: datetime | None = maybe_moment()


class Score(Table, table=True):
    """A level, or "not assessed" (`level` is null), with its reason.

    `decided` is false while only a reason was typed so far.
    """

    __tablename__ = "score"
    __table_args__ = (CheckConstraint("decided OR level IS NULL", name="level_is_decided"),)

    sheet_id: UUID = Field(primary_key=True, foreign_key="score_sheet.id")
    criterion_code: str = Field(primary_key=True)
    decided: bool = True
    level: int | None = None
    reason: str = ""
    scored_at: datetime = moment()


class Agreement(Table, table=True):
    """What became of one criterion: the rule that fired and the agreed level, null while open."""

    __tablename__ = "agreement"
    __table_args__ = (
        one_of("rule", AgreementRule),
        UniqueConstraint("case_id", "round", "criterion_code"),
        CheckConstraint("settled OR level IS NULL", name="open_has_no_level"),
        CheckConstraint(
            "rule <> 'moderated' OR (moderator_id IS NOT NULL AND why <> '')",
            name="moderated_is_signed",
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    round: int
    criterion_code: str
    rule: str
    rule_version: str
    level: int | None = None
    settled: bool
    levels: list[int | None] = document()
    moderator_id: UUID | None = Field(default=None, foreign_key="account.id")
    why: str = ""
    at: datetime = moment()
