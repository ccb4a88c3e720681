"""People's accounts and roles: races, repeats, the last administrator, what is told to whom."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage.database import Database
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.events import Who
from storage.ids import AccountId, new_id
from storage.tables import Account, Event, Institution, Mail
from storage.vocabulary import Role
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.people import commands, own_account, sessions
from workflows.people.accounts import house_name
from workflows.people.commands import Invitation
from workflows.people.passwords import hash_password
from workflows.people.queries import house
from workflows.people.queries import own_account as own_account_of

OLD, NEW = "seven quiet lathes turning", "nine loud lathes resting"
HOURS = timedelta(hours=12)


def address_of(token: str) -> str:
    return f"https://assay.example/{token}"


def account_id(actor: Actor) -> AccountId:
    assert actor.account_id is not None
    return actor.account_id


def with_password(db: Database, actor: Actor, password: str = OLD) -> None:
    with db.transaction() as tx:
        tx.session.get_one(Account, actor.account_id).password_hash = hash_password(password)


def events(db: Database, kind: str) -> int:
    with db.reading() as tx:
        return len(tx.session.exec(select(Event).where(Event.kind == kind)).all())


def link_of(db: Database) -> str:
    with db.reading() as tx:
        body = tx.session.exec(select(Mail).order_by(Mail.id)).all()[-1].body
    return next(line for line in body.split() if line.startswith("https://")).rpartition("/")[2]


def test_the_last_administrator_stays(db: Database, world: World) -> None:
    one = world.person(Role.ADMINISTRATOR)
    other = world.person(Role.ADMINISTRATOR)
    commands.disable_person(db, one, account_id(other))
    # `other` had signed in as administrator just before and acts on
    with pytest.raises(Conflict):
        commands.revoke_role(db, other, account_id(one), Role.ADMINISTRATOR)
    with pytest.raises(Conflict):
        commands.disable_person(db, other, account_id(one))


def test_what_is_done_already_changes_nothing_and_is_no_event(db: Database, world: World) -> None:
    admin, person = world.person(Role.ADMINISTRATOR), world.person(Role.LEARNER)
    commands.revoke_role(db, admin, account_id(person), Role.AUDITOR)
    commands.enable_person(db, admin, account_id(person))
    commands.disable_person(db, admin, account_id(person), "left")
    commands.disable_person(db, admin, account_id(person), "left")
    assert (events(db, "revoke_role"), events(db, "enable_person")) == (0, 0)
    assert events(db, "disable_person") == 1


def test_an_administrator_of_no_institution_manages_nobody(db: Database, world: World) -> None:
    person = world.person(Role.LEARNER)
    nowhere = Actor(AccountId(new_id()), None, frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(Forbidden):
        commands.grant_role(db, nowhere, account_id(person), Role.AUDITOR)
    with pytest.raises(Forbidden):
        commands.invite_person(db, nowhere, Invitation("A", "a@people.example", []), address_of)


def test_only_administrators_invite(db: Database, world: World) -> None:
    wanted = Invitation("A", "a@people.example", [Role.LEARNER])
    with pytest.raises(Forbidden):
        commands.invite_person(db, world.person(Role.REGISTRAR), wanted, address_of)
    made = commands.invite_person(db, world.person(Role.ADMINISTRATOR), wanted, address_of)
    with db.reading() as tx:
        assert own_account_of(tx, made).email == "a@people.example"


def test_a_disabled_person_is_mailed_nothing_and_sets_no_password(
    db: Database, world: World
) -> None:
    admin, person = world.person(Role.ADMINISTRATOR), world.person(Role.LEARNER)
    own_account.ask_password_link(db, person.email, address_of)
    token = link_of(db)
    with db.transaction() as tx:
        tx.session.get_one(Account, person.account_id).disabled_at = tx.now
    with pytest.raises(Conflict):
        own_account.set_password(db, token, NEW)
    own_account.ask_password_link(db, person.email, address_of)
    own_account.ask_to_register(db, person.email, "en", address_of, address_of)
    with db.reading() as tx:
        assert len(tx.session.exec(select(Mail)).all()) == 1
    with pytest.raises(Conflict):
        commands.send_password_link(db, admin, account_id(person), address_of)


def test_a_changed_password_is_told_by_mail_but_not_the_first_one(
    db: Database, world: World
) -> None:
    person = world.person(Role.LEARNER)
    own_account.ask_password_link(db, person.email, address_of)
    own_account.set_password(db, link_of(db), OLD)
    own_account.change_password(db, person, OLD, NEW, HOURS)
    with db.reading() as tx:
        subjects = [mail.subject for mail in tx.session.exec(select(Mail).order_by(Mail.id))]
    assert subjects == ["Set your password", "Your password was changed"]


def test_of_two_changes_of_a_password_at_once_one_wins(db: Database, world: World) -> None:
    """Both were told that the old one is right; the second finds that it is not any more."""
    person = world.person(Role.LEARNER)
    with_password(db, person)
    with db.reading() as tx:
        seen = own_account_of(tx, account_id(person)).password_hash
    who = Who(Role.LEARNER, person.account_id, person.name)
    own_account.change_password(db, person, OLD, NEW, HOURS)
    with pytest.raises(InvalidInput):
        own_account._change_password(db, who, seen, hash_password("eleven odd lathes"), HOURS)
    sessions.sign_in(db, person.email, NEW, HOURS)


def test_who_is_disabled_while_the_password_is_checked_is_not_let_in(
    db: Database, world: World
) -> None:
    person = world.person(Role.LEARNER)
    with_password(db, person)
    with db.reading() as tx:
        account = own_account_of(tx, account_id(person))
    kept = account.password_hash
    assert kept is not None
    commands.disable_person(db, world.person(Role.ADMINISTRATOR), account_id(person))
    with pytest.raises(InvalidInput):
        sessions._begin_if_unchanged(db, account, kept, kept, HOURS)
    assert events(db, "sign_in_refused") == 1


def test_a_weakly_kept_password_is_kept_better_from_the_next_sign_in(
    db: Database, world: World
) -> None:
    from argon2 import PasswordHasher

    person = world.person(Role.LEARNER)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(OLD)
    with db.transaction() as tx:
        tx.session.get_one(Account, person.account_id).password_hash = weak
    sessions.sign_in(db, person.email, OLD, HOURS)
    with db.reading() as tx:
        assert own_account_of(tx, account_id(person)).password_hash != weak
    sessions.sign_in(db, person.email, OLD, HOURS)


def test_one_account_for_an_address_also_when_it_came_meanwhile(db: Database, world: World) -> None:
    own_account.ask_to_register(db, "new@people.example", "en", address_of, address_of)
    token = link_of(db)
    commands.invite_person(
        db,
        world.person(Role.ADMINISTRATOR),
        Invitation("Nia", "new@people.example", [Role.ASSESSOR]),
        address_of,
    )
    with pytest.raises(Conflict):
        own_account.register_learner(db, token, "Nia", NEW, "en")


def test_saving_ones_data_unchanged_is_no_event(db: Database, world: World) -> None:
    person = world.person(Role.LEARNER, name="Ana Souza")
    own_account.change_own_account(db, person, "Ana Souza", "", "en")
    assert events(db, "change_own_account") == 0
    own_account.change_own_account(db, person, "Ana Souza", "Works", "en")
    assert events(db, "change_own_account") == 1


def test_before_anything_is_set_up_there_is_no_institution(db: Database) -> None:
    with db.reading() as tx:
        assert house(tx) is None
        with pytest.raises(NotFound):
            house_name(tx)
        with pytest.raises(NotFound):
            own_account_of(tx, AccountId(new_id()))


def test_the_institution_of_the_house_is_the_first_one(db: Database, world: World) -> None:
    with db.transaction() as tx:
        tx.session.add(
            Institution(
                id=new_id(),
                slug="second",
                name="Second College",
                country="CA",
                url="https://second.example",
                email="a@second.example",
                profile={"colour": 7},
                created_at=tx.now + timedelta(days=1),
            )
        )
    with db.reading() as tx:
        found = house(tx)
        assert found is not None
        assert (found.id, found.colour) == (world.institution_id, "")


def test_a_demo_session_is_for_living_demo_people_only(db: Database, world: World) -> None:
    person = world.person(Role.LEARNER)
    with pytest.raises(NotFound):
        sessions.sign_in_as_demo_person(db, account_id(person), HOURS)
    with pytest.raises(NotFound):
        sessions.sign_in_as_demo_person(db, AccountId(new_id()), HOURS)
    with db.transaction() as tx:
        account = tx.session.get_one(Account, person.account_id)
        account.is_demo, account.disabled_at = True, tx.now
    with pytest.raises(NotFound):
        sessions.sign_in_as_demo_person(db, account_id(person), HOURS)
