"""How the few kinds of columns are made, so that every table makes them alike."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def moment() -> Any:
    """A required point in time, kept with its zone."""
    return Field(sa_type=DateTime(timezone=True))


def maybe_moment() -> Any:
    """A point in time that may not have come yet."""
    return Field(default=None, sa_type=DateTime(timezone=True), nullable=True)


def document() -> Any:
    """A JSON document."""
    return Field(sa_type=JSONB)


def maybe_document() -> Any:
    """A JSON document that may be absent: SQL's NULL then, and not JSON's own `null`."""
    return Field(default=None, sa_type=JSONB(none_as_null=True), nullable=True)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """The column holds one of the words and nothing else."""
    return CheckConstraint(f"{column} IN ({_quoted(words)})", name=f"{column}_known")


def _quoted(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word.value}'" for word in words)


__all__ = ["datetime", "document", "maybe_document", "maybe_moment", "moment", "one_of"]
