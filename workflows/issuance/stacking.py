"""Definitions made of definitions: what stands beside what, and how far a learner has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from credentials.claims import RelatedClaim
from storage.database import Transaction
from storage.ids import AccountId, CredentialId, DefinitionId, InstitutionId
from storage.tables import Credential, DefinitionVersion
from storage.vocabulary import CredentialState
from workflows.frameworks.definition import Definition, StackPart, read_definition
from workflows.issuance.addresses import Site


@dataclass(frozen=True)
class PartHeld:
    """A part of a definition, and the credential in force that the learner has for it."""

    code: str
    title: str
    required: bool
    credential_id: CredentialId | None

    @property
    def held(self) -> bool:
        """Whether the learner has it."""
        return self.credential_id is not None


@dataclass(frozen=True)
class Progress:
    """How far a learner has come with a definition that is made of others."""

    code: str
    title: str
    parts: tuple[PartHeld, ...]
    needed: int

    @property
    def held(self) -> int:
        """How many of the parts they have."""
        return sum(part.held for part in self.parts)

    @property
    def complete(self) -> bool:
        """Whether they have all required parts, and as many as are needed."""
        required = all(part.held for part in self.parts if part.required)
        return required and self.held >= self.needed


def progress(definition: Definition, held: Mapping[str, CredentialId]) -> Progress:
    """How far somebody with these credentials (by code) has come. Pure."""
    return Progress(
        code=definition.code,
        title=definition.title,
        parts=tuple(_part(part, held.get(part.code)) for part in definition.parts),
        needed=parts_needed(definition),
    )


def parts_needed(definition: Definition) -> int:
    """How many parts there must be: as the definition says, else all that are required."""
    required = sum(part.required for part in definition.parts)
    return max(required, definition.parts_needed or 0)


def stacks_for(tx: Transaction, learner_id: AccountId) -> tuple[Progress, ...]:
    """For each offered definition that is made of others and of which the learner has a part."""
    held = held_codes(tx, learner_id)
    found = [progress(one, held) for one in _offered(tx) if one.parts]
    return tuple(one for one in found if one.held)


def held_codes(tx: Transaction, learner_id: AccountId) -> Mapping[str, CredentialId]:
    """The codes of the whole credentials in force that a learner has."""
    rows = tx.session.exec(
        select(DefinitionVersion.code, Credential.id)
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Credential.definition_id))
        .where(
            Credential.learner_id == learner_id,
            Credential.state == CredentialState.PUBLISHED.value,
            col(Credential.whole).is_(True),
        )
        .order_by(col(Credential.created_at))
    ).all()
    return {code: CredentialId(credential_id) for code, credential_id in rows}


def related_of(
    tx: Transaction,
    site: Site,
    institution_id: InstitutionId,
    versions: Mapping[UUID, Definition],
) -> Mapping[UUID, tuple[RelatedClaim, ...]]:
    """By version: the published definitions it is made of, and those that are made of it."""
    published = _published(tx, institution_id)
    return {
        version_id: _related(site, definition, published)
        for version_id, definition in versions.items()
    }


@dataclass(frozen=True)
class _Published:
    id: DefinitionId
    content_hash: str
    definition: Definition


def _related(
    site: Site, definition: Definition, published: Sequence[_Published]
) -> tuple[RelatedClaim, ...]:
    parts = {part.code for part in definition.parts}
    return tuple(
        RelatedClaim(site.achievement(one.id), one.definition.language, one.content_hash[:12])
        for one in published
        if one.definition.code in parts
        or definition.code in {part.code for part in one.definition.parts}
    )


def _part(part: StackPart, credential_id: CredentialId | None) -> PartHeld:
    return PartHeld(part.code, part.title, part.required, credential_id)


def _offered(tx: Transaction) -> Sequence[Definition]:
    return [read_definition(row.body) for row in _rows(tx, None)]


def _published(tx: Transaction, institution_id: InstitutionId) -> Sequence[_Published]:
    return [
        _Published(DefinitionId(row.id), row.content_hash, read_definition(row.body))
        for row in _rows(tx, institution_id)
    ]


def _rows(tx: Transaction, institution_id: InstitutionId | None) -> Sequence[DefinitionVersion]:
    query = select(DefinitionVersion).where(
        col(DefinitionVersion.published_at).is_not(None),
        col(DefinitionVersion.retired_at).is_(None),
    )
    if institution_id is not None:
        query = query.where(DefinitionVersion.institution_id == institution_id)
    return tx.session.exec(query.order_by(DefinitionVersion.title)).all()
