"""Part plans, keys and download names: pure values."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.ids import Sha256, sha256_of
from storage.vault import plan_open_ended, plan_parts
from storage.vault.keys import arrival_key, digest_of_key, incoming_key, sealed_key
from storage.vault.names import attachment
from storage.vault.plan import LARGEST_COUNT, LARGEST_FILE, MIB, SMALLEST_PART


@given(st.integers(min_value=1, max_value=LARGEST_FILE))
def test_every_plan_adds_up_and_keeps_within_what_stores_allow(size: int) -> None:
    plan = plan_parts(size)
    assert 1 <= plan.part_count <= LARGEST_COUNT
    assert plan.part_size >= SMALLEST_PART
    assert plan.part_size * (plan.part_count - 1) + plan.size_of(plan.part_count) == size
    assert 0 < plan.size_of(plan.part_count) <= plan.part_size


def test_parts_grow_with_the_file() -> None:
    assert plan_parts(1).part_count == 1
    assert plan_parts(1024 * MIB).part_size == SMALLEST_PART
    assert plan_parts(2048 * MIB).part_size == 8 * MIB
    assert plan_parts(4 * 1024 * MIB).part_size == 16 * MIB
    assert plan_parts(4 * 1024 * MIB).sizes() == (16 * MIB,) * 256


@given(st.integers(min_value=SMALLEST_PART, max_value=LARGEST_FILE), st.data())
def test_a_recording_may_end_anywhere_within_its_plan(most: int, data: st.DataObject) -> None:
    plan = plan_open_ended(most)
    assert plan.part_size == SMALLEST_PART
    assert plan.part_count <= LARGEST_COUNT
    assert sum((plan.size_of(1), plan.size_of(plan.part_count))) <= most + plan.part_size
    ended = plan.ended_at(data.draw(st.integers(min_value=1, max_value=plan.size)))
    assert ended.part_count <= plan.part_count
    assert ended.part_size * (ended.part_count - 1) + ended.size_of(ended.part_count) == ended.size


def test_no_room_for_one_part_is_no_room_for_a_recording() -> None:
    with pytest.raises(ValueError, match="no room"):
        plan_open_ended(SMALLEST_PART - 1)


@pytest.mark.parametrize("size", [0, -1, LARGEST_FILE + 1])
def test_no_plan_for_what_no_store_keeps(size: int) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        plan_parts(size)


def test_a_sealed_key_says_its_digest_and_no_other_key_does() -> None:
    digest = sha256_of(b"x")
    assert digest_of_key(sealed_key(digest)) == digest
    assert digest_of_key(sealed_key(digest, 2)) == digest
    assert sealed_key(digest, 2) != sealed_key(digest)
    upload_id = UUID(int=77)
    arrived = arrival_key(upload_id, digest)
    assert digest_of_key(arrived) == digest
    assert arrived.startswith(sealed_key(digest)) and arrived.endswith(upload_id.hex)
    assert arrival_key(upload_id) == incoming_key(upload_id)
    assert digest_of_key(arrived + "0") is None
    assert digest_of_key(sealed_key(digest) + ".x") is None
    assert digest_of_key(sealed_key(digest) + ".02") is None
    assert digest_of_key("sealed/zz/no") is None
    assert digest_of_key("sealed/" + digest) is None
    assert digest_of_key(f"incoming/{Sha256(digest)}") is None


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("report.pdf", "report.pdf", "report.pdf"),
        ("Prüfbericht №7.pdf", "Pr_fbericht _7.pdf", "Pr%C3%BCfbericht%20%E2%84%967.pdf"),
        ('a"; filename=evil.exe', "a__ filename=evil.exe", "a__%20filename%3Devil.exe"),
        ("../../etc/passwd", "_.._etc_passwd", "_.._etc_passwd"),
        ("line\r\nX-Evil: 1", "line__X-Evil_ 1", "line__X-Evil_%201"),
        ("...", "file", "file"),
        ("At 3.45\u202fPM\u00a0a\u2009b.png", "At 3.45 PM a b.png", "At%203.45%20PM%20a%20b.png"),
        ("\u202egnp.exe", "_gnp.exe", "_gnp.exe"),
    ],
)
def test_a_download_is_named_as_given_and_never_leaves_its_header(
    name: str, plain: str, encoded: str
) -> None:
    assert attachment(name) == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_a_long_name_keeps_its_ending() -> None:
    header = attachment("x" * 400 + ".pdf")
    assert header.endswith(".pdf")
    assert len(header) < 400
