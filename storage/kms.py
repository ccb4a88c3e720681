"""Signing keys in AWS Key Management Service: made there, used there, never given out.

Ed25519 itself (`ED25519_SHA_512` over the raw message), so signatures verify like those of any
other Ed25519 key. The role needs `kms:CreateKey`, `kms:GetPublicKey`, `kms:Sign`
and `kms:ScheduleKeyDeletion`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from storage.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KEY_SPEC: Final = "ECC_NIST_EDWARDS25519"
ALGORITHM: Final = "ED25519_SHA_512"
DAYS_BEFORE_DELETION = 7
AWAY = "The key service does not answer at present. It is tried again."


@dataclass(frozen=True)
class KmsKey:
    """A key as the service made it: its name there (an ARN), and its 32 public bytes."""

    name: str
    public: bytes


@dataclass(frozen=True)
class KmsSigner:
    """Signs with one key of the service."""

    client: "KMSClient" = field(repr=False)
    name: str

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of the signature. Raises Unavailable."""
        with _asking():
            answer = self.client.sign(
                KeyId=self.name, Message=data, MessageType="RAW", SigningAlgorithm=ALGORITHM
            )
        return answer["Signature"]


class KmsKeys:
    """The key service of a region; `endpoint_url` is '' for AWS's own address."""

    def __init__(self, region: str, endpoint_url: str = "") -> None:
        self.region = region
        self.endpoint_url = endpoint_url

    @property
    def client(self) -> "KMSClient":
        """The connection of this process. Nothing is sent by making it."""
        return _client(self.region, self.endpoint_url)

    def make(self, purpose: str) -> KmsKey:
        """A new signing key. Raises Unavailable."""
        with _asking():
            made = self.client.create_key(
                KeySpec=KEY_SPEC,
                KeyUsage="SIGN_VERIFY",
                Description=f"Assay signs with this as {purpose}.",
            )
            name = made["KeyMetadata"]["Arn"]
            shown = self.client.get_public_key(KeyId=name)
        public = load_der_public_key(shown["PublicKey"])
        if not isinstance(public, Ed25519PublicKey):
            raise Unavailable("The key service made a key that is not an Ed25519 key.")
        return KmsKey(name, public.public_bytes_raw())

    def discard(self, name: str) -> None:
        """Have a key that nothing was signed with deleted, after a week. Raises Unavailable."""
        with _asking():
            self.client.schedule_key_deletion(KeyId=name, PendingWindowInDays=DAYS_BEFORE_DELETION)

    def signer(self, name: str) -> KmsSigner:
        """What signs with a key. Nothing is asked before it signs."""
        return KmsSigner(self.client, name)


@lru_cache(maxsize=4)
def _client(region: str, endpoint_url: str) -> "KMSClient":
    return Session().client(
        "kms",
        region_name=region,
        endpoint_url=endpoint_url or None,
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 4, "mode": "standard"},
            max_pool_connections=16,
        ),
    )


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(AWAY) from error
