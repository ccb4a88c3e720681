"""What the jobs' own machinery needs of the container; handlers take what else they need."""

from typing import Protocol

from redis import Redis

from storage.database import Database


class Parts(Protocol):
    """The parts that carry promised work."""

    @property
    def db(self) -> Database:
        """The database."""
        ...

    @property
    def redis(self) -> Redis:
        """Valkey."""
        ...
