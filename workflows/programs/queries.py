"""Registered programs, what they were allowed, and who is behind a token of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select

from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import AccountId, InstitutionId, token_hash
from storage.tables.oauth import OAuthClient, OAuthGrant, OAuthToken
from storage.tables.people import Account, RoleGrant
from workflows.access.rules import NOT_YOURS, Actor
from workflows.people.sessions import actor_of, held_at
from workflows.people.tokens import TOUCH_EVERY
from workflows.programs.rules import GrantType, ProgramScope, host_of


@dataclass(frozen=True)
class Program:
    """A registered program, as it describes itself."""

    id: UUID
    name: str
    scopes: tuple[ProgramScope, ...]
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    pages: dict[str, str]
    secret_hash: str | None = field(repr=False)

    @property
    def public(self) -> bool:
        """Whether it has no secret."""
        return self.secret_hash is None

    @property
    def stays(self) -> bool:
        """Whether it can get new tokens without asking anew."""
        return GrantType.REFRESH.value in self.grant_types

    @property
    def host(self) -> str:
        """Where it sends people back to: the one thing about it that is certain."""
        return host_of(self.redirect_uris[0])


@dataclass(frozen=True)
class Allowed:
    """A grant as a code or a refresh token names it. `spent`: it was shown before."""

    grant_id: UUID
    token_id: UUID | None
    client_id: UUID
    account_id: AccountId
    scopes: tuple[str, ...]
    redirect_uri: str
    code_challenge: str
    spent: bool
    live: bool


@dataclass(frozen=True)
class ProgramHolder:
    """Who is behind a live token of a program, which program it is, and what it may do."""

    token_id: UUID
    grant_id: UUID
    client_id: UUID
    program: str
    actor: Actor
    scopes: frozenset[ProgramScope]
    due: bool
    """whether it is time again to write down that it is used"""


@dataclass(frozen=True)
class Connection:
    """A program on its learner's page, with all that they allowed it."""

    client_id: UUID
    name: str
    host: str
    pages: dict[str, str]
    scopes: tuple[ProgramScope, ...]
    since: datetime
    used_at: datetime | None


def program(tx: Transaction, client_id: str) -> Program | None:
    """The program of this id, as it is sent; None when there is none."""
    try:
        row = tx.session.get(OAuthClient, UUID(client_id))
    except ValueError:
        return None
    return _program(row) if row is not None and str(row.id) == client_id else None


def allowed_by_code(tx: Transaction, code: str) -> Allowed | None:
    """What a code stands for, also one that was shown before or is too old."""
    row = tx.session.exec(
        select(OAuthGrant, Account)
        .join(Account, col(Account.id) == col(OAuthGrant.account_id))
        .where(OAuthGrant.code_hash == token_hash(code))
    ).one_or_none()
    if row is None:
        return None
    grant, account = row
    in_time = grant.code_expires_at > tx.now
    return _allowed(
        grant,
        grant.scopes,
        None,
        spent=grant.code_used_at is not None,
        live=in_time and grant.ended_at is None and account.disabled_at is None,
    )


def allowed_by_token(tx: Transaction, token: str, *, refreshes: bool) -> Allowed | None:
    """What a token stands for, also one that is over."""
    row = tx.session.exec(
        select(OAuthToken, OAuthGrant, Account)
        .join(OAuthGrant, col(OAuthGrant.id) == col(OAuthToken.grant_id))
        .join(Account, col(Account.id) == col(OAuthGrant.account_id))
        .where(OAuthToken.token_hash == token_hash(token), OAuthToken.refreshes == refreshes)
    ).one_or_none()
    if row is None:
        return None
    kept, grant, account = row
    in_time = kept.expires_at > tx.now and kept.revoked_at is None
    return _allowed(
        grant,
        kept.scopes,
        kept.id,
        spent=refreshes and kept.used_at is not None,
        live=in_time and grant.ended_at is None and account.disabled_at is None,
    )


def holder_of_program_token(
    tx: Transaction, token: str, institution_id: InstitutionId | None
) -> ProgramHolder | None:
    """Who is behind an access token, with the roles they hold now; None when nobody.

    Neither token nor grant has ended, and the account is not disabled.
    """
    rows = tx.session.exec(
        select(OAuthToken, OAuthGrant, Account, RoleGrant.role)
        .join(OAuthGrant, col(OAuthGrant.id) == col(OAuthToken.grant_id))
        .join(Account, col(Account.id) == col(OAuthGrant.account_id))
        .join(RoleGrant, held_at(institution_id), isouter=True)
        .where(
            OAuthToken.token_hash == token_hash(token),
            col(OAuthToken.refreshes).is_(False),
            col(OAuthToken.revoked_at).is_(None),
            col(OAuthToken.expires_at) > tx.now,
            col(OAuthGrant.ended_at).is_(None),
            col(Account.disabled_at).is_(None),
        )
    ).all()
    if not rows:
        return None
    kept, grant, account, _ = rows[0]
    client = tx.session.get_one(OAuthClient, grant.client_id)
    actor = actor_of(account, institution_id, [one[3] for one in rows])
    return ProgramHolder(
        token_id=kept.id,
        grant_id=grant.id,
        client_id=client.id,
        program=client.name,
        actor=replace(actor, token_id=kept.id),
        scopes=frozenset(_scopes(kept.scopes)),
        due=kept.used_at is None or tx.now - kept.used_at > TOUCH_EVERY,
    )


def connections_of(tx: Transaction, account_id: AccountId) -> Sequence[Connection]:
    """The programs that are connected to an account, by name."""
    last = _last_uses(tx, account_id)
    found: dict[UUID, Connection] = {}
    rows = tx.session.exec(
        select(OAuthGrant, OAuthClient)
        .join(OAuthClient, col(OAuthClient.id) == col(OAuthGrant.client_id))
        .where(
            OAuthGrant.account_id == account_id,
            col(OAuthGrant.ended_at).is_(None),
            col(OAuthGrant.code_used_at).is_not(None),
            col(OAuthGrant.id).in_(_with_live_tokens(tx, account_id)),
        )
        .order_by(col(OAuthClient.name), col(OAuthGrant.created_at))
    ).all()
    for grant, client in rows:
        one = found.setdefault(client.id, _connection(grant, client, last.get(client.id)))
        scopes = [*one.scopes, *_scopes(grant.scopes)]
        found[client.id] = replace(one, scopes=tuple(s for s in ProgramScope if s in scopes))
    return list(found.values())


def connection(tx: Transaction, account_id: AccountId, client_id: UUID) -> Connection:
    """One program that is connected. Raises NotFound."""
    for one in connections_of(tx, account_id):
        if one.client_id == client_id:
            return one
    raise NotFound(NOT_YOURS)


def _with_live_tokens(tx: Transaction, account_id: AccountId) -> Sequence[UUID]:
    return tx.session.exec(
        select(OAuthToken.grant_id)
        .join(OAuthGrant, col(OAuthGrant.id) == col(OAuthToken.grant_id))
        .where(
            OAuthGrant.account_id == account_id,
            col(OAuthToken.revoked_at).is_(None),
            col(OAuthToken.expires_at) > tx.now,
            col(OAuthToken.used_at).is_(None) | col(OAuthToken.refreshes).is_(False),
        )
        .distinct()
    ).all()


def _last_uses(tx: Transaction, account_id: AccountId) -> dict[UUID, datetime]:
    """When each program was last seen with a token."""
    rows = tx.session.exec(
        select(OAuthGrant.client_id, func.max(OAuthToken.used_at))
        .join(OAuthToken, col(OAuthToken.grant_id) == col(OAuthGrant.id))
        .where(OAuthGrant.account_id == account_id)
        .group_by(col(OAuthGrant.client_id))
    ).all()
    return {client_id: at for client_id, at in rows if at is not None}


def _allowed(
    grant: OAuthGrant, scopes: Sequence[str], token_id: UUID | None, *, spent: bool, live: bool
) -> Allowed:
    return Allowed(
        grant_id=grant.id,
        token_id=token_id,
        client_id=grant.client_id,
        account_id=AccountId(grant.account_id),
        scopes=tuple(scopes),
        redirect_uri=grant.redirect_uri,
        code_challenge=grant.code_challenge,
        spent=spent,
        live=live,
    )


def _connection(grant: OAuthGrant, client: OAuthClient, used_at: datetime | None) -> Connection:
    known = _program(client)
    return Connection(
        client_id=client.id,
        name=client.name,
        host=known.host,
        pages=known.pages,
        scopes=(),
        since=grant.created_at,
        used_at=used_at,
    )


def _program(row: OAuthClient) -> Program:
    pages = row.metadata_said.get("pages")
    return Program(
        id=row.id,
        name=row.name,
        scopes=_scopes(row.scopes),
        grant_types=tuple(row.grant_types),
        redirect_uris=tuple(row.redirect_uris),
        pages={str(key): str(value) for key, value in pages.items()}
        if isinstance(pages, dict)
        else {},
        secret_hash=row.secret_hash,
    )


def _scopes(kept: Sequence[str]) -> tuple[ProgramScope, ...]:
    """In the order of the vocabulary; a word that is no scope any more opens nothing."""
    return tuple(scope for scope in ProgramScope if scope.value in kept)
