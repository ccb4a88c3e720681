"""`assay vault copy`: all arrives verified, a kill in the middle costs nothing, lies show."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import func, select

from app.cli.vault import address_from
from app.settings import SettingsError
from storage.ids import ItemId, sha256_of
from storage.moving import Outcome, copy_vault, hash_of
from storage.tables import VaultCopy
from storage.vault import Vault, sealed_key
from storage.vault.plan import MIB
from storage.vocabulary import ScanVerdict
from tests.fixtures.intake import Intake, Says, noise
from tests.fixtures.shared import ROOT
from tests.fixtures.vault import address_of
from workflows.evidence.describing import remove_evidence

ELSEWHERE = "assay-tests-elsewhere"


@pytest.fixture
def there(s3_settings: Mapping[str, str], intake: Intake) -> Iterator[Vault]:
    """An empty bucket beside the test's own."""
    intake.world.clock.set(datetime.now(UTC))
    vault = Vault(address_of(s3_settings, ELSEWHERE))
    vault.ensure_bucket(["http://127.0.0.1:8000"])
    for kept in vault.list_keys(""):
        vault.delete(kept.key)
    yield vault


def moved(intake: Intake, there: Vault, *, verify_only: bool = False) -> Counter[Outcome]:
    intake.world.clock.set(datetime.now(UTC))
    return Counter(
        one.outcome for one in copy_vault(intake.db, intake.vault, there, verify_only=verify_only)
    )


def test_everything_that_is_kept_arrives_and_what_is_under_way_is_named(
    intake: Intake, there: Vault
) -> None:
    bodies = [noise(1000, str(number)) for number in range(3)]
    for number, body in enumerate(bodies):
        intake.sealed(body, f"{number}.pdf")
    intake.store(noise(1000, "waits"), "waits.pdf")
    intake.scanner = Says(ScanVerdict.INFECTED, "x")
    intake.sealed(noise(1000, "bad"), "bad.pdf")
    plan = intake.announce(noise(17 * MIB), "coming.pdf")
    intake.send(plan, noise(17 * MIB), [1])
    intake.vault.put_small("previews/aa/thumbnail-0", b"p", sha256=sha256_of(b"p"))
    assert moved(intake, there) == {Outcome.COPIED: 6, Outcome.IN_FLIGHT: 1}
    for body in bodies:
        assert hash_of(there, there.facts(sealed_key(sha256_of(body)))) == sha256_of(body)
    assert moved(intake, there) == {Outcome.KNOWN: 6, Outcome.IN_FLIGHT: 1}
    assert moved(intake, there, verify_only=True) == {Outcome.THERE: 6, Outcome.IN_FLIGHT: 1}


def test_a_large_object_travels_in_parts_and_keeps_its_digest(intake: Intake, there: Vault) -> None:
    body = noise(20 * MIB)
    key = sealed_key(sha256_of(body))
    intake.vault.receive(key, iter([body]), len(body))
    assert moved(intake, there) == {Outcome.COPIED: 1}
    assert hash_of(there, there.facts(key)) == sha256_of(body)
    assert "-" in there.facts(key).etag


def test_bytes_that_are_others_here_are_not_copied_and_others_there_not_touched(
    intake: Intake, there: Vault
) -> None:
    right, wrong = noise(1000, "right"), noise(1000, "wrong")
    for body in (right, wrong):
        intake.sealed(body, "a.pdf")
    other = noise(1000, "other")
    intake.vault.put_small(sealed_key(sha256_of(wrong)), other, sha256=sha256_of(other))
    there.put_small(sealed_key(sha256_of(right)), other, sha256=sha256_of(other))
    assert moved(intake, there) == {Outcome.DIFFERS: 2}
    assert there.find(sealed_key(sha256_of(wrong))) is None
    assert hash_of(there, there.facts(sealed_key(sha256_of(right)))) == sha256_of(other)
    with intake.db.reading() as tx:
        assert tx.session.exec(select(func.count()).select_from(VaultCopy)).one() == 0


def test_a_later_look_finds_what_was_changed_or_lost_there(intake: Intake, there: Vault) -> None:
    bodies = [noise(1000, str(number)) for number in range(3)]
    for number, body in enumerate(bodies):
        intake.sealed(body, f"{number}.pdf")
    moved(intake, there)
    there.delete(sealed_key(sha256_of(bodies[0])))
    there.put_small(sealed_key(sha256_of(bodies[1])), b"x", sha256=sha256_of(b"x"))
    found = moved(intake, there, verify_only=True)
    assert found == {Outcome.MISSING: 1, Outcome.DIFFERS: 1, Outcome.THERE: 1}


def test_what_is_erased_here_between_two_passes_does_not_live_on_there(
    intake: Intake, there: Vault
) -> None:
    gone = intake.sealed(noise(1000, "gone"), "gone.pdf")
    intake.sealed(noise(1000, "kept"), "kept.pdf")
    moved(intake, there)
    there.put_sealed(b"somebody else's")
    remove_evidence(intake.db, intake.learner, ItemId(gone.id))
    intake.erase(ItemId(gone.id))
    assert moved(intake, there) == {Outcome.KNOWN: 1, Outcome.REMOVED: 1, Outcome.SURPLUS: 1}
    assert there.find(sealed_key(sha256_of(noise(1000, "gone")))) is None
    assert there.find(sealed_key(sha256_of(b"somebody else's"))) is not None


def test_killed_in_the_middle_it_goes_on_and_says_so(
    intake: Intake,
    there: Vault,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    for number in range(60):
        intake.vault.put_sealed(noise(1000, str(number)))
    env = os.environ | {
        "ASSAY_ENV": "test",
        "ASSAY_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }
    for prefix, address in (("S3", intake.vault.address), ("NEW", there.address)):
        env |= {
            f"{prefix}_ENDPOINT_URL": address.endpoint_url,
            f"{prefix}_BUCKET": address.bucket,
            f"{prefix}_ACCESS_KEY_ID": address.access_key_id,
            f"{prefix}_SECRET_ACCESS_KEY": address.secret_access_key,
        }
    line = [sys.executable, "-m", "app.cli", "vault", "copy", "--to", "NEW"]
    first = subprocess.Popen([*line, "--jobs", "1"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    for _ in range(3000):
        if copied(intake) >= 5 or first.poll() is not None:
            break
        time.sleep(0.02)
    first.kill()
    first.wait()
    before = copied(intake)
    assert before >= 5
    second = subprocess.run(
        [*line, "--json"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert second.returncode == 0, second.stderr
    counts = json.loads(second.stdout)["counts"]
    assert counts["known"] == before
    assert sum(counts.values()) == 60
    assert copied(intake) == 60


def copied(intake: Intake) -> int:
    """How many objects were written down as copied."""
    with intake.db.reading() as tx:
        return tx.session.exec(select(func.count()).select_from(VaultCopy)).one()


def test_the_other_store_is_named_whole_or_what_is_missing_is_said() -> None:
    with pytest.raises(SettingsError, match="NEW_BUCKET is not set"):
        address_from({"NEW_ENDPOINT_URL": "http://x"}, "NEW")
