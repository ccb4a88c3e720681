"""Ways of breaking an input: bytes anywhere, and the grammar of each kind from inside."""

import base64
import copy
import json
import random
import struct
import zlib
from collections.abc import Callable
from typing import cast

from credentials.documents import JsonObject, JsonValue

_NUMBERS = (b"0", b"-1", b"4294967295", b"2147483648", b"99999999999999999999", b"1e999")
_WORDS = (
    *(b"\x00", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"]]>", b"<![CDATA[", b"&a;", b"\\ud800"),
    *(b"stream\n", b"endstream", b"endobj", b"/FlateDecode", b"/Kids [1 0 R]", b"<<", b">>"),
    *(b"1 0 R", b"/Filter [/FlateDecode /FlateDecode]", b"iTXt", b"IEND", b"openbadgecredential"),
    *(b"<!DOCTYPE svg [", b"<o:credential>", b'verify="', b"%PDF-1.7\n", b"\xef\xbb\xbf", b"{"),
)
_TEXTS = (
    *("", "x", "_:b0", "@id", "@type", "https://", "https://[", "http://a.example/", "urn:x:1"),
    *("did:key:z6Mk", "did:web:", "did:web:riverside.example", "did:jwk:e30", "z", "u", "uEiA"),
    *("\ufffe", "\x00", "\u2028", "\ud800", "\U0001f600", "a" * 3000, "é" * 500, "%(x)s", "%s"),
    *("2024-05-04T09:30:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "soon"),
    *("BitstringStatusListEntry", "1EdTechRevocationList", "Assertion", "EndorsementCredential"),
    *("https://w3id.org/openbadges/v2", "https://www.w3.org/2018/credentials/v1", "revocation"),
    *("https://riverside.example/status/revocation-1", "eyJ.eyJ.c2ln", "data:application/jwt,a"),
    *("eddsa-jcs-2022", "eddsa-rdfc-2022", "HostedBadge", "EnvelopedVerifiableCredential"),
)
_KEYS = (
    *("@context", "id", "type", "issuer", "credentialSubject", "proof", "credentialStatus", "x"),
    *("validFrom", "validUntil", "endorsement", "endorsementJwt", "evidence", "achievement", "@id"),
    *("statusListIndex", "statusSize", "encodedList", "verification", "badge", "@graph", "@list"),
    *("kid", "jwk", "alg", "crit", "exp", "nbf", "vc", "publicKeyJwk", "e", "n", "previousProof"),
)


_MOST_PARTS = 5000


def broken(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The bytes with one to six plain accidents: changed, lost, doubled, put in, spliced."""
    work = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        at = chance.randrange(len(work) + 1)
        size = chance.choice((1, 2, 4, 16, 200))
        match chance.randrange(7):
            case 0 if at < len(work):
                work[at] ^= 1 << chance.randrange(8)
            case 1:
                del work[at : at + size]
            case 2:
                work[at:at] = work[at : at + size] * chance.choice((1, 2, 50))
            case 3:
                work[at : at + chance.randrange(8)] = chance.choice(_WORDS)
            case 4:
                work[at : at + chance.randrange(4)] = chance.choice(_NUMBERS)
            case 5:
                start = chance.randrange(len(other) + 1)
                work[at : at + size] = other[start : start + chance.choice((1, 16, 500))]
            case _:
                work[at : at + size] = chance.randbytes(size)
    return bytes(work)


def bent(document: JsonObject, other: JsonObject, chance: random.Random) -> JsonObject:
    """A copy of the document with one to four places in it changed."""
    work = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 4))):
        holders = [part for part in _parts(work) if isinstance(part, dict | list) and part]
        if not holders or len(holders) > _MOST_PARTS:
            return work
        _bend(chance.choice(holders), _any_value(other, chance), chance)
    return work


def _bend(holder: JsonValue, value: JsonValue, chance: random.Random) -> None:
    if isinstance(holder, dict):
        key = chance.choice([*holder, chance.choice(_KEYS)])
        match chance.randrange(5):
            case 0:
                holder.pop(key, None)
            case 1:
                holder[chance.choice(_KEYS)] = holder.get(key, value)
            case 2 if key in holder:
                holder[key] = [holder[key], value]
            case _:
                holder[key] = value
    elif isinstance(holder, list):
        at = chance.randrange(len(holder))
        match chance.randrange(4):
            case 0:
                del holder[at]
            case 1:
                holder.extend([copy.deepcopy(holder[at]) for _ in range(chance.choice((1, 3, 40)))])
            case _:
                holder[at] = value


def _any_value(other: JsonObject, chance: random.Random) -> JsonValue:
    choices: tuple[Callable[[], JsonValue], ...] = (
        lambda: cast(JsonValue, chance.choice((None, True, False, [], {}, [[]], [None], {"": 1}))),
        lambda: chance.choice((0, -1, 1, 0.1, 1e15, 1e300, 2**63, -0.0, 1e-9)),
        lambda: _deep(chance),
        lambda: _clique(chance.choice((2, 8, 30))),
        lambda: [{"type": ["Profile"]} for _ in range(chance.choice((3, 200, 3000)))],
        lambda: copy.deepcopy(chance.choice(_parts(other))),
        lambda: chance.choice(_TEXTS),
        lambda: chance.choice(_TEXTS),
    )
    return chance.choice(choices)()


def _deep(chance: random.Random) -> JsonValue:
    deep: JsonValue = {}
    for _ in range(chance.choice((5, 39, 41, 300))):
        deep = [deep] if chance.random() < 0.5 else {"id": deep}
    return deep


def _clique(size: int) -> JsonValue:
    """Blank nodes that all point to each other: hard work for whoever labels them."""
    names = [f"_:n{number}" for number in range(size)]
    return [{"id": one, "type": "Profile", "name": [*names]} for one in names]


def _parts(value: JsonValue) -> list[JsonValue]:
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found


def as_text(document: JsonObject, chance: random.Random) -> bytes:
    """The document as JSON, sometimes with a key that stands twice or without much white space."""
    indent = chance.choice((None, 1))
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=indent)
    if chance.random() < 0.05:
        text = text.replace('"type":', '"type": [], "type":', 1)
    return text.encode("utf-8", "surrogatepass")


def bent_token(token: bytes, other: bytes, chance: random.Random) -> bytes:
    """A token with a part of it bent from inside, so that its base64 and JSON stay good."""
    parts = token.split(b".")
    for place in chance.choice(((0,), (1,), (0, 1))):
        inside = json.loads(_decoded(parts[place]))
        donor = json.loads(_decoded(other.split(b".")[1]))
        parts[place] = _encoded(as_text(bent(inside, donor, chance), chance))
    if chance.random() < 0.1:
        parts[2] = _encoded(chance.randbytes(chance.choice((0, 1, 64, 256, 1600))))
    return b".".join(parts)


def bent_png(png: bytes, other: bytes, chance: random.Random) -> bytes:
    """A PNG with chunks broken, doubled, left out or out of order, and good checksums."""
    chunks = _chunks(png)
    for _ in range(chance.choice((1, 2))):
        at = chance.randrange(len(chunks))
        kind, body = chunks[at]
        match chance.randrange(5):
            case 0:
                chunks[at] = kind, broken(body, other, chance)
            case 1:
                chunks.insert(at, (kind, body))
            case 2 if len(chunks) > 1:
                del chunks[at]
            case 3:
                packed = zlib.compress(bytes(chance.choice((10, 3_000_000, 60_000_000))))
                text = b"openbadgecredential\0\1\0\0\0" + packed
                chunks.insert(0, (b"iTXt", text))
            case _:
                chunks[at] = chance.choice((b"tEXt", b"zTXt", b"iTXt")), body
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def bent_svg(svg: bytes, other: bytes, chance: random.Random) -> bytes:
    """An SVG with markup put in where a parser has to decide something."""
    bits: tuple[Callable[[], bytes], ...] = (
        lambda: b"<g>" * chance.choice((1, 500, 20_000)),
        lambda: b"<!--" + chance.randbytes(3).hex().encode() + b"-->",
        lambda: b"<?pi x?>" * 30,
        lambda: b'<openbadges:credential verify="a.b.c"/>',
        lambda: b"<![CDATA[" + other[:300] + b"]]>",
        lambda: b" a%d='1'" % chance.randrange(9) * chance.choice((1, 2000)),
        lambda: b'<!DOCTYPE s [<!ENTITY a "a"><!ENTITY b "&a;&a;">]>',
        lambda: b"&#x%x;" % chance.choice((0, 9, 0x10FFFF, 0x110000, 0xD800)),
        lambda: b'<x xmlns="%s"/>' % chance.choice((b"", b"http://openbadges.org", b"x" * 3000)),
    )
    work = svg
    for _ in range(chance.choice((1, 2, 3))):
        ends = [at + 1 for at in range(min(len(work), 5000)) if work[at : at + 1] in (b">", b"<")]
        at = chance.choice(ends or [0])
        work = work[:at] + chance.choice(bits)() + work[at:]
    return work


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        found.append((kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
