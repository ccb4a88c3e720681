"""What a look into a file found, as values: facts, an archive's members, signals, pictures.

Everything here once came out of a stranger's file, so it is bounded and holds only printable
characters whoever wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from storage.vocabulary import PreviewKind

LONGEST_WORDS = 200
MOST_MEMBERS = 500
LARGEST_NUMBER = 2**53


def printable(text: str) -> str:
    """One line without what could move, hide or end it, and not longer than words should be."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(kept.split())[:LONGEST_WORDS]


def _only_words(value: object) -> object:
    return value if isinstance(value, str) else ""


Words = Annotated[str, BeforeValidator(_only_words), AfterValidator(printable)]
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]


class _Kept(BaseModel):
    """Values do not change; what an older or newer version wrote besides is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Member(_Kept):
    """A file inside an archive: its name there, its sizes unpacked and packed."""

    name: Words = ""
    size: Count = 0
    packed: Count = 0
    encrypted: bool = False


class Facts(_Kept):
    """What a file says of itself, or shows. None and '' where it does not, or does not apply.

    `plays`: browsers can play the original. `created_on`, `modified_on`: the days that the file
    names, which anybody can set. `revisions`: how often a PDF was saved over an earlier version
    that is still inside it; `signatures` of those may be signatures. `made_with`: the program that
    wrote it. `has_position`: it holds the place where it was taken, which is told to nobody.
    `members`, `unpacked`: an archive's, also beyond the members that are listed. `rendition`:
    whether one is made for browsers that cannot play the original, and how far it has come.
    """

    pages: Count | None = None
    width: Count | None = None
    height: Count | None = None
    duration_ms: Count | None = None
    video_codec: Words = ""
    audio_codec: Words = ""
    rotation: int = 0
    plays: bool = False
    rendition: Literal["", "waiting", "done", "skipped"] = ""
    rendition_percent: Count = 0
    created_on: date | None = None
    modified_on: date | None = None
    made_with: Words = ""
    producer: Words = ""
    author: Words = ""
    last_editor: Words = ""
    revision: Count | None = None
    revisions: Count = 0
    signatures: Count = 0
    camera: Words = ""
    has_position: bool = False
    encrypted: bool = False
    external_links: Count = 0
    members: Count | None = None
    unpacked: Count | None = None
    charset: Words = ""
    cut_short: bool = False
    """the text preview ends before the text does"""


@dataclass(frozen=True)
class Signal:
    """Something an assessor may want to know. It informs and never decides.

    `message` is a message id with places for `params`.
    """

    code: str
    message: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class PreviewRow:
    """A picture, page, text or rendition that can be asked for with `link_to_preview`."""

    kind: PreviewKind
    number: int
    media_type: str
    width: int | None
    height: int | None
    size: int


State = Literal["waiting", "done", "trouble", "none"]


@dataclass(frozen=True)
class Look:
    """What is known of one item. `trouble` is a message id: why it could not be looked into.

    `none`: nothing was looked at and nothing will be (the item is not sealed, or an attestation).
    `signals` are for those who assess, decide or work on the case, not for the learner.
    """

    state: State
    signals: tuple[Signal, ...] = ()
    facts: Facts = field(default_factory=Facts)
    listing: tuple[Member, ...] = ()
    previews: tuple[PreviewRow, ...] = ()
    trouble: str = ""

    def of_kind(self, kind: PreviewKind) -> tuple[PreviewRow, ...]:
        """The previews of one kind, by number."""
        return tuple(row for row in self.previews if row.kind is kind)

    @property
    def thumbnail(self) -> PreviewRow | None:
        """The small picture for lists."""
        return next(iter(self.of_kind(PreviewKind.THUMBNAIL)), None)

    @property
    def pages_to_come(self) -> int:
        """How many pages the document has beyond those that are drawn."""
        drawn = len(self.of_kind(PreviewKind.PAGE))
        return max(0, (self.facts.pages or 0) - drawn) if drawn else 0


NOTHING = Look("none")


def members_of(documents: Sequence[Mapping[str, object]]) -> tuple[Member, ...]:
    """An archive's members as they were kept."""
    return tuple(Member.model_validate(one) for one in documents[:MOST_MEMBERS])
