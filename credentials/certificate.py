"""The printed certificate: a tagged PDF/A-3 with the signed JSON attached and a QR to its page.

What it prints is read from the signed document itself, so paper and credential cannot disagree.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

import segno
import typst

from credentials.badge import TEMPLATES
from credentials.colours import DEFAULT_ACCENT, DEFAULT_COLOUR, checked_colour, dark_enough
from credentials.documents import JsonObject, dump_json
from credentials.errors import Malformed
from credentials.fonts import FAMILIES, drawable, fonts_for
from credentials.logos import framed
from credentials.paper import LABELS, CertificateFace, awarded_at, certificate_face

if TYPE_CHECKING:
    from typst import PDFStandard

__all__ = ["LABELS", "CertificateFace", "certificate_face", "draw_first_page", "make_certificate"]

_ON_PAPER = 5.5
"""The contrast of what is written in the institution's colours."""


def make_certificate(
    document: JsonObject,
    badge: bytes,
    *,
    learner: str = "",
    level: str = "",
    colour: str = DEFAULT_COLOUR,
    accent: str = DEFAULT_ACCENT,
    labels: Mapping[str, str] | None = None,
    logo: bytes = b"",
) -> bytes:
    """The certificate of a signed credential as PDF/A-3a and PDF/UA-1, its JSON attached.

    Letters that no font at hand has are left out, as both standards forbid them; what cannot be
    made to fit the standards all the same becomes a tagged PDF 1.7, rather than none.

    `badge` is the unbaked SVG. `learner` is the name to print if the credential holds none in
    plain; `level` an overall level, if the definition has one; `logo` a PNG; `labels` the words
    of LABELS in the credential's language. The same input gives the same bytes. Raises Malformed
    if the document is not a badge or cannot be set.
    """
    words = {**LABELS, **(labels or {})}
    colours = (dark_enough(colour, _ON_PAPER), checked_colour(accent))
    face = certificate_face(document, words, learner, level, colours)
    inputs = _inputs(face, words, badge, logo)
    inputs["credential"] = dump_json(document).decode()
    timestamp = awarded_at(document)
    fonts = fonts_for(inputs["face"])
    try:
        return _compile(inputs, ["a-3a", "ua-1"], timestamp, fonts)
    except typst.TypstError:
        pass
    try:
        return _compile(inputs, ["1.7"], timestamp, fonts)
    except typst.TypstError as error:
        raise Malformed("The certificate cannot be set: %(why)s", why=error.message) from None


def draw_first_page(
    face: CertificateFace, badge: bytes, labels: Mapping[str, str], logo: bytes = b""
) -> bytes:
    """The first page as a PNG of 595 by 842, to see what paper will look like. Raises Malformed."""
    colour, accent = dark_enough(face.colour, _ON_PAPER), checked_colour(face.accent)
    shown = replace(face, colour=colour, accent=accent)
    inputs = _inputs(shown, {**LABELS, **labels}, badge, logo)
    try:
        pages = typst.compile(
            TEMPLATES / "certificate.typ",
            format="png",
            ppi=72,
            sys_inputs={**inputs, "credential": "{}"},
            font_paths=fonts_for(inputs["face"]),
        )
    except typst.TypstError as error:
        raise Malformed("The certificate cannot be set: %(why)s", why=error.message) from None
    return pages[0] if isinstance(pages, list) else pages


def _inputs(
    face: CertificateFace, words: Mapping[str, str], badge: bytes, logo: bytes
) -> dict[str, str]:
    return {
        "face": json.dumps(_printed(face, words), ensure_ascii=False),
        "badge": badge.decode(),
        "qr": _qr(face.address, face.colour),
        "logo": framed(logo),
    }


def _printed(face: CertificateFace, words: Mapping[str, str]) -> dict[str, object]:
    """The face as the template reads it: with words that may break, a direction, an accent to
    write in; letters that no font has would make no PDF/A, and are left out."""
    return {
        **_drawable(asdict(face)),
        "labels": dict(words),
        "direction": "rtl" if face.right_to_left else "ltr",
        "families": FAMILIES,
        "accent_ink": dark_enough(face.accent, _ON_PAPER),
    }


def _drawable(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _drawable_value(value) for name, value in values.items()}


def _drawable_value(value: object) -> object:
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, Mapping):
        return _drawable(value)
    if isinstance(value, Sequence):
        return [_drawable_value(one) for one in value]
    return value


def _compile(
    inputs: dict[str, str],
    standards: "list[PDFStandard]",
    timestamp: datetime,
    fonts: typst.Fonts,
) -> bytes:
    return typst.compile(
        TEMPLATES / "certificate.typ",
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=standards,
        timestamp=timestamp,
        font_paths=fonts,
    )


def _qr(address: str, colour: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=0, dark=colour)
    return drawn.getvalue().decode()
