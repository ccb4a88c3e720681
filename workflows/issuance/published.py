"""What verifiers ask this site for, straight from the database: for pages and our own verifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from credentials.documents import dump_json
from credentials.errors import CannotFetch
from credentials.fetching import Fetcher
from credentials.openbadges import build_achievement
from credentials.verify import Verdict, verify
from storage.database import Database, Transaction
from storage.errors import NotFound
from storage.ids import CredentialId, DefinitionId, EndorsementId, InstitutionId, OrganisationId
from storage.tables import DefinitionVersion, Endorsement, Institution, Organisation, StatusList
from workflows.access.rules import NOT_YOURS
from workflows.appearance.queries import worn_picture
from workflows.endorsements.rules import is_public
from workflows.frameworks.definition import Definition, read_definition
from workflows.issuance.addresses import Site
from workflows.issuance.claims import achievement_claims, issuer_profile
from workflows.issuance.keys import did_document
from workflows.issuance.queries import CredentialView, public_credential
from workflows.issuance.stacking import related_of
from workflows.issuance.tokens import published_token_key
from workflows.vcapi.queries import published_api_list


def published_list(tx: Transaction, list_id: UUID) -> bytes:
    """The signed status list. Raises NotFound."""
    status_list = tx.session.get(StatusList, list_id)
    if status_list is None or status_list.document is None:
        raise NotFound("There is no such status list.")
    return status_list.document.encode()


def institution_did(tx: Transaction, site: Site) -> bytes:
    """The institution's DID document. Raises NotFound before it is set up."""
    institution = tx.session.exec(select(Institution).order_by(col(Institution.created_at))).first()
    if institution is None:
        raise NotFound("No institution is set up here yet.")
    return dump_json(did_document(tx, site, InstitutionId(institution.id)))


def organisation_did(tx: Transaction, site: Site, organisation_id: OrganisationId) -> bytes:
    """The DID document of an organisation whose key the institution keeps. Raises NotFound."""
    organisation = tx.session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound("There is no such organisation.")
    institution_id = InstitutionId(organisation.institution_id)
    return dump_json(did_document(tx, site, institution_id, organisation_id))


@dataclass(frozen=True)
class Achievement:
    """A version of a credential definition, as a page and as the document at its address."""

    id: DefinitionId
    definition: Definition
    institution: str
    colour: str
    accent: str
    logo: bytes
    offered: bool
    document: bytes


def achievement(tx: Transaction, site: Site, definition_id: DefinitionId) -> Achievement:
    """The version that credentials point to; it stays when it is offered no more.

    Raises NotFound, also for one that was never published.
    """
    row = tx.session.exec(
        select(DefinitionVersion, Institution)
        .join(Institution, col(Institution.id) == col(DefinitionVersion.institution_id))
        .where(DefinitionVersion.id == definition_id)
    ).one_or_none()
    if row is None or row[0].published_at is None:
        raise NotFound("There is no such achievement.")
    version, institution = row
    definition = read_definition(version.body)
    profile = issuer_profile(institution, site)
    owner = InstitutionId(version.institution_id)
    claims = achievement_claims(
        site,
        definition_id,
        version.content_hash,
        definition,
        profile,
        related=related_of(tx, site, owner, {definition_id: definition})[definition_id],
    )
    return Achievement(
        id=definition_id,
        definition=definition,
        institution=institution.name,
        colour=str(institution.profile.get("colour", "")),
        accent=str(institution.profile.get("accent", "")),
        logo=worn_picture(tx, institution.profile),
        offered=version.retired_at is None,
        document=dump_json(build_achievement(claims)),
    )


def endorsement_document(tx: Transaction, endorsement_id: EndorsementId) -> bytes:
    """The signed endorsement, where the learner shows it and the giver lets it be seen.

    A withdrawn one stays readable: its status says that it was withdrawn. Raises NotFound.
    """
    endorsement = tx.session.get(Endorsement, endorsement_id)
    if endorsement is None or endorsement.document is None or not is_public(endorsement):
        raise NotFound("There is no such endorsement.")
    return endorsement.document.encode()


def endorsement_documents(tx: Transaction, credential_id: CredentialId) -> Mapping[str, bytes]:
    """The endorsements that stand on a credential's page, each by its id."""
    rows = tx.session.exec(
        select(Endorsement)
        .where(Endorsement.credential_id == credential_id, col(Endorsement.document).is_not(None))
        .order_by(col(Endorsement.given_at))
    ).all()
    return {str(row.id): row.document.encode() for row in rows if row.document and is_public(row)}


def own_documents(tx: Transaction, site: Site, address: str) -> bytes | None:
    """What this site answers at an address of its own that a verifier may ask for; None elsewhere.

    Raises CannotFetch when it is ours and not there.
    """
    path = site.path_of(address)
    if path is None:
        return None
    try:
        return _at_path(tx, site, path)
    except (NotFound, ValueError):
        raise CannotFetch("%(url)s is not there.", url=address) from None


def local_fetcher(db: Database, site: Site, elsewhere: Fetcher) -> Fetcher:
    """A fetcher that reads our own documents from the database and others through `elsewhere`."""

    def fetch(url: str, /) -> bytes:
        with db.reading() as tx:
            own = own_documents(tx, site, url)
        return own if own is not None else elsewhere(url)

    return fetch


def verify_own(db: Database, site: Site, view: CredentialView, elsewhere: Fetcher) -> Verdict:
    """The verdict that a stranger would come to on a credential of ours, with its endorsements."""
    with db.reading() as tx:
        endorsements = endorsement_documents(tx, view.id)
    return verify(
        view.document,
        fetch=local_fetcher(db, site, elsewhere),
        now=db.clock.now(),
        endorsements=tuple(endorsements.values()),
    )


def _at_path(tx: Transaction, site: Site, path: str) -> bytes:
    steps = path.strip("/").split("/")
    keys = _keys_at(tx, site, steps)
    if keys is not None:
        return keys
    match steps:
        case [*before, "status", list_id] if before in ([], ["vc"]):
            read = published_api_list if before else published_list
            return read(tx, UUID(list_id))
        case ["endorsements", endorsement_id]:
            return endorsement_document(tx, EndorsementId(UUID(endorsement_id)))
        case ["credentials", credential_id]:
            found = CredentialId(UUID(credential_id.removesuffix(".json")))
            return public_credential(tx, site, found).document
        case ["achievements", definition_id]:
            return achievement(tx, site, DefinitionId(UUID(definition_id))).document
        case _:
            raise NotFound(NOT_YOURS)


def _keys_at(tx: Transaction, site: Site, steps: list[str]) -> bytes | None:
    """What says whose keys are whose; None where other things are."""
    match steps:
        case [".well-known", "did.json"]:
            return institution_did(tx, site)
        case ["organisations", organisation_id, "did.json"]:
            return organisation_did(tx, site, OrganisationId(UUID(organisation_id)))
        case ["keys", key_id]:
            return published_token_key(tx, UUID(key_id))
        case _:
            return None
