"""A running installation for a benchmark: a learner with cases and a token, and its store."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from sqlmodel import col, select

from app.engines import stack
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import AccountId, CaseId, DefinitionId, InstitutionId
from storage.tables import Account, DefinitionVersion, RoleGrant
from storage.vault import StoreAddress, Vault
from storage.vocabulary import Role
from tests.browser.installation import Installation, installation
from workflows.access.rules import Actor
from workflows.cases.commands import open_case
from workflows.people.tokens import TokenScope, make_token

UNHINDERED = {"API_CALLS_PER_MINUTE": "1000000"}
LEARNER = "marek.nowak@learner.example"


@dataclass
class Site:
    """A running installation, a learner's token, and the store behind it."""

    house: Installation
    db: Database
    vault: Vault
    token: str
    cases: tuple[CaseId, ...]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call of the API."""
        answer = line_of().request(
            method,
            f"{self.house.site}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=120,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


_sessions: dict[int, requests.Session] = {}


def line_of() -> requests.Session:
    """One for each thread, so that lines are used again."""
    return _sessions.setdefault(threading.get_ident(), requests.Session())


@contextmanager
def site() -> Iterator[Site]:
    """An installation of its own, removed at the end."""
    with installation(UNHINDERED, breakable=False) as house:
        addresses = stack.attach(house.home) or {}
        db = Database(addresses["DATABASE_URL"], SystemClock())
        vault = Vault(
            StoreAddress(
                endpoint_url=addresses["S3_ENDPOINT_URL"],
                region=addresses["S3_REGION"],
                bucket="assay-evidence",
                access_key_id=addresses["S3_ACCESS_KEY_ID"],
                secret_access_key=addresses["S3_SECRET_ACCESS_KEY"],
            )
        )
        learner = _learner(db)
        cases = _cases(db, learner, 3)
        token = make_token(db, learner, "bench", tuple(TokenScope), 30).token
        try:
            yield Site(house, db, vault, token, cases)
        finally:
            db.close()


def _learner(db: Database) -> Actor:
    with db.reading() as tx:
        account_id, institution_id = tx.session.exec(
            select(RoleGrant.account_id, RoleGrant.institution_id)
            .join(Account, col(Account.id) == col(RoleGrant.account_id))
            .where(Account.email == LEARNER, RoleGrant.role == Role.LEARNER.value)
        ).one()
        learner = frozenset({Role.LEARNER})
        return Actor(AccountId(account_id), InstitutionId(institution_id), learner)


def _cases(db: Database, learner: Actor, count: int) -> tuple[CaseId, ...]:
    """New cases of a learner, each for another credential."""
    opened: list[CaseId] = []
    with db.reading() as tx:
        offered = tx.session.exec(
            select(DefinitionVersion.id).where(
                col(DefinitionVersion.published_at).is_not(None),
                col(DefinitionVersion.retired_at).is_(None),
            )
        ).all()
    for definition_id in offered:
        if len(opened) < count:
            try:
                opened.append(open_case(db, learner, DefinitionId(definition_id)))
            except Exception as error:
                print(f"(no case here: {error})", file=sys.stderr)
    return tuple(opened)
