"""From a decision to what the credential will say: frozen once, signed from what was frozen.

Pure: facts in, claims out. Only what was recognised is told; nothing says what was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import cast
from uuid import UUID

from credentials.claims import (
    AchievementClaims,
    CredentialClaims,
    EvidenceClaim,
    IdentityClaim,
    IssuerProfile,
    LearnerClaim,
    RelatedClaim,
    ResultClaim,
    StatusClaim,
    claims_from_json,
    claims_to_json,
    claims_to_text,
    hashed_identity,
)
from credentials.documents import JsonObject
from storage.ids import CredentialId, CriterionCode, DefinitionId, OutcomeCode
from storage.tables import Institution
from workflows.appearance.queries import logo_worn
from workflows.canonical import canonical_json
from workflows.frameworks.definition import Definition, Frozen
from workflows.frameworks.languages import in_language
from workflows.issuance.achievements import (
    achievement_claims,
    criteria_narrative,
    criterion_id,
    level_id,
    level_in,
    statement_claims,
)
from workflows.issuance.addresses import Site
from workflows.issuance.evidence_claims import (
    KINDS,
    IssuedItem,
    Span,
    evidence_claim,
    printable,
)
from workflows.words import Say, words

__all__ = [
    "KINDS",
    "Facts",
    "FrozenCredential",
    "IssuedItem",
    "Learner",
    "Span",
    "achievement_claims",
    "claims_of",
    "criteria_narrative",
    "criterion_id",
    "freeze",
    "freeze_bare",
    "frozen_body",
    "frozen_text",
    "issuer_profile",
    "level_id",
    "printable",
    "read_frozen",
    "to_the_second",
]


@dataclass(frozen=True)
class Learner:
    """Whose credential it is. The address is told only as a salted hash.

    `named`: the name stands in clear; otherwise it is a salted hash as well, which only who knows
    the name can recognise. `language` is the one that the learner reads.
    """

    name: str
    email: str
    salt: str
    named: bool = True
    language: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that a credential is made of. `levels` are those agreed, per criterion.

    `related`: where the definitions are that this one is made of, and the wholes that have it.
    `stays` and `stays_of`: the evidence of the credential that this one renews, and its items.
    """

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
    related: tuple[RelatedClaim, ...] = ()
    stays: tuple[EvidenceClaim, ...] = ()
    stays_of: Mapping[str, UUID] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether all mandatory outcomes are recognised: otherwise it is a statement."""
        return self.recognised.issuperset(
            outcome.code for outcome in self.definition.outcomes if outcome.mandatory
        )


class FrozenCredential(Frozen):
    """What is kept of a credential before it is signed, so that signing again gives the same bytes.

    `items`: the random end of each evidence address → the item. `outcomes`: what was recognised.
    `whole`: it is the credential, and not a statement of what of it is recognised. `named`: the
    learner's name stands in it; otherwise `learner` is a word for the holder.
    """

    claims: dict[str, object]
    key_id: UUID
    created: datetime
    items: dict[str, UUID]
    outcomes: tuple[OutcomeCode, ...]
    learner: str
    whole: bool = True
    named: bool = True
    definition_id: UUID | None = None

    def credential_claims(self) -> CredentialClaims:
        """The claims as they were frozen."""
        return claims_from_json(cast(JsonObject, self.claims), CredentialClaims)


def frozen_body(frozen: FrozenCredential) -> dict[str, object]:
    """The frozen credential as JSON values, for the database. The claims are such already."""
    return {**frozen.model_dump(mode="json", exclude={"claims"}), "claims": frozen.claims}


def frozen_text(bare: FrozenCredential, claims: CredentialClaims) -> str:
    """The same as JSON text, of a frozen credential without its claims and of those."""
    rest = bare.model_dump_json(exclude={"claims"})
    return f'{{"claims":{claims_to_text(claims)},{rest[1:]}'


def read_frozen(body: Mapping[str, object]) -> FrozenCredential:
    """The frozen credential of a body that `frozen_body` made."""
    return FrozenCredential.model_validate_json(canonical_json(body))


def freeze(facts: Facts, key_id: UUID) -> FrozenCredential:
    """The claims of these facts, with all that signing them needs."""
    claims = cast(dict[str, object], claims_to_json(claims_of(facts)))
    return freeze_bare(facts, key_id).model_copy(update={"claims": claims})


def freeze_bare(facts: Facts, key_id: UUID) -> FrozenCredential:
    """The same without the claims, for who keeps those as text (`frozen_text`)."""
    learner = facts.learner
    say = words(_told(facts).language)
    return FrozenCredential(
        claims={},
        key_id=key_id,
        created=to_the_second(facts.at),
        items={**facts.stays_of, **{item.slug: item.item_id for item in facts.items}},
        outcomes=tuple(o.code for o in facts.definition.outcomes if o.code in facts.recognised),
        learner=learner.name if learner.named else say("The holder"),
        whole=facts.whole,
        named=learner.named,
        definition_id=facts.definition_id,
    )


def claims_of(facts: Facts) -> CredentialClaims:
    """What the credential says: in one language, the definition's or the learner's."""
    definition, site = _told(facts), facts.site
    say = words(definition.language)
    address = site.credential(facts.credential_id)
    issued = to_the_second(facts.at)
    version = _Version(facts.definition_id, facts.definition_hash, definition.language, definition)
    whole = facts.whole
    part = None if whole else facts.recognised
    achievement = _achievement(version, site, facts.issuer, facts.related, part)
    first, last = _activity(facts.items)
    return CredentialClaims(
        id=address,
        name=achievement.name,
        description=achievement.description,
        issuer=facts.issuer,
        valid_from=issued,
        valid_until=_valid_until(issued, definition.validity_months),
        awarded_date=to_the_second(facts.decided_at),
        learner=LearnerClaim(identities=_identities(facts.learner)),
        achievement=achievement,
        results=_results(facts, address, _rows(version, site)),
        evidence=tuple(
            evidence_claim(
                definition, facts.recognised, item, site.evidence(facts.credential_id, item.slug)
            )
            for item in facts.items
        )
        + facts.stays,
        status=facts.status,
        image=site.badge_image(facts.definition_id),
        narrative=_narrative(definition, facts.recognised, say),
        source=IssuerProfile(facts.issuer.id, facts.issuer.name),
        credits_earned=definition.elements.credits if whole else None,
        activity_start=first,
        activity_end=last,
    )


@dataclass(frozen=True)
class _Version:
    """A version of a definition in one language: what it says follows from these."""

    id: DefinitionId
    content_hash: str
    language: str
    definition: Definition = field(compare=False)


@lru_cache(maxsize=256)
def _achievement(
    version: _Version,
    site: Site,
    issuer: IssuerProfile,
    related: tuple[RelatedClaim, ...],
    part: frozenset[OutcomeCode] | None,
) -> AchievementClaims:
    """The achievement: one object for all credentials that share it, so that many sign fast.

    `part`: what is recognised of it, where that is not the whole.
    """
    achievement = achievement_claims(
        site, version.id, version.content_hash, version.definition, issuer, related=related
    )
    return achievement if part is None else statement_claims(achievement, version.definition, part)


@dataclass(frozen=True)
class _Row:
    """A row of a rubric: the outcome that it is of, and its address."""

    outcome: OutcomeCode
    code: CriterionCode
    id: str


@lru_cache(maxsize=256)
def _rows(version: _Version, site: Site) -> tuple[_Row, ...]:
    return tuple(
        _Row(outcome.code, row.code, criterion_id(site, version.id, row))
        for outcome in version.definition.outcomes
        for row in outcome.criteria
    )


def _told(facts: Facts) -> Definition:
    """The definition in the language of the document."""
    if facts.definition.issue_in == "learner":
        return in_language(facts.definition, facts.learner.language)
    return facts.definition


def _identities(learner: Learner) -> tuple[IdentityClaim, ...]:
    name = printable(learner.name)
    return (
        IdentityClaim("name", name)
        if learner.named
        else hashed_identity("name", name, learner.salt),
        hashed_identity("emailAddress", learner.email, learner.salt),
    )


def _narrative(definition: Definition, recognised: frozenset[OutcomeCode], say: Say) -> str:
    known = [outcome.code for outcome in definition.outcomes if outcome.code in recognised]
    return say(
        "Recognised from prior learning, by evidence from work and life: %(outcomes)s.",
        outcomes=", ".join(known),
    )


def _activity(items: Sequence[IssuedItem]) -> tuple[datetime | None, datetime | None]:
    """From when to when the work was done that the evidence shows; nothing where it is not said."""
    days = [day for item in items for day in (item.work_from, item.work_to) if day is not None]
    if not days:
        return None, None
    return _midnight(min(days)), _midnight(max(days))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def to_the_second(at: datetime) -> datetime:
    """The moment as documents write it."""
    return at.astimezone(UTC).replace(microsecond=0)


def issuer_profile(institution: Institution, site: Site) -> IssuerProfile:
    """The institution as the issuer of what it signs."""
    texts = {key: value for key, value in institution.profile.items() if isinstance(value, str)}
    worn = logo_worn(institution.profile)
    return IssuerProfile(
        id=site.did(),
        name=institution.name,
        url=institution.url or None,
        email=institution.email or None,
        image=site.logo(worn.sha256) if worn else texts.get("logo") or None,
        country=institution.country or None,
        region=texts.get("region") or None,
        description=texts.get("description") or None,
    )


def _results(facts: Facts, address: str, rows: Sequence[_Row]) -> tuple[ResultClaim, ...]:
    return tuple(
        ResultClaim(
            id=f"{address}#{row.code}",
            criterion_id=row.id,
            level_id=level_in(row.id, facts.levels[row.code]),
        )
        for row in rows
        if row.outcome in facts.recognised and row.code in facts.levels
    )


def _valid_until(issued: datetime, months: int | None) -> datetime | None:
    if months is None:
        return None
    years, month = divmod(issued.month - 1 + months, 12)
    first = issued.replace(year=issued.year + years, month=month + 1, day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    last_day = (next_month - timedelta(days=1)).day
    return first.replace(day=min(issued.day, last_day))
