"""The vault: everything the house asks of its object store."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from storage.ids import Sha256, sha256_of
from storage.vault import client as clients
from storage.vault.bucket import prepare_bucket
from storage.vault.errors import (
    AlreadyThere,
    ObjectChanged,
    ObjectMissing,
    StoreAway,
    UploadGone,
    store_errors,
)
from storage.vault.keys import CANARY, sealed_key
from storage.vault.locking import has_versions, lock, remove
from storage.vault.names import attachment
from storage.vault.plan import plan_parts
from storage.vault.reading import read_piece, read_pinned
from storage.vault.receiving import receive
from storage.vault.sealing import copy_to
from storage.vault.values import (
    KeptPart,
    ObjectFacts,
    OpenUpload,
    SignedRequest,
    StoreAddress,
    Version,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_LINK_SECONDS = 300
DOWNLOAD_LINK_SECONDS = 60
CONTENT_TYPE = "application/octet-stream"
"""Whatever was uploaded: a store must never tell a browser that it can run it."""


class Vault:
    """One bucket of one store. Safe to share between threads; build one per process.

    All methods raise StoreAway when the store does not answer.
    """

    def __init__(self, address: StoreAddress) -> None:
        self.address = address
        self._bucket = address.bucket
        self._client = clients.connect(address)
        self._signer = clients.signer(address)
        self._versions: bool | None = None

    @property
    def browser_origin(self) -> str:
        """The origin that pages must be allowed to connect to."""
        parts = urlsplit(self.address.public_endpoint_url or self.address.endpoint_url)
        return f"{parts.scheme}://{parts.netloc}"

    def ensure_bucket(self, origins: Sequence[str]) -> tuple[str, ...]:
        """Make the bucket and its rules: PUT from pages of these origins, abandoned uploads end.

        Returns, in words, what has to be set by hand because the store would not let us.
        """
        return prepare_bucket(
            self._client,
            self._bucket,
            self.address.region,
            origins,
            object_lock=self.address.object_lock,
        )

    def warm_up(self) -> None:
        """Have loaded and asked once what forked processes would otherwise each do anew.

        No line stays open that they would share. Nothing happens while the store is away.
        """
        with suppress(StoreAway):
            self.find(CANARY)
            self._keeps_versions()
        self._client.close()

    def canary(self) -> None:
        """Return when a small write is kept and read back."""
        with store_errors():
            self._client.put_object(Bucket=self._bucket, Key=CANARY, Body=b"!")
            kept = self._client.get_object(Bucket=self._bucket, Key=CANARY)["Body"].read()
        if kept != b"!":
            raise StoreAway("The evidence store does not keep what it is given.")

    # uploads in parts

    def begin(self, key: str) -> str:
        """Begin an upload in parts; returns the store's own id of it."""
        with store_errors():
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                ContentType=CONTENT_TYPE,
                ChecksumAlgorithm="SHA256",
            )
        return begun["UploadId"]

    def presign_part(
        self,
        key: str,
        store_upload_id: str,
        number: int,
        *,
        sha256: Sha256,
        size: int,
        seconds: int = PART_LINK_SECONDS,
    ) -> SignedRequest:
        """A request that stores exactly these bytes as this part, and nothing else.

        Digest and length are signed, so the store refuses any other body. Nothing is sent.
        """
        checksum = _base64(sha256)
        with store_errors():
            url = self._signer.generate_presigned_url(
                "upload_part",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "UploadId": store_upload_id,
                    "PartNumber": number,
                    "ChecksumSHA256": checksum,
                    "ContentLength": size,
                },
                ExpiresIn=seconds,
            )
        return SignedRequest(url, {"x-amz-checksum-sha256": checksum})

    def list_parts(self, key: str, store_upload_id: str) -> tuple[KeptPart, ...]:
        """The parts that the store has, by number. Raises UploadGone."""
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=key, UploadId=store_upload_id
        )
        with store_errors():
            return tuple(
                KeptPart(part["PartNumber"], _bare(part["ETag"]), part["Size"])
                for page in pages
                for part in page.get("Parts", ())
            )

    def complete(self, key: str, store_upload_id: str, parts: Sequence[KeptPart]) -> Version:
        """Make one object of exactly these parts. The caller has checked them against the plan.

        AWS wants the digest of each part once more, because the upload was begun with digests.
        Raises UploadGone when it was completed or aborted before, AlreadyThere when there is an
        object, BytesDiffer when a part is not the one that was named.
        """
        with store_errors(creating=True):
            made = self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=store_upload_id,
                MultipartUpload={"Parts": [_completed(part) for part in parts]},
                IfNoneMatch="*",
            )
        return Version(key, sum(part.size for part in parts), _bare(made["ETag"]))

    def abort(self, key: str, store_upload_id: str) -> None:
        """Let go of an upload and of all its parts. Nothing happens when it is gone already."""
        with suppress(UploadGone), store_errors():
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=store_upload_id
            )

    def open_uploads(self) -> Iterator[OpenUpload]:
        """All uploads that were begun and neither completed nor aborted."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket)
        with store_errors():
            for page in pages:
                for upload in page.get("Uploads", ()):
                    yield OpenUpload(upload["Key"], upload["UploadId"], upload["Initiated"])

    # whole objects

    def put_small(
        self, key: str, body: bytes | IO[bytes], *, sha256: Sha256, replace: bool = True
    ) -> ObjectFacts:
        """Store a small object in one request; the store checks the digest.

        Raises BytesDiffer, and with `replace=False` AlreadyThere.
        """
        condition = {} if replace else {"IfNoneMatch": "*"}
        with store_errors(creating=True):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=CONTENT_TYPE,
                ChecksumSHA256=_base64(sha256),
                **condition,  # type: ignore[arg-type]
            )
        return self.facts(key)

    def receive(self, key: str, chunks: Iterable[bytes], size: int) -> Sha256:
        """Keep so many bytes as they stream in, in parts when they are many; returns their digest.

        What is under the key is replaced. Raises BytesDiffer.
        """
        part_size = plan_parts(size).part_size if size else 1
        return receive(self._client, self._bucket, key, chunks, part_size)

    def put_sealed(self, data: bytes, key: str = "") -> Sha256:
        """Store bytes that we made ourselves under the key of their digest; returns the digest.

        `key` where it is not the first of this digest.
        """
        digest = sha256_of(data)
        with suppress(AlreadyThere):
            self.put_small(key or sealed_key(digest), data, sha256=digest, replace=False)
        return digest

    def facts(self, key: str) -> ObjectFacts:
        """What the store says of an object. Raises ObjectMissing."""
        with store_errors():
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        return ObjectFacts(key, head["ContentLength"], _bare(head["ETag"]), head["LastModified"])

    def find(self, key: str) -> ObjectFacts | None:
        """What the store says of an object; None when there is none."""
        try:
            return self.facts(key)
        except ObjectMissing:
            return None

    def open_stream(self, key: str, etag: str = "", *, size: int | None = None) -> Iterator[bytes]:
        """The bytes of an object in chunks of a few MiB, all of the version with this ETag.

        Without `etag`, of the version that is there now; `size` where it is known. Broken lines are
        mended on the way. Raises ObjectMissing, ObjectChanged.
        """
        if not etag:
            now = self.facts(key)
            etag, size = now.etag, now.size
        yield from read_pinned(self._client, self._bucket, key, etag, size)

    def read_range(self, key: str, etag: str, offset: int, length: int) -> bytes:
        """So many bytes of the version with this ETag, from an offset; fewer at the end.

        Raises ObjectMissing, ObjectChanged.
        """
        return read_piece(self._client, self._bucket, key, etag, offset=offset, length=length)

    def seal_copy(self, source: Version, sha256: Sha256, key: str = "") -> bool:
        """Keep a copy of exactly this object under the key of its digest.

        `key` where it is not the first of this digest. Bytes that are kept already are not touched,
        and not read: same digest, same bytes. Returns whether this call made the copy. Raises
        ObjectChanged or ObjectMissing when the source is not what it was.
        """
        key, made = key or sealed_key(sha256), False
        kept = self.find(key)
        if kept is None:
            with suppress(AlreadyThere):
                copy_to(self._client, self._bucket, source, key)
                made = True
            kept = self.find(key)
        if kept is None:
            # the store refused a condition, and not the one on the key
            raise ObjectChanged("The file in the evidence store changed before it was sealed.")
        if kept.size != source.size:
            raise StoreAway("The evidence store did not keep a whole copy; it will be tried again.")
        return made

    def presign_download(
        self, key: str, file_name: str, seconds: int = DOWNLOAD_LINK_SECONDS
    ) -> str:
        """A link that hands out the object for a minute, as an attachment that nothing runs."""
        with store_errors():
            return self._signer.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": attachment(file_name),
                    "ResponseContentType": CONTENT_TYPE,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=seconds,
            )

    def presign_view(self, key: str, media_type: str, seconds: int = DOWNLOAD_LINK_SECONDS) -> str:
        """A link that shows the object in place, as this type and no other, for a minute.

        Only for what we made ourselves, and for sound and film that no browser runs.
        """
        with store_errors():
            return self._signer.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": "inline",
                    "ResponseContentType": media_type,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=seconds,
            )

    def delete(self, key: str) -> None:
        """Remove an object with all its versions. Nothing happens when it is gone already.

        Raises StillLocked.
        """
        versions = self._keeps_versions()
        with suppress(ObjectMissing), store_errors():
            remove(self._client, self._bucket, key, versions=versions)

    def lock(self, key: str, until: datetime) -> bool:
        """Have the store refuse to remove an object before; False where it knows no locks."""
        return lock(self._client, self._bucket, key, until)

    def _keeps_versions(self) -> bool:
        if self._versions is None:
            self._versions = has_versions(self._client, self._bucket)
        return self._versions

    def list_keys(self, prefix: str) -> Iterator[ObjectFacts]:
        """Every object whose key begins so, in the order of the keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        with store_errors():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield ObjectFacts(
                        entry["Key"], entry["Size"], _bare(entry["ETag"]), entry["LastModified"]
                    )


def _completed(part: KeptPart) -> "CompletedPartTypeDef":
    if part.sha256 is None:
        return {"PartNumber": part.number, "ETag": part.etag}
    checksum = _base64(part.sha256)
    return {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": checksum}


def _base64(sha256: Sha256) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _bare(etag: str) -> str:
    return etag.strip('"')
