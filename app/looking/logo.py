"""A logo drawn anew as a PNG of our own making: the task that runs confined.

Of what was given only dots remain: no script, no address, no note of a camera.
"""

import io
import re
from collections.abc import Mapping
from xml.etree.ElementTree import tostring

from defusedxml.ElementTree import fromstring
from PIL import Image, ImageOps, WebPImagePlugin

from workflows.appearance.drawing import BOX, LEAST_SIDE, MOST_BYTES, Refused
from workflows.confining import Json, JsonObject, Place

# importing a format's plugin is what makes Pillow know it
PLUGINS = (WebPImagePlugin,)
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_DOTS = 40_000_000
NAME = "logo.png"
SVG = re.compile(rb"<(?:[\w-]+:)?svg[\s>]", re.IGNORECASE)
LETTERS = re.compile(rb"<(?:[\w-]+:)?text[\s>]", re.IGNORECASE)
PICTURES = ("image", "feImage")
SMALLER = 0.8


def draw(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Draw it into the folder; the answer has its size, or why there is none."""
    if place.source is None or place.folder is None:
        raise ValueError("a logo needs a file and a folder")
    data = place.source.read()
    try:
        picture = _opened(data)
    except _No as no:
        return {"refused": no.why.value}
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError):
        return {"refused": Refused.UNREADABLE.value}
    drawn, size = _as_png(picture)
    (place.folder / NAME).write_bytes(drawn)
    return {"width": size[0], "height": size[1]}


class _No(Exception):
    """It cannot be a logo, and why."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why)
        self.why = why


def _opened(data: bytes) -> Image.Image:
    if SVG.search(data[:4096]):
        picture = _of_svg(data)
    else:
        Image.MAX_IMAGE_PIXELS = None  # bounded here
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MOST_DOTS:
            raise _No(Refused.TOO_MANY_DOTS)
        if max(picture.size) < LEAST_SIDE:
            raise _No(Refused.TOO_SMALL)
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    filled = upright.getbbox()
    if filled is None:
        raise _No(Refused.EMPTY)
    return upright.crop(filled)


def _of_svg(data: bytes) -> Image.Image:
    """The drawing, as large as a logo is kept; letters would need fonts that are not here."""
    from resvg_py import svg_to_bytes

    if LETTERS.search(data):
        raise _No(Refused.LETTERS)
    text = _alone(data)
    first = Image.open(io.BytesIO(svg_to_bytes(svg_string=text, width=64, skip_system_fonts=True)))
    scale = min(BOX[0] / first.width, BOX[1] / first.height)
    wanted = max(1, round(first.width * scale))
    return Image.open(
        io.BytesIO(svg_to_bytes(svg_string=text, width=wanted, skip_system_fonts=True))
    )


def _alone(data: bytes) -> str:
    """The drawing without the pictures that it names elsewhere: resvg would read them from the
    machine's own files where no wall keeps it from them."""
    root = fromstring(data, forbid_entities=False)
    for element in root.iter():
        if str(element.tag).rpartition("}")[2] not in PICTURES:
            continue
        for name in [name for name in element.attrib if name.rpartition("}")[2] == "href"]:
            if not element.attrib[name].strip().startswith(("data:", "#")):
                del element.attrib[name]
    return tostring(root, encoding="unicode")


def _as_png(picture: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """The dots alone as PNG, made smaller until they are few enough."""
    bare = Image.frombytes("RGBA", picture.size, picture.tobytes())
    bare.thumbnail(BOX, Image.Resampling.LANCZOS)
    while True:
        out = io.BytesIO()
        bare.save(out, format="PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            return out.getvalue(), bare.size
        smaller = tuple(max(1, round(side * SMALLER)) for side in bare.size)
        bare = bare.resize((smaller[0], smaller[1]), Image.Resampling.LANCZOS)
