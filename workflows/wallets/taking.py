"""What a wallet is handed: proven, signed, and written down in one act.

What is signed is handed out only if everything still holds when it is written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from credentials.documents import JsonObject, JsonValue, load_json
from credentials.errors import BadProof
from credentials.key_proofs import StaleNonce, check_key_proofs
from credentials.sd_jwt import write_sd_jwt_vc
from storage.database import Database, Transaction, command
from storage.ids import CredentialId, DefinitionId, InstitutionId, new_id, new_token, token_hash
from storage.tables import Credential, DefinitionVersion, WalletNonce, WalletOffer, WalletTaking
from storage.vocabulary import WalletForm
from workflows.frameworks.definition import read_definition
from workflows.issuance.claims import read_frozen
from workflows.issuance.commands import hold_credential
from workflows.issuance.keys import Issuer
from workflows.issuance.tokens import credential_token
from workflows.wallets.addresses import issuer_name
from workflows.wallets.claims import Told, sd_claims
from workflows.wallets.keys import ensure_wallet_key, wallet_key
from workflows.wallets.offers import alive, in_force, offer_of_access, tell, wallet_of
from workflows.wallets.queries import count_takings, kind_of
from workflows.wallets.rules import (
    MOST_TAKINGS,
    NONCES_KEPT,
    NoAccess,
    WalletRefused,
    nonce_counts,
)
from workflows.wallets.status import status_place


@dataclass(frozen=True)
class Taken:
    """What a wallet is handed, and the id by which it tells what became of it."""

    credentials: Sequence[JsonValue] = field(repr=False)
    notification_id: str = field(repr=False, default="")


@dataclass(frozen=True)
class _Ask:
    """Which offer is answered, and of which credential in which form."""

    offer_id: UUID
    credential_id: CredentialId
    institution_id: InstitutionId
    form: WalletForm


def take_credential(db: Database, issuer: Issuer, access: str, request: JsonObject) -> Taken:
    """What the access token opens, in the form that was offered, for each key that was proven.

    Raises NoAccess, WalletRefused.
    """
    with db.reading() as tx:
        ask = _asked(tx, access, request)
    keys, nonce = _proven(db, issuer, ask.form, request)
    signed = _written(db, issuer, ask, keys)
    notification_id = new_token()
    _hand_out(db, ask, nonce, signed, notification_id)
    return Taken(signed, notification_id)


def _asked(tx: Transaction, access: str, request: JsonObject) -> _Ask:
    """What is asked for, if the access token opens it. Raises NoAccess, WalletRefused."""
    offer = offer_of_access(tx, access)
    credential = tx.session.get_one(Credential, offer.credential_id)
    kind = kind_of(credential, WalletForm(offer.form))
    if "credential_identifier" in request:
        words = "No credential identifiers are given here: use credential_configuration_id."
        raise WalletRefused("unknown_credential_identifier", words)
    asked = request.get("credential_configuration_id")
    if not isinstance(asked, str):
        words = "credential_configuration_id is missing."
        raise WalletRefused("invalid_credential_request", words)
    if asked != kind.name:
        words = "The access token is not for this credential configuration."
        raise WalletRefused("unknown_credential_configuration", words)
    if "credential_response_encryption" in request:
        words = "Responses are not encrypted beyond TLS here."
        raise WalletRefused("invalid_encryption_parameters", words)
    _check_still_there(tx, offer, credential)
    return _Ask(
        offer.id, CredentialId(credential.id), InstitutionId(credential.institution_id), kind.form
    )


def _proven(
    db: Database, issuer: Issuer, form: WalletForm, request: JsonObject
) -> tuple[tuple[JsonObject, ...], str]:
    """The keys that the wallet has shown to hold, and the nonce it used; none for an Open Badge,
    which is bound to no key. Raises WalletRefused."""
    if form is not WalletForm.SD_JWT:
        return (), ""
    now = db.clock.now()
    used: list[str] = []

    def spend(nonce: str) -> bool:
        """Whether it could count; that it is spent is written when the credential is handed out."""
        used.append(nonce)
        return nonce_counts(issuer.key_secret, nonce, now)

    if "proofs" not in request:
        raise WalletRefused("invalid_proof", "proofs is missing.")
    try:
        keys = check_key_proofs(
            request["proofs"], audience=issuer_name(issuer.site), now=now, spend=spend
        )
    except StaleNonce as error:
        raise WalletRefused("invalid_nonce", error.reason) from None
    except BadProof as error:
        raise WalletRefused("invalid_proof", error.reason) from None
    return keys, used[0]


def _written(
    db: Database, issuer: Issuer, ask: _Ask, keys: Sequence[JsonObject]
) -> Sequence[JsonValue]:
    """The credential in the form that was asked for, signed for each key."""
    if ask.form is WalletForm.TOKEN:
        return [credential_token(db, issuer, ask.credential_id)]
    if ask.form is WalletForm.OPEN_BADGE:
        with db.reading() as tx:
            document = tx.session.get_one(Credential, ask.credential_id).document or ""
        return [load_json(document.encode())]
    key_id = ensure_wallet_key(db, issuer, ask.institution_id)
    with db.reading() as tx:
        private = wallet_key(tx, issuer, key_id)
        claims = sd_claims(_told(tx, issuer, ask), tx.now)
    return [write_sd_jwt_vc(claims, private, key) for key in keys]


def _told(tx: Transaction, issuer: Issuer, ask: _Ask) -> Told:
    credential = tx.session.get_one(Credential, ask.credential_id)
    version = tx.session.get_one(DefinitionVersion, credential.definition_id)
    return Told(
        site=issuer.site,
        definition_id=DefinitionId(version.id),
        definition=read_definition(version.body),
        frozen=read_frozen(credential.claims),
        status=status_place(tx, issuer.site, ask.credential_id),
    )


@command
def _hand_out(
    db: Database, ask: _Ask, nonce: str, signed: Sequence[JsonValue], notification_id: str
) -> None:
    """Write down that it is taken, unless something has changed while it was signed.

    Raises NoAccess, WalletRefused.
    """
    with db.transaction() as tx:
        credential = hold_credential(tx, ask.credential_id)
        offer = tx.session.get_one(WalletOffer, ask.offer_id, with_for_update=True)
        _check_still_there(tx, offer, credential)
        if nonce:
            _spend(tx, nonce)
        tx.session.add(
            WalletTaking(
                id=new_id(),
                offer_id=offer.id,
                credential_id=credential.id,
                form=offer.form,
                copies=len(signed),
                taken_at=tx.now,
                notification_hash=token_hash(notification_id),
            )
        )
        data: dict[str, object] = {"form": offer.form, "copies": len(signed)}
        tell(tx, wallet_of(credential), "take_into_wallet", credential, data)


def _spend(tx: Transaction, nonce: str) -> None:
    """Spend a nonce; those that are too old to be tried again are forgotten."""
    tx.session.execute(delete(WalletNonce).where(col(WalletNonce.spent_at) < tx.now - NONCES_KEPT))
    spent = tx.session.execute(
        insert(WalletNonce)
        .values(nonce_hash=token_hash(nonce), spent_at=tx.now)
        .on_conflict_do_nothing()
        .returning(col(WalletNonce.nonce_hash))
    ).all()
    if not spent:
        raise WalletRefused("invalid_nonce", "The nonce of the key proof was spent already.")


def _check_still_there(tx: Transaction, offer: WalletOffer, credential: Credential) -> None:
    """Raise NoAccess or WalletRefused unless the offer and its credential still stand."""
    if offer.withdrawn_at is not None or not alive(tx, offer):
        raise NoAccess
    if not in_force(tx, offer) or count_takings(tx, offer) >= MOST_TAKINGS:
        words = "The credential is not in force, or was taken by this access token already."
        raise WalletRefused("credential_request_denied", words)
