"""Access tokens: shown once, kept as a hash, ended by time, hand, a new password, disabling."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from storage.clock import SetClock
from storage.database import Database
from storage.errors import Forbidden, InvalidInput, NotFound, TooMany
from storage.ids import AccountId, token_hash
from storage.tables import AccessToken, Account, Event, Mail
from storage.vocabulary import Role
from tests.fixtures.world import World
from workflows.access.rules import VISITOR, Actor
from workflows.people.commands import disable_person, enable_person
from workflows.people.own_account import change_password
from workflows.people.passwords import hash_password
from workflows.people.tokens import (
    MOST_TOKENS,
    PREFIX,
    TokenHolder,
    TokenScope,
    holder_of_token,
    make_token,
    own_token,
    own_tokens,
    revoke_token,
    touch_token,
)

READ = (TokenScope.EVIDENCE_READ,)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


def holder(world: World, token: str) -> TokenHolder | None:
    with world.db.reading() as tx:
        return holder_of_token(tx, token, world.institution_id)


def names(db: Database, actor: Actor) -> list[str]:
    assert actor.account_id is not None
    with db.reading() as tx:
        return [row.name for row in own_tokens(tx, actor.account_id)]


def test_a_token_acts_as_its_maker_within_its_scopes(world: World, ana: Actor) -> None:
    made = make_token(world.db, ana, "  My\tscript ", READ, 30)
    found = holder(world, made.token)
    assert found is not None
    assert found.actor == replace(ana, token_id=made.id)
    assert (found.scopes, found.locale) == (frozenset(READ), "en")
    assert made.expires_at == world.clock.now() + timedelta(days=30)
    assert names(world.db, ana) == ["My script"]


def test_what_is_kept_does_not_tell_the_token_and_its_maker_is_told(
    world: World, ana: Actor
) -> None:
    made = make_token(world.db, ana, "script", tuple(TokenScope), 365)
    with world.db.reading() as tx:
        row = tx.session.exec(select(AccessToken)).one()
        event = tx.session.exec(select(Event).where(Event.kind == "make_token")).one()
        mail = tx.session.exec(select(Mail)).one()
    assert row.token_hash == token_hash(made.token)
    assert made.token.startswith(row.beginning) and len(row.beginning) < 20
    assert made.token not in f"{row} {event} {mail}"
    assert (event.subject_id, event.data["days"]) == (made.id, 365)
    assert mail.recipient == ana.email and "“script”" in mail.body


def test_a_token_ends_on_its_day(world: World, ana: Actor, clock: SetClock) -> None:
    made = make_token(world.db, ana, "script", READ, 30)
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert holder(world, made.token) is not None
    clock.advance(timedelta(seconds=1))
    assert holder(world, made.token) is None
    assert names(world.db, ana) == []


def test_a_revoked_token_opens_nothing_and_is_revoked_once(world: World, ana: Actor) -> None:
    made = make_token(world.db, ana, "script", READ, 30)
    revoke_token(world.db, ana, made.id)
    revoke_token(world.db, ana, made.id)
    assert holder(world, made.token) is None
    with world.db.reading() as tx:
        events = tx.session.exec(select(Event).where(Event.kind == "revoke_token")).all()
    assert len(events) == 1


def test_anothers_token_is_not_there(world: World, ana: Actor) -> None:
    made = make_token(world.db, ana, "script", READ, 30)
    other = world.person(Role.LEARNER)
    with pytest.raises(NotFound):
        revoke_token(world.db, other, made.id)
    assert other.account_id is not None and ana.account_id is not None
    with world.db.reading() as tx:
        with pytest.raises(NotFound):
            own_token(tx, other.account_id, made.id)
        assert own_token(tx, ana.account_id, made.id).beginning == made.token[:12]
    assert holder(world, made.token) is not None


def test_a_new_password_ends_every_token(world: World, ana: Actor) -> None:
    old = "a row of ordinary words"
    with world.db.transaction() as tx:
        tx.session.get_one(Account, ana.account_id).password_hash = hash_password(old)
    made = make_token(world.db, ana, "script", READ, 30)
    change_password(world.db, ana, old, "another row of words", timedelta(hours=1))
    assert holder(world, made.token) is None


def test_disabling_ends_every_token_for_good(world: World, ana: Actor) -> None:
    administrator = world.person(Role.ADMINISTRATOR)
    world.person(Role.ADMINISTRATOR)
    made = make_token(world.db, ana, "script", READ, 30)
    assert ana.account_id is not None
    disable_person(world.db, administrator, AccountId(ana.account_id))
    assert holder(world, made.token) is None
    with pytest.raises(Forbidden):
        make_token(world.db, ana, "script", READ, 30)
    enable_person(world.db, administrator, AccountId(ana.account_id))
    assert holder(world, made.token) is None


def test_nonsense_is_nobodys_token(world: World) -> None:
    for nonsense in ("", PREFIX, PREFIX + "x" * 43, "x", "é", "\x00"):
        assert holder(world, nonsense) is None


def test_a_token_needs_a_name_a_purpose_and_an_end(world: World, ana: Actor) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_token(world.db, ana, "  ", (), 31)
    assert [one.field for one in refused.value.problems] == ["name", "scopes", "days"]
    with pytest.raises(InvalidInput):
        make_token(world.db, ana, "n" * 81, READ, 30)
    with pytest.raises(Forbidden):
        make_token(world.db, VISITOR, "script", READ, 30)


def test_nobody_heaps_up_tokens(world: World, ana: Actor) -> None:
    for number in range(MOST_TOKENS):
        make_token(world.db, ana, f"script {number}", READ, 30)
    with pytest.raises(TooMany):
        make_token(world.db, ana, "one more", READ, 30)


def test_the_last_use_is_written_down_once_an_hour(
    world: World, ana: Actor, clock: SetClock
) -> None:
    made = make_token(world.db, ana, "script", READ, 30)
    found = holder(world, made.token)
    assert found is not None and found.due(clock.now())
    touch_token(world.db, made.id)
    found = holder(world, made.token)
    assert found is not None and not found.due(clock.now() + timedelta(minutes=59))
    assert found.due(clock.now() + timedelta(minutes=61))
