"""Writing a stream of bytes as one object, in parts when it is large, hashing it on the way."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from storage.ids import Sha256
from storage.vault.errors import store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CONTENT_TYPE = "application/octet-stream"


def receive(
    client: "S3Client", bucket: str, key: str, chunks: Iterable[bytes], part_size: int
) -> Sha256:
    """Keep the bytes under the key; the store checks the digest of every part. Returns the whole's.

    No more than two parts are in memory. Nothing is left when it fails. Raises StoreAway,
    BytesDiffer.
    """
    whole = hashlib.sha256()
    parts = _in_parts(chunks, part_size)
    first, second = next(parts, b""), next(parts, None)
    whole.update(first)
    if second is None:
        with store_errors():
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=first,
                ContentType=CONTENT_TYPE,
                ChecksumSHA256=_checksum(first),
            )
        return Sha256(whole.hexdigest())

    def rest() -> Iterator[bytes]:
        yield first
        whole.update(second)
        yield second
        for part in parts:
            whole.update(part)
            yield part

    _multipart(client, bucket, key, rest())
    return Sha256(whole.hexdigest())


def _multipart(client: "S3Client", bucket: str, key: str, parts: Iterable[bytes]) -> None:
    with store_errors():
        begun = client.create_multipart_upload(
            Bucket=bucket, Key=key, ContentType=CONTENT_TYPE, ChecksumAlgorithm="SHA256"
        )
    upload_id = begun["UploadId"]
    done: list[CompletedPartTypeDef] = []
    try:
        for number, part in enumerate(parts, start=1):
            checksum = _checksum(part)
            with store_errors():
                sent = client.upload_part(
                    Bucket=bucket,
                    Key=key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=part,
                    ChecksumSHA256=checksum,
                )
            done.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": checksum})
        with store_errors():
            client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": done}
            )
    except BaseException:
        with store_errors():
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise


def _in_parts(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def _checksum(part: bytes) -> str:
    return base64.b64encode(hashlib.sha256(part).digest()).decode()
