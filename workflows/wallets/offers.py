"""Offers at hand: found by what a wallet was given, and whether they and their credential stand."""

from sqlmodel import select

from storage.database import Transaction
from storage.errors import Conflict
from storage.events import Who, record
from storage.ids import AccountId, CaseId, token_hash
from storage.tables import Account, Credential, WalletOffer
from storage.vocabulary import Role
from workflows.wallets.rules import NoAccess, fit_to_take

WALLET = "Wallet"


def offer_of_access(tx: Transaction, access: str) -> WalletOffer:
    """The offer that an access token was given for, while it lives. Raises NoAccess."""
    offer = tx.session.exec(
        select(WalletOffer).where(WalletOffer.access_hash == token_hash(access))
    ).one_or_none()
    if offer is None or offer.withdrawn_at is not None or not alive(tx, offer):
        raise NoAccess
    return offer


def alive(tx: Transaction, offer: WalletOffer) -> bool:
    """Whether the access token that an offer's code was exchanged for still opens something."""
    return offer.access_until is not None and tx.now < offer.access_until


def in_force(tx: Transaction, offer: WalletOffer) -> bool:
    """Whether the credential of an offer may go into a wallet now; not while its holder's account
    is disabled: whoever had taken it over may have made the offer."""
    credential = tx.session.get_one(Credential, offer.credential_id)
    try:
        fit_to_take(credential.state, credential.valid_until, tx.now)
    except Conflict:
        return False
    return tx.session.get_one(Account, credential.learner_id).disabled_at is None


def wallet_of(credential: Credential) -> Who:
    """The holder's wallet: it acts by a code that only the holder was shown."""
    return Who(Role.LEARNER, AccountId(credential.learner_id), WALLET)


def tell(
    tx: Transaction, who: Who, kind: str, credential: Credential, data: dict[str, object]
) -> None:
    """Write down an act on the credential, in its case's history."""
    about, case_id = ("credential", credential.id), CaseId(credential.case_id)
    record(tx, who, kind, about, case_id=case_id, data=data)
