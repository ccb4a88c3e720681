"""Credentials for pages: one whole, and lists of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from credentials.claims import CredentialClaims, EvidenceClaim
from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import (
    AccountId,
    CaseId,
    CredentialId,
    DefinitionId,
    InstitutionId,
    ItemId,
    OutcomeCode,
    Sha256,
)
from storage.tables import (
    Account,
    Attestation,
    Credential,
    DefinitionVersion,
    EvidenceItem,
    EvidenceMapping,
    Institution,
)
from storage.vocabulary import (
    CredentialState,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    VoiceState,
)
from workflows.appearance.queries import LogoMark, logo_of, logo_picture
from workflows.attestations.document import read_kept
from workflows.evidence.people import held_back
from workflows.frameworks.definition import Criterion, Definition, Outcome, read_definition
from workflows.issuance.addresses import Site
from workflows.issuance.claims import FrozenCredential, level_id, read_frozen
from workflows.issuance.rules import PUBLIC, reason_words, shown

PAGE = 50
MOST_OWN = 500
"""Nobody has as many credentials of their own."""


@dataclass(frozen=True)
class Reached:
    """A row of the rubric and the level that was agreed; None: not assessed."""

    criterion: Criterion
    level: int | None


@dataclass(frozen=True)
class RecognisedOutcome:
    """An outcome of the credential with what was reached."""

    outcome: Outcome
    rows: tuple[Reached, ...]


@dataclass(frozen=True)
class PublicItem:
    """An evidence item as the world sees it."""

    slug: str
    item_id: ItemId
    url: str
    name: str
    kind: EvidenceKind
    genre: str
    narrative: str
    description: str
    sha256: Sha256
    size: int | None
    media_type: str
    file_name: str
    sealed_at: datetime | None
    disclosure: Disclosure
    openable: bool
    """whether the file may be opened by anyone: the learner said so and it is there"""
    outcomes: tuple[OutcomeCode, ...] = ()
    """those of the credential that it speaks to"""


@dataclass(frozen=True)
class CredentialView:
    """A credential, whole, as its page shows it."""

    id: CredentialId
    case_id: CaseId
    url: str
    state: CredentialState
    version: int
    learner_id: AccountId
    learner: str
    institution: str
    colour: str
    accent: str
    definition_id: DefinitionId
    definition: Definition
    outcomes: tuple[RecognisedOutcome, ...]
    items: tuple[PublicItem, ...]
    issued_at: datetime
    awarded_at: datetime
    valid_until: datetime | None
    status_at: datetime | None
    public_reason: str
    """why it is not in force, in English words to be translated; '' while it is"""
    replaces: CredentialId | None
    """the one that this corrects; None where its document does not name it"""
    replaced_by: CredentialId | None
    """the published one that corrects this"""
    document: bytes = field(repr=False)
    document_sha256: str = ""
    title: str = ""
    """what it calls itself: the definition's title, or that of a statement of part of it"""
    whole: bool = True
    language: str = "en"
    """the language it is written in: the definition's, or the learner's"""
    description: str = ""
    logo: bytes = field(default=b"", repr=False)
    """the logo that its issuer wore when it was issued, or wears now if it wore none; as PNG"""
    logo_mark: LogoMark | None = None
    """the same for pages: where it is and what stands for it"""


@dataclass(frozen=True)
class CredentialLine:
    """A credential in a list."""

    id: CredentialId
    title: str
    learner: str
    state: CredentialState
    created_at: datetime
    published_at: datetime | None
    public_reason: str
    replaces: CredentialId | None = None
    whole: bool = True
    named: bool = True
    asked_unnamed_at: datetime | None = None
    ended: bool = False
    """whether its time is over"""

    @property
    def shown_state(self) -> str:
        """The word for its state, as people understand it."""
        in_force = self.state is CredentialState.PUBLISHED
        return "ended" if in_force and self.ended else self.state.value


def public_credential(tx: Transaction, site: Site, credential_id: CredentialId) -> CredentialView:
    """The credential, once it is published; it stays when it is suspended or revoked.

    Raises NotFound.
    """
    row = tx.session.exec(
        select(Credential, DefinitionVersion, Institution).where(
            Credential.id == credential_id,
            DefinitionVersion.id == Credential.definition_id,
            Institution.id == Credential.institution_id,
        )
    ).one_or_none()
    if row is None or CredentialState(row[0].state) not in PUBLIC:
        raise NotFound("There is no such credential.")
    credential, version, institution = row
    frozen = read_frozen(credential.claims)
    claims = frozen.credential_claims()
    definition = read_definition(version.body)
    definition_id = DefinitionId(version.id)
    mark = logo_of(tx, site, claims.issuer.image, institution.profile)
    return CredentialView(
        id=CredentialId(credential.id),
        case_id=CaseId(credential.case_id),
        url=site.credential(credential_id),
        state=CredentialState(credential.state),
        version=credential.version,
        learner_id=AccountId(credential.learner_id),
        learner=frozen.learner,
        institution=institution.name,
        colour=str(institution.profile.get("colour", "")),
        accent=str(institution.profile.get("accent", "")),
        definition_id=definition_id,
        definition=definition,
        outcomes=_outcomes(site, definition_id, definition, frozen, claims),
        items=_items(tx, frozen, claims),
        issued_at=claims.valid_from,
        awarded_at=claims.awarded_date,
        valid_until=claims.valid_until,
        status_at=credential.revoked_at or credential.suspended_at,
        public_reason=reason_words(credential.public_reason),
        replaces=CredentialId(credential.replaces_id)
        if credential.replaces_id and claims.replaces
        else None,
        replaced_by=replacement_of(tx, credential_id),
        document=(credential.document or "").encode(),
        document_sha256=credential.document_sha256 or "",
        title=claims.name,
        whole=credential.whole,
        language=claims.achievement.language or definition.language,
        description=claims.achievement.description,
        logo=logo_picture(tx, mark.sha256) if mark else b"",
        logo_mark=mark,
    )


def public_item(view: CredentialView, slug: str) -> PublicItem:
    """An evidence item of a credential. Raises NotFound."""
    for item in view.items:
        if item.slug == slug:
            return item
    raise NotFound("There is no such evidence item.")


def replacement_of(tx: Transaction, credential_id: CredentialId) -> CredentialId | None:
    """The published credential that corrects this one; None while there is none."""
    found = tx.session.exec(
        select(Credential.id).where(
            Credential.replaces_id == credential_id,
            col(Credential.state).in_([state.value for state in PUBLIC]),
        )
    ).one_or_none()
    return CredentialId(found) if found else None


def my_credentials(tx: Transaction, learner_id: AccountId) -> Sequence[CredentialLine]:
    """A learner's own credentials, those on their way included, the newest first."""
    return _lines(tx, learner_id=learner_id)


def credentials_of(
    tx: Transaction, institution_id: InstitutionId, page: int = 1
) -> tuple[Sequence[CredentialLine], bool]:
    """A page of an institution's credentials, the newest first, and whether there is more."""
    lines = _lines(tx, institution_id=institution_id, first=(page - 1) * PAGE, most=PAGE + 1)
    return lines[:PAGE], len(lines) > PAGE


def _lines(
    tx: Transaction,
    *,
    learner_id: AccountId | None = None,
    institution_id: InstitutionId | None = None,
    first: int = 0,
    most: int = MOST_OWN,
) -> Sequence[CredentialLine]:
    query = (
        select(Credential, DefinitionVersion, Account)
        .where(
            DefinitionVersion.id == Credential.definition_id,
            Account.id == Credential.learner_id,
        )
        .order_by(col(Credential.created_at).desc(), col(Credential.id).desc())
        .offset(first)
        .limit(most)
    )
    if learner_id is not None:
        query = query.where(Credential.learner_id == learner_id)
    if institution_id is not None:
        query = query.where(Credential.institution_id == institution_id)
    return [
        CredentialLine(
            id=CredentialId(credential.id),
            title=version.title if credential.whole else _own_title(credential),
            learner=learner.name,
            state=CredentialState(credential.state),
            created_at=credential.created_at,
            published_at=credential.published_at,
            public_reason=reason_words(credential.public_reason),
            replaces=CredentialId(credential.replaces_id) if credential.replaces_id else None,
            whole=credential.whole,
            named=bool(credential.claims.get("named", True)),
            asked_unnamed_at=credential.asked_unnamed_at,
            ended=credential.valid_until is not None and credential.valid_until <= tx.now,
        )
        for credential, version, learner in tx.session.exec(query).all()
    ]


def _own_title(credential: Credential) -> str:
    """What a statement calls itself."""
    claims = credential.claims.get("claims")
    return str(claims.get("name", "")) if isinstance(claims, dict) else ""


def _outcomes(
    site: Site,
    definition_id: DefinitionId,
    definition: Definition,
    frozen: FrozenCredential,
    claims: CredentialClaims,
) -> tuple[RecognisedOutcome, ...]:
    reached = {result.level_id for result in claims.results}
    return tuple(
        RecognisedOutcome(
            outcome,
            tuple(
                Reached(row, _level(site, definition_id, row, reached)) for row in outcome.criteria
            ),
        )
        for outcome in definition.outcomes
        if outcome.code in frozen.outcomes
    )


def _level(
    site: Site, definition_id: DefinitionId, row: Criterion, reached: set[str]
) -> int | None:
    for level in row.levels:
        if level_id(site, definition_id, row, level.value) in reached:
            return level.value
    return None


def _items(
    tx: Transaction, frozen: FrozenCredential, claims: CredentialClaims
) -> tuple[PublicItem, ...]:
    ids = list(frozen.items.values())
    rows = {
        row.id: row
        for row in tx.session.exec(select(EvidenceItem).where(col(EvidenceItem.id).in_(ids))).all()
    }
    statements = {
        row.item_id: read_kept(row.statement).public and row.state != VoiceState.WITHDRAWN
        for row in tx.session.exec(
            select(Attestation).where(col(Attestation.item_id).in_(ids))
        ).all()
        if row.statement is not None
    }
    speaks = _mapped(tx, ids, frozen.outcomes)
    found = []
    for claim in claims.evidence:
        slug = claim.id.rpartition("/")[2]
        row = rows.get(frozen.items[slug])
        if row is not None:
            disclosure = shown(row.disclosure, witness_says_public=statements.get(row.id))
            item = _item(slug, claim, row, disclosure)
            found.append(replace(item, outcomes=speaks.get(row.id, ())))
    return tuple(found)


def _mapped(
    tx: Transaction, ids: Sequence[UUID], outcomes: Sequence[OutcomeCode]
) -> Mapping[UUID, tuple[OutcomeCode, ...]]:
    """Which of these outcomes each item speaks to, in their order."""
    pairs = set(
        tx.session.exec(
            select(EvidenceMapping.item_id, EvidenceMapping.outcome_code).where(
                col(EvidenceMapping.item_id).in_(ids)
            )
        ).all()
    )
    return {one: tuple(code for code in outcomes if (one, code) in pairs) for one in ids}


def _item(slug: str, claim: EvidenceClaim, row: EvidenceItem, disclosure: Disclosure) -> PublicItem:
    there = row.state == EvidenceState.SEALED and not held_back(PeopleShown(row.people))
    return PublicItem(
        slug=slug,
        item_id=ItemId(row.id),
        url=claim.id,
        name=claim.name,
        kind=EvidenceKind(row.kind),
        genre=claim.genre or "",
        narrative=claim.narrative or "",
        description=claim.description or "",
        sha256=Sha256(claim.sha256),
        size=row.size,
        media_type=claim.media_type,
        file_name=row.file_name,
        sealed_at=row.sealed_at,
        disclosure=disclosure,
        openable=there and disclosure is Disclosure.OPEN_LINK,
    )
