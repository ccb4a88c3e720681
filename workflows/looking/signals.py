"""Signals in words: from what a file shows, what it says of itself, and what is said of it. Pure.

None of them decides. Their words say what is the case, also where it mostly means nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from workflows.evidence.file_types import Flag
from workflows.looking.looks import Facts, Signal, printable
from workflows.words import marked

FAR = timedelta(days=31)
"""A photo's own date may be this far from the days of the work before it is worth a word."""

MESSAGES: Mapping[str, str] = {
    "type_differs": marked(
        "The name ends in “.%(ending)s”; the bytes are of the type %(media_type)s."
    ),
    "type_unknown": marked("The bytes do not tell what kind of file this is."),
    "ambiguous": marked(
        "The file can be read as more than one kind of file: %(kinds)s. What is shown here is what "
        "we drew of it as the first kind."
    ),
    "bytes_behind": marked(
        "%(size)s bytes stand behind the end of the picture. Some cameras and editors put data "
        "there."
    ),
    "encrypted": marked("The file is encrypted, so what is inside could not be looked at."),
    "active_javascript": marked("The PDF holds JavaScript. It is not run here."),
    "active_launch": marked(
        "The PDF holds an action that would start a program or open an address. It is not run here."
    ),
    "active_macros": marked("The document holds macros. They are not run here."),
    "active_markup": marked("A browser could run this file. It is shown as text and not run here."),
    "embedded_files": marked("The PDF carries %(count)s other files inside."),
    "external_links": marked("The document refers to %(count)s addresses outside of itself."),
    "pdf_editor": marked(
        "The PDF was last written by “%(producer)s”, which can also change existing PDF files. "
        "Many people use it to join, sign or compress them."
    ),
    "incremental_updates": marked(
        "The PDF was saved %(count)s times over an earlier version, and the earlier versions are "
        "still inside. Forms that were filled in and comments look like this too."
    ),
    "signed_updates": marked(
        "The PDF was saved %(count)s times over an earlier version, and holds %(signatures)s "
        "signatures; each signature is such a version."
    ),
    "created_after_work": marked(
        "The file says that it was made on %(created)s; the work is said to have ended on "
        "%(work_to)s. Scans and exports carry the day on which they were made."
    ),
    "created_before_work": marked(
        "The file says that it was made on %(created)s; the work is said to have begun on "
        "%(work_from)s. Templates carry the day on which they were made."
    ),
    "photo_date_far": marked(
        "The camera's date is %(created)s; the work is said to be from %(work_from)s to "
        "%(work_to)s. Cameras' clocks are often wrong."
    ),
    "office_people": marked(
        "The document names “%(author)s” as its author and “%(editor)s” as the one who saved it "
        "last."
    ),
    "office_author": marked("The document names “%(author)s” as the one who wrote it."),
    "has_position": marked(
        "The file holds the place where it was taken. The place is left out of what is shown here."
    ),
    "recorded_here": marked("It was recorded in the browser as it was taken: %(how)s."),
    "same_bytes": marked(
        "The same bytes are also in another case. Both learners were asked to state their part."
    ),
    "same_bytes_answered": marked(
        "The same bytes are also in another case. This learner says: %(statement)s"
    ),
}

SHOWN_BY_BYTES = frozenset(
    {
        "ambiguous",
        "bytes_behind",
        "encrypted",
        "active_javascript",
        "active_launch",
        "active_macros",
        "active_markup",
        "embedded_files",
        "external_links",
        "pdf_editor",
        "incremental_updates",
        "signed_updates",
        "office_people",
        "office_author",
        "has_position",
    }
)
"""What a look into the bytes alone can find; the others come of what is said of the item."""


@dataclass(frozen=True)
class Claimed:
    """What is said of an item, and what the seal found."""

    file_name: str
    media_type: str
    flags: frozenset[Flag]
    work_from: date | None
    work_to: date | None
    recorded_with: str = ""
    same_bytes: bool = False
    statement: str = ""


def signal(code: str, **params: str | int) -> Signal:
    """A signal of this code."""
    return Signal(code, MESSAGES[code], params)


def kept_signals(documents: Sequence[Mapping[str, object]]) -> tuple[Signal, ...]:
    """The signals that a look has kept; those that this version does not know are passed over."""
    return tuple(found for one in documents if (found := _kept(one)) is not None)


def said_signals(facts: Facts, claimed: Claimed) -> Iterator[Signal]:
    """What comes of comparing the file with what is said of it."""
    yield from _about_type(claimed)
    yield from _about_dates(facts, claimed)
    if claimed.recorded_with:
        yield signal("recorded_here", how=printable(claimed.recorded_with))
    if claimed.same_bytes and claimed.statement:
        yield signal("same_bytes_answered", statement=claimed.statement)
    elif claimed.same_bytes:
        yield signal("same_bytes")


def _about_type(claimed: Claimed) -> Iterator[Signal]:
    if Flag.TYPE_DIFFERS in claimed.flags:
        ending = claimed.file_name.rpartition(".")[2]
        yield signal(
            "type_differs", ending=printable(ending), media_type=printable(claimed.media_type)
        )
    if Flag.TYPE_UNKNOWN in claimed.flags:
        yield signal("type_unknown")


def _about_dates(facts: Facts, claimed: Claimed) -> Iterator[Signal]:
    created = facts.created_on
    begun = claimed.work_from or claimed.work_to
    ended = claimed.work_to or claimed.work_from
    if created is None or begun is None or ended is None:
        return
    days = {"created": created.isoformat()}
    if facts.camera:
        if created < begun - FAR or created > ended + FAR:
            words = {"work_from": begun.isoformat(), "work_to": ended.isoformat()}
            yield signal("photo_date_far", **days, **words)
    elif created > ended + timedelta(days=1):
        yield signal("created_after_work", **days, work_to=ended.isoformat())
    elif created < begun - timedelta(days=1):
        yield signal("created_before_work", **days, work_from=begun.isoformat())


def _kept(document: Mapping[str, object]) -> Signal | None:
    code, params = document.get("code"), document.get("params")
    if not isinstance(code, str) or code not in SHOWN_BY_BYTES or not isinstance(params, dict):
        return None
    kept = {
        str(name): printable(value) if isinstance(value, str) else value
        for name, value in params.items()
        if isinstance(value, str | int)
    }
    return _complete(signal(code, **kept))


def _complete(found: Signal) -> Signal | None:
    """The signal, unless its words have a place for which there is no value."""
    try:
        assert found.message % found.params
    except (KeyError, TypeError, ValueError):
        return None
    return found
