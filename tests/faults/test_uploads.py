"""Uploads against a real store behind a line that can go wrong: FAULTS.md, uploads and storage.

After each test rows and objects agree, what is promised is done or due, and sealed bytes are
themselves.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlmodel import select

from storage.errors import Conflict, NotFound, TooMany
from storage.ids import ItemId, sha256_of
from storage.tables import EvidenceItem, OutboxRow, Upload, UploadPart
from storage.vault import SignedRequest, StoreAddress, Vault, sealed_key
from storage.vault import plan as plan_module
from storage.vocabulary import EvidenceState, Role
from tests.fixtures.intake import Intake, noise, piece_of
from tests.fixtures.invariants import clean
from tests.fixtures.store_line import Ask, Line
from workflows.evidence.describing import remove_evidence
from workflows.evidence.rules import Limits
from workflows.evidence.uploading import (
    SentPart,
    UploadPlan,
    WantedPart,
    record_parts,
    sign_parts,
)

MIB = 1024**2
PART = plan_module.SMALLEST_PART
THREE_PARTS = 2 * PART + 1000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts as small as stores take them."""
    monkeypatch.setattr(plan_module, "PART_SIZES", (PART,))


@pytest.fixture
def line(
    intake: Intake, store_address: StoreAddress, line_to: Callable[[str], Line]
) -> Iterator[Line]:
    """The intake's store is reached over this line; in the end everything agrees."""
    intake.world.clock.set(datetime.now(UTC))
    made = line_to(store_address.endpoint_url)
    direct = intake.vault
    intake.vault = Vault(replace(store_address, endpoint_url=made.url, tries=1))
    yield made
    clean(replace(intake, vault=direct))


def sign(intake: Intake, plan: UploadPlan, body: bytes, number: int) -> SignedRequest:
    wanted = WantedPart(number, sha256_of(piece_of(plan, body, number)))
    (signed,) = sign_parts(intake.db, intake.vault, intake.learner, plan.item_id, [wanted])
    return signed


def put(signed: SignedRequest, body: bytes) -> requests.Response:
    return requests.put(signed.url, data=body, headers=dict(signed.headers), timeout=30)


def upload_of(intake: Intake, plan: UploadPlan) -> Upload:
    with intake.db.reading() as tx:
        return tx.session.exec(select(Upload).where(Upload.item_id == plan.item_id)).one()


def ends_well(intake: Intake, plan: UploadPlan, body: bytes) -> None:
    """What is missing is sent, and the file is sealed."""
    there = {part.number for part in intake.announce(body).there}
    for number in set(range(1, plan.plan.part_count + 1)) - there:
        intake.send(plan, body, [number])
    assert intake.complete(plan) is EvidenceState.STORED
    assert intake.seal(plan.item_id).sha256 == sha256_of(body)


def test_a_part_with_a_flipped_byte_is_refused_not_recorded_and_sent_again(
    intake: Intake, line: Line
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    piece = piece_of(plan, body, 2)
    answer = put(sign(intake, plan, body, 2), bytes([piece[0] ^ 1]) + piece[1:])
    assert (answer.status_code, "BadDigest" in answer.text) == (400, True)
    assert intake.announce(body).there == ()
    with intake.db.reading() as tx:
        assert tx.session.exec(select(UploadPart)).all() == []
    ends_well(intake, plan, body)


@pytest.mark.parametrize(
    ("sent", "named", "told"),
    [
        ([1, 3], [1, 3], {"left_out": "2", "missing": "2"}),
        ([1, 3], None, {"missing": "2"}),
        ([], None, {"missing": "1–3"}),
        ([1, 2, 3], [2, 1, 3], {"out_of_order": "1–2"}),
        ([1, 2, 3], [1, 2, 2, 3], {"named_twice": "2"}),
        ([1, 2, 3], [1, 2, 3, 4], {"not_planned": "4"}),
        ([1, 2, 3], [], {"left_out": "1–3"}),
    ],
    ids=["a part left out", "missing", "nothing", "order", "doubled", "one too many", "none named"],
)
def test_a_wrong_list_of_parts_is_a_conflict_that_names_them_and_the_store_hears_nothing(
    intake: Intake, line: Line, sent: list[int], named: list[int] | None, told: dict[str, str]
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    if sent:
        intake.send(plan, body, sent)
    line.forget()
    with pytest.raises(Conflict) as refused:
        intake.complete(plan, named)
    assert {one.field: one.params["parts"] for one in refused.value.problems} == told
    assert line.heard == [Ask.PARTS]
    assert intake.item(plan.item_id).state in {EvidenceState.ANNOUNCED, EvidenceState.UPLOADING}
    ends_well(intake, plan, body)


@pytest.mark.parametrize(
    ("size", "reported", "field"),
    [
        (PART + MIB, True, "wrong_size"),
        (PART - 1, True, "wrong_size"),
        (PART, False, "send_again"),
    ],
    ids=["longer", "shorter", "as long"],
)
def test_a_part_of_other_bytes_in_the_store_is_named_and_the_store_hears_nothing(
    intake: Intake, line: Line, size: int, reported: bool, field: str
) -> None:
    body, other = noise(THREE_PARTS), noise(size, "other")
    plan = intake.announce(body)
    intake.send(plan, body, [1, 3])
    upload = upload_of(intake, plan)
    link = intake.vault.presign_part(
        upload.key, upload.store_upload_id, 2, sha256=sha256_of(other), size=size
    )
    answer = put(link, other)
    assert answer.status_code == 200
    if reported:
        told = SentPart(2, sha256_of(piece_of(plan, body, 2)), answer.headers["ETag"].strip('"'))
        record_parts(intake.db, intake.learner, plan.item_id, [told])
    line.forget()
    with pytest.raises(Conflict) as refused:
        intake.complete(plan, [1, 2, 3])
    assert {one.field: one.params["parts"] for one in refused.value.problems} == {field: "2"}
    assert line.heard == [Ask.PARTS]
    ends_well(intake, plan, body)


@pytest.mark.parametrize("extra", [1, MIB])
def test_more_than_was_declared_is_refused_by_the_store(
    intake: Intake, line: Line, extra: int
) -> None:
    declared = noise(PART + 2 * MIB)
    plan = intake.announce(declared)
    longer = declared + bytes(extra)
    assert put(sign(intake, plan, declared, 2), longer[PART:]).status_code == 403
    with pytest.raises(Conflict):
        intake.complete(plan)
    ends_well(intake, plan, declared)


def test_a_link_is_refused_after_its_time_and_a_new_one_is_taken(
    intake: Intake, line: Line
) -> None:
    body = noise(1000)
    plan = intake.announce(body)
    upload = upload_of(intake, plan)
    link = intake.vault.presign_part(
        upload.key, upload.store_upload_id, 1, sha256=sha256_of(body), size=len(body), seconds=1
    )
    time.sleep(2.1)
    assert put(link, body).status_code == 403
    assert intake.announce(body).there == ()
    ends_well(intake, plan, body)


@pytest.mark.parametrize("other", ["another part", "another key", "another upload"])
def test_a_link_is_good_for_nothing_but_its_part(intake: Intake, line: Line, other: str) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    second = intake.announce(noise(1000, "two"), "two.pdf")
    mine, theirs = upload_of(intake, plan), upload_of(intake, second)
    link = sign(intake, plan, body, 1)
    changes = {
        "another part": ("partNumber=1", "partNumber=2"),
        "another key": (mine.key, theirs.key),
        "another upload": (mine.store_upload_id, theirs.store_upload_id),
    }
    before, after = changes[other]
    assert before in link.url
    changed = replace(link, url=link.url.replace(before, after))
    assert put(changed, piece_of(plan, body, 1)).status_code == 403
    for method in ("GET", "DELETE", "POST"):
        answer = requests.request(method, link.url, headers=dict(link.headers), timeout=30)
        assert answer.status_code in {403, 405}
    assert intake.announce(body).there == ()
    ends_well(intake, plan, body)
    remove_evidence(intake.db, intake.learner, second.item_id)
    intake.erase(second.item_id)


def test_another_learner_gets_nothing_signed_recorded_or_completed_of_my_upload(
    intake: Intake, line: Line
) -> None:
    body = noise(1000)
    plan = intake.announce(body)
    thief = replace(intake, learner=intake.world.person(Role.LEARNER))
    line.forget()
    part = SentPart(1, sha256_of(body), "etag")
    for act in (
        lambda: sign(thief, plan, body, 1),
        lambda: record_parts(thief.db, thief.learner, plan.item_id, [part]),
        lambda: thief.complete(plan),
        lambda: thief.announce(body),
    ):
        with pytest.raises(NotFound):
            act()
    assert line.heard == []
    ends_well(intake, plan, body)


def test_after_a_reload_at_part_four_of_thirteen_only_the_other_nine_travel(
    intake: Intake, line: Line
) -> None:
    body = noise(12 * PART + 1000)
    plan = intake.announce(body)
    assert plan.plan.part_count == 13
    intake.send(plan, body, [1, 2, 3, 4])
    line.forget()
    ends_well(intake, plan, body)
    assert line.heard.count(Ask.PART) == 9
    assert line.heard.count(Ask.BEGIN) == 0


def test_a_part_that_travelled_but_was_not_reported_travels_again_and_is_there_once(
    intake: Intake, line: Line
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    assert put(sign(intake, plan, body, 1), piece_of(plan, body, 1)).status_code == 200
    assert intake.announce(body).there == ()
    ends_well(intake, plan, body)
    with intake.db.reading() as tx:
        assert len(tx.session.exec(select(UploadPart)).all()) == 3


def test_a_different_file_of_the_same_name_and_size_is_refused_and_harms_nothing(
    intake: Intake, line: Line
) -> None:
    body, other = noise(THREE_PARTS), noise(THREE_PARTS, "other")
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    line.forget()
    with pytest.raises(Conflict, match="This is not the file that was begun"):
        intake.announce(other)
    # whoever gets past that differs at the first part that is there already
    with pytest.raises(Conflict, match="not the file that was begun"):
        sign(intake, plan, other, 1)
    assert line.heard == []
    assert [part.number for part in intake.announce(body).there] == [1]
    ends_well(intake, plan, body)


def test_twenty_announcements_at_once_never_pass_the_quota_of_bytes_or_of_files(
    intake: Intake, line: Line
) -> None:
    intake.limits = Limits(file_bytes=1000, case_bytes=8000, case_items=5)
    bodies = [noise(1000, str(number)) for number in range(20)]

    def announce(number: int) -> UploadPlan | str:
        try:
            return intake.announce(bodies[number], f"{number}.pdf")
        except TooMany as refused:
            return str(refused)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(announce, range(20)))
    refusals = [answer for answer in answers if isinstance(answer, str)]
    assert len(refusals) == 15
    assert all(words.startswith("This case has 5 items") for words in refusals)
    with intake.db.reading() as tx:
        items = tx.session.exec(select(EvidenceItem)).all()
    assert (len(items), sum(item.declared_size for item in items)) == (5, 5000)
    assert len(list(intake.vault.open_uploads())) == 5


def test_the_same_bytes_of_two_learners_are_two_items_and_erasing_one_keeps_the_other(
    intake: Intake, line: Line
) -> None:
    other = intake.world.person(Role.LEARNER)
    second = replace(intake, learner=other, case_id=intake.world.case(other))
    body = noise(1000)
    mine, theirs = intake.sealed(body), second.sealed(body)
    assert (mine.id != theirs.id, mine.sha256) == (True, theirs.sha256)
    clean(intake)
    remove_evidence(intake.db, intake.learner, ItemId(mine.id))
    intake.erase(ItemId(mine.id))
    clean(intake)
    assert b"".join(intake.vault.open_stream(sealed_key(sha256_of(body)))) == body
    assert second.item(ItemId(theirs.id)).sha256 == sha256_of(body)


def test_a_completion_that_is_pressed_ten_times_at_once_is_one(intake: Intake, line: Line) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body)
    with ThreadPoolExecutor(10) as pool:
        states = list(pool.map(lambda _: intake.complete(plan), range(10)))
    assert set(states) == {EvidenceState.STORED}
    with intake.db.reading() as tx:
        assert len(tx.session.exec(select(OutboxRow)).all()) == 1
    assert intake.seal(plan.item_id).sha256 == sha256_of(body)


def test_an_upload_that_is_erased_in_the_middle_leaves_nothing_in_the_store(
    intake: Intake, line: Line
) -> None:
    body = noise(THREE_PARTS)
    plan = intake.announce(body)
    intake.send(plan, body, [1])
    link = sign(intake, plan, body, 2)
    remove_evidence(intake.db, intake.learner, plan.item_id)
    intake.erase(plan.item_id)
    assert put(link, piece_of(plan, body, 2)).status_code == 404
    assert list(intake.vault.open_uploads()) == []
    intake.world.clock.advance(timedelta(days=2))
    assert list(intake.vault.list_keys("")) == []
