"""The names of objects. What is not checked yet lies apart from what is sealed."""

import re
from uuid import UUID

from storage.ids import Sha256

INCOMING = "incoming/"
"""Uploads before they are sealed, and what was quarantined: nothing here is ever handed out."""
SEALED = "sealed/"
"""Bytes under a key that says their SHA-256. Never overwritten. They are checked when a row of
sealed bytes names their key; until then they are an upload like any other."""
PREVIEWS = "previews/"
"""What we made of sealed bytes to be looked at, under their digest; it goes when they go."""
CANARY = "canary"
SEALED_NAME = re.compile(
    SEALED + r"([0-9a-f]{2})/([0-9a-f]{62})(?:\.(?:[1-9][0-9]*|[0-9a-f]{32}))?", re.ASCII
)


def incoming_key(upload_id: UUID) -> str:
    """Where the bytes of an upload arrive."""
    return f"{INCOMING}{upload_id}"


def arrival_key(upload_id: UUID, sha256: Sha256 | None = None) -> str:
    """Where the bytes of an upload arrive; with their announced digest, where they may stay.

    The upload's id makes the key its own: whoever announces the digest of somebody else's bytes
    and sends others touches nothing but their own upload.
    """
    return incoming_key(upload_id) if sha256 is None else _sealed(sha256, upload_id.hex)


def sealed_key(sha256: Sha256, generation: int = 0) -> str:
    """Where the bytes with this digest are kept when they are copied there.

    `generation`: how often bytes with this digest were erased before. A key is never used again
    after an erasure began, so that an erasure that wakes up late finds nothing of ours.
    """
    return _sealed(sha256, str(generation) if generation else "")


def digest_of_key(key: str) -> Sha256 | None:
    """The digest that a sealed key says; None when it is no sealed key."""
    found = SEALED_NAME.fullmatch(key)
    return Sha256(found[1] + found[2]) if found else None


def _sealed(sha256: Sha256, suffix: str) -> str:
    return f"{SEALED}{sha256[:2]}/{sha256[2:]}{'.' if suffix else ''}{suffix}"


def previews_of(key: str) -> str:
    """What the keys of everything begin with that was made of the bytes under this sealed key.

    It is the digest, and the sealed key's generation where it has one.
    """
    return f"{PREVIEWS}{key.removeprefix(SEALED).replace('/', '')}/"
