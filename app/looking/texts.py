"""Text of every sort, from notes to source code and SVG: shown as letters, never as what it is."""

from typing import BinaryIO

from app.looking.pictures import keep_thumbnail, page_of_text
from app.looking.report import Report
from app.looking.sources import head_of, size_of

LONGEST = 400_000
ACTIVE = frozenset(
    {"text/html", "image/svg+xml", "application/xhtml+xml", "application/javascript",
     "text/javascript"}
)  # fmt: skip
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def facts(media_type: str, report: Report) -> None:
    """Whether a browser could run it."""
    if media_type in ACTIVE:
        report.signal("active_markup")


def draw(source: BinaryIO, report: Report) -> None:
    """Its beginning as plain text, and as a small sheet of paper."""
    data = head_of(source, LONGEST)
    charset = charset_of(data)
    # a letter that the end cut in two is left out
    text = data.decode(charset, "ignore" if charset.startswith("utf") else "replace")
    report.know(charset=charset.removesuffix("-sig"), cut_short=size_of(source) > LONGEST)
    keep_text(report, text)


def keep_text(report: Report, text: str) -> None:
    """Keep plain text, and the beginning of it as a thumbnail."""
    shown = plain(text)[:LONGEST]
    data = shown.encode("utf-8", "replace")
    report.keep("text", 0, "txt", lambda file: file.write(data))
    keep_thumbnail(report, page_of_text(shown))


def plain(text: str) -> str:
    """The text without what is neither letter nor line, such as what turns the direction."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in lines)


def charset_of(data: bytes) -> str:
    """The charset that the bytes are in: by their mark, by being UTF-8, else a western one."""
    for mark, charset in MARKS:
        if data.startswith(mark):
            return charset
    if data[:200:2].count(0) > 60 or data[1:200:2].count(0) > 60:
        return "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    try:
        # the last letter may be cut in two
        data[: max(0, len(data) - 4)].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if not set(data) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"
