"""What an SD-JWT VC says: the frozen claims of the credential, sorted by what its holder may hide.

Pure. It says nothing that the signed document does not say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from credentials.claims import AchievementClaims, CredentialClaims, IssuerProfile
from credentials.digests import multibase_sha256
from credentials.documents import JsonObject, JsonValue
from credentials.sd_jwt import SdClaims
from storage.ids import CriterionCode, DefinitionId
from workflows.frameworks.definition import Definition
from workflows.frameworks.languages import in_language
from workflows.issuance.addresses import Site
from workflows.issuance.claims import FrozenCredential
from workflows.wallets.addresses import credential_type, issuer_name


@dataclass(frozen=True)
class StatusPlace:
    """Where the credential's status is looked up: a Token Status List and a place in it."""

    url: str
    index: int


@dataclass(frozen=True)
class Told:
    """Everything an SD-JWT VC is made of."""

    site: Site
    definition_id: DefinitionId
    definition: Definition
    frozen: FrozenCredential
    status: StatusPlace | None


def sd_claims(told: Told, now: datetime) -> SdClaims:
    """The claims, from what was frozen when the credential was issued."""
    claims = told.frozen.credential_claims()
    definition = in_language(told.definition, claims.achievement.language or "")
    shown: JsonObject = {
        "iss": issuer_name(told.site),
        "vct": credential_type(told.site, told.definition_id, whole=told.frozen.whole),
        "iat": _seconds(now),
        "nbf": _seconds(claims.valid_from),
        "exp": _seconds(claims.valid_until) if claims.valid_until else None,
        "status": _status(told.status),
        "achievement": _achievement(claims.achievement, definition),
        "issuing_institution": _institution(claims.issuer),
        "date_awarded": claims.awarded_date.date().isoformat(),
    }
    hidden: JsonObject = {
        "name": told.frozen.learner if told.frozen.named else None,
        "credential": claims.id,
        "learning_period": _period(claims),
    }
    lists = {
        "outcomes": list(_outcomes(told, definition)),
        "results": list(_results(told, definition, claims)),
        "evidence": list(_evidence(claims)),
    }
    return SdClaims(
        _given(shown), _given(hidden), {key: some for key, some in lists.items() if some}
    )


def _achievement(claims: AchievementClaims, definition: Definition) -> JsonObject:
    elements = definition.elements
    return _given(
        {
            "id": claims.id,
            "type": claims.achievement_type,
            "name": claims.name,
            "description": claims.description,
            "language": claims.language,
            "version": claims.version,
            "code": claims.code,
            "field_of_study": claims.field_of_study,
            "level": definition.level or None,
            "eqf_level": elements.eqf_level,
            "credits": claims.credits_available,
            "credit_system": elements.credit_system or None if claims.credits_available else None,
        }
    )


def _institution(issuer: IssuerProfile) -> JsonObject:
    return _given(
        {"id": issuer.id, "name": issuer.name, "url": issuer.url, "country": issuer.country}
    )


def _outcomes(told: Told, definition: Definition) -> Iterator[JsonValue]:
    for outcome in definition.outcomes:
        if outcome.code in told.frozen.outcomes:
            yield {"code": outcome.code, "statement": outcome.statement}


def _results(told: Told, definition: Definition, claims: CredentialClaims) -> Iterator[JsonValue]:
    """The agreed level of each criterion, and the lowest that passes."""
    outcomes = {row.code: one.code for one in definition.outcomes for row in one.criteria}
    criteria = {one.id: one for one in claims.achievement.criteria}
    for result in claims.results:
        criterion = criteria[result.criterion_id]
        levels = {level.id: level for level in criterion.levels}
        reached = levels[result.level_id]
        yield _given(
            {
                "outcome": outcomes.get(CriterionCode(criterion.id.rpartition("#")[2])),
                "criterion": criterion.name,
                "level": reached.name,
                "level_number": reached.level,
                "level_description": reached.description,
                "required_level": levels[criterion.required_level].level,
            }
        )


def _evidence(claims: CredentialClaims) -> Iterator[JsonValue]:
    for item in claims.evidence:
        yield _given(
            {
                "id": item.id,
                "name": item.name,
                "genre": item.genre,
                "description": item.description,
                "narrative": item.narrative,
                "mediaType": item.media_type,
                "digestMultibase": multibase_sha256(item.sha256),
            }
        )


def _period(claims: CredentialClaims) -> JsonObject | None:
    first, last = claims.activity_start, claims.activity_end
    if first is None or last is None:
        return None
    return {"from": first.date().isoformat(), "to": last.date().isoformat()}


def _status(place: StatusPlace | None) -> JsonObject | None:
    if place is None:
        return None
    return {"status_list": {"idx": place.index, "uri": place.url}}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _given(values: JsonObject) -> JsonObject:
    """Only what there is something to say of."""
    return {key: value for key, value in values.items() if value is not None}
