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


def sealed_key(sha256: Sha256, generation: int = 0) -> str:
    """Where the bytes with this digest are kept.

    `generation`: how often bytes with this digest were erased before. A key is never used again
    after an erasure began, so that an erasure that wakes up late finds nothing of ours.
    """
    return f"{SEALED}{sha256[:2]}/{sha256[2:]}{f'.{generation}' if generation else ''}"


def digest_of_key(key: str) -> Sha256 | None:
    """The digest that a sealed key says; None when it is no sealed key."""
    name, _, generation = key.removeprefix(SEALED).partition(".")
    digest = Sha256(name.replace("/", ""))
    known = len(digest) == 64 and all(letter in "0123456789abcdef" for letter in digest)
    if not known or (generation and not generation.isdecimal()):
        return None
    return digest if sealed_key(digest, int(generation or 0)) == key else None


def previews_of(key: str) -> str:
    """What the keys of everything begin with that was made of the bytes under this sealed key.

    It is the digest, and the sealed key's generation where it has one.
    """
    return f"{PREVIEWS}{key.removeprefix(SEALED).replace('/', '')}/"
