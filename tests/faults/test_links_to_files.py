"""A link to a file is asked for anew each time: by others, after a withdrawal, without the role."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from sqlmodel import select

from app.container import Container
from storage.database import Database
from storage.ids import ItemId
from storage.tables import EvidenceAccess, EvidenceItem, RoleGrant
from storage.vault import StoreAddress, Vault
from storage.vocabulary import Role
from tests.fixtures.api import with_store
from tests.fixtures.invariants import clean
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from workflows.access.rules import Actor
from workflows.cases.commands import withdraw_case


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """The application over the test's own bucket."""
    return with_store(web_env, store_address)


@pytest.fixture
def panel(recall: Recall, vault: Vault) -> Panel:
    """A case in assessment whose files are really there."""
    made = recall(Panel)
    made.allocate()
    made.declare(made.first)
    for item_id in items(made):
        vault.put_sealed(item_id.bytes)
    return made


def items(panel: Panel) -> list[ItemId]:
    with panel.db.reading() as tx:
        found = tx.session.exec(
            select(EvidenceItem.id).where(EvidenceItem.case_id == panel.case_id)
        ).all()
    return [ItemId(item_id) for item_id in found]


def asks(app: Flask, db: Database, person: Actor, item_id: ItemId) -> int:
    """How this person's asking for the file is answered."""
    browser = Browser(app, db)
    browser.sign_in(person)
    return browser.get(f"/evidence/{item_id}/file").status_code


def test_whoever_may_read_gets_a_link_of_a_minute_and_each_is_written_down(
    app: Flask, db: Database, panel: Panel
) -> None:
    item_id = items(panel)[0]
    browser = Browser(app, db)
    browser.sign_in(panel.first)
    for times in (1, 2):
        link = browser.get(f"/evidence/{item_id}/file").location
        assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["60"]
        assert requests.get(link, timeout=30).content == item_id.bytes
        with db.reading() as tx:
            rows = tx.session.exec(
                select(EvidenceAccess.account_id).where(EvidenceAccess.item_id == item_id)
            ).all()
        assert rows == [panel.first.account_id] * times


def test_nobody_else_gets_one(app: Flask, db: Database, panel: Panel) -> None:
    item_id = items(panel)[0]
    strangers = {
        "another learner": panel.world.person(Role.LEARNER),
        "an assessor of other cases": panel.third,
        "nobody in particular": panel.world.person(),
        "the administrator": panel.world.person(Role.ADMINISTRATOR),
    }
    answers = {name: asks(app, db, person, item_id) for name, person in strangers.items()}
    assert set(answers.values()) == {404}, answers
    assert asks(app, db, panel.second, item_id) == 403  # asked, and has not declared yet
    with db.reading() as tx:
        assert tx.session.exec(select(EvidenceAccess)).all() == []


def test_after_a_withdrawal_only_the_learner_does(app: Flask, db: Database, panel: Panel) -> None:
    item_id = items(panel)[0]
    assert asks(app, db, panel.first, item_id) == 303
    withdraw_case(db, panel.learner, panel.case_id)
    for person in (panel.first, panel.coordinator, panel.decider):
        assert asks(app, db, person, item_id) in {403, 404}
    assert asks(app, db, panel.learner, item_id) == 303


def test_after_the_role_is_taken_back_the_next_question_is_refused(
    app: Flask, db: Database, container: Container, panel: Panel
) -> None:
    item_id = items(panel)[0]
    browser = Browser(app, db)
    browser.sign_in(panel.first)
    assert browser.get(f"/evidence/{item_id}/file").status_code == 303
    with db.transaction() as tx:
        grant = tx.session.exec(
            select(RoleGrant).where(RoleGrant.account_id == panel.first.account_id)
        ).one()
        grant.revoked_at = tx.now
    assert browser.get(f"/evidence/{item_id}/file").status_code in {403, 404}
    clean(container)
