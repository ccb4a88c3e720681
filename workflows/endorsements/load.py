"""Taking an endorsement in hand: by its id for the learner, by its link for the employer."""

from dataclasses import dataclass

from sqlmodel import select

from storage.database import Transaction
from storage.errors import NotFound
from storage.events import Who, record
from storage.ids import CaseId, CredentialId, EndorsementId, OrganisationId, OutcomeCode
from storage.tables import (
    Account,
    Case,
    Credential,
    DefinitionVersion,
    Endorsement,
    Institution,
    MailLink,
    Organisation,
)
from storage.vocabulary import LinkPurpose, Role
from workflows.access.rules import NOT_YOURS
from workflows.endorsements.mails import Around
from workflows.frameworks.definition import Definition, read_definition
from workflows.issuance.claims import read_frozen
from workflows.people.links import find_link, find_used_link
from workflows.voices import turned


@dataclass(frozen=True)
class Held:
    """An endorsement with the credential it speaks of and what is around it."""

    endorsement: Endorsement
    credential: Credential
    case: Case
    organisation: Organisation
    around: Around
    definition: Definition
    recognised: tuple[OutcomeCode, ...]

    @property
    def id(self) -> EndorsementId:
        """The endorsement's id."""
        return EndorsementId(self.endorsement.id)

    @property
    def credential_id(self) -> CredentialId:
        """The credential's id."""
        return CredentialId(self.credential.id)

    @property
    def organisation_id(self) -> OrganisationId:
        """The organisation's id."""
        return OrganisationId(self.organisation.id)

    @property
    def employer(self) -> Who:
        """The one who holds the link, as the one who acts."""
        label = f"{self.endorsement.endorser_name}, {self.organisation.name}"
        return Who(Role.EMPLOYER, label=label)


@dataclass(frozen=True)
class Subject:
    """A credential with whose it is and what it says, before anyone was asked about it."""

    credential: Credential
    case: Case
    learner: Account
    institution: Institution
    definition: Definition
    recognised: tuple[OutcomeCode, ...]


def subject(tx: Transaction, credential_id: CredentialId) -> Subject:
    """A credential and what is around it. Raises NotFound."""
    row = tx.session.exec(
        select(Credential, Case, Account, Institution).where(
            Credential.id == credential_id,
            Case.id == Credential.case_id,
            Account.id == Credential.learner_id,
            Institution.id == Credential.institution_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound(NOT_YOURS)
    credential, case, learner, institution = row
    version = tx.session.get_one(DefinitionVersion, credential.definition_id)
    recognised = read_frozen(credential.claims).outcomes
    definition = read_definition(version.body)
    return Subject(credential, case, learner, institution, definition, recognised)


def named(about: Subject, organisation: Organisation) -> Around:
    """Who an endorsement is between."""
    return Around(
        learner_name=about.learner.name,
        learner_email=about.learner.email,
        locale=about.learner.locale,
        institution=about.institution.name,
        title=about.definition.title,
        organisation=organisation.name,
    )


def hold(tx: Transaction, endorsement_id: EndorsementId) -> Held:
    """The endorsement, held until the transaction ends. Raises NotFound."""
    endorsement = tx.session.get(Endorsement, endorsement_id, with_for_update=True)
    if endorsement is None:
        raise NotFound(NOT_YOURS)
    return _held(tx, endorsement)


def look(tx: Transaction, endorsement_id: EndorsementId) -> Held:
    """The endorsement, only looked at. Raises NotFound."""
    endorsement = tx.session.get(Endorsement, endorsement_id)
    if endorsement is None:
        raise NotFound(NOT_YOURS)
    return _held(tx, endorsement)


def by_link(tx: Transaction, token: str, *, locked: bool = False) -> tuple[Held, MailLink]:
    """What a live link stands for. Raises LinkEnded."""
    link = find_link(tx, LinkPurpose.ENDORSE, token)
    found = hold if locked else look
    return found(tx, EndorsementId(link.subject_id)), link


def by_used_link(tx: Transaction, token: str, *, locked: bool = False) -> Held:
    """What a link stands for, also after it was used. Raises LinkEnded."""
    link = find_used_link(tx, LinkPurpose.ENDORSE, token)
    found = hold if locked else look
    return found(tx, EndorsementId(link.subject_id))


def turn(tx: Transaction, held: Held, act: str, who: Who, *, why: str = "") -> None:
    """Move the endorsement by an act and write it down. Raises Conflict when it moved on."""
    endorsement = held.endorsement
    endorsement.state = turned(endorsement.state, act).value
    endorsement.version += 1
    record(
        tx,
        who,
        f"{act}_endorsement",
        ("endorsement", endorsement.id),
        case_id=CaseId(held.case.id),
        why=why,
        data={"organisation": held.organisation.name},
    )


def _held(tx: Transaction, endorsement: Endorsement) -> Held:
    about = subject(tx, CredentialId(endorsement.credential_id))
    organisation = tx.session.get_one(Organisation, endorsement.organisation_id)
    return Held(
        endorsement=endorsement,
        credential=about.credential,
        case=about.case,
        organisation=organisation,
        around=named(about, organisation),
        definition=about.definition,
        recognised=about.recognised,
    )
