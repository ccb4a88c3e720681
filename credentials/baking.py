"""Badges with the credential inside the picture, as Open Badges 3.0 sections 5.3.1 and 5.3.2 say.

PNG: one uncompressed iTXt chunk `openbadgecredential`. SVG: the first child of the root is
`openbadges:credential`, with the JSON in CDATA or, for a JWS, in its `verify` attribute.
Open Badges 2 is read as well, from the chunk and the element that it has. Reading is bounded:
sizes, chunk counts, no DTD, no entities, no unpacking beyond a limit.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NoReturn, TypeVar
from xml.parsers import expat

from credentials.errors import Malformed

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"

_OLD_KEYWORD = b"openbadges"
_CREDENTIAL = f"{NAMESPACE} credential"
_ASSERTION = "http://openbadges.org assertion"
_Found = TypeVar("_Found")
_MAX_CREDENTIAL = 2 * 1024 * 1024
_MAX_CHUNKS = 20_000
_NOTHING = "There is no credential inside this picture."
_TOO_LARGE = "The credential inside this picture is too large."
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
    """The credential inside a PNG; of Open Badges 2 the assertion, or the address it stands at.

    Raises Malformed if there is none, several, or a damaged one.
    """
    held = [(kind, body) for kind, body in _chunks(png) if kind in (b"iTXt", b"tEXt")]
    found = [body for kind, body in held if kind == b"iTXt" and body.startswith(KEYWORD + b"\0")]
    if found:
        return _text_of(_only(found), KEYWORD)
    old = [(kind, body) for kind, body in held if body.startswith(_OLD_KEYWORD + b"\0")]
    kind, body = _only(old)
    return _text_of(body, _OLD_KEYWORD) if kind == b"iTXt" else body[len(_OLD_KEYWORD) + 1 :]


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
    """The credential inside an SVG; of Open Badges 2 the assertion, or the address it stands at.

    Raises Malformed if there is none, or several.
    """
    scan = _scan(svg)
    text = _only(scan.credentials or scan.assertions).strip()
    if not text:
        raise Malformed(_NOTHING)
    return text.encode()


def _only(found: Sequence[_Found]) -> _Found:
    """The one credential of a picture."""
    if not found:
        raise Malformed(_NOTHING)
    if len(found) > 1:
        raise Malformed("There is more than one credential inside this picture.")
    return found[0]


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


def _text_of(body: bytes, keyword: bytes) -> bytes:
    """The text of an iTXt chunk: keyword, compressed?, method, language, translation, text."""
    rest = body[len(keyword) + 1 :]
    fields = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(fields) != 3:
        raise Malformed(_DAMAGED_PNG)
    text = fields[2]
    if rest[0]:
        text = _unpack(text)
    if len(text) > _MAX_CREDENTIAL:
        raise Malformed(_TOO_LARGE)
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


class _Scan:
    """Where the root tag of an SVG starts, and the credentials in it with their byte spans.

    `assertions` are those of Open Badges 2, which are only read.
    """

    def __init__(self) -> None:
        self.root = -1
        self.credentials: list[str] = []
        self.assertions: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self._open = 0
        self._start = 0
        self._into = self.credentials
        self._pieces: list[str] = []
        self._length = 0

    def read(self, svg: bytes) -> None:
        """Parse the whole document. Raises Malformed or expat's error."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True

        def start(name: str, attributes: dict[str, str]) -> None:
            if self.root < 0:
                self._enter_root(name, parser.CurrentByteIndex)
            if self._open:
                self._open += 1
            elif name in (_CREDENTIAL, _ASSERTION):
                self._open = 1
                self._start = parser.CurrentByteIndex
                self._into = self.credentials if name == _CREDENTIAL else self.assertions
                self._pieces = [attributes.get("verify", "")]

        def end(name: str) -> None:
            if not self._open:
                return
            self._open -= 1
            if self._open:
                return
            self._into.append("".join(self._pieces))
            if self._into is self.credentials:
                self.spans.append((self._start, _end_of_tag(svg, parser.CurrentByteIndex)))

        def text(data: str) -> None:
            if self._open == 1:
                self._pieces.append(data)
                self._length += len(data)
                if self._length > _MAX_CREDENTIAL:
                    raise Malformed(_TOO_LARGE)

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
