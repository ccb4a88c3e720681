"""A learner's credentials as one signed transcript: a ClrCredential (1EdTech CLR Standard 2.0).

The credentials stand in it whole, each with its own proof, so that each can be checked alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from credentials.canonical import screen
from credentials.claims import IssuerProfile, LearnerClaim
from credentials.contexts import (
    CREDENTIALS_V2,
    OPEN_BADGES,
    OPEN_BADGES_EXTENSIONS,
    pinned_contexts,
)
from credentials.dates import write_instant
from credentials.documents import JsonObject, JsonValue, children
from credentials.errors import Malformed
from credentials.openbadges import identity_of, profile_of

CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
SCHEMA = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json"
_MOST_VALUES, _MOST_OBJECTS, _MOST_UNNAMED = 18_000, 1_800, 350
"""Below what is refused as too large, with room for the transcript's own."""

_CONTEXTS = (CREDENTIALS_V2, CLR, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)


@dataclass(frozen=True)
class Association:
    """How one achievement stands to another: `kind` is isPartOf, isRelatedTo, replacedBy, …"""

    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class TranscriptClaims:
    """What a transcript says. `credentials` are signed; `partial`: there are more of them."""

    id: str
    name: str
    description: str
    issuer: IssuerProfile
    valid_from: datetime
    learner: LearnerClaim
    credentials: tuple[JsonObject, ...]
    associations: tuple[Association, ...] = ()
    partial: bool = False


def build_transcript(claims: TranscriptClaims) -> JsonObject:
    """The ClrCredential of these claims, without a proof.

    Raises Malformed if there is nothing in it, or if it could not be signed safely.
    """
    if not claims.credentials:
        raise Malformed("A transcript needs at least one credential.")
    document: JsonObject = {
        "@context": [*_CONTEXTS],
        "id": claims.id,
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": claims.name,
        "description": claims.description,
        "issuer": profile_of(claims.issuer),
        "validFrom": write_instant(claims.valid_from),
        "partial": claims.partial,
        "credentialSubject": _subject(claims),
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }
    screen(document, pinned_contexts())
    return document


def how_many_fit(credentials: Sequence[JsonObject]) -> int:
    """How many of these credentials, from the first on, one transcript has room for; at least 1."""
    values = objects = unnamed = 0
    for number, credential in enumerate(credentials):
        parts = list(_all_of(credential))
        nodes = [part for part in parts if isinstance(part, dict)]
        values += len(parts)
        objects += len(nodes)
        unnamed += sum("id" not in node for node in nodes)
        if values > _MOST_VALUES or objects > _MOST_OBJECTS or unnamed > _MOST_UNNAMED:
            return max(number, 1)
    return len(credentials)


def _all_of(value: JsonValue) -> Iterator[JsonValue]:
    yield value
    for child in children(value):
        yield from _all_of(child)


def _subject(claims: TranscriptClaims) -> JsonObject:
    subject: JsonObject = {"type": ["ClrSubject"]}
    if claims.learner.id is not None:
        subject["id"] = claims.learner.id
    if claims.learner.identities:
        subject["identifier"] = [identity_of(one) for one in claims.learner.identities]
    subject["verifiableCredential"] = list(claims.credentials)
    if claims.associations:
        subject["association"] = _associations(claims.associations)
    return subject


def _associations(claims: Sequence[Association]) -> list[JsonValue]:
    return [
        {
            "type": "Association",
            "associationType": claim.kind,
            "sourceId": claim.source,
            "targetId": claim.target,
        }
        for claim in claims
    ]
