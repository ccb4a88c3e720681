"""The secrets that webhooks are signed with, and the signature: all use of `standardwebhooks`.

A secret is sealed at rest as signing keys are, and shown once, as `whsec_` and its Base64.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlmodel import select
from standardwebhooks import Webhook

from credentials.errors import BadKey
from credentials.keys import open_bytes, seal_bytes
from storage.database import Database, command
from storage.events import Who, record
from storage.tables import WebhookEndpoint
from workflows.issuance.keys import Issuer

PREFIX = "whsec_"
BYTES = 32


def new_secret() -> bytes:
    """A fresh secret of 256 bits."""
    return secrets.token_bytes(BYTES)


def shown(secret: bytes) -> str:
    """The secret as receivers keep it."""
    return PREFIX + base64.b64encode(secret).decode()


def message_id(news_id: UUID) -> str:
    """The `webhook-id` of a piece of news: the same at every try and for every endpoint."""
    return f"msg_{news_id.hex}"


def headers_for(
    all_secrets: Sequence[bytes], news_id: UUID, at: datetime, body: bytes
) -> Mapping[str, str]:
    """The three headers of Standard Webhooks, with a signature by each secret, the newest first."""
    told, text = message_id(news_id), body.decode()
    moment = at.astimezone(UTC)
    signatures = [Webhook(one).sign(told, moment, text) for one in all_secrets]
    return {
        "webhook-id": told,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def seal_secret(issuer: Issuer, endpoint_id: UUID, secret: bytes) -> bytes:
    """The secret as it is kept. Raises BadKey when the installation's own secret is too short."""
    return seal_bytes(secret, issuer.key_secret, _name(endpoint_id)).encode()


def open_secret(issuer: Issuer, endpoint_id: UUID, sealed: bytes) -> bytes:
    """The secret itself. Raises BadKey when no secret of ours sealed it."""
    try:
        return open_bytes(sealed.decode(), issuer.key_secret, _name(endpoint_id))
    except BadKey:
        if not issuer.earlier_secret:
            raise
        return open_bytes(sealed.decode(), issuer.earlier_secret, _name(endpoint_id))


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
