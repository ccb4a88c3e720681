"""Reading an object from its first byte to its last, over lines that break, in flat memory."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from storage.vault.errors import StoreAway, store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK = 4 * 1024**2
TRIES = 4
FIRST_WAIT = 0.2


def read_pinned(
    client: "S3Client", bucket: str, key: str, etag: str, size: int | None
) -> Iterator[bytes]:
    """The object's bytes in chunks, all of one and the same version.

    How many they are the store says with the first of them, unless it is known. When the line
    breaks, reading goes on where it stopped; after a few breaks without a byte in between it gives
    up. Raises ObjectMissing, ObjectChanged, StoreAway.
    """
    offset = breaks = 0
    while size is None or offset < size:
        before = offset
        try:
            with store_errors():
                answer = _ask(client, bucket, key, etag, offset)
            size = answer["ContentLength"] if size is None else size
            for chunk in _chunks(answer):
                offset += len(chunk)
                yield chunk
            if offset < size:
                raise StoreAway("The evidence store ended a file before its end.")
        except StoreAway:
            breaks = 1 if offset > before else breaks + 1
            if breaks >= TRIES:
                raise
            time.sleep(FIRST_WAIT * 2**breaks)


def read_piece(
    client: "S3Client", bucket: str, key: str, etag: str, *, offset: int, length: int
) -> bytes:
    """So many bytes from an offset, all of one version. Raises as `read_pinned` does."""
    if length < 1:
        return b""
    for attempt in range(TRIES):
        try:
            with store_errors():
                answer = client.get_object(
                    Bucket=bucket,
                    Key=key,
                    IfMatch=f'"{etag}"',
                    Range=f"bytes={offset}-{offset + length - 1}",
                )
                return answer["Body"].read()
        except StoreAway:
            if attempt == TRIES - 1:
                raise
            time.sleep(FIRST_WAIT * 2**attempt)
    raise StoreAway("The evidence store does not answer.")  # never reached


def _chunks(answer: "GetObjectOutputTypeDef") -> Iterator[bytes]:
    body = answer["Body"]
    try:
        while True:
            with store_errors():
                chunk = body.read(CHUNK)
            if not chunk:
                return
            yield chunk
    finally:
        body.close()


def _ask(
    client: "S3Client", bucket: str, key: str, etag: str, offset: int
) -> "GetObjectOutputTypeDef":
    if offset:
        return client.get_object(
            Bucket=bucket, Key=key, IfMatch=f'"{etag}"', Range=f"bytes={offset}-"
        )
    return client.get_object(Bucket=bucket, Key=key, IfMatch=f'"{etag}"')
