"""Connections to the store: one for ourselves, one that signs what browsers do."""

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from boto3.session import Session
from botocore.config import Config

from storage.vault.values import StoreAddress

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECTIONS = 32
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def connect(address: StoreAddress) -> "S3Client":
    """A client for what this machine does itself. Nothing is sent yet."""
    return _client(address, address.endpoint_url)


def signer(address: StoreAddress) -> "S3Client":
    """A client whose only use is to sign addresses for browsers; it never sends anything."""
    return _client(address, address.public_endpoint_url or address.endpoint_url)


@lru_cache(maxsize=1)
def _session() -> Session:
    """One for the process: each reads the whole description of S3 anew, which takes a while."""
    return Session()


def _client(address: StoreAddress, endpoint_url: str) -> "S3Client":
    return _session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=address.region,
        aws_access_key_id=address.access_key_id or None,
        aws_secret_access_key=address.secret_access_key or None,
        config=_config(address, endpoint_url),
    )


def _config(address: StoreAddress, endpoint_url: str) -> Config:
    """No checksums that a store may refuse, paths instead of host names, and an end to waiting."""
    here = urlsplit(endpoint_url).hostname in LOOPBACK
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=address.connect_timeout,
        read_timeout=address.read_timeout,
        retries={"total_max_attempts": address.tries, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        proxies={} if here else None,
    )
