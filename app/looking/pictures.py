"""Pictures as we draw them: WebP of our own making, with nothing of the original but its dots."""

from functools import partial

from PIL import Image, ImageDraw, ImageFont, ImageOps

from app.looking.report import Report

THUMBNAIL = 320
LARGE = 1600
QUALITY = 80
PAPER, INK, FAINT = (255, 255, 255), (40, 44, 52), (120, 128, 140)


def keep_picture(
    report: Report, kind: str, number: int, picture: Image.Image, longest: int = LARGE
) -> None:
    """Keep a picture, made no larger than this; nothing that stood beside its dots is kept."""
    shown = bare(picture)
    shown.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    save = partial(shown.save, format="WEBP", quality=QUALITY, method=3)
    report.keep(kind, number, "webp", save, shown.size)


def keep_thumbnail(report: Report, picture: Image.Image) -> None:
    """Keep the small picture for lists."""
    keep_picture(report, "thumbnail", 0, picture, THUMBNAIL)


def bare(picture: Image.Image) -> Image.Image:
    """The dots alone, upright, in RGB."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in {"LA", "PA", "RGBA"} or "transparency" in upright.info:
        below = Image.new("RGBA", upright.size, (*PAPER, 255))
        upright = Image.alpha_composite(below, upright.convert("RGBA"))
    elif upright.mode.startswith("I;16") or upright.mode in {"I", "F"}:
        upright = upright.point(lambda value: value / 256).convert("L")
    plain = upright.convert("RGB")
    plain = plain.copy() if plain is picture else plain
    plain.info.clear()
    return plain


def page_of_text(text: str) -> Image.Image:
    """The beginning of a text as it would stand on paper, for a thumbnail."""
    page = Image.new("RGB", (480, 620), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for number, line in enumerate(text.splitlines()[:36]):
        kept = "".join(letter if letter.isprintable() else " " for letter in line[:74])
        draw.text((28, 28 + number * 16), kept, fill=INK, font=font)
    return page


def waves(peaks: list[float]) -> Image.Image:
    """The loudness of a recording over its time, each value between 0 and 1."""
    picture = Image.new("RGB", (640, 160), PAPER)
    draw = ImageDraw.Draw(picture)
    for place, peak in enumerate(peaks[:160]):
        half = max(1, round(peak * 70))
        draw.rectangle((place * 4, 80 - half, place * 4 + 2, 80 + half), fill=FAINT)
    return picture
