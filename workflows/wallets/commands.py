"""A credential on its way into a wallet: offered, its code exchanged, and what came of it.

The database keeps no secret of an offer but its hash. Wrong codes are counted before they are
refused. What a wallet is handed is in `taking`.
"""

from dataclasses import dataclass, field

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.events import Who
from storage.ids import (
    CredentialId,
    new_id,
    new_token,
    token_hash,
)
from storage.tables import (
    Case,
    Credential,
    WalletOffer,
    WalletTaking,
)
from storage.vocabulary import WalletForm
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.issuance.commands import hold_credential
from workflows.issuance.keys import Issuer
from workflows.wallets.offers import in_force, offer_of_access, tell, wallet_of
from workflows.wallets.queries import marks_of
from workflows.wallets.rules import (
    ACCESS_LASTS,
    NEWS,
    OFFER_LASTS,
    Standing,
    WalletRefused,
    fit_to_take,
    make_nonce,
    offer_secrets,
    same_text,
    standing,
)


@dataclass(frozen=True)
class Access:
    """What a code is exchanged for."""

    token: str = field(repr=False)
    seconds: int = 0


@command
def make_offer(
    db: Database,
    issuer: Issuer,
    actor: Actor,
    credential_id: CredentialId,
    *,
    form: WalletForm,
    asks_code: bool,
) -> None:
    """Offer one's credential to a wallet; an earlier offer that is still open ends.

    Raises NotFound, Forbidden, Conflict (it is not in force).
    """
    with db.transaction() as tx:
        credential, who = _held_by_holder(tx, actor, credential_id)
        fit_to_take(credential.state, credential.valid_until, tx.now)
        _end_open_offers(tx, credential_id)
        offer_id = new_id()
        secrets = offer_secrets(issuer.key_secret, offer_id)
        tx.session.add(
            WalletOffer(
                id=offer_id,
                credential_id=credential_id,
                form=form.value,
                asks_code=asks_code,
                reference_hash=token_hash(secrets.reference),
                code_hash=token_hash(secrets.code),
                created_at=tx.now,
                expires_at=tx.now + OFFER_LASTS,
            )
        )
        tell(tx, who, "offer_to_wallet", credential, {"form": form.value})


@command
def withdraw_offer(db: Database, actor: Actor, credential_id: CredentialId) -> None:
    """End the open offer of one's credential, also one whose code a wallet has exchanged already.

    Raises NotFound, Forbidden. A second time nothing happens.
    """
    with db.transaction() as tx:
        credential, who = _held_by_holder(tx, actor, credential_id)
        if _end_open_offers(tx, credential_id):
            tell(tx, who, "withdraw_from_wallet", credential, {})


def redeem_code(db: Database, code: str, transaction_code: str | None, issuer: Issuer) -> Access:
    """Exchange a pre-authorized code for an access token, once. Raises WalletRefused."""
    answer = _redeem(db, issuer, code, transaction_code)
    if isinstance(answer, WalletRefused):
        raise answer
    return answer


def new_nonce(db: Database, issuer: Issuer) -> str:
    """A fresh nonce for a key proof; nothing is kept of it until it is spent."""
    return make_nonce(issuer.key_secret, db.clock.now(), new_token())


@command
def note_news(db: Database, access: str, notification_id: str, event: str) -> None:
    """Keep what a wallet says became of what it took; saying it twice is saying it once.

    Raises NoAccess, WalletRefused.
    """
    with db.transaction() as tx:
        offer = offer_of_access(tx, access)
        taking = tx.session.exec(
            select(WalletTaking)
            .where(
                WalletTaking.offer_id == offer.id,
                WalletTaking.notification_hash == token_hash(notification_id),
            )
            .with_for_update()
        ).one_or_none()
        if taking is None:
            raise WalletRefused("invalid_notification_id", "There is no such notification id.")
        if event not in NEWS:
            raise WalletRefused("invalid_notification_request", "This event is not known.")
        if taking.news != NEWS[event].value:
            taking.news, taking.news_at = NEWS[event].value, tx.now
            credential = tx.session.get_one(Credential, taking.credential_id)
            tell(tx, wallet_of(credential), "wallet_news", credential, {"news": taking.news})


@command
def _redeem(
    db: Database, issuer: Issuer, code: str, transaction_code: str | None
) -> Access | WalletRefused:
    """The refusal is returned and not raised, so that a wrong try stays counted."""
    unknown = WalletRefused("invalid_grant", "The pre-authorized code is unknown or expired.")
    with db.transaction() as tx:
        offer = tx.session.exec(
            select(WalletOffer).where(WalletOffer.code_hash == token_hash(code)).with_for_update()
        ).one_or_none()
        if offer is None:
            return unknown
        found = standing(marks_of(tx, offer), tx.now)
        if found is Standing.TAKING:
            # twice the same code: somebody else may have seen it, so neither of them goes on
            offer.access_until = tx.now
        if found is not Standing.WAITING or not in_force(tx, offer):
            return unknown
        refusal = _check_transaction_code(issuer, offer, transaction_code)
        if refusal is not None:
            return refusal
        access = Access(new_token(), int(ACCESS_LASTS.total_seconds()))
        offer.redeemed_at, offer.access_until = tx.now, tx.now + ACCESS_LASTS
        offer.access_hash = token_hash(access.token)
        return access


def _check_transaction_code(
    issuer: Issuer, offer: WalletOffer, given: str | None
) -> WalletRefused | None:
    if not offer.asks_code:
        if given is None:
            return None
        return WalletRefused("invalid_request", "No transaction code is expected.")
    if given is None:
        return WalletRefused("invalid_request", "A transaction code is expected.")
    if same_text(given, offer_secrets(issuer.key_secret, offer.id).transaction_code):
        return None
    offer.attempts += 1
    return WalletRefused("invalid_grant", "The transaction code is wrong.")


def _end_open_offers(tx: Transaction, credential_id: CredentialId) -> int:
    """End every offer that something could still become of; returns how many there were."""
    rows = tx.session.exec(
        select(WalletOffer)
        .where(WalletOffer.credential_id == credential_id, col(WalletOffer.withdrawn_at).is_(None))
        .with_for_update()
    ).all()
    open_ones = [row for row in rows if _is_open(tx, row)]
    for row in open_ones:
        row.withdrawn_at = tx.now
    return len(open_ones)


def _is_open(tx: Transaction, offer: WalletOffer) -> bool:
    return standing(marks_of(tx, offer), tx.now) in (Standing.WAITING, Standing.TAKING)


def _held_by_holder(
    tx: Transaction, actor: Actor, credential_id: CredentialId
) -> tuple[Credential, Who]:
    credential = hold_credential(tx, credential_id)
    case = tx.session.get_one(Case, credential.case_id)
    return credential, acting(actor, Permission.SHARE_CREDENTIAL, case_resource(tx, case))
