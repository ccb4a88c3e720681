"""A renewed credential: what fresh evidence shows, and what stays of the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import CriterionCode, DefinitionId
from storage.tables import Case, Credential, DefinitionVersion
from storage.vocabulary import CredentialState
from workflows.frameworks.definition import Definition, read_definition
from workflows.issuance.claims import Facts, FrozenCredential, read_frozen
from workflows.issuance.rules import Reason
from workflows.words import marked

NOT_IN_FORCE = marked("The credential that this renews is not in force: nothing is issued from it.")


@dataclass(frozen=True)
class Renewed:
    """The credential that is renewed, as it was frozen, with the definition it was issued by."""

    definition_id: DefinitionId
    content_hash: str
    definition: Definition
    frozen: FrozenCredential


def renewed_by(tx: Transaction, cases: Sequence[Case]) -> Mapping[UUID, Renewed]:
    """By case: the credential that it renews. One statement, none where no case renews one."""
    renews = {case.id: case.renews_id for case in cases if case.renews_id is not None}
    if not renews:
        return {}
    rows = tx.session.exec(
        select(Credential, DefinitionVersion)
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Credential.definition_id))
        .where(col(Credential.id).in_(set(renews.values())))
    ).all()
    found = {
        credential.id: Renewed(
            DefinitionId(version.id),
            version.content_hash,
            read_definition(version.body),
            read_frozen(credential.claims),
        )
        for credential, version in rows
    }
    return {case_id: found[credential_id] for case_id, credential_id in renews.items()}


def taken_back(tx: Transaction, case: Case) -> bool:
    """Whether the credential that a case renews is out of force: nothing of it may be carried over.

    Where another took its place, that one counts.
    """
    held = tx.session.get(Credential, case.renews_id) if case.renews_id is not None else None
    while held is not None and held.public_reason == Reason.REPLACED:
        held = tx.session.exec(select(Credential).where(Credential.replaces_id == held.id)).first()
    return held is not None and held.state != CredentialState.PUBLISHED


def with_what_stays(facts: Facts, before: Renewed) -> Facts:
    """The facts of the whole credential: outcomes without fresh evidence stay as they were."""
    claims = before.frozen.credential_claims()
    address = facts.site.credential(facts.credential_id)
    carried = {
        CriterionCode(result.criterion_id.rpartition("#")[2]): int(
            result.level_id.rpartition("-")[2]
        )
        for result in claims.results
    }
    return replace(
        facts,
        definition_id=before.definition_id,
        definition_hash=before.content_hash,
        definition=before.definition,
        recognised=facts.recognised | frozenset(before.frozen.outcomes),
        levels={**carried, **facts.levels},
        stays=tuple(
            replace(item, id=f"{address}/evidence/{item.id.rpartition('/')[2]}")
            for item in claims.evidence
        ),
        stays_of=before.frozen.items,
    )
