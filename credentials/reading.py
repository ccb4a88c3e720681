"""The credential in whatever a person has: JSON, a token, a baked PNG or SVG, a certificate PDF.

Nothing is checked here. What comes out is bounded in size and strictly parsed.
"""

import re
from urllib.parse import unquote

from credentials.baking import PNG_SIGNATURE, unbake_png, unbake_svg
from credentials.documents import JsonObject, as_list, load_json, text_at
from credentials.errors import Malformed
from credentials.jwt import VcJwt, is_token, read_vc_jwt
from credentials.pdf import attached_credential

MAX_FILE = 10 * 1024 * 1024
_MARK = b"\xef\xbb\xbf"
_ENVELOPE = "EnvelopedVerifiableCredential"
_ENVELOPED = re.compile(r"data:application/(vc\+jwt|vc\+ld\+jwt|vc-ld\+jwt|jwt),")
_PAGE = re.compile(rb"<(!doctype\s+html|html)", re.IGNORECASE)

Secured = JsonObject | VcJwt
"""A credential with its proof in it, or inside the token that proves it."""


def credential_bytes(data: bytes) -> bytes:
    """The text of the credential in a file: JSON or a compact JWS.

    Of a badge of version 2 it may be the address it stands at. Raises Malformed if there is none.
    """
    if len(data) > MAX_FILE:
        raise Malformed("The file is larger than any badge Assay reads.")
    start = data[:64].removeprefix(_MARK).lstrip()
    if data.startswith(PNG_SIGNATURE):
        return unbake_png(data)
    if data.startswith(b"%PDF-"):
        return attached_credential(data)
    if _PAGE.match(start):
        raise Malformed("This is a web page, not a credential. Give the address of the badge.")
    if start.startswith(b"<"):
        return unbake_svg(data)
    return data


def read_secured(text: bytes) -> Secured:
    """The credential in a text of `credential_bytes`: a document, or a token taken apart.

    A document that only envelops a token stands for it. Raises Malformed.
    """
    if is_token(text):
        return read_vc_jwt(text)
    if not text.removeprefix(_MARK).lstrip().startswith((b"{", b"[")):
        raise Malformed("This is neither the JSON of a credential nor a signed token (JWT).")
    document = load_json(text)
    if _ENVELOPE not in as_list(document.get("type")):
        return document
    enveloped = text_at(document, "id") or ""
    found = _ENVELOPED.match(enveloped)
    if found is None:
        raise Malformed("There is no credential that Assay reads in this envelope.")
    return read_vc_jwt(unquote(enveloped[found.end() :]).encode())


def document_of(given: Secured) -> JsonObject:
    """The credential itself."""
    return given.credential if isinstance(given, VcJwt) else given


def read_credential(data: bytes) -> JsonObject:
    """The credential in a file, as a document that nobody has checked. Raises Malformed."""
    return document_of(read_secured(credential_bytes(data)))
