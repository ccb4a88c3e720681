"""Offers to wallets for pages and for wallets; what wallets can take at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, func, select

from credentials.colours import dark_enough
from credentials.documents import JsonObject
from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import CredentialId, DefinitionId, InstitutionId, token_hash
from storage.tables import (
    Credential,
    DefinitionVersion,
    Institution,
    WalletOffer,
    WalletTaking,
)
from storage.vocabulary import WalletForm, WalletNews
from workflows.appearance.queries import appearance_of
from workflows.frameworks.definition import read_definition
from workflows.issuance.addresses import Site
from workflows.issuance.claims import issuer_profile
from workflows.issuance.keys import Issuer
from workflows.issuance.rules import PUBLIC
from workflows.wallets.keys import published_wallet_keys
from workflows.wallets.metadata import (
    Issuing,
    Offered,
    issuer_metadata,
    key_metadata,
    offer_document,
    type_metadata,
)
from workflows.wallets.rules import (
    Kind,
    Marks,
    OfferSecrets,
    Standing,
    offer_secrets,
    standing,
)
from workflows.words import known_locales, words

NO_OFFER = "This offer is not open any more."
READABLE = 4.5
"""The contrast of white words on the institution's colour (WCAG 2.2)."""


@dataclass(frozen=True)
class OfferView:
    """The newest offer of a credential, as its holder sees it."""

    form: WalletForm
    standing: Standing
    asks_code: bool
    expires_at: datetime
    secrets: OfferSecrets = field(repr=False)

    @property
    def open(self) -> bool:
        """Whether a wallet can begin with it now."""
        return self.standing is Standing.WAITING

    @property
    def moving(self) -> bool:
        """Whether something may yet become of it."""
        return self.standing in (Standing.WAITING, Standing.TAKING)


@dataclass(frozen=True)
class TakingLine:
    """That a wallet took the credential, and what it said of it then."""

    at: datetime
    form: WalletForm
    copies: int
    news: WalletNews | None


@dataclass(frozen=True)
class WalletView:
    """What there is to say of a credential and wallets."""

    offer: OfferView | None
    takings: Sequence[TakingLine]


def wallet_view(tx: Transaction, issuer: Issuer, credential_id: CredentialId) -> WalletView:
    """The newest offer of a credential, and all takings, the newest first."""
    row = tx.session.exec(
        select(WalletOffer)
        .where(WalletOffer.credential_id == credential_id)
        .order_by(col(WalletOffer.created_at).desc(), col(WalletOffer.id).desc())
        .limit(1)
    ).one_or_none()
    return WalletView(_shown(tx, issuer, row) if row else None, takings_of(tx, credential_id))


def takings_of(tx: Transaction, credential_id: CredentialId) -> Sequence[TakingLine]:
    """When wallets took a credential, the newest first."""
    rows = tx.session.exec(
        select(WalletTaking)
        .where(WalletTaking.credential_id == credential_id)
        .order_by(col(WalletTaking.taken_at).desc(), col(WalletTaking.id).desc())
    ).all()
    return [
        TakingLine(
            row.taken_at,
            WalletForm(row.form),
            row.copies,
            WalletNews(row.news) if row.news else None,
        )
        for row in rows
    ]


def offer_by_reference(tx: Transaction, issuer: Issuer, reference: str, tell: str) -> JsonObject:
    """The offer that is fetched at an address. Raises NotFound once it is not open any more."""
    row = tx.session.exec(
        select(WalletOffer).where(WalletOffer.reference_hash == token_hash(reference))
    ).one_or_none()
    if row is None or _shown(tx, issuer, row).standing is not Standing.WAITING:
        raise NotFound(NO_OFFER)
    return offer_of(tx, issuer, row, tell)


def offer_of(tx: Transaction, issuer: Issuer, row: WalletOffer, tell: str) -> JsonObject:
    """The offer as a wallet reads it."""
    credential = tx.session.get_one(Credential, row.credential_id)
    secrets = offer_secrets(issuer.key_secret, row.id)
    kind = kind_of(credential, WalletForm(row.form))
    return offer_document(issuer.site, kind, secrets, tell if row.asks_code else "")


def kind_of(credential: Credential, form: WalletForm) -> Kind:
    """What a wallet is offered of a credential."""
    return Kind(DefinitionId(credential.definition_id), credential.whole, form)


def marks_of(tx: Transaction, offer: WalletOffer) -> Marks:
    """What says what has become of an offer."""
    return Marks(
        expires_at=offer.expires_at,
        attempts=offer.attempts,
        redeemed_at=offer.redeemed_at,
        access_until=offer.access_until,
        withdrawn_at=offer.withdrawn_at,
        taken=count_takings(tx, offer) > 0,
    )


def count_takings(tx: Transaction, offer: WalletOffer) -> int:
    """How often a wallet took something by this offer."""
    query = select(func.count()).select_from(WalletTaking)
    return tx.session.exec(query.where(WalletTaking.offer_id == offer.id)).one()


def credential_issuer(tx: Transaction, site: Site, institution_id: InstitutionId) -> JsonObject:
    """The Credential Issuer Metadata of an institution."""
    issuing = _issuing(tx, site, institution_id)
    return issuer_metadata(site, issuing, _all_offered(tx, institution_id))


def issuer_keys(tx: Transaction, site: Site, institution_id: InstitutionId) -> JsonObject:
    """The JWT VC Issuer Metadata of an institution."""
    return key_metadata(site, published_wallet_keys(tx, institution_id))


def type_of(tx: Transaction, site: Site, definition_id: DefinitionId, *, whole: bool) -> JsonObject:
    """The type metadata of a version of a definition. Raises NotFound unless it was published."""
    version = tx.session.get(DefinitionVersion, definition_id)
    if version is None or version.published_at is None:
        raise NotFound("There is no such type of credential.")
    institution_id = InstitutionId(version.institution_id)
    return type_metadata(site, _issuing(tx, site, institution_id), _offered(version, whole=whole))


def _shown(tx: Transaction, issuer: Issuer, row: WalletOffer) -> OfferView:
    secrets = offer_secrets(issuer.key_secret, row.id)
    found = standing(marks_of(tx, row), tx.now)
    if found is Standing.WAITING and token_hash(secrets.code) != row.code_hash:
        # the secret of the environment has changed since: what the page would show opens nothing
        found = Standing.EXPIRED
    return OfferView(WalletForm(row.form), found, row.asks_code, row.expires_at, secrets)


def _issuing(tx: Transaction, site: Site, institution_id: InstitutionId) -> Issuing:
    institution = tx.session.get_one(Institution, institution_id)
    profile = issuer_profile(institution, site)
    colour = dark_enough(appearance_of(tx, institution_id).colour, READABLE)
    return Issuing(
        institution.name, profile.url or "", colour, profile.image or "", known_locales()
    )


def _all_offered(tx: Transaction, institution_id: InstitutionId) -> Sequence[Offered]:
    """The versions that are offered now or that there are credentials of, and statements of those
    that there are some of."""
    versions = tx.session.exec(
        select(DefinitionVersion)
        .where(
            DefinitionVersion.institution_id == institution_id,
            col(DefinitionVersion.published_at).is_not(None),
        )
        .order_by(col(DefinitionVersion.published_at).desc(), col(DefinitionVersion.id))
    ).all()
    issued = set(
        tx.session.exec(
            select(Credential.definition_id, Credential.whole)
            .where(
                Credential.institution_id == institution_id,
                col(Credential.state).in_([state.value for state in PUBLIC]),
            )
            .distinct()
        ).all()
    )
    kept = [one for one in versions if one.retired_at is None or (one.id, True) in issued]
    whole = [_offered(one, whole=True) for one in kept]
    return whole + [_offered(one, whole=False) for one in versions if (one.id, False) in issued]


def _offered(version: DefinitionVersion, *, whole: bool) -> Offered:
    definition = read_definition(version.body)
    title, description = definition.title, definition.description or definition.title
    if not whole:
        say = words(definition.language)
        title = say("Statement of recognition: %(title)s", title=definition.title)
        description = say(
            "Names the outcomes of “%(title)s” that were recognised. It is not that credential.",
            title=definition.title,
        )
    return Offered(DefinitionId(version.id), whole, title, description, definition.language)
