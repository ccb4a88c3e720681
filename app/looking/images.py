"""Images by Pillow: opened as the few formats we name, bounded in dots, drawn anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import AvifImagePlugin, ExifTags, Image, TiffImagePlugin, WebPImagePlugin

from app.looking.days import day
from app.looking.pictures import LARGE, keep_picture, keep_thumbnail
from app.looking.report import DAMAGED, TOO_LARGE, Report
from workflows.looking.drawing import PAGES_AT_FIRST

# importing a format's plugin is what makes Pillow know it
PLUGINS = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
HEIF = "HEIF"
HEIF_BEGINS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MOST_DOTS = 80_000_000
MOST_DOTS_JPEG = 400_000_000
"""A JPEG can be opened at an eighth of its size."""
TURNED = {3: 180, 6: 90, 8: 270}
SIDEWAYS = frozenset({5, 6, 7, 8})


def facts(source: BinaryIO, report: Report) -> None:
    """Size, camera, the day it was taken, and whether it holds the place."""
    with tolerant(report), _opened(source, report) as picture:
        exif = picture.getexif()
        orientation = int(exif.get(ExifTags.Base.Orientation, 1) or 1)
        width, height = picture.size
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        taken = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        names = [str(exif.get(tag, "")).strip("\0 ") for tag in _MAKER]
        position = bool(exif.get_ifd(ExifTags.IFD.GPSInfo))
        report.know(
            width=height if orientation in SIDEWAYS else width,
            height=width if orientation in SIDEWAYS else height,
            rotation=TURNED.get(orientation, 0),
            created_on=day(taken),
            camera=" ".join(name for name in names if name),
            made_with=str(exif.get(ExifTags.Base.Software, "")),
            has_position=position,
        )
        if position:
            report.signal("has_position")
        if isinstance(picture, TiffImagePlugin.TiffImageFile):
            report.know(pages=picture.n_frames)


def draw(source: BinaryIO, report: Report) -> None:
    """The picture drawn anew, and a thumbnail; of a TIFF with several, each as a page."""
    with tolerant(report), _opened(source, report) as picture:
        several = isinstance(picture, TiffImagePlugin.TiffImageFile) and picture.n_frames > 1
        if several:
            _draw_frames(picture, report, 1, PAGES_AT_FIRST)
            picture.seek(0)
        else:
            # JPEG alone can be opened smaller than it is
            picture.draft("RGB", (LARGE, LARGE))
            keep_picture(report, "image", 0, picture)
        keep_thumbnail(report, picture)


def pages(source: BinaryIO, report: Report, first: int, count: int) -> None:
    """Frames of a TIFF from a number on."""
    with tolerant(report), _opened(source, report) as picture:
        _draw_frames(picture, report, first, count)


def _draw_frames(picture: Image.Image, report: Report, first: int, count: int) -> None:
    for number in range(first, first + count):
        try:
            picture.seek(number - 1)
        except EOFError:
            return
        if picture.width * picture.height <= MOST_DOTS:
            keep_picture(report, "page", number, picture)


@contextmanager
def tolerant(report: Report) -> Iterator[None]:
    """What breaks within is the file's trouble, and what was found before stays."""
    try:
        yield
    except _TooLarge:
        report.trouble = TOO_LARGE
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError):
        report.trouble = report.trouble or DAMAGED


class _TooLarge(Exception):
    """More dots than an image may have here."""


def _is_heif(source: BinaryIO) -> bool:
    begins = source.read(64)
    source.seek(0)
    return begins[4:8] == b"ftyp" and begins[8:12] in HEIF_BEGINS and b"avif" not in begins


def _heif() -> str:
    """The name of the format of phones' photos, whose library is loaded for these alone."""
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False, decode_threads=1)
    return HEIF


def _opened(source: BinaryIO, report: Report) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # bounded here, per format
    picture = Image.open(source, formats=(_heif(),) if _is_heif(source) else FORMATS)
    most = MOST_DOTS_JPEG if picture.format in {"JPEG", "MPO"} else MOST_DOTS
    if picture.width * picture.height > most:
        report.know(width=picture.width, height=picture.height)
        raise _TooLarge
    return picture


_MAKER = (ExifTags.Base.Make, ExifTags.Base.Model)
