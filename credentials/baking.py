"""Badges with the credential inside the picture, as Open Badges 3.0 sections 5.3.1 and 5.3.2 say.

PNG: one uncompressed iTXt chunk `openbadgecredential`. SVG: the first child of the root is
`openbadges:credential`, with the JSON in CDATA or, for a JWS, in its `verify` attribute.
Reading is bounded: sizes, chunk counts, no DTD, no entities, no unpacking beyond a limit.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from credentials.errors import Malformed

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"

_OLD_KEYWORD = b"openbadges"
_MAX_CREDENTIAL = 2 * 1024 * 1024
_MAX_CHUNKS = 20_000
_NOTHING = "There is no credential inside this picture."
_DAMAGED_PNG = "The PNG is damaged."


def bake_png(png: bytes, credential: bytes) -> bytes:
    """The PNG with `credential` (UTF-8) in it, in the place of any it had. Raises Malformed."""
    chunk = _chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + credential)
    kept: list[bytes] = []
    for kind, body in _chunks(png):
        if kind == b"IEND":
            kept.append(chunk)
        if not (kind == b"iTXt" and body.startswith(KEYWORD + b"\0")):
            kept.append(_chunk(kind, body))
    return PNG_SIGNATURE + b"".join(kept)


def unbake_png(png: bytes) -> bytes:
    """The credential inside a PNG. Raises Malformed if there is none, several, or a damaged one."""
    found = [
        body for kind, body in _chunks(png) if kind == b"iTXt" and body.startswith(KEYWORD + b"\0")
    ]
    if len(found) > 1:
        raise Malformed("There is more than one credential inside this picture.")
    if not found:
        raise Malformed(_why_nothing(png))
    return _text_of(found[0])


def bake_svg(svg: bytes, credential: bytes) -> bytes:
    """The SVG with `credential` in it, in the place of any it had. Raises Malformed.

    A credential that is JSON goes into CDATA; anything else is taken for a compact JWS.
    """
    _check_utf8(svg)
    scan = _scan(svg)
    for start, end in reversed(scan.spans):
        svg = svg[:start] + svg[end:]
    end = _end_of_tag(svg, scan.root)
    if svg[end - 2 : end - 1] == b"/":
        raise Malformed("The SVG has nothing in it.")
    return svg[:end] + _element(credential) + svg[end:]


def unbake_svg(svg: bytes) -> bytes:
    """The credential inside an SVG. Raises Malformed if there is none, or several."""
    found = _scan(svg).credentials
    if len(found) > 1:
        raise Malformed("There is more than one credential inside this picture.")
    if not found or not found[0].strip():
        raise Malformed(_NOTHING)
    return found[0].strip().encode()


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, up to IEND, each with its checksum checked."""
    if not png.startswith(PNG_SIGNATURE):
        raise Malformed("The file is not a PNG.")
    at = len(PNG_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(png):
            raise Malformed(_DAMAGED_PNG)
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        at += 12 + length
        if at > len(png) or png[at - 4 : at] != struct.pack(">I", zlib.crc32(kind + body)):
            raise Malformed(_DAMAGED_PNG)
        yield kind, body
        if kind == b"IEND":
            return
    raise Malformed(_DAMAGED_PNG)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text_of(body: bytes) -> bytes:
    """The text of an iTXt chunk: keyword, compressed?, method, language, translation, text."""
    rest = body[len(KEYWORD) + 1 :]
    fields = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(fields) != 3:
        raise Malformed(_DAMAGED_PNG)
    text = fields[2]
    if rest[0]:
        text = _unpack(text)
    if len(text) > _MAX_CREDENTIAL:
        raise Malformed("The credential inside this picture is too large.")
    return text


def _unpack(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _MAX_CREDENTIAL + 1)
    except zlib.error:
        raise Malformed(_DAMAGED_PNG) from None
    if not unpacker.eof and len(text) <= _MAX_CREDENTIAL:
        raise Malformed(_DAMAGED_PNG)
    return text


def _why_nothing(png: bytes) -> str:
    old = any(
        kind in (b"iTXt", b"tEXt") and body.startswith(_OLD_KEYWORD + b"\0")
        for kind, body in _chunks(png)
    )
    return "This picture holds an Open Badge of version 2 or older." if old else _NOTHING


class _Scan:
    """Where the root tag of an SVG starts, and the credentials in it with their byte spans."""

    def __init__(self) -> None:
        self.root = -1
        self.credentials: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self._open = 0
        self._start = 0

    def read(self, svg: bytes) -> None:
        """Parse the whole document. Raises Malformed or expat's error."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True

        def start(name: str, attributes: dict[str, str]) -> None:
            if self.root < 0:
                self._enter_root(name, parser.CurrentByteIndex)
            if self._open:
                self._open += 1
            elif name == f"{NAMESPACE} credential":
                self._open = 1
                self._start = parser.CurrentByteIndex
                self.credentials.append(attributes.get("verify", ""))

        def end(name: str) -> None:
            if not self._open:
                return
            self._open -= 1
            if not self._open:
                self.spans.append((self._start, _end_of_tag(svg, parser.CurrentByteIndex)))

        def text(data: str) -> None:
            if self._open == 1:
                self.credentials[-1] += data

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse_dtd
        parser.EntityDeclHandler = _refuse_dtd
        parser.Parse(svg, True)

    def _enter_root(self, name: str, at: int) -> None:
        if name.rpartition(" ")[2] != "svg":
            raise Malformed("The file is not an SVG picture.")
        self.root = at


def _scan(svg: bytes) -> _Scan:
    scan = _Scan()
    try:
        scan.read(svg)
    except expat.ExpatError:
        raise Malformed("The SVG is damaged.") from None
    return scan


def _check_utf8(svg: bytes) -> None:
    try:
        svg.decode()
    except UnicodeDecodeError:
        raise Malformed("The SVG is not in UTF-8.") from None


def _refuse_dtd(*_: object) -> NoReturn:
    raise Malformed("The SVG has a document type declaration, which Assay does not read.")


def _end_of_tag(svg: bytes, start: int) -> int:
    """Just after the “>” of the tag that starts at `start`; one within quotes is not its end."""
    quote = b""
    for at in range(start, len(svg)):
        letter = svg[at : at + 1]
        if quote:
            quote = b"" if letter == quote else quote
        elif letter in (b'"', b"'"):
            quote = letter
        elif letter == b">":
            return at + 1
    raise Malformed("The SVG is damaged.")


def _element(credential: bytes) -> bytes:
    start = f'<openbadges:credential xmlns:openbadges="{NAMESPACE}"'.encode()
    text = credential.strip()
    if not text.startswith(b"{"):
        return start + b' verify="' + text + b'"/>'
    inside = text.replace(b"]]>", b"]]\\u003e")
    return start + b"><![CDATA[" + inside + b"]]></openbadges:credential>"
