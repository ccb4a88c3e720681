"""People and roles as an administrator handles them."""

import pytest
from flask import Flask
from sqlmodel import select

from storage.database import Database
from storage.tables import Account, Competence, Event, Mail
from storage.vocabulary import Role
from tests.fixtures.web import Browser, People
from tests.fixtures.world import World
from workflows.people.queries import live_roles


@pytest.fixture
def ada(browser: Browser, people: People) -> Browser:
    """The administrator's browser."""
    browser.sign_in(people.administrator)
    return browser


def roles_of(db: Database, world: World, account_id: object) -> set[Role]:
    with db.reading() as tx:
        return set(live_roles(tx, account_id, world.institution_id))  # type: ignore[arg-type]


def test_everyone_is_listed_with_their_roles(ada: Browser, people: People) -> None:
    page = ada.get("/admin/people").text
    assert people.registrar.name in page
    assert "Registrar" in page


def test_inviting_makes_an_account_with_roles_and_mails_a_link(
    ada: Browser, db: Database, world: World
) -> None:
    form = {"name": "Nia New", "email": "Nia@people.example", "roles": ["assessor", "decider"]}
    response = ada.post("/admin/people/invite", form)
    assert response.status_code == 303
    page = ada.get(response.headers["Location"]).text
    assert "Nia New was invited" in page
    with db.reading() as tx:
        account = tx.session.exec(select(Account).where(Account.name == "Nia New")).one()
        mail = tx.session.exec(select(Mail)).one()
    assert roles_of(db, world, account.id) == {Role.ASSESSOR, Role.DECIDER}
    assert mail.recipient == "nia@people.example"
    assert "/set-password/" in mail.body


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "email": "a@b.example"}, "Please answer this"),
        ({"name": "A", "email": "nowhere"}, "whole e-mail address"),
        ({"name": "A", "email": "a@b.example", "roles": ["emperor"]}, "Choose one"),
        ({"name": "A", "email": "a@b.example", "roles": ["system"]}, "people with an account"),
        ({"name": "A", "email": "a@b.example", "roles": ["supervisor"]}, "people with an account"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_and_nothing_kept(
    ada: Browser, db: Database, form: dict[str, object], words: str
) -> None:
    response = ada.post("/admin/people/invite", form)
    assert response.status_code == 422
    assert words in response.text
    with db.reading() as tx:
        assert tx.session.exec(select(Account).where(Account.email == "a@b.example")).all() == []


def test_an_address_has_one_account(ada: Browser, people: People) -> None:
    form = {"name": "Twice", "email": people.learner.email, "roles": "learner"}
    response = ada.post("/admin/people/invite", form)
    assert response.status_code == 409
    assert "already" in response.text


def test_a_role_is_given_and_taken_back(
    ada: Browser, db: Database, people: People, world: World
) -> None:
    person = people.stranger.account_id
    with_no_role = ada.get(f"/admin/people/{person}")
    assert with_no_role.status_code == 404
    person = people.learner.account_id
    ada.post(f"/admin/people/{person}/roles", {"role": "auditor"})
    ada.post(f"/admin/people/{person}/roles", {"role": "auditor"})
    assert roles_of(db, world, person) == {Role.LEARNER, Role.AUDITOR}
    ada.post(f"/admin/people/{person}/roles/auditor/revoke")
    assert roles_of(db, world, person) == {Role.LEARNER}
    with db.reading() as tx:
        kinds = [one.kind for one in tx.session.exec(select(Event).order_by(Event.id))]
    assert kinds.count("grant_role") == 1
    assert kinds.count("revoke_role") == 1


@pytest.mark.parametrize("role", ["emperor", "verifier"])
def test_no_account_is_given_a_role_that_needs_none(
    ada: Browser, people: People, role: str
) -> None:
    path = f"/admin/people/{people.learner.account_id}"
    assert ada.post(f"{path}/roles", {"role": role}).status_code == 422


def test_a_role_that_does_not_exist_is_not_taken_back(ada: Browser, people: People) -> None:
    path = f"/admin/people/{people.learner.account_id}"
    assert ada.post(f"{path}/roles/emperor/revoke").status_code == 422


def test_nobody_changes_their_own_roles_or_access(
    ada: Browser, db: Database, people: People, world: World
) -> None:
    path = f"/admin/people/{people.administrator.account_id}"
    assert "This is you" in ada.get(path).text
    assert ada.post(f"{path}/roles", {"role": "registrar"}).status_code == 403
    assert ada.post(f"{path}/roles/administrator/revoke").status_code == 403
    assert ada.post(f"{path}/disable").status_code == 403
    assert roles_of(db, world, people.administrator.account_id) == {Role.ADMINISTRATOR}


def test_an_account_is_disabled_and_let_in_again(
    app: Flask, ada: Browser, db: Database, people: People
) -> None:
    person = Browser(app, db)
    person.sign_in(people.assessor)
    path = f"/admin/people/{people.assessor.account_id}"
    ada.post(f"{path}/disable", {"why": "Left the college"})
    assert person.get("/account").status_code == 303
    assert "disabled" in ada.get(path).text
    assert ada.post(f"{path}/link").status_code == 409
    ada.post(f"{path}/enable")
    person.sign_in(people.assessor)
    assert person.get("/account").status_code == 200


def test_a_new_link_is_mailed_on_request(ada: Browser, db: Database, people: People) -> None:
    assert ada.post(f"/admin/people/{people.assessor.account_id}/link").status_code == 303
    with db.reading() as tx:
        assert tx.session.exec(select(Mail)).one().recipient == people.assessor.email


def test_competences_are_what_was_ticked(
    ada: Browser, db: Database, people: People, world: World
) -> None:
    path = f"/admin/people/{people.assessor.account_id}"
    code = str(world.definition.code)
    page = ada.get(path).text
    assert world.definition.title in page
    ada.post(f"{path}/competences", {"codes": [code]})
    ada.post(f"{path}/competences", {"codes": [code]})
    with db.reading() as tx:
        kept = tx.session.exec(
            select(Competence.definition_code).where(
                Competence.account_id == people.assessor.account_id
            )
        ).all()
        events = tx.session.exec(select(Event).where(Event.kind == "set_competences")).all()
    assert kept == [code]
    assert len(events) == 1


def test_people_of_another_institution_are_not_there(ada: Browser, people: People) -> None:
    path = f"/admin/people/{people.stranger.account_id}"
    for act in ("roles", "disable", "enable", "link", "competences"):
        assert ada.post(f"{path}/{act}", {"role": "learner"}).status_code == 404
