"""Recordings that are sent while they are taken: no size at first, a smaller last part, an end."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlmodel import select

from storage.errors import Conflict, InvalidInput, TooMany
from storage.ids import sha256_of
from storage.tables import Upload
from storage.vault import SMALLEST_PART
from storage.vocabulary import EvidenceState
from tests.fixtures.intake import Intake, noise
from workflows.evidence.rules import Announcement, Limits
from workflows.evidence.sweeping import finish_interrupted_uploads
from workflows.evidence.uploading import (
    SentPart,
    UploadPlan,
    WantedPart,
    announce_evidence,
    complete_upload,
    record_parts,
    sign_parts,
    upload_plan,
)

MIB = 1024**2
WEBM = b"\x1a\x45\xdf\xa3"
REST = 1000


def made_up(name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{digest}:{digest}"


def begin(intake: Intake, name: str = "Recording.webm") -> UploadPlan:
    announced = Announcement(
        name, None, "video/webm", made_up(name), recorded_with="Camera, Chromium 140"
    )
    return announce_evidence(
        intake.db, intake.vault, intake.learner, intake.case_id, announced, limits=intake.limits
    )


def send(intake: Intake, plan: UploadPlan, number: int, piece: bytes) -> None:
    digest, size = sha256_of(piece), len(piece)
    wanted = [WantedPart(number, digest, size)]
    (signed,) = sign_parts(intake.db, intake.vault, intake.learner, plan.item_id, wanted)
    answer = requests.put(signed.url, data=piece, headers=dict(signed.headers), timeout=60)
    assert answer.status_code == 200, answer.text
    sent = SentPart(number, digest, answer.headers["ETag"].strip('"'), size)
    record_parts(intake.db, intake.learner, plan.item_id, [sent])


def end(intake: Intake, plan: UploadPlan, size: int | None) -> EvidenceState:
    return complete_upload(intake.db, intake.vault, intake.learner, plan.item_id, size=size)


def recording(parts: int) -> list[bytes]:
    whole = noise(parts * SMALLEST_PART + REST, head=WEBM)
    return [whole[at : at + SMALLEST_PART] for at in range(0, len(whole), SMALLEST_PART)]


def test_a_recording_is_sent_while_it_is_taken_and_ends_where_it_ends(intake: Intake) -> None:
    plan, pieces = begin(intake), recording(2)
    assert plan.open_ended
    assert plan.plan.part_size == SMALLEST_PART
    for number, piece in enumerate(pieces, 1):
        send(intake, plan, number, piece)
    size = 2 * SMALLEST_PART + REST
    assert end(intake, plan, size) is EvidenceState.STORED
    item = intake.seal(plan.item_id)
    assert (item.state, item.size, item.declared_size) == ("sealed", size, size)
    assert item.sha256 == sha256_of(b"".join(pieces))
    assert item.recorded_with == "Camera, Chromium 140"


def test_announcing_a_recording_again_makes_no_second_one(intake: Intake) -> None:
    first = begin(intake)
    assert begin(intake).item_id == first.item_id
    assert begin(intake, "Another.webm").item_id != first.item_id


def test_another_device_ends_a_recording_with_what_is_there(intake: Intake) -> None:
    plan, pieces = begin(intake), recording(2)
    for number in (1, 2):
        send(intake, plan, number, pieces[number - 1])
    seen = upload_plan(intake.db, intake.vault, intake.learner, plan.item_id)
    assert (seen.open_ended, [part.number for part in seen.there]) == (True, [1, 2])
    assert end(intake, plan, None) is EvidenceState.STORED
    assert intake.item(plan.item_id).declared_size == 2 * SMALLEST_PART


@pytest.mark.parametrize(
    ("sent", "size", "said"),
    [
        ([1, 3], 2 * SMALLEST_PART + REST, "Parts missing: 2"),
        ([1, 3], None, "Parts missing: 2"),
        ([1, 2], 2 * SMALLEST_PART + REST, "Parts missing: 3"),
        ([1, 2, 3], 2 * SMALLEST_PART, "never planned: 3"),
        ([1, 2, 3], 2 * SMALLEST_PART + 1, "wrong size: 3"),
        ([], None, "Parts missing: 1"),
    ],
)
def test_a_recording_with_a_gap_or_another_end_is_refused(
    intake: Intake, sent: list[int], size: int | None, said: str
) -> None:
    plan, pieces = begin(intake), recording(2)
    for number in sent:
        send(intake, plan, number, pieces[number - 1])
    with pytest.raises(Conflict, match=said):
        end(intake, plan, size)
    assert intake.item(plan.item_id).state != EvidenceState.STORED


def test_only_the_last_part_of_a_recording_may_be_smaller(intake: Intake) -> None:
    plan = begin(intake)
    send(intake, plan, 1, b"x" * 1000)
    send(intake, plan, 2, b"y" * 1000)
    with pytest.raises(Conflict, match="wrong size: 1"):
        end(intake, plan, 2000)


def test_a_recording_ends_where_its_room_ends(intake: Intake) -> None:
    intake.limits = Limits(case_bytes=11 * MIB, recording_bytes=100 * MIB)
    plan = begin(intake)
    assert plan.plan.part_count == 3
    with pytest.raises(TooMany, match="too little for a recording"):
        begin(intake, "Another.webm")
    digest = sha256_of(b"x")
    for wanted, said in (
        (WantedPart(4, digest), "must end here"),
        (WantedPart(0, digest), "not planned"),
        (WantedPart(3, digest, 2 * MIB), "another size"),
        (WantedPart(1, digest, 0), "another size"),
    ):
        with pytest.raises(InvalidInput, match=said):
            sign_parts(intake.db, intake.vault, intake.learner, plan.item_id, [wanted])
    for size in (0, 12 * MIB):
        with pytest.raises(InvalidInput, match="not the size"):
            end(intake, plan, size)


def test_a_recording_gives_back_the_room_that_it_did_not_need(intake: Intake) -> None:
    intake.limits = Limits(case_bytes=100 * MIB, recording_bytes=100 * MIB)
    plan = begin(intake)
    with pytest.raises(TooMany):
        intake.announce(noise(MIB))
    send(intake, plan, 1, b"x" * 1000)
    end(intake, plan, 1000)
    intake.announce(noise(MIB))


def test_a_file_has_the_parts_and_the_size_that_were_announced(intake: Intake) -> None:
    body = noise(SMALLEST_PART + 1000)
    plan = intake.announce(body)
    with pytest.raises(InvalidInput, match="another size"):
        sign_parts(
            intake.db,
            intake.vault,
            intake.learner,
            plan.item_id,
            [WantedPart(1, sha256_of(b"x"), 1)],
        )
    intake.send(plan, body)
    with pytest.raises(InvalidInput, match="not the size"):
        end(intake, plan, 1000)
    assert end(intake, plan, len(body)) is EvidenceState.STORED


def test_a_recording_whose_end_was_not_written_down_is_found_whole(intake: Intake) -> None:
    intake.world.clock.set(datetime.now(UTC))
    plan = begin(intake)
    send(intake, plan, 1, b"x" * 1000)
    with intake.db.reading() as tx:
        upload = tx.session.exec(select(Upload).where(Upload.item_id == plan.item_id)).one()
    (kept,) = intake.vault.list_parts(upload.key, upload.store_upload_id)
    kept = replace(kept, sha256=sha256_of(b"x" * 1000))
    intake.vault.complete(upload.key, upload.store_upload_id, [kept])
    intake.world.clock.advance(timedelta(minutes=6))
    assert finish_interrupted_uploads(intake.db, intake.vault) == 1
    item = intake.item(plan.item_id)
    assert (item.state, item.declared_size) == ("stored", 1000)
