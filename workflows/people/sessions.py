"""Signing in and out. A session is a row here and a token in one browser; the row decides.

Every request asks the row anew, and the roles with it, so that an end or a revoked role acts at
once. Refusals use the same words and the same time whether or not there is such a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, update
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import InvalidInput, NotFound
from storage.events import Who, record
from storage.ids import AccountId, InstitutionId, new_id, new_token, token_hash
from storage.tables.people import Account, RoleGrant, WebSession
from storage.vocabulary import Role
from workflows.access.rules import NOT_YOURS, Actor
from workflows.people.passwords import hash_password, needs_rehash, password_matches

IDLE = timedelta(hours=2)
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: the token for the browser, and when it ends at the latest."""

    account_id: AccountId
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Viewer:
    """The person behind a live session."""

    actor: Actor
    session_id: UUID
    locale: str
    is_demo: bool
    seen_at: datetime


def sign_in(db: Database, email: str, password: str, lifetime: timedelta) -> SignedIn:
    """Start a session for who knows the password. Raises InvalidInput, always in the same words."""
    with db.reading() as tx:
        account = tx.session.exec(
            select(Account).where(Account.email == email.strip().lower())
        ).one_or_none()
    kept = account.password_hash if account else None
    if not password_matches(kept, password) or account is None or kept is None:
        _record_failure(db, account)
        raise _refused()
    better = hash_password(password) if needs_rehash(kept) else kept
    return _begin_if_unchanged(db, account, kept, better, lifetime)


@command
def sign_in_as_demo_person(db: Database, account_id: AccountId, lifetime: timedelta) -> SignedIn:
    """Start a session for one of the demo's people, without a password; only the demo calls this.

    Raises NotFound for anybody else.
    """
    with db.transaction() as tx:
        account = tx.session.get(Account, account_id)
        if account is None or not account.is_demo or account.disabled_at is not None:
            raise NotFound(NOT_YOURS)
        return start_session(tx, account, lifetime)


@command
def sign_out(db: Database, token: str) -> None:
    """End the session of this token, if it lives."""
    with db.transaction() as tx:
        ended = tx.session.execute(
            update(WebSession)
            .where(
                col(WebSession.token_hash) == token_hash(token), col(WebSession.ended_at).is_(None)
            )
            .values(ended_at=tx.now)
            .returning(col(WebSession.account_id))
        ).scalar()
        if ended is not None:
            account = tx.session.get_one(Account, ended)
            record(tx, _as(tx, account), "sign_out", ("account", account.id))


@command
def touch_session(db: Database, session_id: UUID) -> None:
    """The person is there: the time of idleness starts again."""
    with db.transaction() as tx:
        tx.session.execute(
            update(WebSession).where(col(WebSession.id) == session_id).values(seen_at=tx.now)
        )


def start_session(tx: Transaction, account: Account, lifetime: timedelta) -> SignedIn:
    """A session of an account in this transaction, with its event."""
    token, ends = new_token(), tx.now + lifetime
    tx.session.add(
        WebSession(
            id=new_id(),
            token_hash=token_hash(token),
            account_id=account.id,
            created_at=tx.now,
            seen_at=tx.now,
            expires_at=ends,
        )
    )
    record(tx, _as(tx, account), "sign_in", ("account", account.id))
    return SignedIn(AccountId(account.id), token, ends)


def end_sessions(tx: Transaction, account_id: UUID) -> int:
    """End all sessions of an account; returns how many lived."""
    ended = tx.session.execute(
        update(WebSession)
        .where(col(WebSession.account_id) == account_id, col(WebSession.ended_at).is_(None))
        .values(ended_at=tx.now)
        .returning(col(WebSession.id))
    ).all()
    return len(ended)


def held_at(institution_id: InstitutionId | None) -> ColumnElement[bool]:
    """That a grant is of an account, at this institution, and not taken back: for an outer join."""
    return and_(
        col(RoleGrant.account_id) == col(Account.id),
        col(RoleGrant.institution_id) == institution_id,
        col(RoleGrant.revoked_at).is_(None),
    )


def actor_of(
    account: Account, institution_id: InstitutionId | None, roles: Iterable[str | None]
) -> Actor:
    """The account as one who acts, with the roles of its grants; None stands for no grant."""
    return Actor(
        account_id=AccountId(account.id),
        institution_id=institution_id,
        roles=frozenset(Role(role) for role in roles if role is not None),
        name=account.name,
        email=account.email,
    )


def viewer_of(tx: Transaction, token: str, institution_id: InstitutionId | None) -> Viewer | None:
    """Who is behind a token, with the roles they hold at the institution now; None when nobody.

    One statement: the session lives, is not idle, and the account is not disabled.
    """
    rows = tx.session.exec(
        select(WebSession, Account, RoleGrant.role)
        .join(Account, col(Account.id) == col(WebSession.account_id))
        .join(RoleGrant, held_at(institution_id), isouter=True)
        .where(
            WebSession.token_hash == token_hash(token),
            col(WebSession.ended_at).is_(None),
            col(WebSession.expires_at) > tx.now,
            col(WebSession.seen_at) > tx.now - IDLE,
            col(Account.disabled_at).is_(None),
        )
    ).all()
    if not rows:
        return None
    session, account, _ = rows[0]
    return Viewer(
        actor=actor_of(account, institution_id, [row[2] for row in rows]),
        session_id=session.id,
        locale=account.locale,
        is_demo=account.is_demo,
        seen_at=session.seen_at,
    )


@command
def _begin_if_unchanged(
    db: Database, seen: Account, kept: str, better: str, lifetime: timedelta
) -> SignedIn:
    """The account may have been disabled, or its password changed, while the hash was computed."""
    with db.transaction() as tx:
        account = tx.session.get_one(Account, seen.id, with_for_update=True)
        if account.disabled_at is None and account.password_hash == kept:
            account.password_hash = better
            return start_session(tx, account, lifetime)
    _record_failure(db, seen)
    raise _refused()


@command
def _record_failure(db: Database, account: Account | None) -> None:
    """The same work for an unknown person as for a known one; the event names no address."""
    with db.transaction() as tx:
        subject = account.id if account else new_id()
        record(tx, Who(Role.VERIFIER), "sign_in_refused", ("account", subject))


def _refused() -> InvalidInput:
    return InvalidInput(
        "The e-mail address or the password is not right. If you have no password yet, have a "
        "link mailed to you."
    )


def _as(tx: Transaction, account: Account) -> Who:
    """The account as the one who acts; signing in is in no particular role."""
    granted = tx.session.exec(
        select(RoleGrant.role).where(
            RoleGrant.account_id == account.id, col(RoleGrant.revoked_at).is_(None)
        )
    ).all()
    roles = [role for role in Role if role in granted]
    return Who(roles[0] if roles else Role.VERIFIER, AccountId(account.id), account.name)
