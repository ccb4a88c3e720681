"""Credentials inside pictures: what goes in comes out, and hostile pictures do no harm."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.baking import bake_png as their_bake_png
from openbadgeslib.baking import bake_svg as their_bake_svg
from openbadgeslib.baking import extract_svg
from PIL import Image

from credentials.baking import (
    KEYWORD,
    NAMESPACE,
    PNG_SIGNATURE,
    bake_png,
    bake_svg,
    unbake_png,
    unbake_svg,
)
from credentials.errors import CredentialError, Malformed
from credentials.reading import credential_bytes, read_credential

SVG = (
    b'<?xml version="1.0"?>\n<!-- a > b -->'
    b'<svg xmlns="http://www.w3.org/2000/svg" data-x="a>b"><g/></svg>'
)
JSON = '{"name": "Sägen & <Hobeln> ]]> \\"sehr gut\\" \\u2028"}'.encode()


def png() -> bytes:
    """A tiny picture."""
    out = BytesIO()
    Image.new("RGBA", (3, 2), "#336699").save(out, "PNG")
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """The tiny picture with a chunk before its end."""
    whole = png()
    return whole[:-12] + chunk(kind, body) + whole[-12:]


@given(st.binary(max_size=300))
def test_a_png_gives_back_what_was_baked(data: bytes) -> None:
    baked = bake_png(png(), data)
    assert unbake_png(baked) == data
    Image.open(BytesIO(baked)).verify()


def test_the_chunk_is_the_one_the_standard_names() -> None:
    baked = bake_png(png(), JSON)
    assert b"iTXtopenbadgecredential\0\0\0\0\0{" in baked
    assert baked.endswith(chunk(b"IEND", b""))


def test_baking_again_replaces() -> None:
    twice = bake_png(bake_png(png(), b"{}"), JSON)
    assert unbake_png(twice) == JSON
    assert twice.count(KEYWORD) == 1
    assert unbake_svg(bake_svg(bake_svg(SVG, b"{}"), JSON)).startswith(b'{"name"')
    assert bake_svg(bake_svg(SVG, b"a.b.c"), JSON).count(b"openbadges:credential ") == 1


def test_a_packed_chunk_is_read_too() -> None:
    body = KEYWORD + b"\0\1\0\0\0" + zlib.compress(JSON)
    assert unbake_png(with_chunk(b"iTXt", body)) == JSON


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(), "no credential inside"),
        (b"GIF89a", "not a PNG"),
        (png()[:-4], "damaged"),
        (png()[:40], "damaged"),
        (png().replace(b"IDAT", b"IDAX"), "damaged"),
        (PNG_SIGNATURE + chunk(b"tEXt", b"") * 20_001, "damaged"),
        (PNG_SIGNATURE + struct.pack(">I", 0xFFFFFFFF) + b"iTXt" + b"x" * 50, "damaged"),
        (with_chunk(b"iTXt", KEYWORD + b"\0\0"), "damaged"),
        (with_chunk(b"iTXt", KEYWORD + b"\0\1\0\0\0not packed"), "damaged"),
        (with_chunk(b"iTXt", KEYWORD + b"\0\1\0\0\0" + zlib.compress(JSON)[:-6]), "damaged"),
        (
            with_chunk(b"iTXt", KEYWORD + b"\0\1\0\0\0" + zlib.compress(b"0" * 50_000_000)),
            "too large",
        ),
        (
            bake_png(png(), JSON)[:-12] + chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0{}") + png()[-12:],
            "more than one",
        ),
    ],
)
def test_a_png_without_one_good_credential_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        unbake_png(data)


def test_an_svg_gives_back_what_was_baked() -> None:
    baked = bake_svg(SVG, JSON)
    assert read_credential(baked) == read_credential(JSON)
    assert extract_svg(baked, element="openbadges:credential", text_fallback=True)


def test_the_credential_is_the_first_child_of_the_root() -> None:
    start = f'data-x="a>b"><openbadges:credential xmlns:openbadges="{NAMESPACE}"><![CDATA['
    assert start.encode() in bake_svg(SVG, JSON)


def test_a_jws_stands_in_the_verify_attribute() -> None:
    baked = bake_svg(SVG, b"eyJ.eyJ.c2ln\n")
    assert b'verify="eyJ.eyJ.c2ln"/>' in baked
    assert unbake_svg(baked) == b"eyJ.eyJ.c2ln"


def test_escaped_text_without_cdata_is_read() -> None:
    inside = JSON.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b"]]>", b"]]&gt;")
    svg = f'<svg xmlns:ob="{NAMESPACE}"><ob:credential>'.encode()
    assert unbake_svg(svg + inside + b"</ob:credential></svg>") == JSON


LAUGHS = b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><svg>&b;</svg>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SVG, "no credential inside"),
        (b"<svg", "damaged"),
        (b"<html/>", "not an SVG"),
        (LAUGHS, "document type"),
        (b'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg/>', "document type"),
        (b"<svg>&nbsp;</svg>", "damaged"),
        (f'<svg xmlns:o="{NAMESPACE}"><o:credential/></svg>'.encode(), "no credential inside"),
        (
            f'<svg xmlns:o="{NAMESPACE}"><o:credential>{{}}</o:credential>'
            f'<g><o:credential verify="x"/></g></svg>'.encode(),
            "more than one",
        ),
        (
            f'<svg xmlns:o="{NAMESPACE}"><o:credential><b>{{}}</b></o:credential></svg>'.encode(),
            "no credential inside",
        ),
    ],
)
def test_an_svg_without_one_good_credential_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        unbake_svg(data)


@pytest.mark.parametrize(
    "data",
    [b"<svg/>", "<svg>é</svg>".encode("latin-1"), b"<svg", b"x"],
    ids=["nothing in it", "not UTF-8", "cut off", "no XML"],
)
def test_nothing_is_baked_into_what_is_no_good_svg(data: bytes) -> None:
    with pytest.raises(Malformed):
        bake_svg(data, JSON)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda tail: PNG_SIGNATURE + tail)
    | st.text(max_size=200).map(lambda tail: f"<svg>{tail}".encode())
    | st.text(max_size=200).map(lambda tail: f'{{"a": "{tail}'.encode())
)
def test_no_file_makes_reading_fail_in_another_way(data: bytes) -> None:
    try:
        read_credential(data)
    except CredentialError as error:
        assert error.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 ...", "PDF is damaged"),
        (b"eyJhbGciOiJ9.eyJ9.c2ln\n", "not text|not JSON"),
        (b"eyJ.eyJ.c2ln", "not a signed token"),
        (b"nonsense", "neither the JSON of a credential nor"),
        (b"[]", "not a JSON object"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'{"type": "EnvelopedVerifiableCredential"}', "this envelope"),
        (
            b'{"type": ["EnvelopedVerifiableCredential"], "id": "data:application/vc+jwt,a.b.c"}',
            "not a signed token",
        ),
    ],
)
def test_what_holds_no_credential_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_credential(data)


def test_the_assertion_of_a_badge_of_version_2_comes_out() -> None:
    assert unbake_png(with_chunk(b"iTXt", b"openbadges\0\0\0\0\0a.b.c")) == b"a.b.c"
    assert unbake_png(with_chunk(b"tEXt", b"openbadges\0https://a.example/1")) == (
        b"https://a.example/1"
    )
    theirs = their_bake_svg(SVG, "eyJ.eyJ.c2ln")
    assert unbake_svg(theirs) == b"eyJ.eyJ.c2ln"
    assert unbake_png(their_bake_png(png(), "eyJ.eyJ.c2ln")) == b"eyJ.eyJ.c2ln"
    assert unbake_svg(bake_svg(theirs, JSON)) == JSON.replace(b"]]>", b"]]\\u003e")


def test_a_text_in_a_million_pieces_is_put_together_once() -> None:
    pieces = b"1<b/>" * 200_000
    svg = f'<svg xmlns:o="{NAMESPACE}"><o:credential>'.encode() + pieces + b"</o:credential></svg>"
    assert unbake_svg(svg) == b"1" * 200_000
    with pytest.raises(Malformed, match="too large"):
        unbake_svg(svg.replace(b"1<b/>", b"1" * 11 + b"<b/>"))


def test_a_baked_token_comes_out_as_it_went_in() -> None:
    assert credential_bytes(bake_svg(SVG, b"eyJ.eyJ.c2ln")) == b"eyJ.eyJ.c2ln"
    assert credential_bytes(bake_png(png(), b"eyJ.eyJ.c2ln")) == b"eyJ.eyJ.c2ln"


def test_a_huge_file_is_not_looked_at() -> None:
    with pytest.raises(Malformed, match="larger"):
        credential_bytes(b"\0" * (10 * 1024 * 1024 + 1))
