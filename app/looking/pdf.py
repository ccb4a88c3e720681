"""PDF: pages drawn by PDFium, what the document says of itself by qpdf. Nothing in it runs."""

import re
from collections.abc import Iterator
from typing import BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from app.looking.days import day
from app.looking.pictures import keep_picture, keep_thumbnail
from app.looking.report import DAMAGED, Report
from app.looking.sources import head_of, size_of
from workflows.looking.drawing import PAGES_AT_FIRST

PAGE_DOTS = 1400
MOST_SCALE = 4.0
MOST_OBJECTS = 50_000
MOST_READ = 512 * 1024**2
PIECE = 4 * 1024**2
OVERLAP = 64
STARTXREF = re.compile(rb"startxref\s+\d+\s+%%EOF")
SIGNATURE = re.compile(rb"/ByteRange\s*\[")
EDITORS = re.compile(
    r"acrobat (?!distiller|pdfmaker|.*capture)|pdf-?xchange|foxit|nitro|sejda|smallpdf|ilovepdf|"
    r"pdfelement|pdfescape|pdffiller|dochub|pdfsam|pdftk|qpdf|pypdf|pikepdf|mupdf|pdf24|soda pdf|"
    r"photoshop|illustrator|gimp|inkscape|affinity|canva|master pdf|pdf expert|libreoffice draw",
    re.IGNORECASE,
)


def facts(source: BinaryIO, report: Report) -> None:
    """What the document says of itself, and what in it could act."""
    try:
        with pikepdf.open(source, attempt_recovery=True, suppress_warnings=True) as document:
            _described(document, report)
            _active(document, report)
    except pikepdf.PasswordError:
        report.know(encrypted=True)
        report.signal("encrypted")
    except pikepdf.PdfError:
        pass  # PDFium may still draw it
    _revisions(source, report)


def draw(source: BinaryIO, report: Report) -> None:
    """The first pages, and a thumbnail."""
    document = _opened(source, report)
    if document is None:
        return
    report.know(pages=len(document))
    if len(document):
        keep_thumbnail(report, _page(document, 0, 480))
    _draw(document, report, 1, PAGES_AT_FIRST)


def pages(source: BinaryIO, report: Report, first: int, count: int) -> None:
    """Pages from a number on."""
    document = _opened(source, report)
    if document is not None:
        _draw(document, report, first, count)


def _opened(source: BinaryIO, report: Report) -> pypdfium2.PdfDocument | None:
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError:
        report.trouble = DAMAGED
        return None


def _draw(document: pypdfium2.PdfDocument, report: Report, first: int, count: int) -> None:
    for number in range(first, min(len(document), first + count - 1) + 1):
        keep_picture(report, "page", number, _page(document, number - 1, PAGE_DOTS), 2 * PAGE_DOTS)


def _page(document: pypdfium2.PdfDocument, index: int, dots: int) -> Image.Image:
    try:
        page = document[index]
        width, height = page.get_size()
        scale = min(MOST_SCALE, dots / max(1.0, width), 2 * dots / max(1.0, height))
        picture: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil()
        return picture
    except pypdfium2.PdfiumError:
        # a page that cannot be drawn is an empty sheet, and the others are drawn all the same
        return Image.new("RGB", (dots, dots), (255, 255, 255))


def _described(document: pikepdf.Pdf, report: Report) -> None:
    info = document.docinfo
    producer, creator = _text(info, "/Producer"), _text(info, "/Creator")
    report.know(
        pages=len(document.pages),
        producer=producer,
        made_with=creator,
        author=_text(info, "/Author"),
        created_on=day(_text(info, "/CreationDate")),
        modified_on=day(_text(info, "/ModDate")),
    )
    editor = next((name for name in (producer, creator) if EDITORS.search(name)), "")
    if editor:
        report.signal("pdf_editor", producer=editor[:200])


def _text(dictionary: pikepdf.Dictionary | pikepdf.Object, name: str) -> str:
    try:
        return str(dictionary[name])
    except (KeyError, ValueError, TypeError):
        return ""


def _active(document: pikepdf.Pdf, report: Report) -> None:
    """Actions and scripts, wherever they hang."""
    kinds = {str(kind) for kind in _actions(document)}
    if "/JavaScript" in kinds:
        report.signal("active_javascript")
    if kinds & {"/Launch", "/ImportData", "/SubmitForm"}:
        report.signal("active_launch")
    attached = len(document.attachments)
    if attached:
        report.signal("embedded_files", count=attached)


def _actions(document: pikepdf.Pdf) -> Iterator[object]:
    for number, each in enumerate(document.objects):
        if number >= MOST_OBJECTS:
            return
        if not isinstance(each, pikepdf.Dictionary):
            continue
        if "/S" in each:
            yield each.S
        if "/JS" in each:
            yield "/JavaScript"
        for name in ("/A", "/OpenAction"):
            inner = each.get(name)
            if isinstance(inner, pikepdf.Dictionary) and "/S" in inner:
                yield inner.S


def _revisions(source: BinaryIO, report: Report) -> None:
    """How often it was saved over an earlier version, and how many signatures there are."""
    ends = signatures = read = 0
    rest = b""
    source.seek(0)
    while read < MOST_READ and (piece := source.read(PIECE)):
        read += len(piece)
        data = rest + piece
        # what reaches into the overlap is counted with the next piece
        within = len(data) - (OVERLAP if len(piece) == PIECE else 0)
        ends += sum(found.start() < within for found in STARTXREF.finditer(data))
        signatures += sum(found.start() < within for found in SIGNATURE.finditer(data))
        rest = data[within:]
    linearized = b"/Linearized" in head_of(source, min(1024, size_of(source)))
    updates = max(0, ends - 1 - linearized)
    report.know(revisions=updates, signatures=signatures)
    if updates and signatures:
        report.signal("signed_updates", count=updates, signatures=signatures)
    elif updates:
        report.signal("incremental_updates", count=updates)
