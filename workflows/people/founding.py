"""Setting up an installation: the institution, and the people it starts with."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlmodel import select

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import SYSTEM, record
from storage.ids import AccountId, InstitutionId, new_id
from storage.tables import Account, Competence, Institution
from storage.vocabulary import LinkPurpose, Role
from workflows.people.accounts import (
    INVITATION_LIFETIME,
    AddressOf,
    account_of,
    give_role,
    live_grant,
    new_account,
)
from workflows.people.addresses import read_address
from workflows.people.letters import write_invitation
from workflows.people.links import make_link
from workflows.people.rules import read_name


@dataclass(frozen=True)
class Founding:
    """What a credential will say of the institution. `country`: ISO 3166-1 alpha-2."""

    slug: str
    name: str
    country: str
    url: str
    email: str
    profile: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Appointment:
    """Someone who is there from the start. `competences`: codes of credential definitions."""

    name: str
    email: str
    roles: Collection[Role]
    employer: str = ""
    locale: str = "en"
    competences: Collection[str] = ()


@command
def found_institution(db: Database, founding: Founding) -> InstitutionId:
    """Set up the institution of this installation; a second time, with the same slug, is the first.

    Raises Conflict when another institution is here already, InvalidInput.
    """
    email = read_address(founding.email)
    with db.transaction() as tx:
        here = tx.session.exec(select(Institution)).first()
        if here is not None:
            if here.slug != founding.slug:
                raise Conflict("Another institution is set up here already.")
            return InstitutionId(here.id)
        institution = Institution(
            id=new_id(),
            slug=founding.slug,
            name=read_name(founding.name),
            country=founding.country.upper(),
            url=founding.url,
            email=email,
            profile=founding.profile,
            created_at=tx.now,
        )
        tx.session.add(institution)
        record(tx, SYSTEM, "found_institution", ("institution", institution.id))
        return InstitutionId(institution.id)


@command
def appoint(
    db: Database,
    institution_id: InstitutionId,
    appointment: Appointment,
    *,
    address_of: AddressOf | None = None,
    is_demo: bool = False,
) -> AccountId:
    """Give someone an account and roles; with `address_of` they are mailed a link to come in.

    Roles that are held already stay as they are. Raises InvalidInput.
    """
    name, email = read_name(appointment.name), read_address(appointment.email)
    with db.transaction() as tx:
        account = account_of(tx, email)
        if account is None:
            account = new_account(tx, name, email, appointment.locale, appointment.employer)
            account.is_demo = is_demo
        for role in appointment.roles:
            if live_grant(tx, account.id, institution_id, role) is None:
                give_role(tx, account.id, institution_id, role)
        _know(tx, account, appointment.competences)
        if address_of is not None:
            _invite(tx, account, institution_id, address_of)
        roles = sorted(appointment.roles)
        record(tx, SYSTEM, "appoint", ("account", account.id), data={"roles": roles})
        return AccountId(account.id)


def _know(tx: Transaction, account: Account, codes: Collection[str]) -> None:
    for code in codes:
        if tx.session.get(Competence, (account.id, code)) is None:
            tx.session.add(
                Competence(account_id=account.id, definition_code=code, granted_at=tx.now)
            )
    tx.session.flush()


def _invite(
    tx: Transaction, account: Account, institution_id: InstitutionId, address_of: AddressOf
) -> None:
    institution = tx.session.get(Institution, institution_id)
    house = institution.name if institution else ""
    token = make_link(tx, LinkPurpose.SET_PASSWORD, account.id, account.email, INVITATION_LIFETIME)
    write_invitation(tx, account, house, address_of(token), INVITATION_LIFETIME.days)
