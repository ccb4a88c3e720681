"""What may be offered to a wallet, what becomes of an offer, and its secrets. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from storage.errors import AssayError, Conflict, InvalidInput
from storage.ids import DefinitionId, token_hash
from storage.vocabulary import CredentialState, WalletForm, WalletNews

OFFER_LASTS = timedelta(minutes=10)
ACCESS_LASTS = timedelta(minutes=15)
"""Long enough to accept the credential in the wallet and for the wallet to say so."""
NONCE_LASTS = timedelta(minutes=5)
NONCES_KEPT = timedelta(minutes=10)
MOST_ATTEMPTS = 5
"""So many wrong transaction codes end an offer: of a million codes, that is one in 200,000."""
MOST_TAKINGS = 3
"""So often one access token is answered: a line may drop while the answer is on its way."""
CODE_DIGITS = 6

NEWS: Mapping[str, WalletNews] = {
    "credential_accepted": WalletNews.ACCEPTED,
    "credential_failure": WalletNews.FAILED,
    "credential_deleted": WalletNews.DELETED,
}
"""The words of OpenID4VCI's notification."""


class WalletRefused(AssayError):
    """What a wallet asked for cannot be given (400), with the error code the protocol has for it.

    The words are for those who write wallets: plain ASCII, and English.
    """

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoAccess(WalletRefused):
    """There is no access token, or it opens nothing (401)."""

    status = 401

    def __init__(self) -> None:
        super().__init__("invalid_token", "The access token is missing, unknown or expired.")


class Standing(StrEnum):
    """What has become of an offer."""

    WAITING = "waiting"
    TAKING = "taking"
    TAKEN = "taken"
    EXPIRED = "expired"
    LOCKED = "locked"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Marks:
    """What is kept of an offer that says what has become of it."""

    expires_at: datetime
    attempts: int
    redeemed_at: datetime | None
    access_until: datetime | None
    withdrawn_at: datetime | None
    taken: bool


def standing(marks: Marks, now: datetime) -> Standing:
    """What has become of an offer by now."""
    if marks.taken:
        return Standing.TAKEN
    if marks.withdrawn_at is not None:
        return Standing.WITHDRAWN
    if marks.redeemed_at is not None:
        alive = marks.access_until is not None and now < marks.access_until
        return Standing.TAKING if alive else Standing.EXPIRED
    if marks.attempts >= MOST_ATTEMPTS:
        return Standing.LOCKED
    return Standing.WAITING if now < marks.expires_at else Standing.EXPIRED


def fit_to_take(state: str, valid_until: datetime | None, now: datetime) -> None:
    """Raise Conflict unless the credential is in force."""
    if CredentialState(state) is not CredentialState.PUBLISHED:
        raise Conflict("Only a credential that is in force can go into a wallet.")
    if valid_until is not None and valid_until <= now:
        raise Conflict("The time of this credential is over, so it cannot go into a wallet.")


def read_form(chosen: str) -> WalletForm:
    """The form that was chosen. Raises InvalidInput."""
    if chosen not in set(WalletForm):
        raise InvalidInput("Choose one of the forms.")
    return WalletForm(chosen)


@dataclass(frozen=True)
class Kind:
    """What a wallet is offered: a version of a definition, or a statement of part of it, in a
    form. Its name stands in the metadata and in offers."""

    definition_id: DefinitionId
    whole: bool
    form: WalletForm

    @property
    def name(self) -> str:
        """The `credential_configuration_id`."""
        part = "" if self.whole else ".statement"
        return f"{self.definition_id}{part}.{self.form.value}"


@dataclass(frozen=True)
class OfferSecrets:
    """What only the holder and their wallet know of an offer.

    They are made anew from the offer's id and a secret of the environment, so the database holds
    only hashes and the page can show them again.
    """

    reference: str
    code: str
    transaction_code: str


def offer_secrets(key: str, offer_id: UUID) -> OfferSecrets:
    """The secrets of an offer."""
    digits = int.from_bytes(_derived(key, f"transaction code:{offer_id}")[:8]) % 10**CODE_DIGITS
    return OfferSecrets(
        reference=_text(_derived(key, f"reference:{offer_id}")),
        code=_text(_derived(key, f"code:{offer_id}")),
        transaction_code=f"{digits:0{CODE_DIGITS}d}",
    )


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that says nothing about them."""
    return hmac.compare_digest(token_hash(one).encode(), token_hash(other).encode())


def make_nonce(key: str, at: datetime, randomness: str) -> str:
    """A nonce that carries its age and its own proof, so that nothing is kept of unspent ones."""
    body = int(at.timestamp()).to_bytes(8) + hashlib.sha256(randomness.encode()).digest()[:16]
    return _text(body + _proof_of(key, body))


def nonce_counts(key: str, nonce: str, now: datetime) -> bool:
    """Whether a nonce is one of ours and young enough. Whether it was spent is kept elsewhere."""
    try:
        data = base64.b64decode(nonce + "=" * (-len(nonce) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    body, proof = data[:24], data[24:]
    if _text(data) != nonce or not hmac.compare_digest(proof, _proof_of(key, body)):
        return False
    age = now.timestamp() - int.from_bytes(body[:8])
    return -1 <= age <= NONCE_LASTS.total_seconds()


def _proof_of(key: str, body: bytes) -> bytes:
    return _derived(key, f"nonce:{body.hex()}")[:16]


def _derived(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"assay wallets v1:{purpose}".encode(), "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
