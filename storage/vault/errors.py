"""What can go wrong with the store, as errors of the house.

AssayError
├── Unavailable
│   ├── StoreAway       no answer, a broken line, a 5xx, credentials refused
│   └── StillLocked     the store itself refuses to remove the object yet
├── NotFound
│   ├── ObjectMissing   no object under the key
│   └── UploadGone      no such multipart upload: completed, aborted, or never begun
├── Conflict
│   ├── AlreadyThere    If-None-Match: an object has the key already
│   └── ObjectChanged   If-Match: the object is not the one that was read before
└── InvalidInput
    └── BytesDiffer     the bytes are not the ones whose digest was signed
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError as BrokenLine

from storage.errors import AssayError, Conflict, InvalidInput, NotFound, Unavailable


class StoreAway(Unavailable):
    """The store does not answer, or not as it should; nothing was lost."""


class StillLocked(Unavailable):
    """The store refuses to remove an object before its lock ends, and we may not pass it by."""


class ObjectMissing(NotFound):
    """There is no object under this key."""


class UploadGone(NotFound):
    """The store knows no such multipart upload (any more)."""


class AlreadyThere(Conflict):
    """An object has this key already, and it was not touched."""


class ObjectChanged(Conflict):
    """The object under this key is not the one that was read before."""


class BytesDiffer(InvalidInput):
    """The bytes that arrived are not the ones that were announced."""


AWAY = "The evidence store is away for a moment. Nothing was lost; please try again."
MISSING = {"NoSuchKey", "404", "NoSuchVersion"}
GONE = {"NoSuchUpload"}
PRECONDITION = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
DIFFER = {
    "BadDigest",
    "InvalidDigest",
    "XAmzContentSHA256Mismatch",
    "InvalidPart",
    "EntityTooLarge",
}


@contextmanager
def store_errors(*, creating: bool = False) -> Iterator[None]:
    """Turn what boto3 and the line raise into errors of the house.

    `creating`: a failed precondition means that the key is taken, not that the object changed.
    """
    try:
        yield
    except ClientError as error:
        raise _told(error, creating) from error
    except (BotoCoreError, BrokenLine, OSError) as error:
        raise StoreAway(AWAY) from error


def _told(error: ClientError, creating: bool) -> AssayError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in MISSING:
        return ObjectMissing("The file is not in the evidence store.")
    if code in GONE:
        return UploadGone("The evidence store knows no such upload any more.")
    if code in PRECONDITION and creating:
        return AlreadyThere("The evidence store has an object under this key already.")
    if code in PRECONDITION:
        return ObjectChanged("The file in the evidence store changed while it was read.")
    if code in DIFFER:
        return BytesDiffer("The bytes that arrived are not the ones that were announced.")
    return StoreAway(AWAY)
