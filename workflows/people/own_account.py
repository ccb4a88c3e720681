"""What people do with their own account: make it, set and change its password, change its data."""

from datetime import timedelta

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.events import Who, record
from storage.ids import AccountId, new_id
from storage.tables.people import Account, MailLink
from storage.vocabulary import LinkPurpose, Role
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.people.accounts import (
    INVITATION_LIFETIME,
    AddressOf,
    account_of,
    give_role,
    house_name,
    mail_password_link,
    new_account,
    one_line,
    the_house,
)
from workflows.people.addresses import read_address
from workflows.people.letters import write_password_changed, write_registration
from workflows.people.links import find_link, make_link, open_link, revoke_links, use_link
from workflows.people.passwords import hash_password, password_matches
from workflows.people.queries import own_account
from workflows.people.rules import good_password, read_name
from workflows.people.sessions import SignedIn, end_sessions, start_session
from workflows.people.tokens import revoke_tokens
from workflows.programs.ending import end_programs


@command
def ask_to_register(
    db: Database, email: str, locale: str, address_of: AddressOf, password_address_of: AddressOf
) -> None:
    """Mail a link that makes a learner's account, or, where there is one, sets its password.

    The page says the same in both cases: it tells nobody who has an account. Nothing is kept of
    an address whose link is never opened but the link itself. Raises InvalidInput.
    """
    email = read_address(email)
    with db.transaction() as tx:
        account = account_of(tx, email)
        if account is not None:
            _mail_if_enabled(tx, account, password_address_of)
            return
        token = make_link(tx, LinkPurpose.REGISTER, new_id(), email, INVITATION_LIFETIME)
        days = INVITATION_LIFETIME.days
        url = address_of(token)
        write_registration(tx, email, house_name(tx), url, days=days, locale=locale)


@command
def registering_address(db: Database, token: str) -> str:
    """Which address a registration link is for. Raises LinkEnded."""
    with db.transaction() as tx:
        return open_link(tx, LinkPurpose.REGISTER, token).email


def register_learner(db: Database, token: str, name: str, password: str, locale: str) -> AccountId:
    """Make the learner's account that the link stands for, with its password.

    Raises LinkEnded, InvalidInput, Conflict (the address got an account meanwhile).
    """
    with db.reading() as tx:
        link = find_link(tx, LinkPurpose.REGISTER, token)
    name = read_name(name)
    good_password(password, link.email)
    return _register(db, link, name, hash_password(password), locale)


@command
def ask_password_link(db: Database, email: str, address_of: AddressOf) -> None:
    """Mail the holder of an account a link to set the password; silent when there is none."""
    with db.transaction() as tx:
        account = account_of(tx, email.strip().lower())
        if account is not None:
            _mail_if_enabled(tx, account, address_of)


@command
def holder_of_link(db: Database, token: str) -> Account:
    """Whose password a link sets, for the page that asks for it. Raises LinkEnded."""
    with db.transaction() as tx:
        link = open_link(tx, LinkPurpose.SET_PASSWORD, token)
        return tx.session.get_one(Account, link.subject_id)


def set_password(db: Database, token: str, password: str) -> None:
    """Set the password of the link's holder, once; their sessions and access tokens end.

    Raises LinkEnded, InvalidInput (what is wrong with the password), Conflict (disabled).
    """
    with db.reading() as tx:
        link = find_link(tx, LinkPurpose.SET_PASSWORD, token)
    good_password(password, link.email)
    _set_password(db, link, hash_password(password))


def change_password(
    db: Database, actor: Actor, old: str, new: str, lifetime: timedelta
) -> SignedIn:
    """Change one's own password; sessions and access tokens end, and a new session begins.

    Raises Forbidden, InvalidInput (the old one is not right, the new one will not do).
    """
    who = acting(actor, Permission.MANAGE_OWN_ACCOUNT)
    with db.reading() as tx:
        kept = _own(tx, who).password_hash
    if not password_matches(kept, old):
        raise _not_the_old_one()
    good_password(new, actor.email)
    return _change_password(db, who, kept, hash_password(new), lifetime)


@command
def change_own_account(db: Database, actor: Actor, name: str, employer: str, locale: str) -> None:
    """Change one's own name, employer and language. Raises Forbidden, InvalidInput."""
    new = {"name": read_name(name), "employer": one_line(employer), "locale": locale}
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_OWN_ACCOUNT)
        account = _own(tx, who)
        changed = [field for field, value in new.items() if getattr(account, field) != value]
        for field in changed:
            setattr(account, field, new[field])
        if changed:
            subject = ("account", account.id)
            record(tx, who, "change_own_account", subject, data={"changed": changed})


@command
def _register(db: Database, link: MailLink, name: str, kept: str, locale: str) -> AccountId:
    with db.transaction() as tx:
        use_link(tx, tx.session.get_one(MailLink, link.id))
        account = new_account(tx, name, link.email, locale)
        account.password_hash = kept
        give_role(tx, account.id, the_house(tx).id, Role.LEARNER)
        who = Who(Role.LEARNER, AccountId(account.id), name)
        record(tx, who, "register_learner", ("account", account.id))
        return AccountId(account.id)


@command
def _set_password(db: Database, link: MailLink, kept: str) -> None:
    with db.transaction() as tx:
        account = tx.session.get_one(Account, link.subject_id, with_for_update=True)
        if account.disabled_at is not None:
            raise Conflict("This account is disabled. Ask the institution.")
        use_link(tx, tx.session.get_one(MailLink, link.id))
        who = Who(Role.VERIFIER, AccountId(account.id), account.name)
        _replace_password(tx, account, kept, who, "set_password")


@command
def _change_password(
    db: Database, who: Who, seen: str | None, kept: str, lifetime: timedelta
) -> SignedIn:
    with db.transaction() as tx:
        account = _own(tx, who, lock=True)
        if account.password_hash != seen or account.disabled_at is not None:
            raise _not_the_old_one()
        _replace_password(tx, account, kept, who, "change_password")
        return start_session(tx, account, lifetime)


def _replace_password(tx: Transaction, account: Account, kept: str, who: Who, kind: str) -> None:
    """The new one counts, everything that the old one opened is closed, and the holder is told."""
    first = account.password_hash is None
    account.password_hash = kept
    end_sessions(tx, account.id)
    revoke_tokens(tx, account.id)
    end_programs(tx, account.id)
    revoke_links(tx, LinkPurpose.SET_PASSWORD, account.id)
    record(tx, who, kind, ("account", account.id))
    if not first:
        write_password_changed(tx, account, house_name(tx))


def _mail_if_enabled(tx: Transaction, account: Account, address_of: AddressOf) -> None:
    if account.disabled_at is None:
        mail_password_link(tx, account, address_of)
        who = Who(Role.VERIFIER)
        record(tx, who, "ask_password_link", ("account", account.id))


def _own(tx: Transaction, who: Who, *, lock: bool = False) -> Account:
    assert who.account_id is not None
    if lock:
        return tx.session.get_one(Account, who.account_id, with_for_update=True)
    return own_account(tx, who.account_id)


def _not_the_old_one() -> InvalidInput:
    words = "This is not your present password."
    return InvalidInput(words, problems=[Problem("old", words)])
