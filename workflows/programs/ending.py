"""How what a program was allowed ends, whoever ends it."""

from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.events import SYSTEM, Who, record
from storage.tables.oauth import OAuthClient, OAuthGrant
from workflows.programs.rules import WhyEnded


def end_programs(tx: Transaction, account_id: UUID) -> None:
    """End every program of an account: its password was changed, or it was disabled."""
    grants = tx.session.exec(
        select(OAuthGrant)
        .where(OAuthGrant.account_id == account_id, col(OAuthGrant.ended_at).is_(None))
        .with_for_update()
    ).all()
    for grant in grants:
        end_grant(tx, grant, WhyEnded.PASSWORD)


def end_grant(tx: Transaction, grant: OAuthGrant, why: WhyEnded, who: Who | None = None) -> None:
    """End a grant, with all its tokens; done twice, it is done once."""
    if grant.ended_at is not None:
        return
    grant.ended_at, grant.ended_why = tx.now, why.value
    client = tx.session.get_one(OAuthClient, grant.client_id)
    data = {**named(client), "why": why.value}
    record(tx, who or SYSTEM, "end_program", ("oauth_grant", grant.id), data=data)


def named(client: OAuthClient) -> dict[str, object]:
    """Which program it was, for the event: rows of programs do not stay for ever."""
    return {"program": client.name, "client_id": str(client.id)}
