"""Definitions for pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import DefinitionId, InstitutionId
from storage.tables import DefinitionVersion, Institution
from workflows.frameworks.definition import Definition, read_definition


@dataclass(frozen=True)
class Offered:
    """A published definition, with its version's id and content hash."""

    id: DefinitionId
    content_hash: str
    definition: Definition


def catalogue(tx: Transaction) -> Sequence[Offered]:
    """Everything that can be applied for, by title."""
    rows = tx.session.exec(
        select(DefinitionVersion)
        .where(
            col(DefinitionVersion.published_at).is_not(None),
            col(DefinitionVersion.retired_at).is_(None),
        )
        .order_by(DefinitionVersion.title)
    ).all()
    return [_offered(row) for row in rows]


def offered(tx: Transaction, code: str) -> Offered:
    """The published version with this code. Raises NotFound."""
    row = tx.session.exec(
        select(DefinitionVersion).where(
            DefinitionVersion.code == code,
            col(DefinitionVersion.published_at).is_not(None),
            col(DefinitionVersion.retired_at).is_(None),
        )
    ).first()
    if row is None:
        raise NotFound("There is no such credential in the catalogue.")
    return _offered(row)


def definition_of(tx: Transaction, definition_id: DefinitionId) -> Definition:
    """The definition of a version. Raises NotFound."""
    row = tx.session.get(DefinitionVersion, definition_id)
    if row is None:
        raise NotFound("There is no such credential definition.")
    return read_definition(row.body)


def the_institution(tx: Transaction) -> Institution | None:
    """The institution of this installation; None before it is set up."""
    return tx.session.exec(select(Institution).order_by(col(Institution.created_at))).first()


def institution_id(tx: Transaction) -> InstitutionId:
    """The id of this installation's institution. Raises NotFound before it is set up."""
    institution = the_institution(tx)
    if institution is None:
        raise NotFound("No institution is set up here yet.")
    return InstitutionId(institution.id)


def _offered(row: DefinitionVersion) -> Offered:
    return Offered(DefinitionId(row.id), row.content_hash, read_definition(row.body))
