"""Captions as WebVTT, read strictly and written anew: cues and nothing else. Pure.

What comes in may be WebVTT or SubRip. Styles, regions, notes, cue settings and every tag are left
behind, so what we serve holds times and plain text only. A speaker (`<v Ana>`) becomes `Ana: `.
See https://www.w3.org/TR/webvtt1/.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.errors import InvalidInput, Problem
from workflows.words import marked

LARGEST = 1_000_000
MOST_CUES = 20_000
LONGEST_MS = 100 * 3600 * 1000
TIMING = re.compile(
    r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d)[.,](\d{3})[ \t]+-->[ \t]+"
    r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d)[.,](\d{3})(?:[ \t].*)?"
)
# every part is bounded, or a line of nothing but beginnings would take hours
SPEAKER = re.compile(r"<v(?:\.[^\s<>]{0,100})?[ \t]([^<>]{1,100})>")
TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
NO_LETTER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
"""Numbers of letters that no letter has; Python refuses to read the longest of them."""
ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
SKIPPED = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True)
class Cue:
    """Plain text between two times, in milliseconds."""

    start_ms: int
    end_ms: int
    text: str


def read_captions(text: str) -> tuple[Cue, ...]:
    """The cues of a WebVTT or SubRip text, in the order of time.

    Raises InvalidInput, with the line that cannot be used.
    """
    if len(text.encode()) > LARGEST:
        raise _refused(marked("Captions can have 1 MB at most."))
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues = [cue for cue in _cues(lines) if cue.text]
    if not cues:
        raise _refused(
            marked("There are no captions in this: times such as 00:02.000 --> 00:05.000.")
        )
    if len(cues) > MOST_CUES:
        raise _refused(marked("There are too many captions in this."))
    return tuple(sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms)))


def write_captions(cues: Sequence[Cue]) -> str:
    """The cues as WebVTT."""
    blocks = [
        f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{html.escape(cue.text, quote=False)}\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def decoded(body: bytes) -> str:
    """A text file's words. Raises InvalidInput when it is no text we can read."""
    if len(body) > LARGEST:
        raise _refused(marked("Captions can have 1 MB at most."))
    utf16 = body[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        text = body.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(
            marked("This is no text in UTF-8. Save it as UTF-8 and choose it again.")
        ) from None
    if ODD.search(text):
        raise _refused(marked("This is no plain text file."))
    return text


def _cues(lines: Sequence[str]) -> Iterator[Cue]:
    for number, block in _blocks(lines):
        at = next((index for index, line in enumerate(block) if "-->" in line), None)
        if at is None:
            _known(number, block[0])
        elif at > 1:
            raise _at_line(
                number, marked("Line %(line)s: a caption's times must stand at its head.")
            )
        else:
            yield _cue(number + at, block[at], block[at + 1 :])


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The parts between empty lines, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _known(number: int, head: str) -> None:
    """What is no caption must be a heading or a note."""
    is_header = number == 1 and head.startswith("WEBVTT")
    if not is_header and not head.startswith(SKIPPED) and not head.strip().isdigit():
        raise _at_line(number, marked("Line %(line)s: this is neither a caption nor a note."))


def _cue(number: int, timing: str, text: Sequence[str]) -> Cue:
    found = TIMING.fullmatch(timing.strip())
    if found is None:
        raise _at_line(
            number, marked("Line %(line)s: write times such as 00:02.000 --> 00:05.000.")
        )
    start, end = _milliseconds(found.groups()[:4]), _milliseconds(found.groups()[4:])
    if end <= start or end > LONGEST_MS:
        raise _at_line(number, marked("Line %(line)s: a caption must end after it begins."))
    return Cue(start, end, "\n".join(line for line in map(_plain, text) if line))


def _plain(line: str) -> str:
    """A line of a caption without tags; what was written as an entity is the letter itself, and
    one line stays one line: a line end in it would be the end of the caption when it is read again.
    """
    spoken = TAG.sub("", SPEAKER.sub(r"\1: ", line))
    return " ".join(ODD.sub("", html.unescape(NO_LETTER.sub("", spoken))).split())


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"


def _refused(message: str) -> InvalidInput:
    return InvalidInput("The captions were not kept.", problems=[Problem("text", message)])


def _at_line(number: int, message: str) -> InvalidInput:
    return InvalidInput(
        "The captions were not kept.",
        problems=[Problem("text", message, {"line": number})],
    )
