"""One way of writing JSON when its digest counts: sorted keys, no spaces, UTF-8."""

import json

from storage.ids import Sha256, sha256_of


def canonical_json(value: object) -> bytes:
    """The value as JSON bytes that depend on nothing but its content."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def content_hash(value: object) -> Sha256:
    """The SHA-256 of the canonical JSON, lower-case hex."""
    return sha256_of(canonical_json(value))
