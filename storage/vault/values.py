"""The plain values that go into the vault and come out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from storage.ids import Sha256


@dataclass(frozen=True, kw_only=True)
class StoreAddress:
    """Which store, and as whom.

    `endpoint_url` is how this machine reaches it, `public_endpoint_url` how browsers do. Without
    keys the machine's own role is used. `object_lock`: a bucket that is made gets object lock.
    """

    endpoint_url: str
    public_endpoint_url: str = ""
    region: str = "us-east-1"
    bucket: str
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    object_lock: bool = False
    connect_timeout: float = 5
    read_timeout: float = 60
    tries: int = 3


@dataclass(frozen=True)
class SignedRequest:
    """What a browser may send: to this address, with exactly these headers, until it expires."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class KeptPart:
    """A part of a multipart upload that the store has. `etag` without its quotes.

    `sha256` is what we know of it: stores do not list the digests of parts.
    """

    number: int
    etag: str
    size: int
    sha256: Sha256 | None = None


@dataclass(frozen=True)
class Version:
    """What lies under a key as long as its ETag is this one."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class ObjectFacts(Version):
    """An object as the store describes it."""

    modified_at: datetime


@dataclass(frozen=True)
class OpenUpload:
    """A multipart upload that is neither completed nor aborted."""

    key: str
    store_upload_id: str
    begun_at: datetime
