"""Making the bucket fit for the house: there, open to our pages, clearing up after itself."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from storage.vault.errors import store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef

ABANDONED_AFTER_DAYS = 14
DEFAULT_REGION = "us-east-1"
OURS_ALREADY = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
NOT_FOR_US = {"NotImplemented", "MethodNotAllowed", "AccessDenied", "UnsupportedOperation", "501"}


def prepare_bucket(
    client: "S3Client",
    bucket: str,
    region: str,
    origins: Sequence[str],
    *,
    object_lock: bool = False,
) -> tuple[str, ...]:
    """Make the bucket and its rules; run again, it changes nothing.

    Returns what the store would not let us set, in words for whoever runs it. Raises StoreAway.
    """
    with store_errors():
        _create(client, bucket, region, object_lock=object_lock)
        notes = (
            _try(
                lambda: _let_browsers_put(client, bucket, origins),
                "The store takes no CORS rules from us: allow PUT from "
                f"{', '.join(origins)} with the header x-amz-checksum-sha256, exposing ETag.",
            ),
            _try(
                lambda: _abort_abandoned(client, bucket),
                "The store takes no lifecycle rules from us: let it abort incomplete multipart "
                f"uploads after {ABANDONED_AFTER_DAYS} days.",
            ),
        )
    return tuple(note for note in notes if note)


def _create(client: "S3Client", bucket: str, region: str, *, object_lock: bool) -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    else:
        return
    wanted: CreateBucketRequestTypeDef = {"Bucket": bucket}
    if region != DEFAULT_REGION:
        wanted["CreateBucketConfiguration"] = {"LocationConstraint": region}  # type: ignore[typeddict-item]
    if object_lock:
        wanted["ObjectLockEnabledForBucket"] = True
    try:
        client.create_bucket(**wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] not in OURS_ALREADY:
            raise


def _let_browsers_put(client: "S3Client", bucket: str, origins: Sequence[str]) -> None:
    client.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": list(origins),
                    "AllowedMethods": ["PUT"],
                    "AllowedHeaders": ["content-type", "x-amz-checksum-sha256"],
                    "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": 3600,
                }
            ]
        },
    )


def _abort_abandoned(client: "S3Client", bucket: str) -> None:
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "abort-abandoned-uploads",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABANDONED_AFTER_DAYS},
                }
            ]
        },
    )


def _try(act: Callable[[], None], note: str) -> str:
    try:
        act()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_FOR_US:
            raise
        return note
    return ""
