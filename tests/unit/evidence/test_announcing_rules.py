"""What may be announced and how items may be described, on plain values."""

from dataclasses import replace
from datetime import date

import pytest

from storage.errors import InvalidInput, TooMany
from storage.ids import OutcomeCode
from storage.vocabulary import EvidenceKind
from workflows.evidence.quota import room_for
from workflows.evidence.rules import (
    GIB,
    Announcement,
    Description,
    Limits,
    Usage,
    first_title,
    fit_to_announce,
    fit_to_describe,
    in_words,
    likely_kind,
)

LIMITS = Limits(file_bytes=1000, case_bytes=3000, case_items=3, institution_bytes=10_000)
TODAY = date(2026, 3, 2)
KNOWN = [OutcomeCode("A"), OutcomeCode("B")]
SAID = Description(title="Vice job", kind=EvidenceKind.VIDEO, outcomes=frozenset(KNOWN))


def fields(refused: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [problem.field for problem in refused.value.problems]


def test_a_plain_file_may_come() -> None:
    fit_to_announce(Announcement("Prüfbericht 7.pdf", 1000), LIMITS)
    fit_to_announce(Announcement("talk.webm", None, recorded_with="Camera, Firefox"), LIMITS)
    fit_to_announce(Announcement("a", 1, fingerprint=f"{'a' * 64}:{'0' * 64}"), LIMITS)


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-03-05 at 3.45.12\u202fPM.png",
        "検査\u3000記録.pdf",
        "a\u00a0b.pdf",
        "نامه\u200cها.pdf",
        "\U0001f469\u200d\U0001f527.jpg",
        ".bashrc",
    ],
)
def test_names_as_devices_and_languages_write_them_may_come(name: str) -> None:
    fit_to_announce(Announcement(name, 10), LIMITS)


@pytest.mark.parametrize(
    ("announced", "field"),
    [
        (Announcement("", 10), "file_name"),
        (Announcement("   ", 10), "file_name"),
        (Announcement("../up.pdf", 10), "file_name"),
        (Announcement("a/b.pdf", 10), "file_name"),
        (Announcement("a\nb.pdf", 10), "file_name"),
        (Announcement("..", 10), "file_name"),
        (Announcement(".", 10), "file_name"),
        (Announcement("a\u202efdp.exe", 10), "file_name"),
        (Announcement("a\u2028b.pdf", 10), "file_name"),
        (Announcement("x" * 256, 10), "file_name"),
        (Announcement("a.pdf", 0), "size"),
        (Announcement("a.pdf", -1), "size"),
        (Announcement("a.pdf", 1001), "size"),
        (Announcement("a.pdf", 10, fingerprint="abc"), "fingerprint"),
        (Announcement("a.pdf", 10, kind=EvidenceKind.ATTESTATION), "kind"),
        (Announcement("a.webm", None, recorded_with="a\0b"), "recorded_with"),
        (Announcement("a.webm", None, recorded_with="x" * 201), "recorded_with"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_its_field(announced: Announcement, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fit_to_announce(announced, LIMITS)
    assert fields(refused) == [field]


def test_the_largest_file_is_said_in_words() -> None:
    with pytest.raises(InvalidInput, match=r"has 6\.4 GB; the largest that can be taken has 5\.4"):
        fit_to_announce(Announcement("a.mp4", 6 * GIB), Limits())


def test_a_case_takes_files_up_to_its_quota_and_not_a_byte_more() -> None:
    assert room_for(1000, Usage(2, 2000), 0, LIMITS) == 1000
    with pytest.raises(TooMany, match=r"room for 1\.0 kB more of its 3\.0 kB"):
        room_for(1001, Usage(2, 2000), 0, LIMITS)
    with pytest.raises(TooMany, match="3 items"):
        room_for(1, Usage(3, 0), 0, LIMITS)


def test_an_institution_takes_files_up_to_its_quota_and_says_what_is_left() -> None:
    assert room_for(1000, Usage(0, 0), 9_000, LIMITS) == 1000
    with pytest.raises(TooMany, match=r"institution has room for 999 bytes more.*has 1\.0 kB"):
        room_for(1000, Usage(0, 0), 9_001, LIMITS)
    with pytest.raises(TooMany, match="room for 0 bytes more"):
        room_for(1, Usage(0, 0), 20_000, LIMITS)


def test_a_recording_holds_as_much_as_it_may_need_and_never_more_than_there_is() -> None:
    wide = Limits()
    assert room_for(None, Usage(0, 0), 0, wide) == 2 * GIB
    assert room_for(None, Usage(0, 0), 0, replace(wide, file_bytes=GIB)) == GIB
    assert room_for(None, Usage(0, 19 * GIB), 0, wide) == GIB
    assert room_for(None, Usage(0, 0), 1023 * GIB, wide) == GIB
    with pytest.raises(TooMany, match=r"room for 1\.0 MB more, which is too little"):
        room_for(None, Usage(0, 20 * GIB - 1_000_000), 0, wide)


@pytest.mark.parametrize(
    ("media_type", "name", "kind"),
    [
        ("video/mp4", "a.mp4", EvidenceKind.VIDEO),
        ("audio/mpeg", "a.mp3", EvidenceKind.AUDIO),
        ("image/png", "IMG_1.png", EvidenceKind.PHOTO),
        ("image/png", "Screenshot 1.png", EvidenceKind.SCREENSHOT),
        ("application/pdf", "a.pdf", EvidenceKind.DOCUMENT),
        ("", "a", EvidenceKind.DOCUMENT),
    ],
)
def test_a_kind_is_guessed_for_the_learner_to_correct(
    media_type: str, name: str, kind: EvidenceKind
) -> None:
    assert likely_kind(media_type, name) is kind


def test_a_title_is_made_of_the_name() -> None:
    assert first_title("vice_job final.mp4") == "vice job final"
    assert first_title(".hidden") == ".hidden"
    assert len(first_title("x" * 250 + ".mp4")) == 200


def test_a_good_description_is_kept() -> None:
    fit_to_describe(replace(SAID, work_from=TODAY, work_to=TODAY), KNOWN, TODAY)
    fit_to_describe(replace(SAID, expires_on=date(2030, 1, 1), outcomes=frozenset()), KNOWN, TODAY)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"own_part": "x" * 4001}, "own_part"),
        ({"ai_use": "x" * 4001}, "ai_use"),
        ({"kind": EvidenceKind.ATTESTATION}, "kind"),
        ({"outcomes": frozenset({OutcomeCode("Z")})}, "outcomes"),
        ({"work_from": date(2026, 2, 2), "work_to": date(2026, 2, 1)}, "work_to"),
        ({"work_to": date(2026, 3, 3)}, "work_to"),
        ({"work_from": date(2026, 3, 3)}, "work_from"),
    ],
)
def test_a_wrong_description_is_refused_by_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fit_to_describe(replace(SAID, **change), KNOWN, TODAY)  # type: ignore[arg-type]
    assert fields(refused) == [field]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (25_000_000, "25.0 MB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_sizes_are_said_in_units_of_people(size: int, said: str) -> None:
    assert in_words(size) == said
