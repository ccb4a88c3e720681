"""What is seen in archives, well-made and ill-made, without unpacking them anywhere."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import pytest

from workflows.archives.findings import Bounds, Findings, Refusal, Unseen, from_json
from workflows.archives.look import look_into
from workflows.archives.sorts import ends_as_zip, sort_of

MIB = 1024**2
BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>"""
ELSEWHERE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/secret">]><a>&x;</a>"""


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return body.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return body.getvalue()


def linked(name: str, target: str, sort: bytes = tarfile.SYMTYPE) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = sort, target
        archive.addfile(member)
    return body.getvalue()


def look(body: bytes, sort: str = "", bounds: Bounds | None = None) -> Findings:
    return look_into(io.BytesIO(body), sort, bounds)


PLAIN = {"a.txt": b"one", "folder/b.csv": b"1,2\n" * 1000, "c.xml": b"<a/>"}


@pytest.mark.parametrize(
    ("body", "sort"),
    [
        (zipped(PLAIN), "zip"),
        (zipped(PLAIN, zipfile.ZIP_STORED), "zip"),
        (zipped(PLAIN, zipfile.ZIP_BZIP2), "zip"),
        (tarred(PLAIN), "tar"),
        (gzip.compress(tarred(PLAIN)), "gzip"),
        (bz2.compress(tarred(PLAIN)), "bzip2"),
        (lzma.compress(tarred(PLAIN)), "xz"),
    ],
    ids=["zip", "stored", "bzip2 in zip", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_a_good_archive_is_seen_whole(body: bytes, sort: str) -> None:
    found = look(body)
    assert (found.refusal, found.unseen) == (None, None)
    assert (found.members, found.formats[0]) == (3, sort)
    assert found.expanded == sum(map(len, PLAIN.values()))
    assert from_json(found.as_json()) == found


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_single_packed_file_is_one_member(pack: Callable[[bytes], bytes]) -> None:
    found = look(pack(b"some text " * 1000) + pack(b"and more"))
    assert (found.members, found.expanded, found.refusal) == (1, 10_008, None)


@pytest.mark.parametrize(
    "body",
    [
        zipped({"zeros": bytes(10 * MIB)}),
        gzip.compress(bytes(10 * MIB)),
        bz2.compress(bytes(10 * MIB)),
        lzma.compress(bytes(10 * MIB)),
        gzip.compress(tarred({"zeros": bytes(10 * MIB)})),
        zipped({"inner.zip": zipped({"zeros": bytes(10 * MIB)})}),
        zipped({"inner.zip": zipped({"z": bytes(10 * MIB)})}, zipfile.ZIP_STORED),
        tarred({"inner.gz": gzip.compress(bytes(10 * MIB))}),
    ],
    ids=["zip", "gz", "bz2", "xz", "tgz", "zip in zip", "zip stored in zip", "gz in tar"],
)
def test_what_grows_a_thousandfold_is_refused(body: bytes) -> None:
    assert look(body).refusal is Refusal.RATIO


def test_a_million_members_are_refused_by_their_number_alone() -> None:
    body = zipped({"a": b""})
    end = body.rfind(b"PK\x05\x06")
    many = body[: end + 8] + struct.pack("<2H", 60_000, 60_000) + body[end + 12 :]
    assert look(many).refusal is Refusal.TOO_MANY
    few = Bounds(members=20)
    assert look(zipped({str(n): b"" for n in range(21)}), bounds=few).refusal is Refusal.TOO_MANY
    assert look(tarred({str(n): b"" for n in range(21)}), bounds=few).refusal is Refusal.TOO_MANY


def test_members_of_archives_in_archives_count_together() -> None:
    inner = zipped({str(n): b"" for n in range(15)})
    body = zipped({"1.zip": inner, "2.zip": inner})
    assert look(body, bounds=Bounds(members=20)).refusal is Refusal.TOO_MANY


def test_archives_in_archives_in_archives_are_refused() -> None:
    body = b"deep down"
    for level in range(6):
        body = zipped({f"{level}.zip": body})
    assert look(body).refusal is Refusal.NESTED
    packed = b"deep down"
    for _ in range(6):
        packed = gzip.compress(packed)
    assert look(packed).refusal is Refusal.NESTED


def test_more_inside_than_any_file_may_have_is_refused() -> None:
    bounds = Bounds(expanded=1000)
    assert look(zipped({"a": b"x" * 600, "b": b"x" * 600}), bounds=bounds).refusal == "too_large"


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x.exe", "a\\..\\..\\b"])
def test_names_that_lead_out_are_refused(
    pack: Callable[[Mapping[str, bytes]], bytes], name: str
) -> None:
    found = look(pack({name: b"x"}))
    assert found.refusal is Refusal.OUTSIDE
    assert found.name


def test_links_that_lead_out_and_devices_are_refused() -> None:
    assert look(linked("a", "/etc/passwd")).refusal is Refusal.OUTSIDE
    assert look(linked("a", "../b")).refusal is Refusal.OUTSIDE
    assert look(linked("a", "", tarfile.CHRTYPE)).refusal is Refusal.OUTSIDE
    assert look(linked("a", "b")).refusal is None


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("a.txt", b"one")
            archive.writestr("a.txt", b"two")
    assert look(body.getvalue()).refusal is Refusal.DUPLICATES


def test_a_directory_that_contradicts_its_members_is_refused() -> None:
    body = zipped({"good.txt": b"some text", "b": b""}, zipfile.ZIP_STORED)
    assert look(body.replace(b"good.txt", b"evil.exe", 1)).refusal is Refusal.MISMATCH
    local_size = body.find(b"PK\x03\x04") + 22
    other_size = body[:local_size] + struct.pack("<L", 5) + body[local_size + 4 :]
    assert look(other_size).refusal is Refusal.MISMATCH


def test_a_member_that_is_larger_than_the_directory_says_is_refused() -> None:
    body = zipped({"a": b"x" * 5000})
    real, claimed = struct.pack("<L", 5000), struct.pack("<L", 10)
    assert body.count(real) == 2
    assert look(body.replace(real, claimed)).refusal is Refusal.MISMATCH


def test_members_that_share_their_bytes_are_refused() -> None:
    body = zipped({"aa": b"x" * 100, "bb": b"y" * 100}, zipfile.ZIP_STORED)
    directory = body.find(b"PK\x01\x02")
    second = body.find(b"PK\x01\x02", directory + 1)
    shared = body[: second + 42] + struct.pack("<L", 0) + body[second + 46 :]
    assert look(shared).refusal in {Refusal.OVERLAP, Refusal.MISMATCH}


def test_what_needs_a_password_is_unseen_and_not_refused() -> None:
    body = bytearray(zipped({"a.txt": b"secret"}, zipfile.ZIP_STORED))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.find(magic) + place] |= 1
    found = look(bytes(body))
    assert (found.refusal, found.unseen) == (None, Unseen.ENCRYPTED)


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\0", b"MSCF\0\0\0\0"])
def test_formats_without_a_reader_are_unseen_also_inside_others(magic: bytes) -> None:
    assert look(magic + bytes(600)).unseen is Unseen.FORMAT
    assert look(zipped({"x.bin": magic + bytes(600)})).unseen is Unseen.FORMAT


@pytest.mark.parametrize(
    "body",
    [
        zipped(PLAIN)[:-30],
        b"PK\x03\x04" + bytes(100),
        gzip.compress(b"x" * 10_000)[:-20],
        tarred(PLAIN)[:700],
        b"\x1f\x8b" + b"nonsense" * 20,
    ],
    ids=["zip without its end", "zip of nothing", "short gzip", "short tar", "gzip of nonsense"],
)
def test_what_is_broken_is_unseen(body: bytes) -> None:
    found = look(body)
    assert (found.refusal, found.unseen) == (None, Unseen.BROKEN)


def test_what_would_take_too_long_is_unseen() -> None:
    bounds = Bounds(looked_into=50_000, ratio=10_000)
    assert look(zipped({"a": b"x" * 100_000}), bounds=bounds).unseen is Unseen.TOO_MUCH
    small = Bounds(nested_size=1000)
    inner = zipped({"a": bytes(range(256)) * 40}, zipfile.ZIP_STORED)
    assert look(zipped({"a.zip": inner}), bounds=small).unseen is Unseen.TOO_MUCH


@pytest.mark.parametrize("name", ["word/document.xml", "picture.svg"])
def test_xml_bombs_inside_are_refused_and_nothing_is_expanded(name: str) -> None:
    assert look(zipped({name: BOMB})).refusal is Refusal.XML_BOMB
    assert look(zipped({name: BOMB}, zipfile.ZIP_STORED)).refusal is Refusal.XML_BOMB
    assert look(BOMB, "xml").refusal is Refusal.XML_BOMB


def test_external_entities_are_noted_and_not_fetched() -> None:
    assert look(ELSEWHERE, "xml").external_entities
    assert look(zipped({"word/document.xml": ELSEWHERE})).external_entities
    assert not look(b"<a/>", "xml").external_entities
    public = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd"><svg/>'
    assert not look(public, "xml").external_entities


def test_a_zip_behind_something_else_is_found_by_its_end() -> None:
    body = b"%PDF-1.7 " * 100 + zipped(PLAIN)
    assert ends_as_zip(body[-60_000:])
    assert look(body, "zip").members == 3
    assert not ends_as_zip(b"%PDF-1.7 " * 100)
    assert sort_of(b"%PDF-1.7") == ""


def test_a_zip_of_more_than_four_gigabytes_is_read_by_its_wide_numbers() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(b"some text")
    assert look(body.getvalue()).refusal is None
