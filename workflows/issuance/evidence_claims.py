"""An evidence item as the world is told of it: its digest, what it shows, and where. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from credentials.claims import EvidenceClaim
from storage.ids import ItemId, OutcomeCode, Sha256
from storage.vocabulary import Disclosure, EvidenceKind
from workflows.evidence.times import media_fragment, write_time
from workflows.frameworks.definition import Definition
from workflows.words import Say, marked, words

KINDS: Mapping[EvidenceKind, str] = {
    EvidenceKind.VIDEO: marked("Video"),
    EvidenceKind.AUDIO: marked("Audio recording"),
    EvidenceKind.WORK_PRODUCT: marked("Work product"),
    EvidenceKind.PHOTO: marked("Photo"),
    EvidenceKind.SCREENSHOT: marked("Screenshot"),
    EvidenceKind.DEMONSTRATION: marked("Demonstration"),
    EvidenceKind.CHALLENGE_EXAM: marked("Challenge exam"),
    EvidenceKind.SIMULATION: marked("Simulation"),
    EvidenceKind.DOCUMENT: marked("Document"),
    EvidenceKind.INTERVIEW: marked("Interview"),
    EvidenceKind.STRUCTURED_INTERVIEW: marked("Structured interview"),
    EvidenceKind.ATTESTATION: marked("Supervisor's statement"),
    EvidenceKind.TESTIMONIAL: marked("Testimonial"),
    EvidenceKind.CV: marked("Curriculum vitae"),
    EvidenceKind.JOB_DESCRIPTION: marked("Job description"),
    EvidenceKind.CERTIFICATE: marked("Certificate"),
    EvidenceKind.REFLECTION: marked("Reflection"),
}

DISCLOSED: Mapping[Disclosure, str] = {
    Disclosure.OPEN_LINK: marked("When this was issued, its holder let everyone open the file."),
    Disclosure.ON_REQUEST: marked("When this was issued, its holder gave the file on request."),
    Disclosure.DIGEST_ONLY: marked("When this was issued, its holder gave only its digest."),
}


_ENDS_OF_PLANES = "".join(
    chr(0x10000 * plane + end) for plane in range(17) for end in (0xFFFE, 0xFFFF)
)
_ODD = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_ENDS_OF_PLANES}]")


@dataclass(frozen=True)
class Span:
    """A stretch of a recording that the learner marked, in milliseconds; no end: a moment."""

    start_ms: int
    end_ms: int | None
    outcome: OutcomeCode | None
    note: str


@dataclass(frozen=True)
class IssuedItem:
    """A sealed item of the manifest that speaks to something recognised.

    `slug` is the random end of its address; `title` and `own_part` may be told to the world.
    `disclosure` is what the learner lets the world have of it when the credential is made.
    """

    slug: str
    item_id: ItemId
    title: str
    kind: EvidenceKind
    media_type: str
    sha256: Sha256
    own_part: str
    outcomes: tuple[OutcomeCode, ...]
    work_from: date | None = None
    work_to: date | None = None
    spans: tuple[Span, ...] = ()
    disclosure: Disclosure = Disclosure.ON_REQUEST


def evidence_claim(
    definition: Definition, recognised: frozenset[OutcomeCode], item: IssuedItem, address: str
) -> EvidenceClaim:
    """The item at its address, in the definition's language."""
    say = words(definition.language)
    return EvidenceClaim(
        id=address,
        name=printable(item.title),
        sha256=item.sha256,
        media_type=item.media_type or "application/octet-stream",
        genre=say(KINDS[item.kind]),
        description=_shows(definition, item, say),
        narrative=_own_words(recognised, item, address, say) or None,
    )


def printable(text: str) -> str:
    """The text without what must not be signed: control and non-characters, on whose bytes
    implementations disagree."""
    return _ODD.sub("", text).strip()


def _own_words(recognised: frozenset[OutcomeCode], item: IssuedItem, address: str, say: Say) -> str:
    """The learner's part, and for each stretch that they marked its place as a Media Fragment."""
    spans = [span for span in item.spans if span.outcome is None or span.outcome in recognised]
    stretches = "\n".join(_stretch(span, address, say) for span in spans)
    return "\n\n".join(filter(None, (printable(item.own_part), stretches)))


def _stretch(span: Span, address: str, say: Say) -> str:
    begins = write_time(span.start_ms)
    clock = f"{begins}–{write_time(span.end_ms)}" if span.end_ms is not None else begins
    shows = say("shows %(outcome)s", outcome=span.outcome) if span.outcome else ""
    told = ": ".join(filter(None, (shows, printable(span.note))))
    return f"- {clock} {told} ({address}#{media_fragment(span.start_ms, span.end_ms)})"


def _shows(definition: Definition, item: IssuedItem, say: Say) -> str:
    known = tuple(outcome.code for outcome in definition.outcomes if outcome.code in item.outcomes)
    shown = _outcomes_and_access(definition.language, known, item.disclosure)
    return " ".join(filter(None, (shown, _days(item, say))))


@lru_cache(maxsize=1024)
def _outcomes_and_access(
    language: str, known: tuple[OutcomeCode, ...], disclosure: Disclosure
) -> str:
    say = words(language)
    return f"{say('Shows %(outcomes)s.', outcomes=', '.join(known))} {say(DISCLOSED[disclosure])}"


def _days(item: IssuedItem, say: Say) -> str:
    first, last = item.work_from or item.work_to, item.work_to or item.work_from
    if first is None or last is None:
        return ""
    if first == last:
        return say("Work of %(day)s.", day=first.isoformat())
    since, until = first.isoformat(), last.isoformat()
    return say("Work of %(since)s to %(until)s.", since=since, until=until)
