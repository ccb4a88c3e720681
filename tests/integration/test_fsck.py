"""`assay fsck`: what it tells, in words and for programs, and how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.cli.fsck import _repair, examine
from app.container import Container, build
from app.health import kept_bytes
from app.jobs.sweeper import rehash_a_little
from app.settings import Settings
from storage.ids import ItemId, sha256_of
from storage.outbox import promise
from storage.tables import Event, OutboxRow
from storage.vault import ObjectMissing, StoreAddress, sealed_key
from storage.vocabulary import EvidenceState
from tests.fixtures.intake import Intake, noise
from tests.fixtures.shared import ROOT
from workflows.cases.queries import counted_items
from workflows.evidence.disclosure import link_to_evidence
from workflows.evidence.queries import case_items


@pytest.fixture
def house_env(store_address: StoreAddress, database_url: str, redis_url: str) -> dict[str, str]:
    """The environment that leads to the test's own engines."""
    return {
        "ASSAY_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "S3_ENDPOINT_URL": store_address.endpoint_url,
        "S3_BUCKET": store_address.bucket,
        "S3_ACCESS_KEY_ID": store_address.access_key_id,
        "S3_SECRET_ACCESS_KEY": store_address.secret_access_key,
    }


@pytest.fixture
def house(intake: Intake, house_env: dict[str, str]) -> Iterator[Container]:
    """The parts of the house over the test's own engines."""
    intake.world.clock.set(datetime.now(UTC))
    container = build(Settings.from_env(house_env), intake.world.clock)
    yield container
    container.close()


def test_a_whole_house_has_nothing_wrong(house: Container, intake: Intake) -> None:
    intake.sealed(noise(1000))
    assert list(examine(house)) == []


def test_everything_that_does_not_agree_is_named(house: Container, intake: Intake) -> None:
    body = noise(1000)
    item = intake.sealed(body)
    intake.vault.delete(sealed_key(sha256_of(body)))
    intake.vault.put_sealed(b"nobody's")
    with intake.db.transaction() as tx:
        outbox_id = promise(tx, "send_mail", item.id)
        tx.session.get_one(OutboxRow, outbox_id).dead_at = tx.now
        row = tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "seal_evidence")).one()
        row.done_at = None
    found = list(examine(house))
    assert {(one.what, one.harmless) for one in found} == {
        ("missing", False),
        ("no_row", True),
        ("given_up", True),
        ("receipt", False),
        ("silent_failure", False),
    }
    (missing,) = [one for one in found if one.what == "missing"]
    assert missing.detail == f"items {item.id}"


def told(env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "fsck", *words],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_ends_well_only_when_nothing_is_wrong(
    house: Container, house_env: dict[str, str], intake: Intake, tmp_path: Path
) -> None:
    env = house_env | {"ASSAY_HOME": str(tmp_path)}
    body = noise(1000)
    intake.sealed(body)
    intake.vault.put_sealed(b"nobody's")
    well = told(env)
    assert well.returncode == 0, well.stderr
    assert "note  no_row: " in well.stdout
    assert "All of it agrees." in well.stdout
    other = noise(1000, "other")
    intake.vault.put_small(sealed_key(sha256_of(body)), other, sha256=sha256_of(other))
    wrong = told(env, "--all", "--json")
    assert wrong.returncode == 1
    said = json.loads(wrong.stdout)
    assert not said["ok"]
    whats = [one["what"] for one in said["found"]]
    assert whats == ["no_row", "wrong_digest", "known_wrong"]
    plain = told(env, "--sample", "10")
    assert plain.returncode == 1
    assert "WRONG wrong_digest: sealed/" in plain.stdout
    assert "What does not agree: 2." in plain.stdout


def test_tests_see_at_a_look_whether_the_house_is_whole(
    intake: Intake, clean: Callable[..., None]
) -> None:
    body = noise(1000)
    intake.sealed(body)
    clean(intake)
    intake.vault.delete(sealed_key(sha256_of(body)))
    with pytest.raises(AssertionError, match="missing: sealed/"):
        clean(intake)


def test_only_what_nothing_needs_is_ever_removed(
    house: Container, house_env: dict[str, str], intake: Intake, tmp_path: Path
) -> None:
    body = noise(1000)
    intake.sealed(body)
    intake.vault.put_sealed(b"nobody's")
    for key in ("incoming/zz-unknown", "previews/aa/thumbnail-0"):
        intake.vault.put_small(key, b"x", sha256=sha256_of(b"x"))
    house.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    whats = [one.what for one in examine(house)]
    assert whats == ["no_row", "left_over", "preview_left_over"]
    assert list(_repair(house)) == [
        "1 of the uploads that nothing needs",
        "previews/aa/thumbnail-0",
    ]
    assert [one.what for one in examine(house)] == ["no_row"]
    assert intake.vault.find(sealed_key(sha256_of(body))) is not None


def test_a_database_restored_over_objects_of_an_older_day_names_exactly_what_is_missing(
    house: Container, intake: Intake
) -> None:
    for number in range(3):
        intake.sealed(noise(1000, str(number)), f"{number}.pdf")
    older = {one.key for one in intake.vault.list_keys("")}
    later = [intake.sealed(noise(1000, f"later {number}"), f"l{number}.pdf") for number in range(2)]
    waiting = intake.store(noise(1000, "waits"), "waits.pdf")
    for one in intake.vault.list_keys(""):
        if one.key not in older:
            intake.vault.delete(one.key)
    found = list(examine(house))
    assert {(one.what, one.detail) for one in found if one.what == "missing"} == {
        ("missing", f"items {item.id}") for item in later
    }
    assert [one.what for one in found if one.what != "missing"] == ["unsealed_missing"]
    with house.db.reading() as tx:
        kinds = tx.session.exec(select(Event.subject_id).where(Event.kind == "miss_evidence")).all()
    assert set(kinds) == {item.id for item in later}
    assert waiting not in kinds


def test_what_was_found_changed_is_told_until_it_is_whole_again(
    house: Container, intake: Intake
) -> None:
    body, other = noise(1000), noise(1000, "other")
    item = intake.sealed(body)
    intake.vault.put_small(sealed_key(sha256_of(body)), other, sha256=sha256_of(other))
    assert [one.what for one in examine(house)] == ["wrong_digest", "known_wrong"]
    assert not kept_bytes(house.db).ok
    with pytest.raises(ObjectMissing, match="not what was sealed"):
        link_to_evidence(house.db, house.vault, intake.learner, ItemId(item.id), "download")
    with house.db.reading() as tx:
        assert [one.changed for one in case_items(tx, intake.case_id)] == [True]
        assert [one.spoilt for one in counted_items(tx, intake.case_id)] == [True]
    assert [one.what for one in examine(house, 0)] == ["known_wrong"]
    intake.vault.put_small(sealed_key(sha256_of(body)), body, sha256=sha256_of(body))
    assert list(examine(house)) == []
    assert kept_bytes(house.db).ok
    with house.db.reading() as tx:
        kinds = tx.session.exec(
            select(Event.kind).where(Event.subject_id == item.id, Event.actor_role == "system")
        ).all()
    assert "find_evidence_changed" in kinds
    assert "recover_evidence" in kinds


@pytest.mark.parametrize("names_digest", [True, False])
def test_a_good_copy_sent_anew_takes_the_place_of_what_was_changed(
    house: Container, intake: Intake, names_digest: bool
) -> None:
    body, other = noise(1000), noise(900, "other")
    first = intake.sealed(body)
    intake.vault.put_small(sealed_key(sha256_of(body)), other, sha256=sha256_of(other))
    assert "wrong_digest" in [one.what for one in examine(house)]
    intake.names_digest = names_digest
    second = intake.sealed(body, "again.pdf")
    assert (second.state, second.sha256) == (EvidenceState.SEALED, first.sha256)
    assert b"".join(intake.vault.open_stream(sealed_key(sha256_of(body)))) == body
    assert list(examine(house)) == []
    with house.db.reading() as tx:
        assert [one.changed for one in case_items(tx, intake.case_id)] == [False, False]


def test_the_sweeper_reads_a_little_and_only_what_was_not_read_for_a_month(
    house: Container, intake: Intake
) -> None:
    body, other = noise(1000), noise(1000, "other")
    intake.sealed(body)
    intake.vault.put_small(sealed_key(sha256_of(body)), other, sha256=sha256_of(other))
    assert rehash_a_little(house) == 0
    house.clock.advance(timedelta(days=31))  # type: ignore[attr-defined]
    assert rehash_a_little(house) == 1
