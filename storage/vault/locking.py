"""Object lock and versions: what the store itself refuses to remove, and removing all there is.

Where a bucket keeps versions, removing an object only hides it. Erased bytes must be gone, so every
version goes, also past a lock in governance mode where our key may (s3:BypassGovernanceRetention).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from storage.vault.bucket import NOT_FOR_US
from storage.vault.errors import StillLocked, store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NO_LOCK = {"ObjectLockConfigurationNotFoundError", "InvalidRequest", "InvalidBucketState"}
LOCKED = (
    "The evidence store holds these bytes until their lock ends, and does not let us remove them "
    "before. They are removed then."
)


def has_versions(client: "S3Client", bucket: str) -> bool:
    """Whether the bucket keeps what is removed as older versions. Raises StoreAway."""
    with store_errors():
        try:
            return bool(client.get_bucket_versioning(Bucket=bucket).get("Status"))
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_FOR_US:
                return False
            raise


def lock(client: "S3Client", bucket: str, key: str, until: datetime) -> bool:
    """Have the store refuse to remove an object before; False where it knows no locks.

    A longer lock that is there already stays. Raises ObjectMissing, StoreAway.
    """
    with store_errors():
        try:
            client.put_object_retention(
                Bucket=bucket,
                Key=key,
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "AccessDenied" and (_locked_until(client, bucket, key) or until) > until:
                return True
            if code in NO_LOCK | NOT_FOR_US:
                return False
            raise
    return True


def remove(client: "S3Client", bucket: str, key: str, *, versions: bool) -> None:
    """Remove an object with all its versions. Raises StillLocked, StoreAway."""
    if not versions:
        client.delete_object(Bucket=bucket, Key=key)
        return
    for version in _versions(client, bucket, key):
        try:
            client.delete_object(
                Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "AccessDenied":
                raise StillLocked(LOCKED) from error
            raise


def _versions(client: "S3Client", bucket: str, key: str) -> Iterator[str]:
    """The ids of an object's versions and of the marks that hide them."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    for page in pages:
        for version in page.get("Versions", ()):
            if version["Key"] == key:
                yield version["VersionId"]
        for mark in page.get("DeleteMarkers", ()):
            if mark["Key"] == key:
                yield mark["VersionId"]


def _locked_until(client: "S3Client", bucket: str, key: str) -> datetime | None:
    try:
        held = client.get_object_retention(Bucket=bucket, Key=key)
    except ClientError:
        return None
    return held.get("Retention", {}).get("RetainUntilDate")
