"""A credential definition as an Open Badges achievement, and what of it a statement names. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from credentials.claims import (
    AchievementClaims,
    AlignmentClaim,
    CriterionClaim,
    IssuerProfile,
    LevelClaim,
    RelatedClaim,
)
from storage.ids import DefinitionId, OutcomeCode
from workflows.frameworks.definition import Criterion, Definition
from workflows.issuance.addresses import Site
from workflows.words import Say, words

EQF = "http://data.europa.eu/snb/eqf/{level}"
"""The European Union's own identifier of a level of the European Qualifications Framework."""

STATEMENT = "ext:StatementOfRecognition"
"""What a statement of partial recognition is, where a credential is a recognition."""


def achievement_claims(
    site: Site,
    definition_id: DefinitionId,
    definition_hash: str,
    definition: Definition,
    creator: IssuerProfile,
    *,
    related: tuple[RelatedClaim, ...] = (),
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
        field_of_study=definition.elements.field_of_study or None,
        code=definition.code,
        related=related,
    )


def statement_claims(
    achievement: AchievementClaims, definition: Definition, recognised: frozenset[OutcomeCode]
) -> AchievementClaims:
    """The achievement of a statement: what of a credential was recognised, and no word of the rest.

    It has an address of its own, and names the credential as related.
    """
    say = words(definition.language)
    rows = {
        row.code
        for outcome in definition.outcomes
        if outcome.code in recognised
        for row in outcome.criteria
    }
    known = [outcome for outcome in definition.outcomes if outcome.code in recognised]
    # hours and credits are those of the whole
    elements = definition.elements.model_copy(update={"workload_hours": None, "credits": None})
    told = definition.model_copy(update={"outcomes": tuple(known), "elements": elements})
    part = "-".join(sorted(recognised))
    return replace(
        achievement,
        id=f"{achievement.id}#statement-{part}",
        name=say("Statement of recognition: %(title)s", title=definition.title),
        description=say(
            "Names the outcomes of “%(title)s” that were recognised. It is not that credential.",
            title=definition.title,
        ),
        criteria_narrative=criteria_narrative(told, say),
        criteria=tuple(row for row in achievement.criteria if row.id.rpartition("#")[2] in rows),
        alignments=tuple(_alignments(told)),
        achievement_type=STATEMENT,
        credits_available=None,
        related=(RelatedClaim(achievement.id, version=achievement.version),),
    )


def criteria_narrative(definition: Definition, say: Say) -> str:
    """What was asked and how it was assessed: the European elements in words, as Markdown."""
    outcomes = "\n".join(f"- {row.code}: {row.statement}" for row in definition.outcomes)
    told = european_elements(definition, say)
    lines = "\n\n".join(f"**{title}:** {text}" for title, text in told)
    return f"{outcomes}\n\n{lines}".strip()


def european_elements(definition: Definition, say: Say) -> tuple[tuple[str, str], ...]:
    """Name and text of each element of the European approach that the definition fills."""
    elements = definition.elements
    told = (
        (say("Assessment"), elements.assessment_type),
        (say("Participation"), elements.participation),
        (say("Supervision and identity check"), elements.supervision),
        (say("Quality assurance"), elements.quality_assurance),
        (say("Level"), definition.level),
        (say("Qualification level"), _qualification(definition)),
        (say("Notional workload"), _hours(definition, say)),
        (say("Credits"), _credits(definition)),
        (say("Field of study"), elements.field_of_study),
        (say("Grade"), elements.grade),
        (say("Prerequisites"), elements.prerequisites),
        (say("Stackability"), elements.stackability),
        (say("Further information"), elements.further_information),
    )
    return tuple((title, text) for title, text in told if text)


def criterion_id(site: Site, definition_id: DefinitionId, criterion: Criterion) -> str:
    """The address of a row of a rubric."""
    return f"{site.achievement(definition_id)}#{criterion.code}"


def level_id(site: Site, definition_id: DefinitionId, criterion: Criterion, value: int) -> str:
    """The address of a level of a row of a rubric."""
    return level_in(criterion_id(site, definition_id, criterion), value)


def level_in(criterion: str, value: int) -> str:
    """The same for who has the row's address."""
    return f"{criterion}-{value}"


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
    national = definition.elements.national_level
    if national is not None:
        unique[national.uri] = AlignmentClaim(
            name=national.label, url=national.uri, framework=national.framework
        )
    return tuple(unique.values())


def _qualification(definition: Definition) -> str:
    """The level in the European framework and in the national one, as people read it."""
    level, national = definition.elements.eqf_level, definition.elements.national_level
    told = (f"EQF {level}" if level else "", national.label if national else "")
    return ", ".join(filter(None, told))


def _credits(definition: Definition) -> str:
    found = definition.elements.credits
    return f"{found:g} {definition.elements.credit_system}".strip() if found else ""


def _kind(uri: str) -> str | None:
    return "ext:ESCOSkill" if "/esco/skill/" in uri else None


def _noc(definition: Definition) -> str:
    return f"NOC {definition.noc}" if definition.noc else ""


def _hours(definition: Definition, say: Say) -> str:
    hours = definition.elements.workload_hours
    return say("%(hours)s hours", hours=hours) if hours else ""
