"""The secrets that webhooks are signed with, and the signatures: all use of `standardwebhooks`.

Each message is signed twice over: by a secret that the receiver shares (`v1`, HMAC-SHA256), which
is shown once as `whsec_…`, and by a key of which the receiver needs the public half alone (`v1a`,
Ed25519), `whpk_…`. The library knows the first of them. Both are sealed at rest as signing keys
are.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlmodel import select
from standardwebhooks import Webhook

from credentials.errors import BadKey
from credentials.keys import generate_ed25519, open_bytes, private_from_seed, seal_bytes, seed_of
from storage.database import Database, command
from storage.events import Who, record
from storage.tables import WebhookEndpoint
from workflows.issuance.keys import Issuer

BYTES = 32


@dataclass(frozen=True)
class Secret:
    """What an endpoint's messages are signed with: 32 bytes that are shared, and a key's seed."""

    shared: bytes = field(repr=False)
    seed: bytes = field(repr=False)

    @property
    def shown(self) -> str:
        """The shared half, as receivers keep it."""
        return "whsec_" + base64.b64encode(self.shared).decode()

    @property
    def public_key(self) -> str:
        """The public half of the key, as receivers keep it."""
        public = private_from_seed(self.seed).public_key().public_bytes_raw()
        return "whpk_" + base64.b64encode(public).decode()

    def signatures(self, told: str, at: datetime, text: str) -> tuple[str, str]:
        """By the shared secret and by the key."""
        signed = f"{told}.{int(at.timestamp())}.{text}".encode()
        by_key = base64.b64encode(private_from_seed(self.seed).sign(signed)).decode()
        return Webhook(self.shared).sign(told, at, text), f"v1a,{by_key}"


def new_secret() -> Secret:
    """A fresh one, of 256 bits each."""
    return Secret(secrets.token_bytes(BYTES), seed_of(generate_ed25519()))


def message_id(news_id: UUID) -> str:
    """The `webhook-id` of a piece of news: the same at every try and for every endpoint."""
    return f"msg_{news_id.hex}"


def headers_for(
    all_secrets: Sequence[Secret], news_id: UUID, at: datetime, body: bytes
) -> Mapping[str, str]:
    """The three headers of Standard Webhooks, with the signatures of each secret."""
    told, text = message_id(news_id), body.decode()
    moment = at.astimezone(UTC)
    signatures = [each for one in all_secrets for each in one.signatures(told, moment, text)]
    return {
        "webhook-id": told,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def seal_secret(issuer: Issuer, endpoint_id: UUID, secret: Secret) -> bytes:
    """The secret as it is kept. Raises BadKey when the installation's own secret is too short."""
    both = secret.shared + secret.seed
    return seal_bytes(both, issuer.key_secret, _name(endpoint_id)).encode()


def open_secret(issuer: Issuer, endpoint_id: UUID, sealed: bytes) -> Secret:
    """The secret itself. Raises BadKey when no secret of ours sealed it."""
    try:
        both = open_bytes(sealed.decode(), issuer.key_secret, _name(endpoint_id))
    except BadKey:
        if not issuer.earlier_secret:
            raise
        both = open_bytes(sealed.decode(), issuer.earlier_secret, _name(endpoint_id))
    return Secret(both[:BYTES], both[BYTES:])


@command
def reseal_secrets(db: Database, issuer: Issuer, who: Who) -> int:
    """Seal every secret under the installation's present one; returns how many endpoints had
    another. Raises BadKey, with nothing changed, when one opens with neither.
    """
    with db.transaction() as tx:
        moved = 0
        for kept in tx.session.exec(select(WebhookEndpoint).with_for_update()).all():
            if not kept.sealed_secret or _opens(issuer, kept):
                continue
            kept.sealed_secret = _anew(issuer, kept.id, kept.sealed_secret)
            if kept.sealed_earlier is not None:
                kept.sealed_earlier = _anew(issuer, kept.id, kept.sealed_earlier)
            record(tx, who, "reseal_key", ("webhook_endpoint", kept.id))
            moved += 1
        return moved


def _anew(issuer: Issuer, endpoint_id: UUID, sealed: bytes) -> bytes:
    return seal_secret(issuer, endpoint_id, open_secret(issuer, endpoint_id, sealed))


def _opens(issuer: Issuer, kept: WebhookEndpoint) -> bool:
    try:
        open_bytes(kept.sealed_secret.decode(), issuer.key_secret, _name(kept.id))
    except BadKey:
        return False
    return True


def _name(endpoint_id: UUID) -> str:
    return f"webhook:{endpoint_id}"
