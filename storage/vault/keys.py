"""The names of objects. What is not checked yet lies apart from what is sealed."""

from uuid import UUID

from storage.ids import Sha256

INCOMING = "incoming/"
"""Uploads before they are sealed, and what was quarantined: nothing here is ever handed out."""
SEALED = "sealed/"
"""Checked bytes, under a key that their SHA-256 fixes. Never overwritten."""
PREVIEWS = "previews/"
"""What we made of sealed bytes to be looked at, under their digest; it goes when they go."""
CANARY = "canary"


def incoming_key(upload_id: UUID) -> str:
    """Where the bytes of an upload arrive."""
    return f"{INCOMING}{upload_id}"


def sealed_key(sha256: Sha256) -> str:
    """Where the bytes with this digest are kept."""
    return f"{SEALED}{sha256[:2]}/{sha256[2:]}"


def digest_of_key(key: str) -> Sha256 | None:
    """The digest that a sealed key says; None when it is no sealed key."""
    digest = key.removeprefix(SEALED).replace("/", "")
    known = len(digest) == 64 and all(letter in "0123456789abcdef" for letter in digest)
    return Sha256(digest) if known and sealed_key(Sha256(digest)) == key else None


def previews_of(sha256: Sha256) -> str:
    """What the keys of everything that was made of these bytes begin with."""
    return f"{PREVIEWS}{sha256}/"
