"""What the viewer is given of an item, against a real store."""

import pytest

from storage.errors import NotFound
from storage.ids import sha256_of
from storage.tables import EvidenceItem
from storage.vault import Vault
from storage.vocabulary import PreviewKind, Role
from tests.fixtures.looks import looked_at
from tests.fixtures.world import World
from workflows.evidence.viewing import MOST_TEXT, text_shown, view_item


def test_the_words_of_a_file_are_read_up_to_an_end(world: World, vault: Vault) -> None:
    learner, other = world.person(Role.LEARNER), world.person(Role.LEARNER)
    item_id = world.item(world.case(learner))
    assert text_shown(world.db, vault, learner, item_id) == ""
    looked_at(world.db, item_id, {}, previews=[(PreviewKind.TEXT, 0, "text/plain")])
    with world.db.reading() as tx:
        digest = tx.session.get_one(EvidenceItem, item_id).sha256
    words = "Stock: bones, water. ü\n" * 20_000
    body = words.encode()
    vault.put_small(f"previews/{digest}/text-0", body, sha256=sha256_of(body))
    shown = text_shown(world.db, vault, learner, item_id)
    assert shown.startswith("Stock: bones, water. ü") and len(shown.encode()) <= MOST_TEXT + 2
    with pytest.raises(NotFound):
        text_shown(world.db, vault, other, item_id)


def test_its_learner_may_mark_it_and_sees_who_opened_it(world: World) -> None:
    learner = world.person(Role.LEARNER)
    case_id = world.case(learner)
    item_id = world.item(case_id)
    shown = view_item(world.db, learner, item_id)
    assert shown.own and shown.may_mark and not shown.may_note
    assert shown.case_id == case_id and shown.openings == [] and shown.sheet_id is None
