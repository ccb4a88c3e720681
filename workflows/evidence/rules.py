"""What may be announced, and how an item may be described. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from storage.errors import InvalidInput, Problem
from storage.ids import OutcomeCode
from storage.vocabulary import AiUse, Disclosure, EvidenceKind, PeopleShown
from workflows.evidence.people import asks_for_people, consent_problems
from workflows.writing import is_seen, one_line

GIB = 1024**3
UNITS = ("kB", "MB", "GB")
LONGEST_NAME = 255
LONGEST_TITLE = 200
LONGEST_TEXT = 4000
"""Letters of Persian and Hindi need them, and pictures that are made of several."""
FINGERPRINT = re.compile(r"[0-9a-f]{64}:[0-9a-f]{64}")
DIGEST = re.compile(r"[0-9a-f]{64}")

LEARNER_KINDS = tuple(kind for kind in EvidenceKind if kind is not EvidenceKind.ATTESTATION)
"""What a learner may call an item; an attestation is made by the one who gives it."""


@dataclass(frozen=True)
class Limits:
    """What one file, one case and all cases of one institution may be.

    `recording_bytes` is how much room is held for a recording until its end is known.
    """

    file_bytes: int = 5 * GIB
    case_bytes: int = 20 * GIB
    case_items: int = 500
    institution_bytes: int = 1024 * GIB
    recording_bytes: int = 2 * GIB


@dataclass(frozen=True)
class Usage:
    """What a case holds already, announced bytes included."""

    items: int
    size: int


@dataclass(frozen=True)
class Announcement:
    """A file that a browser would like to send.

    `fingerprint` is the SHA-256 of its first MiB, a colon, and the SHA-256 of its last MiB
    (lower-case hex). Files of one size and fingerprint are the same file, whatever they are
    called and whichever device they come from; the digests of all parts are compared when it
    goes on. Without one, a file is known by its name and size.

    `size` is None for a recording whose size is known only at its end. Its fingerprint is made up
    by the browser, so that announcing it again, after an answer that got lost, makes no second
    item. `recorded_with` says what it is taken with.

    `sha256` is the whole file's, where the sender has it beforehand: the bytes are then sent to
    where they will stay, and refused if they turn out to be others.
    """

    file_name: str
    size: int | None
    media_type: str = ""
    fingerprint: str = ""
    kind: EvidenceKind | None = None
    recorded_with: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Description:
    """What a learner says of an item.

    `ai_use`: what AI tools were used for; `ai_tool`: which. The days of issue and expiry are kept
    of certificates only. `people`, `consent_note`, `consented_on`: see `people.py`.
    """

    title: str
    kind: EvidenceKind
    own_part: str = ""
    ai_use: str = ""
    work_from: date | None = None
    work_to: date | None = None
    expires_on: date | None = None
    outcomes: frozenset[OutcomeCode] = frozenset()
    disclosure: Disclosure = Disclosure.DIGEST_ONLY
    ai: AiUse = AiUse.NOT_SAID
    ai_tool: str = ""
    issued_on: date | None = None
    people: PeopleShown = PeopleShown.NOT_SAID
    consent_note: str = ""
    consented_on: date | None = None


def fit_to_announce(announced: Announcement, limits: Limits) -> None:
    """Return when the file may come; raise InvalidInput with what is wrong with it."""
    problems = [*_name_problems(announced.file_name), *_size_problems(announced.size, limits)]
    if announced.fingerprint and not FINGERPRINT.fullmatch(announced.fingerprint):
        problems.append(Problem("fingerprint", "The fingerprint must be two SHA-256 digests."))
    if announced.sha256 and not DIGEST.fullmatch(announced.sha256):
        problems.append(Problem("sha256", "The digest must be a SHA-256 in lower-case hex."))
    if announced.sha256 and announced.size is None:
        problems.append(Problem("sha256", "A recording has no digest before its end."))
    if announced.kind is not None and announced.kind not in LEARNER_KINDS:
        problems.append(Problem("kind", "Choose one of the kinds of evidence."))
    recorder = announced.recorded_with
    if recorder and (not recorder.isprintable() or len(recorder) > LONGEST_TITLE):
        problems.append(Problem("recorded_with", "Say in plain words what it is recorded with."))
    if problems:
        raise InvalidInput("This file cannot be taken.", problems=problems)


def likely_kind(media_type: str, file_name: str) -> EvidenceKind:
    """What a file probably is, for the learner to correct."""
    by_type = {
        "video": EvidenceKind.VIDEO,
        "audio": EvidenceKind.AUDIO,
        "image": EvidenceKind.PHOTO,
    }
    found = by_type.get(media_type.partition("/")[0], EvidenceKind.DOCUMENT)
    if found is EvidenceKind.PHOTO and "screen" in file_name.lower():
        return EvidenceKind.SCREENSHOT
    return found


def first_title(file_name: str) -> str:
    """A title to begin with: the file's name without its ending."""
    stem = one_line(PurePath(file_name).stem.replace("_", " "))
    return (stem or one_line(file_name))[:LONGEST_TITLE]


def fit_to_describe(said: Description, known: Sequence[OutcomeCode], today: date) -> None:
    """Return when the description can be kept; raise InvalidInput with what is wrong with it."""
    problems = [*_text_problems(said), *_date_problems(said, today), *_ai_problems(said)]
    if said.people is PeopleShown.AGREED:
        problems += consent_problems(said.consent_note, said.consented_on, today)
    if said.kind not in LEARNER_KINDS:
        problems.append(Problem("kind", "Choose one of the kinds of evidence."))
    if not said.outcomes <= set(known):
        problems.append(Problem("outcomes", "Choose among the outcomes of this credential."))
    if problems:
        raise InvalidInput("The description was not kept.", problems=problems)


def still_to_say(
    kind: EvidenceKind, own_part: str, *, mapped: bool, people: PeopleShown, ai: AiUse
) -> tuple[str, ...]:
    """What a learner has still to say of an item before it is submitted, by the fields' names.

    Of an attestation nothing but its outcomes: the one who gave it has said the rest.
    """
    by_learner = kind is not EvidenceKind.ATTESTATION
    unsaid = (
        ("own_part", by_learner and not own_part.strip()),
        ("outcomes", not mapped),
        ("people", by_learner and asks_for_people(kind, people)),
        ("ai", by_learner and ai is AiUse.NOT_SAID),
    )
    return tuple(name for name, missing in unsaid if missing)


def in_words(size: int) -> str:
    """A number of bytes as people write it, in decimal units."""
    if size < 1000:
        return f"{size} bytes"
    unit = min(len(UNITS), len(str(size)) // 3 + (len(str(size)) % 3 > 0) - 1)
    return f"{size / 1000**unit:.1f} {UNITS[unit - 1]}"


def _name_problems(name: str) -> list[Problem]:
    a_name = name.strip() and name != ".." and name == PurePath(name).name
    if not a_name or not all(_may_be_in_a_name(letter) for letter in name):
        return [Problem("file_name", "The file needs a plain name.")]
    if len(name) > LONGEST_NAME:
        return [
            Problem(
                "file_name",
                "The file's name has more than %(count)s characters.",
                {"count": LONGEST_NAME},
            )
        ]
    return []


def _may_be_in_a_name(letter: str) -> bool:
    """Whether a letter is seen, or a blank as devices write them: macOS puts U+202F into the names
    of its screenshots, Japanese keyboards make U+3000."""
    return is_seen(letter) or unicodedata.category(letter) == "Zs"


def _size_problems(size: int | None, limits: Limits) -> list[Problem]:
    if size is None:
        return []
    if size <= 0:
        return [Problem("size", "The file is empty.")]
    if size > limits.file_bytes:
        return [
            Problem(
                "size",
                "The file has %(size)s; the largest that can be taken has %(most)s.",
                {"size": in_words(size), "most": in_words(limits.file_bytes)},
            )
        ]
    return []


def _text_problems(said: Description) -> list[Problem]:
    problems = []
    if not said.title.strip():
        problems.append(Problem("title", "Give it a title."))
    for name, text, most in (
        ("title", said.title, LONGEST_TITLE),
        ("own_part", said.own_part, LONGEST_TEXT),
        ("ai_use", said.ai_use, LONGEST_TEXT),
        ("ai_tool", said.ai_tool, LONGEST_TITLE),
    ):
        if len(text) > most:
            problems.append(Problem(name, "At most %(count)s characters.", {"count": most}))
    return problems


def _date_problems(said: Description, today: date) -> list[Problem]:
    problems = []
    if said.work_from and said.work_to and said.work_from > said.work_to:
        problems.append(Problem("work_to", "The last day of the work is before its first."))
    certificate = said.kind is EvidenceKind.CERTIFICATE
    issued, expires = (said.issued_on, said.expires_on) if certificate else (None, None)
    past = (("work_from", said.work_from), ("work_to", said.work_to), ("issued_on", issued))
    for name, day in past:
        if day is not None and day > today:
            problems.append(Problem(name, "This day has not come yet."))
    if issued and expires and expires < issued:
        problems.append(Problem("expires_on", "It would expire before it was issued."))
    return problems


def _ai_problems(said: Description) -> list[Problem]:
    if said.ai is not AiUse.USED:
        return []
    problems = []
    if not said.ai_use.strip():
        problems.append(Problem("ai_use", "Say what you used it for."))
    if not said.ai_tool.strip():
        problems.append(Problem("ai_tool", "Say which tool it was."))
    return problems
