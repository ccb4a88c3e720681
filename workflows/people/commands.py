"""What an administrator does to accounts and roles; people's own acts are in `own_account.py`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import col, delete, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden
from storage.events import record
from storage.ids import AccountId, InstitutionId
from storage.tables.people import Account, Competence, RoleGrant
from storage.vocabulary import LinkPurpose, Role
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.people.accounts import (
    INVITATION_LIFETIME,
    AddressOf,
    give_role,
    house_name,
    live_grant,
    mail_password_link,
    new_account,
)
from workflows.people.addresses import read_address
from workflows.people.letters import write_invitation
from workflows.people.links import make_link, revoke_links
from workflows.people.queries import person
from workflows.people.rules import grantable, one_is_left, read_name, someone_else
from workflows.people.sessions import end_sessions
from workflows.people.tokens import revoke_tokens
from workflows.programs.ending import end_programs


@dataclass(frozen=True)
class Invitation:
    """Who is to have an account, and as what."""

    name: str
    email: str
    roles: Collection[Role]
    locale: str = "en"
    employer: str = ""


@command
def invite_person(
    db: Database, actor: Actor, invitation: Invitation, address_of: AddressOf
) -> AccountId:
    """Make an account with roles and mail its holder a link to set the password.

    Raises Forbidden, InvalidInput, and Conflict when the address has an account here already.
    """
    name, email = read_name(invitation.name), read_address(invitation.email)
    grantable(invitation.roles)
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        institution_id = _institution_of(actor)
        account = new_account(tx, name, email, invitation.locale, invitation.employer)
        for role in invitation.roles:
            give_role(tx, account.id, institution_id, role, actor.account_id)
        token = make_link(
            tx, LinkPurpose.SET_PASSWORD, account.id, account.email, INVITATION_LIFETIME
        )
        write_invitation(tx, account, house_name(tx), address_of(token), INVITATION_LIFETIME.days)
        roles = sorted(invitation.roles)
        record(tx, who, "invite_person", ("account", account.id), data={"roles": roles})
        return AccountId(account.id)


@command
def send_password_link(
    db: Database, actor: Actor, account_id: AccountId, address_of: AddressOf
) -> None:
    """Mail a person of the institution a new link. Raises Forbidden, NotFound, Conflict."""
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        account = _managed(tx, actor, account_id)
        if account.disabled_at is not None:
            raise Conflict("This account is disabled. Enable it first.")
        mail_password_link(tx, account, address_of)
        record(tx, who, "send_password_link", ("account", account.id))


@command
def grant_role(db: Database, actor: Actor, account_id: AccountId, role: Role) -> None:
    """Give a person of the institution a role; it counts from their next request.

    Raises Forbidden (also for one's own roles), NotFound, InvalidInput. Done already: no change.
    """
    grantable([role])
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        someone_else(actor.account_id, account_id)
        account = _managed(tx, actor, account_id)
        if live_grant(tx, account.id, _institution_of(actor), role) is None:
            give_role(tx, account.id, _institution_of(actor), role, actor.account_id)
            subject = ("account", account.id)
            record(tx, who, "grant_role", subject, data={"role": role.value})


@command
def revoke_role(
    db: Database, actor: Actor, account_id: AccountId, role: Role, why: str = ""
) -> None:
    """Take a role back; the next request of the person is without it.

    Raises Forbidden (also for one's own roles), NotFound, Conflict (the last administrator).
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        someone_else(actor.account_id, account_id)
        account = _managed(tx, actor, account_id)
        if role is Role.ADMINISTRATOR:
            one_is_left(_administrators(tx, actor), account_id)
        grant = live_grant(tx, account.id, _institution_of(actor), role)
        if grant is not None:
            grant.revoked_at = tx.now
            subject = ("account", account.id)
            record(tx, who, "revoke_role", subject, why=why, data={"role": role.value})


@command
def disable_person(db: Database, actor: Actor, account_id: AccountId, why: str = "") -> None:
    """Close an account: its sessions and links end now, its history stays.

    Raises Forbidden (also for oneself), NotFound, Conflict (the last administrator).
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        someone_else(actor.account_id, account_id)
        account = _managed(tx, actor, account_id)
        one_is_left(_administrators(tx, actor), account_id)
        if account.disabled_at is None:
            account.disabled_at = tx.now
            end_sessions(tx, account.id)
            revoke_tokens(tx, account.id)
            end_programs(tx, account.id)
            revoke_links(tx, LinkPurpose.SET_PASSWORD, account.id)
            record(tx, who, "disable_person", ("account", account.id), why=why)


@command
def enable_person(db: Database, actor: Actor, account_id: AccountId) -> None:
    """Open an account again, with the roles and the password it has. Raises Forbidden, NotFound."""
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        account = _managed(tx, actor, account_id)
        if account.disabled_at is not None:
            account.disabled_at = None
            record(tx, who, "enable_person", ("account", account.id))


@command
def set_competences(
    db: Database, actor: Actor, account_id: AccountId, codes: Sequence[str]
) -> None:
    """Say for which credential definitions, by code, a person is an expert.

    Raises Forbidden, NotFound.
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_PEOPLE)
        account = _managed(tx, actor, account_id)
        wanted = set(codes)
        kept = set(
            tx.session.exec(
                select(Competence.definition_code).where(Competence.account_id == account.id)
            ).all()
        )
        gone = col(Competence.definition_code).not_in(wanted)
        tx.session.execute(delete(Competence).where(col(Competence.account_id) == account.id, gone))
        for code in sorted(wanted - kept):
            tx.session.add(
                Competence(account_id=account.id, definition_code=code, granted_at=tx.now)
            )
        if wanted != kept:
            subject = ("account", account.id)
            record(tx, who, "set_competences", subject, data={"codes": sorted(wanted)})


def _institution_of(actor: Actor) -> InstitutionId:
    if actor.institution_id is None:
        raise Forbidden("Your role does not include this.")
    return actor.institution_id


def _managed(tx: Transaction, actor: Actor, account_id: AccountId) -> Account:
    """A person of the actor's institution, locked. Raises NotFound."""
    person(tx, _institution_of(actor), account_id)
    return tx.session.get_one(Account, account_id, with_for_update=True)


def _administrators(tx: Transaction, actor: Actor) -> set[AccountId]:
    """Who administers the institution and can sign in; locked, so that two do not leave at once."""
    rows = tx.session.exec(
        select(RoleGrant.account_id)
        .join(Account, col(Account.id) == col(RoleGrant.account_id))
        .where(
            RoleGrant.institution_id == _institution_of(actor),
            RoleGrant.role == Role.ADMINISTRATOR.value,
            col(RoleGrant.revoked_at).is_(None),
            col(Account.disabled_at).is_(None),
        )
        .with_for_update(of=RoleGrant)
    ).all()
    return {AccountId(row) for row in rows}
