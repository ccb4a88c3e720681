"""Copying checked bytes to the key that their digest fixes, inside the store, never over others."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from storage.vault.errors import store_errors
from storage.vault.plan import MIB
from storage.vault.values import Version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

COPIED_AT_ONCE = 64 * MIB
COPY_PART = 256 * MIB
LARGEST_COPY_COUNT = 10_000
SIDE_BY_SIDE = 3


def copy_to(client: "S3Client", bucket: str, source: Version, key: str) -> None:
    """Copy exactly this version of the source to `key`.

    Raises AlreadyThere when the key is taken, ObjectChanged or ObjectMissing when the source is
    not what it was, StoreAway.
    """
    if source.size <= COPIED_AT_ONCE:
        _copy_at_once(client, bucket, source, key)
    else:
        _copy_in_parts(client, bucket, source, key)


def _copy_at_once(client: "S3Client", bucket: str, source: Version, key: str) -> None:
    with store_errors(creating=True):
        client.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": bucket, "Key": source.key},
            CopySourceIfMatch=f'"{source.etag}"',
            IfNoneMatch="*",
        )


def _copy_in_parts(client: "S3Client", bucket: str, source: Version, key: str) -> None:
    """Several parts side by side: much faster than one long copy, and no request takes minutes."""
    with store_errors(creating=True):
        begun = client.create_multipart_upload(
            Bucket=bucket, Key=key, ContentType="application/octet-stream"
        )
    upload_id = begun["UploadId"]
    try:
        parts = _copied_parts(client, bucket, source, key, upload_id)
        with store_errors(creating=True):
            client.complete_multipart_upload(
                Bucket=bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},
                IfNoneMatch="*",
            )
    except Exception:
        with store_errors():
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise


def _copied_parts(
    client: "S3Client", bucket: str, source: Version, key: str, upload_id: str
) -> "list[CompletedPartTypeDef]":
    step = max(COPY_PART, -(-source.size // LARGEST_COPY_COUNT))

    def copy(number: int) -> "CompletedPartTypeDef":
        first = (number - 1) * step
        last = min(first + step, source.size) - 1
        with store_errors():
            made = client.upload_part_copy(
                Bucket=bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": bucket, "Key": source.key},
                CopySourceIfMatch=f'"{source.etag}"',
                CopySourceRange=f"bytes={first}-{last}",
            )
        return {"PartNumber": number, "ETag": made["CopyPartResult"]["ETag"]}

    count = -(-source.size // step)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(copy, range(1, count + 1)))
