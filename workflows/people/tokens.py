"""Personal access tokens: what a person's own programs act with, within the scopes they chose.

A token is shown once, when it is made; what is kept is its hash. It acts as the person, with the
roles they hold now, never beyond its scopes, until it expires or is revoked. A change of password
and the disabling of the account revoke every token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, func, select

from storage.database import Database, Transaction, command
from storage.errors import Forbidden, InvalidInput, NotFound, Problem, TooMany
from storage.events import record
from storage.ids import AccountId, InstitutionId, new_id, new_token, token_hash
from storage.tables.people import AccessToken, Account, RoleGrant
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.people.accounts import house_name
from workflows.people.letters import write_token_made
from workflows.people.sessions import actor_of, held_at

PREFIX = "assay_"
"""What every token begins with, so that programs that look for leaked secrets know one."""
SHOWN = len(PREFIX) + 6
LIFETIMES = (30, 90, 365)
MOST_TOKENS = 20
LONGEST_NAME = 80
TOUCH_EVERY = timedelta(hours=1)


class TokenScope(StrEnum):
    """What a token may be used for."""

    CASES_READ = "cases:read"
    EVIDENCE_READ = "evidence:read"
    EVIDENCE_WRITE = "evidence:write"
    CREDENTIALS_ISSUE = "credentials:issue"


@dataclass(frozen=True)
class MadeToken:
    """A new token. `token` is told once and kept nowhere."""

    id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class TokenRow:
    """A token as its holder's page shows it; `beginning` is all that is known of it."""

    id: UUID
    name: str
    beginning: str
    scopes: tuple[TokenScope, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class TokenHolder:
    """Who is behind a live token, and what it may be used for."""

    token_id: UUID
    actor: Actor
    scopes: frozenset[TokenScope]
    locale: str
    is_demo: bool
    expires_at: datetime
    used_at: datetime | None

    def due(self, now: datetime) -> bool:
        """Whether it is time again to write down that the token is used."""
        return self.used_at is None or now - self.used_at > TOUCH_EVERY


@command
def make_token(
    db: Database, actor: Actor, name: str, scopes: Sequence[TokenScope], days: int
) -> MadeToken:
    """A token of one's own, good for so many days; its holder is told by mail.

    Raises Forbidden, InvalidInput (name, scopes, days), TooMany (20 live ones).
    """
    name = " ".join(name.split())
    _fit_to_make(name, scopes, days)
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_OWN_ACCOUNT)
        account = tx.session.get_one(Account, who.account_id, with_for_update=True)
        if account.disabled_at is not None:
            raise Forbidden("This account is disabled. Ask the institution.")
        _room_for_one(tx, account.id)
        made = MadeToken(new_id(), PREFIX + new_token(), tx.now + timedelta(days=days))
        chosen = [scope.value for scope in TokenScope if scope in scopes]
        tx.session.add(
            AccessToken(
                id=made.id,
                account_id=account.id,
                name=name,
                token_hash=token_hash(made.token),
                beginning=made.token[:SHOWN],
                scopes=chosen,
                created_at=tx.now,
                expires_at=made.expires_at,
            )
        )
        data = {"scopes": chosen, "days": days}
        record(tx, who, "make_token", ("access_token", made.id), data=data)
        write_token_made(tx, account, house_name(tx), name, days)
        return made


@command
def revoke_token(db: Database, actor: Actor, token_id: UUID) -> None:
    """End one of one's own tokens; done twice, it is done once. Raises Forbidden, NotFound."""
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_OWN_ACCOUNT)
        row = tx.session.get(AccessToken, token_id, with_for_update=True)
        if row is None or row.account_id != who.account_id:
            raise NotFound(NOT_YOURS)
        if row.revoked_at is None:
            row.revoked_at = tx.now
            record(tx, who, "revoke_token", ("access_token", row.id))


def revoke_tokens(tx: Transaction, account_id: UUID) -> int:
    """End all tokens of an account; returns how many lived."""
    ended = tx.session.execute(
        update(AccessToken)
        .where(
            col(AccessToken.account_id) == account_id,
            col(AccessToken.revoked_at).is_(None),
            col(AccessToken.expires_at) > tx.now,
        )
        .values(revoked_at=tx.now)
        .returning(col(AccessToken.id))
    ).all()
    return len(ended)


@command
def touch_token(db: Database, token_id: UUID) -> None:
    """Write down that the token was used just now."""
    with db.transaction() as tx:
        tx.session.execute(
            update(AccessToken).where(col(AccessToken.id) == token_id).values(used_at=tx.now)
        )


def own_tokens(tx: Transaction, account_id: AccountId) -> Sequence[TokenRow]:
    """The live tokens of an account, the newest first."""
    rows = tx.session.exec(
        select(AccessToken)
        .where(
            AccessToken.account_id == account_id,
            col(AccessToken.revoked_at).is_(None),
            col(AccessToken.expires_at) > tx.now,
        )
        .order_by(col(AccessToken.created_at).desc(), col(AccessToken.id).desc())
    ).all()
    return [
        TokenRow(
            row.id,
            row.name,
            row.beginning,
            tuple(_scopes(row)),
            row.created_at,
            row.expires_at,
            row.used_at,
        )
        for row in rows
    ]


def own_token(tx: Transaction, account_id: AccountId, token_id: UUID) -> TokenRow:
    """One live token of an account. Raises NotFound."""
    for row in own_tokens(tx, account_id):
        if row.id == token_id:
            return row
    raise NotFound(NOT_YOURS)


def holder_of_token(
    tx: Transaction, token: str, institution_id: InstitutionId | None
) -> TokenHolder | None:
    """Who is behind a token, with the roles they hold at the institution now; None when nobody.

    One statement: the token is neither expired nor revoked, and the account is not disabled.
    """
    if not token.startswith(PREFIX):
        return None
    rows = tx.session.exec(
        select(AccessToken, Account, RoleGrant.role)
        .join(Account, col(Account.id) == col(AccessToken.account_id))
        .join(RoleGrant, held_at(institution_id), isouter=True)
        .where(
            AccessToken.token_hash == token_hash(token),
            col(AccessToken.revoked_at).is_(None),
            col(AccessToken.expires_at) > tx.now,
            col(Account.disabled_at).is_(None),
        )
    ).all()
    if not rows:
        return None
    row, account, _ = rows[0]
    return TokenHolder(
        token_id=row.id,
        actor=replace(actor_of(account, institution_id, [one[2] for one in rows]), token_id=row.id),
        scopes=frozenset(_scopes(row)),
        locale=account.locale,
        is_demo=account.is_demo,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


def _fit_to_make(name: str, scopes: Sequence[TokenScope], days: int) -> None:
    problems = []
    if not name:
        problems.append(Problem("name", "Give it a name that tells what uses it."))
    if len(name) > LONGEST_NAME:
        problems.append(Problem("name", "At most %(count)s characters.", {"count": LONGEST_NAME}))
    if not scopes:
        problems.append(Problem("scopes", "Choose at least one thing that it may do."))
    if days not in LIFETIMES:
        problems.append(Problem("days", "Choose one of the answers."))
    if problems:
        raise InvalidInput("No token was made.", problems=problems)


def _room_for_one(tx: Transaction, account_id: UUID) -> None:
    live = tx.session.exec(
        select(func.count()).where(
            col(AccessToken.account_id) == account_id,
            col(AccessToken.revoked_at).is_(None),
            col(AccessToken.expires_at) > tx.now,
        )
    ).one()
    if live >= MOST_TOKENS:
        raise TooMany(
            "You have %(count)s tokens already. Revoke one that is not needed any more first.",
            {"count": live},
        )


def _scopes(row: AccessToken) -> Sequence[TokenScope]:
    """In the order of the vocabulary; a word that is no scope any more opens nothing."""
    return [scope for scope in TokenScope if scope.value in row.scopes]
