"""What the looker believes of a tool that was taken over by the file it read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.looking.kinds import Family, family
from app.looking.looker import ConfinedLooker
from storage.vocabulary import PreviewKind
from tests.fixtures.looking import source_of
from workflows.confining import (
    LIMITS,
    Crashed,
    Json,
    JsonObject,
    Limits,
    Source,
    TooLarge,
    TooSlow,
)
from workflows.looking.seeing import DAMAGED, TOO_MUCH, Seen


class Taken:
    """A confinement whose tool does what it is told here."""

    def __init__(self, act: Callable[[str, Path], JsonObject]) -> None:
        self._act = act

    def run(
        self,
        task: str,
        args: Mapping[str, Json],
        *,
        folder: Path | None = None,
        source: Source | None = None,
        limits: Limits = LIMITS,
    ) -> JsonObject:
        """See `workflows.confining.Confinement.run`."""
        del args, source, limits
        assert folder is not None
        return self._act(task.rpartition(":")[2], folder)


def seen(act: Callable[[str, Path], JsonObject]) -> Seen:
    """What the looker makes of it, while its folder is there."""
    with ConfinedLooker(Taken(act)).look(source_of(b"x"), "application/pdf", "a.pdf") as found:
        assert all(one.path.is_file() for one in found.drawn)
        return found


def answers(answer: JsonObject) -> Callable[[str, Path], JsonObject]:
    return lambda task, folder: answer


@pytest.mark.parametrize(
    "answer",
    [
        {"facts": {"pages": -1}},
        {"facts": []},
        {"signals": [{"code": "x" * 100}]},
        {"signals": [{"code": "x"}] * 1000},
        {"listing": [{"name": "x"}] * 501},
        {"trouble": "<b>hello</b>"},
        {"more": 1},
    ],
)
def test_an_answer_that_does_not_fit_is_no_answer(answer: JsonObject) -> None:
    found = seen(answers(answer))
    assert found.trouble == DAMAGED
    assert not (found.signals or found.listing)


def test_words_in_an_answer_are_one_short_line_whatever_they_were() -> None:
    found = seen(answers({"facts": {"producer": "a\u202e\nb\0" + "x" * 9999}}))
    assert found.facts.producer.startswith("a b x")
    assert len(found.facts.producer) == 200


@pytest.mark.parametrize(
    "name",
    ["page-1.html", "page-1.svg", "rendition-0.webp", "text-0.webp", "other-0.webp", "..-1.webp"],
)
def test_what_is_not_named_as_something_that_we_draw_is_left_alone(name: str) -> None:
    def act(task: str, folder: Path) -> JsonObject:
        (folder / name).write_bytes(b"x")
        return {"drawn": [{"file": name}]}

    assert not seen(act).drawn


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of another")

    def act(task: str, folder: Path) -> JsonObject:
        if not (folder / "page-1.webp").is_symlink():
            (folder / "page-1.webp").symlink_to(secret)
            (folder / "page-2.webp").mkdir()
        return {"drawn": [{"file": "page-1.webp"}, {"file": "page-2.webp"}]}

    assert not seen(act).drawn


def test_a_file_outside_the_folder_cannot_be_named() -> None:
    assert not seen(answers({"drawn": [{"file": "../../etc/passwd"}]})).drawn


@pytest.mark.parametrize(
    ("end", "trouble"), [(Crashed, DAMAGED), (TooSlow, TOO_MUCH), (TooLarge, TOO_MUCH)]
)
def test_a_tool_that_ends_badly_is_trouble_and_never_an_error(
    end: type[Exception], trouble: str
) -> None:
    def act(task: str, folder: Path) -> JsonObject:
        raise end("broke")

    assert seen(act).trouble == trouble


def test_facts_stay_when_pictures_cannot_be_drawn() -> None:
    def act(task: str, folder: Path) -> JsonObject:
        if task == "draw":
            raise TooSlow("slow")
        return {"facts": {"pages": 3}}

    found = seen(act)
    assert (found.facts.pages, found.trouble) == (3, TOO_MUCH)


def test_pages_that_were_drawn_before_the_end_are_shown() -> None:
    def act(task: str, folder: Path) -> JsonObject:
        if task == "draw":
            (folder / "page-1.webp").write_bytes(b"whole")
            (folder / "unfinished").write_bytes(b"half")
            raise TooSlow("slow")
        return {}

    with ConfinedLooker(Taken(act)).look(source_of(b"x"), "application/pdf", "a.pdf") as found:
        assert [(one.kind, one.number) for one in found.drawn] == [(PreviewKind.PAGE, 1)]
        assert not found.trouble


@pytest.mark.parametrize(
    ("media_type", "name", "expected"),
    [
        ("application/pdf", "a.pdf", Family.PDF),
        ("image/svg+xml", "a.svg", Family.TEXT),
        ("image/x-xcf", "a.xcf", Family.OTHER),
        ("application/zip", "a.docx", Family.OFFICE),
        ("application/zip", "a.zip", Family.ZIP),
        ("application/octet-stream", "a.mp4", Family.MEDIA),
        ("application/octet-stream", "a.bin", Family.OTHER),
        ("text/x-python", "a.py", Family.TEXT),
        ("application/vnd.oasis.opendocument.text", "a.odt", Family.OFFICE),
        ("application/msword", "a.doc", Family.OTHER),
    ],
)
def test_the_bytes_choose_the_tool_and_the_name_only_where_they_say_little(
    media_type: str, name: str, expected: Family
) -> None:
    assert family(media_type, name) is expected
