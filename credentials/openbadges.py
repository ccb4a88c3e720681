"""Plain values → an OpenBadgeCredential or an EndorsementCredential, without a proof.

Open Badges 3.0 on the Verifiable Credentials Data Model 2.0. What may be a list always is one,
because two flavours of the JSON Schema circulate and lists pass both. The one exception is
`credentialStatus`, of which those schemas know a single object: one entry stands bare.

Results, criteria, levels and evidence have ids, so they need no blank-node labelling.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from credentials.canonical import screen
from credentials.claims import (
    AchievementClaims,
    AlignmentClaim,
    CredentialClaims,
    CriterionClaim,
    EndorsementClaims,
    EvidenceClaim,
    IdentityClaim,
    IssuerProfile,
    LearnerClaim,
    LevelClaim,
    RelatedClaim,
    ReplacedClaim,
    ResultClaim,
    StatusClaim,
    claims_from_json,
    claims_to_json,
    hashed_identity,
)
from credentials.contexts import (
    CREDENTIALS_V2,
    OPEN_BADGES,
    OPEN_BADGES_EXTENSIONS,
    pinned_contexts,
)
from credentials.dates import write_instant
from credentials.digests import multibase_sha256
from credentials.documents import JsonObject, JsonValue
from credentials.errors import Malformed
from credentials.status_list import build_status_entry

__all__ = [
    "AchievementClaims",
    "AlignmentClaim",
    "CredentialClaims",
    "CriterionClaim",
    "EndorsementClaims",
    "EvidenceClaim",
    "IdentityClaim",
    "IssuerProfile",
    "LearnerClaim",
    "LevelClaim",
    "RelatedClaim",
    "ReplacedClaim",
    "ResultClaim",
    "StatusClaim",
    "build_achievement",
    "build_credential",
    "build_endorsement",
    "claims_from_json",
    "claims_to_json",
    "hashed_identity",
]

SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_%s_schema.json"
CONTEXTS: tuple[str, ...] = (CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)
"""What every document of ours names, in this order."""


def build_credential(claims: CredentialClaims) -> JsonObject:
    """The OpenBadgeCredential of these claims, without a proof.

    Raises Malformed if the claims contradict each other or could not be signed safely.
    """
    document = assemble(claims, achievement_of(claims.achievement), profile_of(claims.issuer))
    screen(document, pinned_contexts())
    return document


def assemble(claims: CredentialClaims, achievement: JsonObject, issuer: JsonObject) -> JsonObject:
    """The credential around an achievement and an issuer that are written already, not screened.

    Raises Malformed if the claims contradict each other.
    """
    check_results(claims.achievement.criteria, claims.results)
    return _given(
        {
            "@context": [*CONTEXTS],
            "id": claims.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": claims.name,
            "description": claims.description,
            "image": _image(claims.image),
            "issuer": issuer,
            "validFrom": write_instant(claims.valid_from),
            "validUntil": _instant(claims.valid_until),
            "awardedDate": write_instant(claims.awarded_date),
            "credentialSubject": _subject(claims, achievement),
            "evidence": [evidence_of(item) for item in claims.evidence],
            "credentialStatus": status_of(claims.status),
            "credentialSchema": _schema("achievementcredential"),
            "endorsement": list(claims.endorsements),
            "relatedResource": _replaced(claims.replaces),
        }
    )


def build_endorsement(claims: EndorsementClaims) -> JsonObject:
    """The EndorsementCredential of these claims, without a proof. Raises Malformed."""
    document = _given(
        {
            "@context": [*CONTEXTS],
            "id": claims.id,
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": claims.name,
            "description": claims.description,
            "issuer": profile_of(claims.issuer),
            "validFrom": write_instant(claims.valid_from),
            "validUntil": _instant(claims.valid_until),
            "awardedDate": _instant(claims.awarded_date),
            "credentialSubject": {
                "id": claims.subject_id,
                "type": ["EndorsementSubject"],
                "endorsementComment": claims.comment,
            },
            "credentialStatus": status_of(claims.status),
            "credentialSchema": _schema("endorsementcredential"),
        }
    )
    screen(document, pinned_contexts())
    return document


def build_achievement(claims: AchievementClaims) -> JsonObject:
    """The Achievement on its own, as it may stand at its address."""
    return {"@context": [*CONTEXTS], **achievement_of(claims)}


def _subject(claims: CredentialClaims, achievement: JsonObject) -> JsonObject:
    return _given(
        {
            "id": claims.learner.id,
            "type": ["AchievementSubject"],
            "identifier": [identity_of(identity) for identity in claims.learner.identities],
            "activityStartDate": _instant(claims.activity_start),
            "activityEndDate": _instant(claims.activity_end),
            "creditsEarned": _plain(claims.credits_earned),
            "narrative": claims.narrative,
            "role": claims.role,
            "source": profile_of(claims.source) if claims.source else None,
            "achievement": achievement,
            "result": [result_of(result) for result in claims.results],
        }
    )


def achievement_of(claims: AchievementClaims) -> JsonObject:
    """The Achievement as it stands in a credential."""
    return _given(
        {
            "id": claims.id,
            "type": ["Achievement"],
            "achievementType": claims.achievement_type,
            "name": claims.name,
            "description": claims.description,
            "humanCode": claims.code,
            "criteria": {"id": claims.criteria_url, "narrative": claims.criteria_narrative},
            "resultDescription": [_criterion(criterion) for criterion in claims.criteria],
            "alignment": [_alignment(alignment) for alignment in claims.alignments],
            "creditsAvailable": _plain(claims.credits_available),
            "fieldOfStudy": claims.field_of_study,
            "specialization": claims.specialization,
            "inLanguage": claims.language,
            "version": claims.version,
            "tag": list(claims.tags),
            "image": _image(claims.image),
            "creator": profile_of(claims.creator) if claims.creator else None,
            "related": [_related(related) for related in claims.related],
        }
    )


def _criterion(claim: CriterionClaim) -> JsonObject:
    if all(level.id != claim.required_level for level in claim.levels):
        raise Malformed("“%(name)s” requires a level it has not.", name=claim.name)
    levels: list[JsonValue] = [
        _given(
            {
                "id": level.id,
                "type": ["RubricCriterionLevel"],
                "name": level.name,
                "level": level.level,
                "description": level.description,
                "points": level.points,
            }
        )
        for level in claim.levels
    ]
    return {
        "id": claim.id,
        "type": ["ResultDescription"],
        "name": claim.name,
        "resultType": "RubricCriterionLevel",
        "requiredLevel": claim.required_level,
        "rubricCriterionLevel": levels,
    }


def result_of(claim: ResultClaim) -> JsonObject:
    """The agreed level of a criterion, as it stands in a credential."""
    return {
        "id": claim.id,
        "type": ["Result"],
        "resultDescription": claim.criterion_id,
        "achievedLevel": claim.level_id,
        "status": claim.status,
    }


def _related(claim: RelatedClaim) -> JsonObject:
    return _given(
        {
            "id": claim.id,
            "type": ["Related"],
            "inLanguage": claim.language,
            "version": claim.version,
        }
    )


def _alignment(claim: AlignmentClaim) -> JsonObject:
    return _given(
        {
            "type": ["Alignment"],
            "targetName": claim.name,
            "targetUrl": claim.url,
            "targetFramework": claim.framework,
            "targetCode": claim.code,
            "targetDescription": claim.description,
            "targetType": claim.kind,
        }
    )


def _replaced(claim: ReplacedClaim | None) -> list[JsonValue]:
    """What this corrects, as a related resource with its digest (data model 2.0, section 5.3)."""
    if claim is None:
        return []
    digest = multibase_sha256(claim.sha256)
    return [{"id": claim.url, "mediaType": "application/vc", "digestMultibase": digest}]


def evidence_of(claim: EvidenceClaim) -> JsonObject:
    """An item of evidence, as it stands in a credential."""
    return _given(
        {
            "id": claim.id,
            "type": ["Evidence"],
            "name": claim.name,
            "description": claim.description,
            "genre": claim.genre,
            "narrative": claim.narrative,
            "mediaType": claim.media_type,
            "digestMultibase": multibase_sha256(claim.sha256),
        }
    )


def profile_of(claim: IssuerProfile) -> JsonObject:
    """An institution or an organisation as a Profile."""
    address = _given({"addressCountryCode": claim.country, "addressRegion": claim.region})
    return _given(
        {
            "id": claim.id,
            "type": ["Profile"],
            "name": claim.name,
            "url": claim.url,
            "email": claim.email,
            "description": claim.description,
            "image": _image(claim.image),
            "address": {"type": ["Address"], **address} if address else None,
        }
    )


def identity_of(claim: IdentityClaim) -> JsonObject:
    """A way to recognise a person, as an IdentityObject."""
    return _given(
        {
            "type": "IdentityObject",
            "hashed": claim.hashed,
            "identityHash": claim.value,
            "identityType": claim.kind,
            "salt": claim.salt,
        }
    )


def status_of(claims: Sequence[StatusClaim]) -> JsonValue:
    """The places in status lists: one entry stands bare."""
    entries: list[JsonValue] = [
        build_status_entry(claim.list_url, claim.index, claim.purpose, claim.reference)
        for claim in claims
    ]
    return entries[0] if len(entries) == 1 else entries


def _schema(name: str) -> JsonValue:
    return [{"id": SCHEMA % name, "type": "1EdTechJsonSchemaValidator2019"}]


def _instant(instant: datetime | None) -> JsonValue:
    return None if instant is None else write_instant(instant)


def _image(url: str | None) -> JsonValue:
    return {"id": url, "type": "Image"} if url else None


def _plain(number: float | None) -> JsonValue:
    """3.0 as 3: implementations write whole numbers alike, but not whole floats."""
    return int(number) if number is not None and float(number).is_integer() else number


def _given(fields: Mapping[str, JsonValue]) -> JsonObject:
    """The fields that have something in them: no signature covers a null or an empty list."""
    return {key: value for key, value in fields.items() if value is not None and value != []}


def check_results(criteria: Sequence[CriterionClaim], results: Sequence[ResultClaim]) -> None:
    """Raise Malformed for a result that is of no criterion's level."""
    known = {criterion.id: criterion for criterion in criteria}
    for result in results:
        criterion = known.get(result.criterion_id)
        if criterion is None or all(level.id != result.level_id for level in criterion.levels):
            raise Malformed("The result %(id)s is of no criterion's level.", id=result.id)
