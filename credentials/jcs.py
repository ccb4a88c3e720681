"""JSON → canonical bytes by RFC 8785 (JCS): sorted members, one way to write numbers and texts."""

import rfc8785

from credentials.documents import JsonObject
from credentials.errors import Malformed

__all__ = ["canonicalize_json"]


def canonicalize_json(document: JsonObject) -> bytes:
    """The one text of a JSON object, in UTF-8. Raises Malformed for what has none."""
    try:
        return rfc8785.dumps(document)
    except rfc8785.CanonicalizationError:
        raise Malformed("The document has a value that no JSON text stands for.") from None
