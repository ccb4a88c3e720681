"""Accounts and grants inside a transaction: what the commands about people have in common."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import Conflict, NotFound
from storage.ids import AccountId, InstitutionId, new_id
from storage.tables.people import Account, RoleGrant
from storage.vocabulary import LinkPurpose, Role
from workflows.people.letters import write_password_link
from workflows.people.links import make_link
from workflows.people.queries import House, house
from workflows.people.rules import LONGEST_EMPLOYER

INVITATION_LIFETIME = timedelta(days=7)
PASSWORD_LINK_LIFETIME = timedelta(hours=4)

AddressOf = Callable[[str], str]
"""Makes the address that a token opens; the web knows it."""


def new_account(
    tx: Transaction, name: str, email: str, locale: str = "en", employer: str = ""
) -> Account:
    """An account without a password. Raises Conflict when there is one with the address."""
    if account_of(tx, email) is not None:
        raise Conflict("There is an account with this address already.")
    account = Account(
        id=new_id(),
        email=email,
        name=name,
        locale=locale,
        employer=one_line(employer),
        created_at=tx.now,
    )
    tx.session.add(account)
    tx.session.flush()
    return account


def account_of(tx: Transaction, email: str) -> Account | None:
    """The account with this address, in lower case."""
    return tx.session.exec(select(Account).where(Account.email == email)).one_or_none()


def give_role(
    tx: Transaction,
    account_id: UUID,
    institution_id: InstitutionId,
    role: Role,
    by: AccountId | None = None,
) -> None:
    """A live grant of a role."""
    tx.session.add(
        RoleGrant(
            id=new_id(),
            account_id=account_id,
            institution_id=institution_id,
            role=role.value,
            granted_at=tx.now,
            granted_by=by,
        )
    )
    tx.session.flush()


def live_grant(
    tx: Transaction, account_id: UUID, institution_id: InstitutionId, role: Role
) -> RoleGrant | None:
    """The live grant of a role, if it is held."""
    return tx.session.exec(
        select(RoleGrant).where(
            RoleGrant.account_id == account_id,
            RoleGrant.institution_id == institution_id,
            RoleGrant.role == role.value,
            col(RoleGrant.revoked_at).is_(None),
        )
    ).one_or_none()


def mail_password_link(tx: Transaction, account: Account, address_of: AddressOf) -> None:
    """Mail the holder a link to set the password; older ones end."""
    lifetime = PASSWORD_LINK_LIFETIME
    token = make_link(tx, LinkPurpose.SET_PASSWORD, account.id, account.email, lifetime)
    hours = lifetime // timedelta(hours=1)
    write_password_link(tx, account, house_name(tx), address_of(token), hours)


def the_house(tx: Transaction) -> House:
    """The institution. Raises NotFound before anything is set up."""
    found = house(tx)
    if found is None:
        raise NotFound("No institution has been set up here yet.")
    return found


def house_name(tx: Transaction) -> str:
    """What the institution is called in its mails."""
    return the_house(tx).name


def one_line(employer: str) -> str:
    """An employer's name as it is kept."""
    return " ".join(employer.split())[:LONGEST_EMPLOYER]
