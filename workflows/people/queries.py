"""People as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import AccountId, InstitutionId
from storage.tables.people import Account, Competence, Institution, Mail, RoleGrant
from storage.vocabulary import Role
from workflows.access.rules import NOT_YOURS
from workflows.appearance.queries import LogoMark, logo_worn


@dataclass(frozen=True)
class House:
    """The institution whose house this is."""

    id: InstitutionId
    name: str
    url: str
    email: str
    country: str
    colour: str
    logo: LogoMark | None = None


@dataclass(frozen=True)
class Person:
    """A person as the administrator sees them. `roles` in the order of the vocabulary."""

    id: AccountId
    name: str
    email: str
    employer: str
    locale: str
    roles: tuple[Role, ...]
    has_password: bool
    is_demo: bool
    created_at: datetime
    disabled_at: datetime | None
    competences: tuple[str, ...] = ()


def house(tx: Transaction) -> House | None:
    """The institution that was here first; None before anything is set up."""
    row = tx.session.exec(
        select(Institution).order_by(col(Institution.created_at)).limit(1)
    ).first()
    if row is None:
        return None
    colour = row.profile.get("colour")
    return House(
        id=InstitutionId(row.id),
        name=row.name,
        url=row.url,
        email=row.email,
        country=row.country,
        colour=colour if isinstance(colour, str) else "",
        logo=logo_worn(row.profile),
    )


def people_of(tx: Transaction, institution_id: InstitutionId) -> Sequence[Person]:
    """Everyone who holds, or ever held, a role at the institution, by name."""
    held_here = select(RoleGrant.account_id).where(RoleGrant.institution_id == institution_id)
    accounts = tx.session.exec(
        select(Account).where(col(Account.id).in_(held_here)).order_by(Account.name, Account.email)
    ).all()
    roles = _live_roles(tx, institution_id)
    return [_person(account, roles.get(account.id, set())) for account in accounts]


def demo_people(tx: Transaction, institution_id: InstitutionId) -> Sequence[Person]:
    """The demo's people who can be chosen at sign-in, by name."""
    everyone = people_of(tx, institution_id)
    return [one for one in everyone if one.is_demo and one.disabled_at is None and one.roles]


def person(tx: Transaction, institution_id: InstitutionId, account_id: AccountId) -> Person:
    """One person of the institution, with what they are competent to assess. Raises NotFound."""
    account = tx.session.get(Account, account_id)
    here = select(RoleGrant.id).where(
        RoleGrant.account_id == account_id, RoleGrant.institution_id == institution_id
    )
    if account is None or tx.session.exec(here.limit(1)).first() is None:
        raise NotFound(NOT_YOURS)
    codes = tx.session.exec(
        select(Competence.definition_code)
        .where(Competence.account_id == account_id)
        .order_by(Competence.definition_code)
    ).all()
    roles = _live_roles(tx, institution_id).get(account.id, set())
    return _person(account, roles, tuple(codes))


def own_account(tx: Transaction, account_id: AccountId) -> Account:
    """One's own account. Raises NotFound."""
    account = tx.session.get(Account, account_id)
    if account is None:
        raise NotFound(NOT_YOURS)
    return account


def live_roles(tx: Transaction, account_id: UUID, institution_id: UUID) -> frozenset[Role]:
    """The roles that an account holds at an institution now."""
    rows = tx.session.exec(
        select(RoleGrant.role).where(
            RoleGrant.account_id == account_id,
            RoleGrant.institution_id == institution_id,
            col(RoleGrant.revoked_at).is_(None),
        )
    ).all()
    return frozenset(Role(row) for row in rows)


def mailbox(tx: Transaction, recipient: str = "", limit: int = 100) -> Sequence[Mail]:
    """The newest mails that are kept, to one recipient or to all."""
    query = select(Mail).order_by(col(Mail.created_at).desc(), col(Mail.id).desc()).limit(limit)
    if recipient:
        query = query.where(Mail.recipient == recipient.strip().lower())
    return tx.session.exec(query).all()


def kept_mail(tx: Transaction, mail_id: UUID) -> Mail:
    """One mail. Raises NotFound."""
    mail = tx.session.get(Mail, mail_id)
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail


def _live_roles(tx: Transaction, institution_id: InstitutionId) -> dict[UUID, set[Role]]:
    rows = tx.session.exec(
        select(RoleGrant.account_id, RoleGrant.role).where(
            RoleGrant.institution_id == institution_id, col(RoleGrant.revoked_at).is_(None)
        )
    ).all()
    roles: dict[UUID, set[Role]] = {}
    for account_id, role in rows:
        roles.setdefault(account_id, set()).add(Role(role))
    return roles


def _person(account: Account, roles: set[Role], competences: tuple[str, ...] = ()) -> Person:
    return Person(
        id=AccountId(account.id),
        name=account.name,
        email=account.email,
        employer=account.employer,
        locale=account.locale,
        roles=tuple(role for role in Role if role in roles),
        has_password=account.password_hash is not None,
        is_demo=account.is_demo,
        created_at=account.created_at,
        disabled_at=account.disabled_at,
        competences=competences,
    )
