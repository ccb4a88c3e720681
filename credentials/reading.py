"""The credential in whatever a person has: JSON, a baked PNG or SVG."""

import re

from credentials.baking import PNG_SIGNATURE, unbake_png, unbake_svg
from credentials.documents import JsonObject, load_json
from credentials.errors import Malformed, NotYetReadable

MAX_FILE = 10 * 1024 * 1024
_COMPACT_JWS = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def credential_bytes(data: bytes) -> bytes:
    """The JSON text of the credential in a file.

    Raises Malformed if there is none, NotYetReadable for forms this version does not read.
    """
    if len(data) > MAX_FILE:
        raise Malformed("The file is larger than any badge Assay reads.")
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if data.startswith(PNG_SIGNATURE):
        data = unbake_png(data)
    elif start.startswith(b"<"):
        data = unbake_svg(data)
    elif start.startswith(b"%PDF"):
        raise NotYetReadable(
            "This is a PDF. Check the file credential.json that is attached inside it."
        )
    if _COMPACT_JWS.fullmatch(data.strip()):
        raise NotYetReadable("This credential is a JWT, which Assay does not check yet.")
    return data


def read_credential(data: bytes) -> JsonObject:
    """The credential in a file, as a document. Raises Malformed or NotYetReadable."""
    return load_json(credential_bytes(data))
