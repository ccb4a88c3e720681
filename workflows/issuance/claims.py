"""From a decision to what the credential will say: frozen once, signed from what was frozen.

Pure: facts in, claims out. Only what was recognised is told; nothing says what was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast
from uuid import UUID

from credentials.claims import (
    AchievementClaims,
    AlignmentClaim,
    CredentialClaims,
    CriterionClaim,
    EvidenceClaim,
    IdentityClaim,
    IssuerProfile,
    LearnerClaim,
    LevelClaim,
    ResultClaim,
    StatusClaim,
    claims_from_json,
    claims_to_json,
    hashed_identity,
)
from credentials.documents import JsonObject
from storage.ids import CredentialId, CriterionCode, DefinitionId, ItemId, OutcomeCode, Sha256
from storage.tables import Institution
from storage.vocabulary import EvidenceKind
from workflows.canonical import canonical_json
from workflows.frameworks.definition import Criterion, Definition, Frozen
from workflows.issuance.addresses import Site
from workflows.words import Say, marked, words

EQF = "http://data.europa.eu/snb/eqf/{level}"
"""The European Union's own identifier of a level of the European Qualifications Framework."""

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


@dataclass(frozen=True)
class IssuedItem:
    """A sealed item of the manifest that speaks to something recognised.

    `slug` is the random end of its address; `title` and `own_part` may be told to the world.
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


@dataclass(frozen=True)
class Learner:
    """Whose credential it is. The address is told only as a salted hash."""

    name: str
    email: str
    salt: str


@dataclass(frozen=True)
class Facts:
    """Everything that a credential is made of. `levels` are those agreed, per criterion."""

    credential_id: CredentialId
    site: Site
    issuer: IssuerProfile
    definition_id: DefinitionId
    definition_hash: str
    definition: Definition
    learner: Learner
    recognised: frozenset[OutcomeCode]
    levels: Mapping[CriterionCode, int]
    items: Sequence[IssuedItem]
    status: tuple[StatusClaim, ...]
    decided_at: datetime
    at: datetime


class FrozenCredential(Frozen):
    """What is kept of a credential before it is signed, so that signing again gives the same bytes.

    `items`: the random end of each evidence address → the item. `outcomes`: what was recognised.
    """

    claims: dict[str, object]
    key_id: UUID
    created: datetime
    items: dict[str, UUID]
    outcomes: tuple[OutcomeCode, ...]
    learner: str

    def credential_claims(self) -> CredentialClaims:
        """The claims as they were frozen."""
        return claims_from_json(cast(JsonObject, self.claims), CredentialClaims)


def frozen_body(frozen: FrozenCredential) -> dict[str, object]:
    """The frozen credential as JSON values, for the database."""
    return frozen.model_dump(mode="json")


def read_frozen(body: Mapping[str, object]) -> FrozenCredential:
    """The frozen credential of a body that `frozen_body` made."""
    return FrozenCredential.model_validate_json(canonical_json(body))


def freeze(facts: Facts, key_id: UUID) -> FrozenCredential:
    """The claims of these facts, with all that signing them needs."""
    return FrozenCredential(
        claims=cast(dict[str, object], claims_to_json(claims_of(facts))),
        key_id=key_id,
        created=to_the_second(facts.at),
        items={item.slug: item.item_id for item in facts.items},
        outcomes=tuple(o.code for o in facts.definition.outcomes if o.code in facts.recognised),
        learner=facts.learner.name,
    )


def claims_of(facts: Facts) -> CredentialClaims:
    """What the credential says."""
    definition, site = facts.definition, facts.site
    say = words(definition.language)
    address = site.credential(facts.credential_id)
    issued = to_the_second(facts.at)
    return CredentialClaims(
        id=address,
        name=definition.title,
        description=definition.description or definition.title,
        issuer=facts.issuer,
        valid_from=issued,
        valid_until=_valid_until(issued, definition.validity_months),
        awarded_date=to_the_second(facts.decided_at),
        learner=LearnerClaim(
            identities=(
                IdentityClaim("name", printable(facts.learner.name)),
                hashed_identity("emailAddress", facts.learner.email, facts.learner.salt),
            )
        ),
        achievement=achievement_claims(
            site, facts.definition_id, facts.definition_hash, definition, facts.issuer
        ),
        results=_results(facts, address),
        evidence=tuple(_evidence(facts, item, say) for item in facts.items),
        status=facts.status,
        image=site.badge_image(facts.definition_id),
        credits_earned=definition.elements.credits,
    )


def criterion_id(site: Site, definition_id: DefinitionId, criterion: Criterion) -> str:
    """The address of a row of a rubric."""
    return f"{site.achievement(definition_id)}#{criterion.code}"


def level_id(site: Site, definition_id: DefinitionId, criterion: Criterion, value: int) -> str:
    """The address of a level of a row of a rubric."""
    return f"{criterion_id(site, definition_id, criterion)}-{value}"


def printable(text: str) -> str:
    """The text without what must not be signed: control and non-characters, on whose bytes
    implementations disagree."""
    return "".join(
        letter for letter in text if letter in "\t\n" or not _is_odd(ord(letter))
    ).strip()


def to_the_second(at: datetime) -> datetime:
    """The moment as documents write it."""
    return at.astimezone(UTC).replace(microsecond=0)


def issuer_profile(institution: Institution, site: Site) -> IssuerProfile:
    """The institution as the issuer of what it signs."""
    texts = {key: value for key, value in institution.profile.items() if isinstance(value, str)}
    return IssuerProfile(
        id=site.did(),
        name=institution.name,
        url=institution.url or None,
        email=institution.email or None,
        image=texts.get("logo") or None,
        country=institution.country or None,
        region=texts.get("region") or None,
        description=texts.get("description") or None,
    )


def achievement_claims(
    site: Site,
    definition_id: DefinitionId,
    definition_hash: str,
    definition: Definition,
    creator: IssuerProfile,
) -> AchievementClaims:
    """The credential definition as an Open Badges achievement."""
    say = words(definition.language)
    criteria = tuple(_criterion(site, definition_id, row) for row in definition.criteria())
    return AchievementClaims(
        id=site.achievement(definition_id),
        name=definition.title,
        description=definition.description or definition.title,
        criteria_url=site.achievement(definition_id),
        criteria_narrative=criteria_narrative(definition, say),
        criteria=criteria,
        alignments=tuple(_alignments(definition)),
        tags=tuple(filter(None, (_noc(definition), definition.esco_occupation))),
        language=definition.language,
        version=definition_hash[:12],
        image=site.badge_image(definition_id),
        creator=creator,
        credits_available=definition.elements.credits,
        code=definition.code,
    )


def criteria_narrative(definition: Definition, say: Say) -> str:
    """What was asked and how it was assessed: the European elements in words, as Markdown."""
    elements = definition.elements
    told = (
        (say("Assessment"), elements.assessment_type),
        (say("Participation"), elements.participation),
        (say("Supervision and identity check"), elements.supervision),
        (say("Quality assurance"), elements.quality_assurance),
        (say("Level"), definition.level),
        (say("Notional workload"), _hours(definition, say)),
        (say("Prerequisites"), elements.prerequisites),
        (say("Further information"), elements.further_information),
    )
    outcomes = "\n".join(f"- {row.code}: {row.statement}" for row in definition.outcomes)
    lines = "\n\n".join(f"**{title}:** {text}" for title, text in told if text)
    return f"{outcomes}\n\n{lines}".strip()


def _criterion(site: Site, definition_id: DefinitionId, row: Criterion) -> CriterionClaim:
    return CriterionClaim(
        id=criterion_id(site, definition_id, row),
        name=row.title,
        levels=tuple(
            LevelClaim(
                id=level_id(site, definition_id, row, level.value),
                name=level.label,
                level=str(level.value),
                description=level.descriptor,
            )
            for level in row.levels
        ),
        required_level=level_id(site, definition_id, row, row.threshold),
    )


def _results(facts: Facts, address: str) -> tuple[ResultClaim, ...]:
    return tuple(
        ResultClaim(
            id=f"{address}#{row.code}",
            criterion_id=criterion_id(facts.site, facts.definition_id, row),
            level_id=level_id(facts.site, facts.definition_id, row, facts.levels[row.code]),
        )
        for outcome in facts.definition.outcomes
        if outcome.code in facts.recognised
        for row in outcome.criteria
        if row.code in facts.levels
    )


def _is_odd(point: int) -> bool:
    control = point < 0x20 or 0x7F <= point <= 0x9F
    return (
        control
        or 0xD800 <= point <= 0xDFFF
        or 0xFDD0 <= point <= 0xFDEF
        or point & 0xFFFE == 0xFFFE
    )


def _evidence(facts: Facts, item: IssuedItem, say: Say) -> EvidenceClaim:
    return EvidenceClaim(
        id=facts.site.evidence(facts.credential_id, item.slug),
        name=printable(item.title),
        sha256=item.sha256,
        media_type=item.media_type or "application/octet-stream",
        genre=say(KINDS[item.kind]),
        description=_shows(facts.definition, item, say),
        narrative=printable(item.own_part) or None,
    )


def _shows(definition: Definition, item: IssuedItem, say: Say) -> str:
    known = [outcome.code for outcome in definition.outcomes if outcome.code in item.outcomes]
    shows = say("Shows %(outcomes)s.", outcomes=", ".join(known))
    first, last = item.work_from or item.work_to, item.work_to or item.work_from
    if first is None or last is None:
        return shows
    if first == last:
        return f"{shows} {say('Work of %(day)s.', day=first.isoformat())}"
    since, until = first.isoformat(), last.isoformat()
    return f"{shows} {say('Work of %(since)s to %(until)s.', since=since, until=until)}"


def _alignments(definition: Definition) -> Sequence[AlignmentClaim]:
    found = {
        (one.uri, outcome.code): AlignmentClaim(
            name=one.label, url=one.uri, framework=one.framework, kind=_kind(one.uri)
        )
        for outcome in definition.outcomes
        for one in outcome.alignments
    }
    unique = {claim.url: claim for claim in found.values()}
    level = definition.elements.eqf_level
    if level is not None:
        url = EQF.format(level=level)
        unique[url] = AlignmentClaim(
            name=f"EQF {level}",
            url=url,
            framework="European Qualifications Framework",
            code=str(level),
        )
    return tuple(unique.values())


def _kind(uri: str) -> str | None:
    return "ext:ESCOSkill" if "/esco/skill/" in uri else None


def _noc(definition: Definition) -> str:
    return f"NOC {definition.noc}" if definition.noc else ""


def _hours(definition: Definition, say: Say) -> str:
    hours = definition.elements.workload_hours
    return say("%(hours)s hours", hours=hours) if hours else ""


def _valid_until(issued: datetime, months: int | None) -> datetime | None:
    if months is None:
        return None
    years, month = divmod(issued.month - 1 + months, 12)
    first = issued.replace(year=issued.year + years, month=month + 1, day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    last_day = (next_month - timedelta(days=1)).day
    return first.replace(day=min(issued.day, last_day))
