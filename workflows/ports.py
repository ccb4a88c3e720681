"""What the workflows need from outside and do not do themselves: only what has two real
implementations or must be faked in tests."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from credentials.keys import Signer
from storage.clock import Clock
from storage.vocabulary import ScanVerdict, Trouble
from workflows.confining import Source
from workflows.looking.seeing import Progress, Seen


@dataclass(frozen=True)
class Scan:
    """What the malware scanner said, with its reason or the signature's name."""

    verdict: ScanVerdict
    detail: str = ""


class Scanner(Protocol):
    """Looks for malware in bytes that stream by."""

    def scan(self, chunks: Iterable[bytes]) -> Scan:
        """The verdict. Never raises; never says clean unless the scanner itself did."""
        ...


@dataclass(frozen=True)
class Message:
    """A mail to be sent: plain text; `message_id` is the same on every try."""

    message_id: str
    recipient: str
    subject: str
    body: str


class Mailer(Protocol):
    """Takes a mail out of the house. `keeps`: it stays in the database to be read there."""

    @property
    def keeps(self) -> bool:
        """Whether a mail's body stays when it is sent."""
        ...

    def send(self, message: Message) -> None:
        """Send it.

        Raises Unavailable when the mail server is away, InvalidInput when it will never take it.
        """
        ...


@dataclass(frozen=True)
class Answer:
    """What came back for a webhook: the status and how the body begins, or the trouble that kept
    an answer from coming (`status` 0). `retry_after`: how long the receiver wants to be left alone.
    """

    status: int
    excerpt: str = ""
    retry_after: timedelta | None = None
    trouble: Trouble | None = None


class Courier(Protocol):
    """Takes webhooks to the addresses of other software."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it once. Never raises for what the receiver, the line or the address does."""
        ...


class Looker(Protocol):
    """Looks into files that strangers made, in bounded time and memory, and never raises for them.

    What is drawn lies in files that are gone when the context ends. What reading the source raises
    comes through.
    """

    def look(self, source: Source, media_type: str, file_name: str) -> AbstractContextManager[Seen]:
        """Facts, signals and the first pictures of a file."""
        ...

    def draw_pages(
        self, source: Source, media_type: str, first: int, count: int
    ) -> AbstractContextManager[Seen]:
        """More pages of a document, counted from 1."""
        ...

    def render(self, source: Source, tell: Progress) -> AbstractContextManager[Seen]:
        """A rendition of a recording that browsers can play."""
        ...


class KeptKey(Protocol):
    """A key that lies in a key service."""

    @property
    def name(self) -> str:
        """What the service calls it."""
        ...

    @property
    def public(self) -> bytes:
        """Its public half, 32 bytes."""
        ...


class KeyService(Protocol):
    """Keeps Ed25519 keys where nobody can read them, and signs with them."""

    def make(self, purpose: str) -> KeptKey:
        """A new key; `purpose` is for whoever looks after the service. Raises Unavailable."""
        ...

    def discard(self, name: str) -> None:
        """Remove a key that nothing was signed with. Raises Unavailable."""
        ...

    def signer(self, name: str) -> Signer:
        """What signs with the key. Its `sign` raises Unavailable."""
        ...


__all__ = [
    "Answer",
    "Clock",
    "Courier",
    "KeptKey",
    "KeyService",
    "Looker",
    "Mailer",
    "Message",
    "Scan",
    "Scanner",
    "Signer",
]
