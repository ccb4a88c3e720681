"""Taking in credential definitions and policies, and publishing a definition."""

from collections.abc import Mapping

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import InvalidInput, NotFound
from storage.events import Who, record
from storage.ids import DefinitionId, InstitutionId, PolicyId, new_id
from storage.tables import DefinitionVersion, PolicyVersion
from workflows.canonical import content_hash
from workflows.cases.policy import Policy, policy_body
from workflows.frameworks.definition import Definition, definition_body, read_definition
from workflows.frameworks.rules import fit_to_publish, misleading_words


@command
def import_definition(
    db: Database, who: Who, institution_id: InstitutionId, body: Mapping[str, object]
) -> DefinitionId:
    """Keep a definition as a version of its own; the same content twice is one version.

    Raises InvalidInput naming each place at fault.
    """
    definition = read_definition(body)
    if problems := misleading_words(definition_body(definition)):
        raise InvalidInput("This credential definition cannot be used.", problems=problems)
    with db.transaction() as tx:
        return DefinitionId(keep_definition(tx, who, institution_id, definition).id)


def keep_definition(
    tx: Transaction, who: Who, institution_id: InstitutionId, definition: Definition
) -> DefinitionVersion:
    """The version with this content, which is kept when there is none yet."""
    kept = definition_body(definition)
    digest = content_hash(kept)
    known = tx.session.exec(
        select(DefinitionVersion).where(
            DefinitionVersion.institution_id == institution_id,
            DefinitionVersion.code == definition.code,
            DefinitionVersion.content_hash == digest,
        )
    ).one_or_none()
    if known is not None:
        return known
    version = DefinitionVersion(
        id=new_id(),
        institution_id=institution_id,
        code=definition.code,
        title=definition.title,
        content_hash=digest,
        body=kept,
        created_at=tx.now,
    )
    tx.session.add(version)
    tx.session.flush()
    record(tx, who, "import_definition", ("definition", version.id), data={"hash": digest})
    return version


@command
def publish_definition(db: Database, who: Who, definition_id: DefinitionId) -> None:
    """Show a version in the catalogue; older versions of the same code leave it.

    Cases that are open keep the version they were opened with. Raises NotFound, and InvalidInput
    when one of the elements that a credential must say is not filled (PLAR.md 9).
    """
    with db.transaction() as tx:
        version = tx.session.get(DefinitionVersion, definition_id, with_for_update=True)
        if version is None:
            raise NotFound("There is no such credential definition.")
        problems = fit_to_publish(read_definition(version.body))
        if problems:
            raise InvalidInput("This definition cannot be published yet.", problems=problems)
        _retire_others(tx, version)
        version.published_at = version.published_at or tx.now
        version.retired_at = None
        record(tx, who, "publish_definition", ("definition", version.id))


@command
def import_policy(
    db: Database, who: Who, institution_id: InstitutionId, policy: Policy
) -> PolicyId:
    """Keep a version of the institution's rules: that of the cases opened from now on."""
    body = policy_body(policy)
    digest = content_hash(body)
    with db.transaction() as tx:
        known = tx.session.exec(
            select(PolicyVersion).where(
                PolicyVersion.institution_id == institution_id,
                PolicyVersion.content_hash == digest,
            )
        ).one_or_none()
        if known is not None:
            return PolicyId(known.id)
        version = PolicyVersion(
            id=new_id(),
            institution_id=institution_id,
            content_hash=digest,
            body=body,
            created_at=tx.now,
        )
        tx.session.add(version)
        record(tx, who, "import_policy", ("policy", version.id), data={"hash": digest})
        return PolicyId(version.id)


def _retire_others(tx: Transaction, version: DefinitionVersion) -> None:
    others = tx.session.exec(
        select(DefinitionVersion).where(
            DefinitionVersion.institution_id == version.institution_id,
            DefinitionVersion.code == version.code,
            DefinitionVersion.id != version.id,
            col(DefinitionVersion.published_at).is_not(None),
            col(DefinitionVersion.retired_at).is_(None),
        )
    ).all()
    for other in others:
        other.retired_at = tx.now
