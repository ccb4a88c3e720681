"""Passwords at rest: argon2id, as much time for an unknown person as for a known one."""

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's second recommendation (19 MiB, 2 passes): sixteen sign-ins at once stay under 320 MB
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(_composed(password))


def password_matches(kept: str | None, password: str) -> bool:
    """Whether this is the password; takes as long, and says no, where none is kept."""
    try:
        _HASHER.verify(kept or _nobodys_hash(), _composed(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def needs_rehash(kept: str) -> bool:
    """Whether it was kept with weaker settings than today's."""
    return _HASHER.check_needs_rehash(kept)


def _composed(password: str) -> str:
    """The same typed letters are the same password on every keyboard (NIST SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of nobody at all")
