"""What a credential says, as frozen plain values that go to JSON and back without loss.

The workflow freezes them in the database before anything is signed; a later signing attempt reads
the same values. Texts, ids and addresses stand as they will stand in the document.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from credentials.documents import JsonObject
from credentials.errors import Malformed

PRIOR_LEARNING = "ext:RecognitionOfPriorLearning"
"""No listed `achievementType` means recognition of prior learning; the schema allows `ext:`."""


@dataclass(frozen=True)
class IssuerProfile:
    """Who signs: `id` is the DID, `country` an ISO 3166-1 alpha-2 code, `image` an address."""

    id: str
    name: str
    url: str | None = None
    email: str | None = None
    image: str | None = None
    country: str | None = None
    region: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class IdentityClaim:
    """One way to recognise the learner: plain, or “sha256$…” over the value and a salt.

    `kind` is one of the Open Badges identity types: name, emailAddress, userName, accountId, …
    """

    kind: str
    value: str
    hashed: bool = False
    salt: str | None = None


@dataclass(frozen=True)
class LearnerClaim:
    """Whose credential it is: an identifier (DID or URN), identities, or both."""

    id: str | None = None
    identities: tuple[IdentityClaim, ...] = ()


@dataclass(frozen=True)
class LevelClaim:
    """A level of a criterion: its place in the order, and what it looks like."""

    id: str
    name: str
    level: str
    description: str | None = None
    points: str | None = None


@dataclass(frozen=True)
class CriterionClaim:
    """A row of the rubric; `required_level` is the id of the lowest level that passes."""

    id: str
    name: str
    levels: tuple[LevelClaim, ...]
    required_level: str


@dataclass(frozen=True)
class ResultClaim:
    """The agreed level of one criterion."""

    id: str
    criterion_id: str
    level_id: str
    status: str = "Completed"


@dataclass(frozen=True)
class AlignmentClaim:
    """A learning outcome, occupation, skill or qualification level of some framework."""

    name: str
    url: str
    framework: str | None = None
    code: str | None = None
    description: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class RelatedClaim:
    """Another achievement that this one belongs with: a part of it, a whole, a translation."""

    id: str
    language: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class AchievementClaims:
    """What was recognised: the credential definition in the version that counted."""

    id: str
    name: str
    description: str
    criteria_url: str
    criteria_narrative: str
    criteria: tuple[CriterionClaim, ...] = ()
    alignments: tuple[AlignmentClaim, ...] = ()
    achievement_type: str = PRIOR_LEARNING
    tags: tuple[str, ...] = ()
    language: str | None = None
    version: str | None = None
    image: str | None = None
    creator: IssuerProfile | None = None
    credits_available: float | None = None
    field_of_study: str | None = None
    specialization: str | None = None
    code: str | None = None
    related: tuple[RelatedClaim, ...] = ()


@dataclass(frozen=True)
class EvidenceClaim:
    """One item with its digest. `id` is an address that grants nothing by itself.

    `genre` is the kind or method, `narrative` the learner's own part, `sha256` lower-case hex.
    """

    id: str
    name: str
    sha256: str
    media_type: str
    genre: str | None = None
    description: str | None = None
    narrative: str | None = None


@dataclass(frozen=True)
class StatusClaim:
    """The credential's place in a status list; `purpose` is revocation or suspension.

    `reference`: the list that says, at the same place, that a set bit is a suspension only.
    """

    list_url: str
    index: int
    purpose: str = "revocation"
    reference: str | None = None


@dataclass(frozen=True)
class ReplacedClaim:
    """The signed credential that this one corrects: where its bytes are, and their SHA-256 (hex).

    `url` always answers with the document, whatever is asked for by Accept.
    """

    url: str
    sha256: str


@dataclass(frozen=True)
class CredentialClaims:
    """Everything an OpenBadgeCredential says; `endorsements` are signed already.

    `source` is who assessed on the issuer's behalf, `role` the learner's when they showed it.
    """

    id: str
    name: str
    description: str
    issuer: IssuerProfile
    valid_from: datetime
    awarded_date: datetime
    learner: LearnerClaim
    achievement: AchievementClaims
    results: tuple[ResultClaim, ...] = ()
    evidence: tuple[EvidenceClaim, ...] = ()
    status: tuple[StatusClaim, ...] = ()
    valid_until: datetime | None = None
    image: str | None = None
    narrative: str | None = None
    role: str | None = None
    source: IssuerProfile | None = None
    credits_earned: float | None = None
    activity_start: datetime | None = None
    activity_end: datetime | None = None
    endorsements: tuple[JsonObject, ...] = ()
    replaces: ReplacedClaim | None = None


@dataclass(frozen=True)
class EndorsementClaims:
    """What an employer, or a quality-assurance body, says of the thing called `subject_id`."""

    id: str
    name: str
    issuer: IssuerProfile
    valid_from: datetime
    subject_id: str
    comment: str
    description: str | None = None
    valid_until: datetime | None = None
    awarded_date: datetime | None = None
    status: tuple[StatusClaim, ...] = ()


Claims = TypeVar("Claims", CredentialClaims, EndorsementClaims)
_ADAPTERS: dict[type[object], TypeAdapter[object]] = {
    CredentialClaims: TypeAdapter(CredentialClaims),
    EndorsementClaims: TypeAdapter(EndorsementClaims),
}


def claims_to_json(claims: CredentialClaims | EndorsementClaims) -> JsonObject:
    """The claims as JSON, for the database."""
    return cast(JsonObject, _ADAPTERS[type(claims)].dump_python(claims, mode="json"))


def claims_to_text(claims: CredentialClaims | EndorsementClaims) -> str:
    """The same as JSON text, for who writes very many."""
    return _ADAPTERS[type(claims)].dump_json(claims).decode()


def claims_from_json(stored: JsonObject, kind: type[Claims]) -> Claims:
    """The claims that `claims_to_json` wrote. Raises Malformed if they are not of that kind.

    Claims with the same achievement, or the same issuer, share it: `issuing` is fast with those.
    """
    try:
        shared = {
            name: _shared(name, json.dumps(stored[name], ensure_ascii=False))
            for name in ("achievement", "issuer")
            if isinstance(stored.get(name), dict)
        }
        return cast(Claims, _ADAPTERS[kind].validate_python({**stored, **shared}))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise Malformed("The stored claims cannot be read at “%(place)s”.", place=place) from None


@lru_cache(maxsize=256)
def _shared(name: str, stored: str) -> AchievementClaims | IssuerProfile:
    kind = AchievementClaims if name == "achievement" else IssuerProfile
    return TypeAdapter[AchievementClaims | IssuerProfile](kind).validate_json(stored)


def hashed_identity(kind: str, value: str, salt: str) -> IdentityClaim:
    """An identity that only who knows it can recognise: “sha256$” + hex SHA-256(value + salt)."""
    digest = hashlib.sha256((value + salt).encode()).hexdigest()
    return IdentityClaim(kind=kind, value=f"sha256${digest}", hashed=True, salt=salt)
