"""Office files of today, which are ZIPs of XML: what they say of themselves, and their words.

XML is read by defusedxml: no entities, nothing from outside. Each member is read only so far.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from app.looking.archives import opened_zip
from app.looking.days import day
from app.looking.report import DAMAGED, TOO_LARGE, Report
from app.looking.texts import LONGEST, keep_text

SMALL = 2 * 1024**2
MOST_READ = 48 * 1024**2
MOST_SHEETS, MOST_SLIDES, MOST_LINKS = 20, 200, 1000
MOST_STRINGS = 200_000
BROKEN = (
    zipfile.BadZipFile, ParseError, DefusedXmlException, KeyError, OSError, EOFError, ValueError,
    zlib.error, RuntimeError, NotImplementedError,
)  # fmt: skip
EXTERNAL = re.compile(rb"<[^>]*TargetMode=[\"']External[\"'][^>]*>")
NUMBER = re.compile(r"(\d+)")


def facts(source: BinaryIO, report: Report) -> None:
    """Author, last editor, days, program, revision, macros and links outside."""
    try:
        archive = opened_zip(source)
        if archive is None:
            report.trouble = TOO_LARGE
            return
        with archive:
            names = frozenset(archive.namelist())
            if "meta.xml" in names:
                _open_document(archive, report)
            else:
                _office_open(archive, names, report)
            _active(archive, names, report)
    except BROKEN:
        report.trouble = DAMAGED


def draw(source: BinaryIO, report: Report) -> None:
    """Its words as plain text, and the beginning of them as a small sheet of paper."""
    try:
        archive = opened_zip(source)
        if archive is None:
            report.trouble = TOO_LARGE
            return
        with archive:
            text = _bounded(_words(archive), report)
    except BROKEN:
        report.trouble = DAMAGED
        return
    if text.strip():
        keep_text(report, text)


class _Some:
    """The beginning of a member: what a bomb has behind it is never unpacked."""

    def __init__(self, member: IO[bytes], most: int) -> None:
        self._member = member
        self._left = most

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes. Raises ValueError beyond the bound."""
        if self._left <= 0:
            raise ValueError("too much")
        data = self._member.read(min(size if size >= 0 else self._left, self._left))
        self._left -= len(data)
        return data


def _elements(member: IO[bytes]) -> Iterator[Element]:
    """A member's elements as they end, as far as it is read at all."""
    some = cast(IO[bytes], _Some(member, MOST_READ))
    for _, element in iterparse(some, events=("end",)):
        yield element


def _small(archive: zipfile.ZipFile, name: str) -> Element | None:
    """A small member as XML; None when there is none."""
    if name not in archive.namelist():
        return None
    with archive.open(name) as member:
        data = member.read(SMALL + 1)
    root: Element | None = None if len(data) > SMALL else fromstring(data)
    return root


def _found(root: Element | None, tag: str) -> str:
    """The words of the first element of this name, whatever its namespace."""
    if root is None:
        return ""
    for each in root.iter():
        if _tag(each) == tag:
            return (each.text or "").strip()
    return ""


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _office_open(archive: zipfile.ZipFile, names: frozenset[str], report: Report) -> None:
    core, app = _small(archive, "docProps/core.xml"), _small(archive, "docProps/app.xml")
    revision, slides = _found(core, "revision"), _found(app, "Pages") or _found(app, "Slides")
    report.know(
        author=_found(core, "creator"),
        last_editor=_found(core, "lastModifiedBy"),
        created_on=day(_found(core, "created")),
        modified_on=day(_found(core, "modified")),
        made_with=_found(app, "Application"),
        revision=int(revision) if revision.isdecimal() and len(revision) < 9 else None,
        pages=int(slides) if slides.isdecimal() and len(slides) < 6 else None,
    )
    _people(report)
    links = sum(_outside(archive, name) for name in sorted(names) if name.endswith(".rels"))
    if links:
        report.know(external_links=links)
        report.signal("external_links", count=links)


def _open_document(archive: zipfile.ZipFile, report: Report) -> None:
    meta = _small(archive, "meta.xml")
    cycles = _found(meta, "editing-cycles")
    report.know(
        author=_found(meta, "initial-creator"),
        last_editor=_found(meta, "creator"),
        created_on=day(_found(meta, "creation-date")),
        modified_on=day(_found(meta, "date")),
        made_with=_found(meta, "generator"),
        revision=int(cycles) if cycles.isdecimal() and len(cycles) < 9 else None,
    )
    _people(report)


def _people(report: Report) -> None:
    """Who is named in it is a fact; nobody is compared with anybody."""
    author, editor = report.facts.get("author", ""), report.facts.get("last_editor", "")
    if author and editor:
        report.signal("office_people", author=str(author)[:200], editor=str(editor)[:200])
    elif author or editor:
        report.signal("office_author", author=str(author or editor)[:200])


def _outside(archive: zipfile.ZipFile, name: str) -> int:
    """How many things outside a part of the document needs; links to click on are none."""
    with archive.open(name) as member:
        data = member.read(SMALL)
    found = EXTERNAL.findall(data)[:MOST_LINKS]
    return sum(b"/hyperlink" not in one for one in found)


def _active(archive: zipfile.ZipFile, names: frozenset[str], report: Report) -> None:
    if any(name.endswith("vbaProject.bin") or name.startswith("Basic/") for name in names):
        report.signal("active_macros")
    if any(one.flag_bits & 1 for one in archive.infolist()):
        report.know(encrypted=True)
        report.signal("encrypted")
    elif "META-INF/manifest.xml" in names:
        with archive.open("META-INF/manifest.xml") as member:
            if b"encryption-data" in member.read(SMALL):
                report.know(encrypted=True)
                report.signal("encrypted")


def _bounded(words: Iterator[str], report: Report) -> str:
    """As much text as a preview holds."""
    kept: list[str] = []
    length = 0
    for piece in words:
        kept.append(piece)
        length += len(piece)
        if length > LONGEST:
            report.know(cut_short=True)
            break
    return "".join(kept)


def _words(archive: zipfile.ZipFile) -> Iterator[str]:
    names = frozenset(archive.namelist())
    if "word/document.xml" in names:
        yield from _flowing(archive, "word/document.xml", "p", frozenset({"t", "delText"}))
    elif "content.xml" in names:
        yield from _flowing(archive, "content.xml", "p", None)
    elif "xl/workbook.xml" in names:
        yield from _cells(archive, names)
    else:
        for number, name in enumerate(_numbered(names, "ppt/slides/slide")[:MOST_SLIDES], 1):
            yield f"— {number} —\n"
            yield from _flowing(archive, name, "p", frozenset({"t"}))
            yield "\n"


def _flowing(
    archive: zipfile.ZipFile, name: str, paragraph: str, runs: frozenset[str] | None
) -> Iterator[str]:
    """Text by paragraphs; of all elements when no runs are named."""
    with archive.open(name) as member:
        for element in _elements(member):
            tag = _tag(element)
            if runs is None and tag in {paragraph, "h"}:
                yield "".join(element.itertext()) + "\n"
            elif runs is not None and tag in runs:
                yield element.text or ""
            elif runs is not None and tag == "tab":
                yield "\t"
            elif runs is not None and tag == paragraph:
                yield "\n"
            if tag in {paragraph, "h", "r", "table-row"}:
                element.clear()


def _cells(archive: zipfile.ZipFile, names: frozenset[str]) -> Iterator[str]:
    """Sheets as rows with their cells between bars."""
    strings = _shared_strings(archive) if "xl/sharedStrings.xml" in names else []
    for number, name in enumerate(_numbered(names, "xl/worksheets/sheet")[:MOST_SHEETS], 1):
        yield f"— {number} —\n"
        with archive.open(name) as member:
            for element in _elements(member):
                if _tag(element) == "row":
                    yield " | ".join(_cell(cell, strings) for cell in element) + "\n"
                    element.clear()
        yield "\n"


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    strings: list[str] = []
    with archive.open("xl/sharedStrings.xml") as member:
        for element in _elements(member):
            if _tag(element) == "si":
                strings.append("".join(element.itertext()))
                element.clear()
            if len(strings) >= MOST_STRINGS:
                break
    return strings


def _cell(cell: Element, strings: list[str]) -> str:
    value = "".join(each.text or "" for each in cell.iter() if _tag(each) in {"v", "t"})
    if cell.get("t") == "s" and value.isdecimal():
        place = int(value[:9])
        return strings[place] if place < len(strings) else ""
    return value


def _numbered(names: frozenset[str], beginning: str) -> list[str]:
    """`slide2.xml` before `slide10.xml`."""
    found = [name for name in names if name.startswith(beginning) and name.endswith(".xml")]
    return sorted(found, key=lambda name: int((NUMBER.findall(name) or ["0"])[-1][:9]))
