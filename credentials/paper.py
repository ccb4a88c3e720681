"""What stands on the paper certificate: read from the signed document, and from nothing else.

Dates and countries are in the words of the document's language; labels are given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from credentials.dates import read_instant
from credentials.documents import JsonObject, JsonValue, as_list, text_at
from credentials.errors import Malformed
from credentials.lettering import is_right_to_left
from credentials.verify import evidence_of

STATEMENT = "ext:StatementOfRecognition"
"""The kind of achievement that is a statement of part of a credential."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_STATEMENT = re.compile(r"- ([^\s:]{1,24}): (.+)")
_NAMED = re.compile(r"\*\*([^*]+?):?\*\*:? (.+)")

LABELS: Mapping[str, str] = {
    "certifies": "This certifies that",
    "achieved": "has shown, by evidence of prior learning, the outcomes of",
    "stated": "has shown, by evidence of prior learning, what is named in this",
    "awarded": "Awarded",
    "valid_until": "Valid until",
    "credits": "Credits",
    "aligned": "Aligned with",
    "number": "Credential",
    "check": "Check this certificate at",
    "outcomes": "What was recognised",
    "outcome": "What was scored, and what the level means",
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
    "logo": "Logo of",
    "qr": "QR code of the address of this credential",
    "attachment": "The signed Open Badges 3.0 credential",
}
"""Every word the template adds, in English; a translation replaces them by key."""


@dataclass(frozen=True)
class Outcome:
    """A criterion with the level reached and what that level means: step `place` of `places`."""

    name: str
    level: str
    description: str
    place: int = 0
    places: int = 0


@dataclass(frozen=True)
class CertificateFace:
    """What stands on the paper. `whole`: it is a credential, and not a statement of part of one.

    `statements` are outcomes by code, `assessed` what is told of the assessment by name, `criteria`
    what else the document says of it.
    """

    learner: str
    title: str
    description: str
    institution: str
    issuer: str
    place: str
    level: str
    address: str
    language: str
    whole: bool
    right_to_left: bool
    statements: tuple[tuple[str, str], ...]
    assessed: tuple[tuple[str, str], ...]
    criteria: str
    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[Outcome, ...]
    evidence: tuple[Mapping[str, str], ...]
    colour: str
    accent: str


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
    title, language = _text(achievement, "name"), _language(_text(achievement, "inLanguage"))
    told = _criteria(_text(_object(achievement, "criteria"), "narrative"))
    return CertificateFace(
        learner=name,
        title=title,
        description=_text(achievement, "description"),
        institution=_text(issuer, "name"),
        issuer=_text(issuer, "id"),
        place=_place(issuer, language),
        level=level,
        address=_text(document, "id"),
        language=language,
        whole=STATEMENT not in as_list(achievement.get("achievementType")),
        right_to_left=language in RIGHT_TO_LEFT or is_right_to_left(title),
        statements=told.statements,
        assessed=told.assessed,
        criteria=told.rest,
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
    awarded = awarded_at(document)
    facts = [(words["awarded"], _day(awarded, language))]
    ends = read_instant(document, "validUntil")
    if ends is not None:
        facts.append((words["valid_until"], _day(ends, language)))
    credit = achievement.get("creditsAvailable")
    if isinstance(credit, int | float):
        facts.append((words["credits"], f"{credit:g}"))
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
        levels = as_list(criterion.get("rubricCriterionLevel"))
        for place, level in enumerate(levels, 1):
            if isinstance(level, dict) and level.get("id") == reached[_text(criterion, "id")]:
                named = _text(criterion, "name"), _text(level, "name"), _text(level, "description")
                outcomes.append(Outcome(*named, place, len(levels)))
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


def _place(issuer: JsonObject, language: str) -> str:
    """The region and the country, whose name is put into the language."""
    address = issuer.get("address")
    if not isinstance(address, dict):
        return ""
    code = _text(address, "addressCountryCode")
    country = _locale(language).territories.get(code.upper(), code)
    return ", ".join(part for part in (_text(address, "addressRegion"), country) if part)


@dataclass(frozen=True)
class _Criteria:
    """What a narrative of criteria says, taken apart."""

    statements: tuple[tuple[str, str], ...]
    assessed: tuple[tuple[str, str], ...]
    rest: str


def _criteria(narrative: str) -> _Criteria:
    """Lines as “- CODE: text” and “**Name:** text”, the little Markdown that we write; and what
    else there is, as it is."""
    lines = [line.strip() for line in narrative.splitlines() if line.strip()]
    statements = [match.group(1, 2) for line in lines if (match := _STATEMENT.fullmatch(line))]
    assessed = [match.group(1, 2) for line in lines if (match := _NAMED.fullmatch(line))]
    rest = (line for line in lines if not _STATEMENT.fullmatch(line) and not _NAMED.fullmatch(line))
    return _Criteria(
        tuple((code, text) for code, text in statements),
        tuple((name, text) for name, text in assessed),
        "\n\n".join(rest),
    )


def _language(tag: str) -> str:
    main = tag.partition("-")[0].lower()
    return main if main.isascii() and main.isalpha() and len(main) in (2, 3) else "en"


def awarded_at(document: JsonObject) -> datetime:
    """When it was awarded, or from when it is valid. Raises Malformed."""
    for key in ("awardedDate", "validFrom"):
        instant = read_instant(document, key)
        if instant is not None:
            return instant
    raise Malformed("The credential has no date.")


def _day(instant: datetime, language: str) -> str:
    """The day (UTC) in the words of the credential's language, or in English."""
    return format_date(instant.date(), format="long", locale=_locale(language))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale("en")


def _object(node: JsonObject, key: str) -> JsonObject:
    value = node.get(key)
    if not isinstance(value, dict):
        raise Malformed("The credential has no “%(key)s”.", key=key)
    return value


def _text(node: JsonObject, key: str) -> str:
    return text_at(node, key) or ""
