"""Amending an item: what is named changes, the rest stays, also what others change meanwhile."""

from dataclasses import replace

import pytest

from storage.errors import Conflict, InvalidInput, NotFound
from storage.ids import ItemId, new_id
from storage.vocabulary import Role
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.cases.commands import withdraw_case
from workflows.evidence.amending import amend_evidence
from workflows.evidence.queries import ItemRow, item_row
from workflows.evidence.rules import Description


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def item_id(world: World, ana: Actor) -> ItemId:
    return world.item(world.case(ana), "CNC1", "CNC2")


def titled(kept: Description) -> Description:
    return replace(kept, title="Titled")


def row(world: World, item_id: ItemId) -> ItemRow:
    with world.db.reading() as tx:
        return item_row(tx, item_id)


def test_only_what_is_named_changes(world: World, ana: Actor, item_id: ItemId) -> None:
    before = row(world, item_id)
    amend_evidence(world.db, ana, item_id, titled)
    after = row(world, item_id)
    assert after == replace(before, title="Titled", version=before.version + 1)


def test_what_was_changed_at_the_same_moment_stays(
    world: World, ana: Actor, item_id: ItemId
) -> None:
    meanwhile = [lambda kept: replace(kept, own_part="Meanwhile.")]

    def change(kept: Description) -> Description:
        while meanwhile:
            amend_evidence(world.db, ana, item_id, meanwhile.pop())
        return titled(kept)

    amend_evidence(world.db, ana, item_id, change)
    after = row(world, item_id)
    assert (after.title, after.own_part) == ("Titled", "Meanwhile.")


def test_what_changes_all_the_time_is_given_up(world: World, ana: Actor, item_id: ItemId) -> None:
    def change(kept: Description) -> Description:
        amend_evidence(
            world.db, ana, item_id, lambda now: replace(now, own_part=now.own_part + "!")
        )
        return titled(kept)

    with pytest.raises(Conflict):
        amend_evidence(world.db, ana, item_id, change)
    assert row(world, item_id).own_part.endswith("!!!")


def test_an_expected_version_is_held_to(world: World, ana: Actor, item_id: ItemId) -> None:
    version = row(world, item_id).version
    amend_evidence(world.db, ana, item_id, titled, expected_version=version)
    with pytest.raises(Conflict):
        amend_evidence(world.db, ana, item_id, titled, expected_version=version)


def test_other_refusals_are_told_at_once(world: World, ana: Actor, item_id: ItemId) -> None:
    with pytest.raises(InvalidInput):
        amend_evidence(world.db, ana, item_id, lambda kept: replace(kept, title=" "))
    with pytest.raises(NotFound):
        amend_evidence(world.db, world.person(Role.LEARNER), item_id, titled)
    with pytest.raises(NotFound):
        amend_evidence(world.db, ana, ItemId(new_id()), titled)
    withdraw_case(world.db, ana, row(world, item_id).case_id, "No time.")
    with pytest.raises(Conflict):
        amend_evidence(world.db, ana, item_id, titled)
