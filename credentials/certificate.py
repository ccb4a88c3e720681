"""The printed certificate: a tagged PDF/A-3 with the signed JSON attached and a QR to its page.

What it prints is read from the signed document itself, so paper and credential cannot disagree.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import segno
import typst
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from credentials.badge import TEMPLATES
from credentials.colours import DEFAULT_ACCENT, DEFAULT_COLOUR, checked_colour, dark_enough
from credentials.dates import read_instant
from credentials.documents import JsonObject, JsonValue, as_list, dump_json, text_at
from credentials.errors import Malformed
from credentials.fonts import FAMILIES, drawable, fonts_for
from credentials.lettering import is_right_to_left
from credentials.verify import evidence_of

if TYPE_CHECKING:
    from typst import PDFStandard

LABELS: Mapping[str, str] = {
    "certifies": "This certifies that",
    "achieved": "has shown, by evidence of prior learning, the outcomes of",
    "awarded": "Awarded",
    "valid_until": "Valid until",
    "workload": "Credits",
    "aligned": "Aligned with",
    "number": "Credential",
    "check": "Check this certificate at",
    "outcomes": "What was recognised",
    "outcome": "Outcome and what the level means",
    "level": "Level",
    "criteria": "How it was assessed",
    "evidence": "Evidence that was assessed",
    "digests": "Each digest is the SHA-256 of the file that was assessed. "
    "Compute it for a file you were given: if it is the same, so is the file.",
    "verify": "How to check this certificate",
    "how": "Paper can be copied; the credential inside cannot be altered. The file credential.json "
    "attached to this PDF carries the issuer’s signature. Scan the code or open the address to see "
    "whether it is still in force, or give the file to any Open Badges 3.0 verifier.",
    "badge": "The badge of this credential",
    "qr": "QR code of the address of this credential",
    "attachment": "The signed Open Badges 3.0 credential",
}
"""Every word the template adds, in English; a translation replaces them by key."""


_ON_PAPER = 5.5
"""The contrast of what is written in the institution's colours."""


@dataclass(frozen=True)
class Outcome:
    """A criterion with the level reached and what that level means."""

    name: str
    level: str
    description: str


@dataclass(frozen=True)
class CertificateFace:
    """What stands on the paper."""

    learner: str
    title: str
    description: str
    institution: str
    issuer: str
    place: str
    level: str
    address: str
    language: str
    criteria: str
    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[Outcome, ...]
    evidence: tuple[Mapping[str, str], ...]
    colour: str
    accent: str


def make_certificate(
    document: JsonObject,
    badge: bytes,
    *,
    learner: str = "",
    level: str = "",
    colour: str = DEFAULT_COLOUR,
    accent: str = DEFAULT_ACCENT,
    labels: Mapping[str, str] | None = None,
) -> bytes:
    """The certificate of a signed credential as PDF/A-3a and PDF/UA-1, its JSON attached.

    Letters that no font at hand has are left out, as both standards forbid them; what cannot be
    made to fit the standards all the same becomes a tagged PDF 1.7, rather than none.

    `badge` is the unbaked SVG. `learner` is the name to print if the credential holds none in
    plain; `level` an overall level, if the definition has one. The same input gives the same
    bytes. Raises Malformed if the document is not a badge or cannot be set.
    """
    words = {**LABELS, **(labels or {})}
    colours = (dark_enough(colour, _ON_PAPER), checked_colour(accent))
    face = certificate_face(document, words, learner, level, colours)
    inputs = {
        "face": json.dumps(_printed(face, words), ensure_ascii=False),
        "badge": badge.decode(),
        "qr": _qr(face.address, colours[0]),
        "credential": dump_json(document).decode(),
    }
    timestamp = _instant(document, "awardedDate", "validFrom")
    fonts = fonts_for(inputs["face"])
    try:
        return _compile(inputs, ["a-3a", "ua-1"], timestamp, fonts)
    except typst.TypstError:
        pass
    try:
        return _compile(inputs, ["1.7"], timestamp, fonts)
    except typst.TypstError as error:
        raise Malformed("The certificate cannot be set: %(why)s", why=error.message) from None


def _printed(face: CertificateFace, words: Mapping[str, str]) -> dict[str, object]:
    """The face as the template reads it: with words that may break, a direction, an accent to
    write in; letters that no font has would make no PDF/A, and are left out."""
    return {
        **_drawable(asdict(face)),
        "labels": dict(words),
        "direction": "rtl" if is_right_to_left(face.title) else "ltr",
        "families": FAMILIES,
        "accent_ink": dark_enough(face.accent, _ON_PAPER),
    }


def _drawable(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _drawable_value(value) for name, value in values.items()}


def _drawable_value(value: object) -> object:
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, Mapping):
        return _drawable(value)
    if isinstance(value, Sequence):
        return [_drawable_value(one) for one in value]
    return value


def _compile(
    inputs: dict[str, str],
    standards: "list[PDFStandard]",
    timestamp: datetime,
    fonts: typst.Fonts,
) -> bytes:
    return typst.compile(
        TEMPLATES / "certificate.typ",
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=standards,
        timestamp=timestamp,
        font_paths=fonts,
    )


def certificate_face(
    document: JsonObject,
    words: Mapping[str, str],
    learner: str,
    level: str,
    colours: tuple[str, str],
) -> CertificateFace:
    """What a credential says, as the paper shows it. Raises Malformed if it is not a badge."""
    subject = _object(document, "credentialSubject")
    achievement = _object(subject, "achievement")
    issuer = _object(document, "issuer")
    name = _plain_name(subject) or learner
    if not name:
        raise Malformed("A certificate needs the learner’s name.")
    return CertificateFace(
        learner=name,
        title=_text(achievement, "name"),
        description=_text(achievement, "description"),
        institution=_text(issuer, "name"),
        issuer=_text(issuer, "id"),
        place=_place(issuer),
        level=level,
        address=_text(document, "id"),
        language=_language(_text(achievement, "inLanguage")),
        criteria=_text(_object(achievement, "criteria"), "narrative"),
        facts=tuple(_facts(document, achievement, words)),
        outcomes=tuple(_outcomes(subject, achievement)),
        evidence=tuple(
            {"name": item.name, "kind": item.genre, "digest": item.sha256 or ""}
            for item in evidence_of(document)
        ),
        colour=colours[0],
        accent=colours[1],
    )


def _facts(
    document: JsonObject, achievement: JsonObject, words: Mapping[str, str]
) -> list[tuple[str, str]]:
    language = _text(achievement, "inLanguage")
    awarded = _instant(document, "awardedDate", "validFrom")
    facts = [(words["awarded"], _day(awarded, language))]
    ends = read_instant(document, "validUntil")
    if ends is not None:
        facts.append((words["valid_until"], _day(ends, language)))
    credit = achievement.get("creditsAvailable")
    if isinstance(credit, int | float):
        facts.append((words["workload"], f"{credit:g}"))
    aligned = [_aligned(item) for item in as_list(achievement.get("alignment"))[:3]]
    if aligned:
        facts.append((words["aligned"], "; ".join(aligned)))
    facts.append((words["number"], _text(document, "id").rpartition("/")[2]))
    return facts


def _aligned(item: JsonValue) -> str:
    if not isinstance(item, dict):
        return ""
    framework = _text(item, "targetFramework")
    return f"{framework}: {_text(item, 'targetName')}" if framework else _text(item, "targetName")


def _outcomes(subject: JsonObject, achievement: JsonObject) -> list[Outcome]:
    """Each criterion with the level its result reached, in the credential's order."""
    results = [item for item in as_list(subject.get("result")) if isinstance(item, dict)]
    reached = {_text(item, "resultDescription"): _text(item, "achievedLevel") for item in results}
    outcomes: list[Outcome] = []
    for criterion in as_list(achievement.get("resultDescription")):
        if not isinstance(criterion, dict) or _text(criterion, "id") not in reached:
            continue
        for level in as_list(criterion.get("rubricCriterionLevel")):
            if isinstance(level, dict) and level.get("id") == reached[_text(criterion, "id")]:
                name, meaning = _text(level, "name"), _text(level, "description")
                outcomes.append(Outcome(_text(criterion, "name"), name, meaning))
    return outcomes


def _plain_name(subject: JsonObject) -> str:
    for identity in as_list(subject.get("identifier")):
        if (
            isinstance(identity, dict)
            and identity.get("identityType") == "name"
            and identity.get("hashed") is False
        ):
            return _text(identity, "identityHash")
    return ""


def _place(issuer: JsonObject) -> str:
    address = issuer.get("address")
    if not isinstance(address, dict):
        return ""
    parts = (_text(address, key) for key in ("addressRegion", "addressCountryCode"))
    return ", ".join(part for part in parts if part)


def _language(tag: str) -> str:
    main = tag.partition("-")[0].lower()
    return main if main.isascii() and main.isalpha() and len(main) in (2, 3) else "en"


def _qr(address: str, colour: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=0, dark=colour)
    return drawn.getvalue().decode()


def _instant(document: JsonObject, *keys: str) -> datetime:
    for key in keys:
        instant = read_instant(document, key)
        if instant is not None:
            return instant
    raise Malformed("The credential has no date.")


def _day(instant: datetime, language: str) -> str:
    """The day (UTC) in the words of the credential's language, or in English."""
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        locale = Locale("en")
    return format_date(instant.date(), format="long", locale=locale)


def _object(node: JsonObject, key: str) -> JsonObject:
    value = node.get(key)
    if not isinstance(value, dict):
        raise Malformed("The credential has no “%(key)s”.", key=key)
    return value


def _text(node: JsonObject, key: str) -> str:
    return text_at(node, key) or ""
