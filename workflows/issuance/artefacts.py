"""What a person downloads: the badge with the credential inside, and the certificate.

The same credential makes the same bytes; drawing takes a moment, so what was drawn is kept.
"""

import re
from functools import lru_cache

from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.certificate import make_certificate
from credentials.documents import load_json
from workflows.issuance.queries import CredentialView

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
PIXELS = 640


def achievement_svg(title: str, institution: str, colour: str) -> bytes:
    """The picture of an achievement, without a credential in it. An odd colour is left out."""
    return _drawn(title, institution, colour if COLOUR.fullmatch(colour) else "")


def achievement_png(title: str, institution: str, colour: str) -> bytes:
    """The same as PNG."""
    return _pixels(achievement_svg(title, institution, colour))


def badge_file(view: CredentialView, kind: str) -> bytes:
    """The badge with the signed credential baked in; `kind` is "png" or "svg"."""
    picture = achievement_svg(view.definition.title, view.institution, view.colour)
    if kind == "svg":
        return bake_svg(picture, view.document)
    return bake_png(_pixels(picture), view.document)


def certificate(view: CredentialView) -> bytes:
    """The certificate as PDF, with the signed credential attached."""
    picture = achievement_svg(view.definition.title, view.institution, view.colour)
    colour = view.colour if COLOUR.fullmatch(view.colour) else ""
    return _set(view.document, picture, view.learner, colour)


@lru_cache(maxsize=128)
def _drawn(title: str, institution: str, colour: str) -> bytes:
    face = BadgeFace(title, institution)
    return draw_badge(BadgeFace(title, institution, colour=colour) if colour else face)


@lru_cache(maxsize=64)
def _pixels(svg: bytes) -> bytes:
    return badge_png(svg, PIXELS)


@lru_cache(maxsize=32)
def _set(document: bytes, picture: bytes, learner: str, colour: str) -> bytes:
    signed = load_json(document)
    if colour:
        return make_certificate(signed, picture, learner=learner, colour=colour)
    return make_certificate(signed, picture, learner=learner)
