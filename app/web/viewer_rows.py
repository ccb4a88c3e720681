"""An item's values as the viewer's templates show them: times in words, places on a time line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from storage.ids import ItemId, OutcomeCode
from storage.vocabulary import CaptionKind, PreviewKind
from workflows.evidence.captions import Words
from workflows.evidence.marks import MAX_NOTE, Mark
from workflows.evidence.queries import ItemRow
from workflows.evidence.times import media_fragment, write_time
from workflows.looking.looks import Look

WIDTH = 1000
"""The time line is drawn on so many units, whatever its width on the page."""

PROSE = ("wordprocessingml", "presentationml", "opendocument.text", "opendocument.presentation")

Mode = Literal[
    "video", "audio", "still", "pages", "image", "text", "listing", "waiting", "trouble", "none"
]


@dataclass(frozen=True)
class MarkRow:
    """A mark in words; `x` and `width` are its place on the drawn time line."""

    id: UUID
    begins: str
    ends: str
    seconds: str
    outcome: OutcomeCode | None
    note: str
    by: str
    from_assessor: bool
    own: bool
    x: int
    width: int

    @property
    def span(self) -> str:
        """`2:13–3:40`, or one time."""
        return f"{self.begins}–{self.ends}" if self.ends else self.begins


@dataclass(frozen=True)
class Track:
    """Captions as the player takes them."""

    address: str
    language: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Recording:
    """A video or sound with its time line, wherever it is shown.

    `acts`: 'mark' for its learner before submission, 'note' for an assessor with an open sheet,
    else ''. `words`: captions or a transcript stand with it. `where` is the page it stands on: the
    region is rendered for it again after an act.
    """

    item_id: ItemId
    title: str
    sound: bool
    source: str
    poster: str
    duration: str
    duration_ms: int | None
    tracks: Sequence[Track]
    words: bool
    marks: Sequence[MarkRow]
    acts: Literal["", "mark", "note"]
    where: Literal["view", "sheet"]
    outcome: OutcomeCode | None = None
    most: int = MAX_NOTE

    @property
    def notes_count(self) -> int:
        """How many of the marks are assessors' notes that this reader may see."""
        return sum(mark.from_assessor for mark in self.marks)


@dataclass(frozen=True)
class Page:
    """A drawn page of a document."""

    number: int
    address: str
    width: int | None
    height: int | None


def mode_of(media_type: str, look: Look) -> Mode:
    """As what an item is shown."""
    recorded = recorded_as(media_type, look)
    if recorded:
        return recorded
    waiting = look.state == "waiting" or look.facts.rendition == "waiting"
    ways: tuple[tuple[Mode, bool], ...] = (
        ("pages", bool(look.of_kind(PreviewKind.PAGE))),
        ("image", bool(look.of_kind(PreviewKind.IMAGE))),
        ("text", bool(look.of_kind(PreviewKind.TEXT))),
        ("listing", bool(look.listing)),
        ("waiting", waiting),
        ("trouble", look.state == "trouble"),
    )
    return next((mode for mode, there in ways if there), "none")


def is_prose(media_type: str) -> bool:
    """Whether the words of such a file are sentences, not columns or code."""
    return any(words in media_type for words in PROSE)


def shown_as(item: ItemRow, look: Look) -> Mode:
    """As what an item is shown by what the store still holds of it.

    A recording that is not there as it was sealed plays from its rendition only, else there is a
    still picture of it.
    """
    mode = mode_of(item.media_type, look)
    plays = item.whole or bool(look.of_kind(PreviewKind.RENDITION))
    return "still" if mode in {"video", "audio"} and not plays else mode


def recorded_as(media_type: str, look: Look) -> Literal["video", "audio", ""]:
    """Whether it can be played here, and as what."""
    if not look.facts.plays and not look.of_kind(PreviewKind.RENDITION):
        return ""
    if look.facts.video_codec or (not look.facts.audio_codec and media_type.startswith("video/")):
        return "video"
    return "audio"


def recording(
    item_id: ItemId,
    title: str,
    look: Look,
    *,
    marks: Sequence[Mark] = (),
    words: Sequence[Words] = (),
    sound: bool = False,
    acts: Literal["", "mark", "note"] = "",
    where: Literal["view", "sheet"] = "view",
    outcome: OutcomeCode | None = None,
    at: str = "",
) -> Recording:
    """A recording with everything that stands with it. `at` is where the player begins."""
    duration_ms = look.facts.duration_ms
    source = url_for("viewer.stream", item_id=item_id) + (f"#t={at}" if at else "")
    return Recording(
        item_id=item_id,
        title=title,
        sound=sound,
        source=source,
        poster=poster_address(item_id, look),
        duration=write_time(duration_ms) if duration_ms else "",
        duration_ms=duration_ms,
        tracks=_tracks(item_id, words),
        words=bool(words),
        marks=[mark_row(mark, duration_ms) for mark in marks],
        acts=acts,
        where=where,
        outcome=outcome,
    )


def mark_row(mark: Mark, duration_ms: int | None) -> MarkRow:
    """A mark in words, with its place on a time line of this length."""
    x, width = _place(mark, duration_ms)
    return MarkRow(
        id=mark.id,
        begins=write_time(mark.start_ms),
        ends=write_time(mark.end_ms) if mark.end_ms is not None else "",
        seconds=media_fragment(mark.start_ms, mark.end_ms).removeprefix("t="),
        outcome=mark.outcome,
        note=mark.note,
        by=_by(mark),
        from_assessor=mark.from_assessor,
        own=mark.own,
        x=x,
        width=width,
    )


def pages_of(item_id: ItemId, look: Look) -> list[Page]:
    """The drawn pages of a document."""
    return [
        Page(row.number, preview_address(item_id, row.kind, row.number), row.width, row.height)
        for row in look.of_kind(PreviewKind.PAGE)
    ]


def preview_address(item_id: ItemId, kind: PreviewKind, number: int = 0) -> str:
    """Where a picture of an item is."""
    return url_for("viewer.preview", item_id=item_id, kind=kind.value, number=number)


def poster_address(item_id: ItemId, look: Look) -> str:
    """Where the still picture of a recording is; '' without one."""
    found = look.of_kind(PreviewKind.POSTER)
    return preview_address(item_id, PreviewKind.POSTER, found[0].number) if found else ""


def _tracks(item_id: ItemId, words: Sequence[Words]) -> list[Track]:
    captions = [one for one in words if one.kind is CaptionKind.CAPTIONS]
    here = str(get_locale() or "en").split("_")[0]
    fitting = next((one for one in captions if one.language.split("-")[0] == here), None)
    chosen = fitting or (captions[0] if captions else None)
    return [
        Track(
            url_for("viewer.captions", item_id=item_id, caption_id=one.id),
            one.language,
            one.label,
            one is chosen,
        )
        for one in captions
    ]


def _by(mark: Mark) -> str:
    if mark.from_assessor:
        words = _("Your note") if mark.own else mark.by or _("An assessor")
    else:
        words = _("You") if mark.own else _("The learner")
    return str(words)


def _place(mark: Mark, duration_ms: int | None) -> tuple[int, int]:
    if not duration_ms:
        return 0, 0
    begins = min(mark.start_ms, duration_ms) * WIDTH // duration_ms
    ends = min(mark.end_ms or mark.start_ms, duration_ms) * WIDTH // duration_ms
    return begins, max(ends - begins, 4)
