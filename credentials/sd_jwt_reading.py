"""An SD-JWT VC taken apart (RFC 9901, section 7.1): what it says, and what of it is not shown.

Nothing is checked against a key here. What comes from strangers is bounded and strictly read: a
disclosure that belongs to nothing, or says again what is said, makes the whole malformed.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from credentials.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    JsonObject,
    JsonValue,
    load_json,
    text_at,
)
from credentials.errors import Malformed
from credentials.jwt import Token, read_token

TYPES = ("dc+sd-jwt", "vc+sd-jwt")
"""The second is what the first was called before 2025."""
_PART = rb"[A-Za-z0-9_-]+"
_COMPACT = _PART + rb"\." + _PART + rb"\." + _PART
_SD_JWT = re.compile(_COMPACT + rb"~(?:" + _PART + rb"~)*(?:" + _COMPACT + rb")?")
_HASHES = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_MOST_DISCLOSURES = 1000
_NEVER_HIDDEN = frozenset(
    {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}
)
"""What a verifier needs to judge: a holder who could hide it could hide that it has ended."""


@dataclass(frozen=True)
class SdJwt:
    """An SD-JWT VC as it was shown. `claims`: what it says with all that was shown put in place.

    `hidden` counts what was not shown, decoys included. `binding` is the token by which the holder
    shows to have the key; `presented` is what it is over, by the hash `hashed`.
    """

    token: Token
    claims: JsonObject
    shown: int
    hidden: int
    presented: bytes
    hashed: str
    binding: Token | None


def is_sd_jwt(data: bytes) -> bool:
    """Whether this looks like an SD-JWT in compact form."""
    return len(data) <= MAX_BYTES and _SD_JWT.fullmatch(data.strip()) is not None


def read_sd_jwt(data: bytes) -> SdJwt:
    """An SD-JWT VC taken apart. Raises Malformed."""
    signed, *disclosures, binding = data.strip().split(b"~")
    token = read_token(signed)
    if token.header.get("typ") not in TYPES:
        raise Malformed("This is not an SD-JWT VC.")
    if len(disclosures) > _MOST_DISCLOSURES:
        raise Malformed("There are more disclosures than Assay reads.")
    hashed = text_at(token.payload, "_sd_alg") or "sha-256"
    if hashed not in _HASHES:
        raise Malformed("The disclosures are hashed by %(name)s.", name=hashed[:40])
    placing = _Placing(_by_digest(disclosures, hashed))
    claims = placing.object(token.payload, 0, at_top=True)
    if placing.left:
        raise Malformed("A disclosure belongs to nothing in this credential.")
    if text_at(claims, "vct") is None:
        raise Malformed("It does not say of which type it is (“vct”).")
    return SdJwt(
        token=token,
        claims=claims,
        shown=len(disclosures),
        hidden=len(placing.met) - len(disclosures),
        presented=data.strip()[: len(data.strip()) - len(binding)],
        hashed=hashed,
        binding=read_token(binding) if binding else None,
    )


def digest_of(data: bytes, hashed: str) -> str:
    """The digest of what is ASCII, as SD-JWT writes digests."""
    return base64.urlsafe_b64encode(_HASHES[hashed](data).digest()).rstrip(b"=").decode("ascii")


@dataclass
class _Placing:
    """Puts disclosures where their digests stand, each once."""

    left: dict[str, list[JsonValue]]
    met: set[str] = field(default_factory=set)

    def object(self, node: Mapping[str, JsonValue], depth: int, *, at_top: bool) -> JsonObject:
        """The object with what was shown of it. Raises Malformed."""
        if "..." in node:
            raise Malformed("A digest stands where none can.")
        found: JsonObject = {
            name: self._value(value, depth)
            for name, value in node.items()
            if name not in ("_sd", "_sd_alg")
        }
        for digest in _digests(node.get("_sd", [])):
            disclosed = self._take(digest, 3)
            if disclosed is None:
                continue
            name = disclosed[1]
            if not isinstance(name, str) or name in found or name in ("_sd", "..."):
                raise Malformed("A disclosure says again what is said already.")
            if at_top and name in _NEVER_HIDDEN:
                raise Malformed("“%(name)s” could be hidden in this credential.", name=name)
            found[name] = self._value(disclosed[2], depth)
        return found

    def _value(self, value: JsonValue, depth: int) -> JsonValue:
        if depth > MAX_DEPTH:
            raise Malformed("The document is nested too deeply.")
        if isinstance(value, dict):
            return self.object(value, depth + 1, at_top=False)
        if isinstance(value, list):
            return [one for entry in value for one in self._entry(entry, depth + 1)]
        return value

    def _entry(self, entry: JsonValue, depth: int) -> list[JsonValue]:
        """An entry of a list; nothing where it was not shown."""
        if not isinstance(entry, dict) or "..." not in entry:
            return [self._value(entry, depth)]
        (digest,) = _digests(list(entry.values())) if len(entry) == 1 else [""]
        if not digest:
            raise Malformed("A digest stands where none can.")
        disclosed = self._take(digest, 2)
        return [] if disclosed is None else [self._value(disclosed[1], depth)]

    def _take(self, digest: str, length: int) -> list[JsonValue] | None:
        """The disclosure of a digest; None where it was not shown. Raises Malformed."""
        if digest in self.met:
            raise Malformed("A digest stands in this credential twice.")
        self.met.add(digest)
        disclosed = self.left.pop(digest, None)
        if disclosed is not None and len(disclosed) != length:
            raise Malformed("A disclosure is not what its place asks for.")
        return disclosed


def _by_digest(disclosures: list[bytes], hashed: str) -> dict[str, list[JsonValue]]:
    found: dict[str, list[JsonValue]] = {}
    for disclosure in disclosures:
        digest = digest_of(disclosure, hashed)
        if digest in found:
            raise Malformed("A disclosure stands there twice.")
        found[digest] = _read(disclosure)
    return found


def _read(disclosure: bytes) -> list[JsonValue]:
    """The salt, the name where there is one, and the value. Raises Malformed."""
    damaged = Malformed("A disclosure is damaged.")
    padded = disclosure + b"=" * (-len(disclosure) % 4)
    try:
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
        inside = load_json(b'{"disclosure":' + data + b"}")
    except (binascii.Error, Malformed):
        raise damaged from None
    parts = inside.get("disclosure")
    if len(inside) != 1 or not isinstance(parts, list) or len(parts) not in (2, 3):
        raise damaged
    if not isinstance(parts[0], str):
        raise damaged
    return parts


def _digests(value: JsonValue) -> list[str]:
    found = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(found) != len(value):
        raise Malformed("What should be digests is something else.")
    return found
