"""Programs register, are allowed something, get tokens, refresh them, and end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import Who, record
from storage.ids import new_id, new_token, token_hash
from storage.tables.oauth import OAuthClient, OAuthGrant, OAuthToken
from storage.tables.people import Account
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.people.accounts import house_name
from workflows.people.rules import read_name
from workflows.people.tokens import PREFIX
from workflows.programs.ending import end_grant, named
from workflows.programs.mails import write_program_connected
from workflows.programs.queries import ProgramHolder
from workflows.programs.rules import (
    ACCESS_LIVES,
    CODE_LIVES,
    KEPT_AFTER_END,
    LEFT_FOR,
    MOST_OF_ONE_PROGRAM,
    REFRESH_LIVES,
    UNUSED_FOR,
    Registration,
    WhyEnded,
    fit_to_register,
)


@dataclass(frozen=True)
class Registered:
    """A new registration. `secret` is told once and kept nowhere; None for a public program."""

    client_id: UUID
    secret: str | None = field(repr=False)
    at: datetime


@dataclass(frozen=True)
class Wish:
    """What a program asks a learner for, as it was checked against its registration."""

    client_id: UUID
    scopes: Sequence[str]
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True)
class Minted:
    """New tokens, before they are kept; only their hashes will be."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    scopes: Sequence[str] = ()


def new_access_token() -> str:
    """A fresh token, which programs that look for leaked secrets know as one of ours."""
    return PREFIX + new_token()


@command
def register_program(db: Database, asked: Registration, *, loopback: bool) -> Registered:
    """Register a program that asks to be; nobody has checked what it says.

    Raises InvalidInput with a problem for each field.
    """
    fit_to_register(asked, loopback=loopback)
    with db.transaction() as tx:
        made = Registered(new_id(), None if asked.public else new_token(), tx.now)
        tx.session.add(
            OAuthClient(
                id=made.client_id,
                name=" ".join(asked.name.split()),
                secret_hash=token_hash(made.secret) if made.secret else None,
                redirect_uris=list(asked.redirect_uris),
                scopes=[scope.value for scope in asked.scopes()],
                grant_types=list(dict.fromkeys(asked.grant_types)),
                metadata_said={
                    "pages": dict(asked.pages),
                    "software_id": asked.software_id,
                    "software_version": asked.software_version,
                    "contacts": list(asked.contacts),
                },
                created_at=tx.now,
            )
        )
        subject = ("oauth_client", made.client_id)
        record(tx, Who(Role.VERIFIER), "register_program", subject, data={"program": asked.name})
        return made


@command
def allow_program(db: Database, actor: Actor, wish: Wish) -> str:
    """The learner allows it: a code that is good for minutes, for one use, by this program.

    They are told by mail. Raises Forbidden, NotFound (the program is not registered any more).
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.VIEW_OWN_CREDENTIALS)
        account = tx.session.get_one(Account, who.account_id, with_for_update=True)
        client = tx.session.get(OAuthClient, wish.client_id, with_for_update=True)
        if client is None:
            raise NotFound("This program is not registered any more.")
        _make_room(tx, account.id, client.id)
        code, grant_id = new_token(), new_id()
        tx.session.add(
            OAuthGrant(
                id=grant_id,
                client_id=client.id,
                account_id=account.id,
                scopes=list(wish.scopes),
                redirect_uri=wish.redirect_uri,
                code_hash=token_hash(code),
                code_challenge=wish.code_challenge,
                code_expires_at=tx.now + CODE_LIVES,
                created_at=tx.now,
            )
        )
        client.used_at = tx.now
        data = {**named(client), "scopes": list(wish.scopes)}
        record(tx, who, "allow_program", ("oauth_grant", grant_id), data=data)
        write_program_connected(tx, account, house_name(tx), client.name, client.redirect_uris[0])
        return code


@command
def redeem_code(db: Database, grant_id: UUID, minted: Minted) -> bool:
    """Exchange a code for tokens. A code that was used already ends all that came of it: False."""
    with db.transaction() as tx:
        grant = tx.session.get_one(OAuthGrant, grant_id, with_for_update=True)
        if grant.code_used_at is not None:
            end_grant(tx, grant, WhyEnded.SHOWN_TWICE)
            return False
        if grant.ended_at is not None or grant.code_expires_at <= tx.now:
            return False
        grant.code_used_at = tx.now
        _keep(tx, grant, minted)
        return True


@command
def exchange_refresh_token(db: Database, token_id: UUID, minted: Minted) -> bool:
    """Exchange a refresh token for fresh tokens. One that was exchanged already ends its grant."""
    with db.transaction() as tx:
        kept = tx.session.get_one(OAuthToken, token_id)
        grant = tx.session.get_one(OAuthGrant, kept.grant_id, with_for_update=True)
        tx.session.refresh(kept, with_for_update=True)
        if kept.used_at is not None:
            end_grant(tx, grant, WhyEnded.SHOWN_TWICE)
            return False
        if grant.ended_at is not None or kept.expires_at <= tx.now or kept.revoked_at is not None:
            return False
        kept.used_at = tx.now
        tx.session.execute(
            update(OAuthToken)
            .where(
                col(OAuthToken.grant_id) == grant.id,
                col(OAuthToken.refreshes).is_(False),
                col(OAuthToken.revoked_at).is_(None),
            )
            .values(revoked_at=tx.now)
        )
        _keep(tx, grant, minted)
        return True


@command
def end_shown_twice(db: Database, grant_id: UUID) -> None:
    """A code or a refresh token came a second time: whoever has it too gets nothing from now on."""
    with db.transaction() as tx:
        grant = tx.session.get_one(OAuthGrant, grant_id, with_for_update=True)
        end_grant(tx, grant, WhyEnded.SHOWN_TWICE)


@command
def give_back(db: Database, grant_id: UUID, token_id: UUID, *, refreshes: bool) -> None:
    """A program gives a token back; with a refresh token goes everything that came with it."""
    with db.transaction() as tx:
        grant = tx.session.get_one(OAuthGrant, grant_id, with_for_update=True)
        if refreshes:
            end_grant(tx, grant, WhyEnded.GIVEN_BACK)
            return
        kept = tx.session.get_one(OAuthToken, token_id, with_for_update=True)
        kept.revoked_at = kept.revoked_at or tx.now


@command
def withdraw_program(db: Database, actor: Actor, client_id: UUID) -> None:
    """The learner ends all they allowed a program; done twice, it is done once.

    Raises Forbidden, NotFound (it was never connected to this account).
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.MANAGE_OWN_ACCOUNT)
        grants = tx.session.exec(
            select(OAuthGrant)
            .where(OAuthGrant.client_id == client_id, OAuthGrant.account_id == who.account_id)
            .with_for_update()
        ).all()
        if not grants:
            raise NotFound(NOT_YOURS)
        for grant in grants:
            end_grant(tx, grant, WhyEnded.WITHDRAWN, who)


@command
def touch_program(db: Database, holder: ProgramHolder) -> None:
    """Write down that a program used its token just now."""
    with db.transaction() as tx:
        now = {"used_at": tx.now}
        token, client = col(OAuthToken.id), col(OAuthClient.id)
        tx.session.execute(update(OAuthToken).where(token == holder.token_id).values(now))
        tx.session.execute(update(OAuthClient).where(client == holder.client_id).values(now))


@command
def change_profile(db: Database, holder: ProgramHolder, name: str) -> None:
    """A program changes its learner's name. Raises Forbidden, InvalidInput."""
    new = read_name(name)
    with db.transaction() as tx:
        who = acting(holder.actor, Permission.MANAGE_OWN_ACCOUNT)
        account = tx.session.get_one(Account, who.account_id, with_for_update=True)
        if account.name == new:
            return
        account.name = new
        data = {"changed": ["name"], "program": holder.program, "client_id": str(holder.client_id)}
        record(tx, who, "change_own_account", ("account", account.id), data=data)


@command
def forget_unused_programs(db: Database) -> int:
    """Forget what has long ended, and registrations nobody uses; returns how many went."""
    with db.transaction() as tx:
        before = tx.now - KEPT_AFTER_END
        tx.session.execute(delete(OAuthToken).where(col(OAuthToken.expires_at) < before))
        over = or_(
            col(OAuthGrant.ended_at) < before,
            col(OAuthGrant.code_used_at).is_(None) & (col(OAuthGrant.code_expires_at) < before),
            col(OAuthGrant.id).not_in(select(OAuthToken.grant_id))
            & (col(OAuthGrant.created_at) < before),
        )
        ended = select(OAuthGrant.id).where(over)
        tx.session.execute(delete(OAuthToken).where(col(OAuthToken.grant_id).in_(ended)))
        tx.session.execute(delete(OAuthGrant).where(over))
        gone = tx.session.execute(
            delete(OAuthClient)
            .where(
                col(OAuthClient.id).not_in(select(OAuthGrant.client_id)),
                or_(
                    col(OAuthClient.used_at).is_(None)
                    & (col(OAuthClient.created_at) < tx.now - UNUSED_FOR),
                    col(OAuthClient.used_at) < tx.now - LEFT_FOR,
                ),
            )
            .returning(col(OAuthClient.id))
        ).all()
        return len(gone)


def _make_room(tx: Transaction, account_id: UUID, client_id: UUID) -> None:
    """A program that is connected again and again keeps its newest connections."""
    live = tx.session.exec(
        select(OAuthGrant)
        .where(
            OAuthGrant.account_id == account_id,
            OAuthGrant.client_id == client_id,
            col(OAuthGrant.ended_at).is_(None),
        )
        .order_by(col(OAuthGrant.created_at).desc(), col(OAuthGrant.id).desc())
        .with_for_update()
    ).all()
    for grant in live[MOST_OF_ONE_PROGRAM - 1 :]:
        end_grant(tx, grant, WhyEnded.CROWDED_OUT)


def _keep(tx: Transaction, grant: OAuthGrant, minted: Minted) -> None:
    """Only their hashes."""

    def token(text: str, lives: timedelta, *, refreshes: bool) -> OAuthToken:
        return OAuthToken(
            id=new_id(),
            grant_id=grant.id,
            refreshes=refreshes,
            token_hash=token_hash(text),
            scopes=list(grant.scopes) if refreshes else list(minted.scopes),
            created_at=tx.now,
            expires_at=tx.now + lives,
        )

    tx.session.add(token(minted.access, ACCESS_LIVES, refreshes=False))
    if minted.refresh is not None:
        tx.session.add(token(minted.refresh, REFRESH_LIVES, refreshes=True))
