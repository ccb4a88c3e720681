"""The looker: runs the tools confined and believes of what they answer only what fits.

A tool that was taken over by the file it read can say anything; so its answer is bounded, what it
drew is of the few types we name ourselves, and a link it left in its folder is not followed.
"""

import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.looking.kinds import Family, family
from storage.vocabulary import PreviewKind
from workflows.confining import (
    MIB,
    Confined,
    Confinement,
    Crashed,
    Json,
    JsonObject,
    Limits,
    Source,
)
from workflows.looking.drawing import PAGES_AT_FIRST
from workflows.looking.looks import MOST_MEMBERS, Count, Facts, Member, Words
from workflows.looking.seeing import DAMAGED, TOO_LARGE, TOO_MUCH, Drawn, Progress, Seen

TASKS = "app.looking.tasks"
FACTS = Limits(cpu_seconds=30, wall_seconds=120, memory_bytes=1024 * MIB, file_bytes=MIB)
DRAW = Limits(cpu_seconds=60, wall_seconds=240, memory_bytes=1280 * MIB, file_bytes=32 * MIB)
RENDER = Limits(
    cpu_seconds=45 * 60, wall_seconds=60 * 60, memory_bytes=1536 * MIB, file_bytes=1024 * MIB
)
NAME = re.compile(r"([a-z]{1,20})-([0-9]{1,4})\.([a-z0-9]{3,4})")
MEDIA_TYPES = {
    "webp": "image/webp",
    "txt": "text/plain; charset=utf-8",
    "mp4": "video/mp4",
    "m4a": "audio/mp4",
}
PICTURES = frozenset({"webp"})
ENDINGS: Mapping[str, frozenset[str]] = {
    PreviewKind.THUMBNAIL: PICTURES,
    PreviewKind.IMAGE: PICTURES,
    PreviewKind.PAGE: PICTURES,
    PreviewKind.POSTER: PICTURES,
    PreviewKind.TEXT: frozenset({"txt"}),
    PreviewKind.RENDITION: frozenset({"mp4", "m4a"}),
}
TROUBLES: Mapping[str, str] = {"": "", "damaged": DAMAGED, "too_large": TOO_LARGE}


class _Signal(BaseModel):
    code: Annotated[str, Field(max_length=40)]
    params: Annotated[dict[str, Count | Words], Field(max_length=8)] = {}


class _Size(BaseModel):
    file: Annotated[str, Field(max_length=40)]
    width: Count | None = None
    height: Count | None = None


class _Answer(BaseModel):
    """What a tool may say, and no more."""

    model_config = ConfigDict(extra="forbid")

    facts: Facts = Facts()
    signals: Annotated[list[_Signal], Field(max_length=30)] = []
    listing: Annotated[list[Member], Field(max_length=MOST_MEMBERS)] = []
    drawn: Annotated[list[_Size], Field(max_length=200)] = []
    trouble: Literal["", "damaged", "too_large"] = ""
    renders: bool = False


@dataclass(frozen=True)
class ConfinedLooker:
    """Looks into files by tools that run confined."""

    confinement: Confinement

    @contextmanager
    def look(self, source: Source, media_type: str, file_name: str) -> Iterator[Seen]:
        """Facts, signals and the first pictures of a file: by two tools, so that pictures that
        cannot be drawn do not cost the facts."""
        sort = family(media_type, file_name)
        args: dict[str, Json] = {"family": sort.value, "media_type": media_type}
        with _folder() as folder:
            found = self._run("facts", args, source, FACTS, folder)
            if found.facts.encrypted or sort is Family.OTHER:
                yield replace(found, drawn=())
                return
            shown = self._run("draw", args, source, DRAW, folder)
            yield replace(
                found,
                drawn=shown.drawn,
                facts=found.facts.model_copy(update=shown.facts.model_dump(exclude_defaults=True)),
                trouble=shown.trouble or found.trouble,
            )

    @contextmanager
    def draw_pages(self, source: Source, media_type: str, first: int, count: int) -> Iterator[Seen]:
        """More pages of a document, counted from 1."""
        args: dict[str, Json] = {
            "family": family(media_type, "").value,
            "first": first,
            "count": min(count, PAGES_AT_FIRST),
        }
        with _folder() as folder:
            yield self._run("pages", args, source, DRAW, folder)

    @contextmanager
    def render(self, source: Source, tell: Progress) -> Iterator[Seen]:
        """A rendition of a recording that browsers can play."""

        def read(offset: int, length: int) -> bytes:
            tell(min(99, 100 * offset // max(1, source.size)))
            return source.read(offset, length)

        with _folder() as folder:
            yield self._run("render", {}, Source(source.size, read), RENDER, folder)

    def _run(
        self, task: str, args: Mapping[str, Json], source: Source, limits: Limits, folder: Path
    ) -> Seen:
        try:
            answer = self.confinement.run(
                f"{TASKS}:{task}", args, folder=folder, source=source, limits=limits
            )
            return _seen(answer, folder)
        except Crashed:
            return _saved(folder, DAMAGED)
        except Confined:
            return _saved(folder, TOO_MUCH)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="assay-look-") as folder:
        yield Path(folder)


def _seen(answer: JsonObject, folder: Path) -> Seen:
    """The answer, as far as it fits; a tool that answers nonsense has found nothing."""
    try:
        said = _Answer.model_validate(answer)
    except ValidationError:
        return Seen(trouble=DAMAGED)
    sizes = {one.file: one for one in said.drawn}
    return Seen(
        facts=said.facts,
        signals=tuple((one.code, one.params) for one in said.signals),
        listing=tuple(said.listing),
        drawn=tuple(
            replace(drawn, width=sizes[name].width, height=sizes[name].height)
            for name, drawn in _in_folder(folder)
            if name in sizes
        ),
        trouble=TROUBLES[said.trouble],
        renders=said.renders,
    )


def _saved(folder: Path, trouble: str) -> Seen:
    """What a tool had drawn before it was ended; that is worth showing, and no trouble."""
    drawn = tuple(one for _, one in _in_folder(folder) if one.kind is not PreviewKind.RENDITION)
    return Seen(drawn=drawn, trouble="" if drawn else trouble)


def _in_folder(folder: Path) -> Iterator[tuple[str, Drawn]]:
    for path in sorted(folder.iterdir()):
        if stat.S_ISREG(path.lstat().st_mode) and (drawn := _drawn(path)) is not None:
            yield path.name, drawn


def _drawn(path: Path) -> Drawn | None:
    parts = NAME.fullmatch(path.name)
    if parts is None or parts[3] not in ENDINGS.get(parts[1], ()):
        return None
    return Drawn(PreviewKind(parts[1]), int(parts[2]), MEDIA_TYPES[parts[3]], path)
