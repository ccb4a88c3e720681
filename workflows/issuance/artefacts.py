"""What a person downloads: the badge with the credential inside, the token, and the certificate.

The same credential makes the same bytes; drawing takes a moment, so what was drawn is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.certificate import make_certificate
from credentials.colours import COLOUR, DEFAULT_ACCENT, DEFAULT_COLOUR
from credentials.documents import load_json
from credentials.paper import LABELS
from workflows.frameworks.definition import Definition
from workflows.issuance.queries import CredentialView
from workflows.words import words

PIXELS = 640
_LONGEST_LEVEL = 24


class Branded(Protocol):
    """What says whose colours it wears."""

    @property
    def institution(self) -> str:
        """The institution's name."""

    @property
    def colour(self) -> str:
        """Its colour as it was typed."""

    @property
    def accent(self) -> str:
        """Its second colour as it was typed."""

    @property
    def logo(self) -> bytes:
        """Its logo as PNG; empty without one."""


@dataclass(frozen=True)
class House:
    """An institution as pictures show it, with colours that are some, and its logo as PNG."""

    name: str
    colour: str = DEFAULT_COLOUR
    accent: str = DEFAULT_ACCENT
    logo: bytes = field(default=b"", repr=False)


def house_of(thing: Branded) -> House:
    """Its name, colours and logo; what is no colour is left out."""
    return House(
        thing.institution,
        thing.colour if COLOUR.fullmatch(thing.colour) else DEFAULT_COLOUR,
        thing.accent if COLOUR.fullmatch(thing.accent) else DEFAULT_ACCENT,
        thing.logo,
    )


def level_of(definition: Definition) -> str:
    """The level in a few letters: of the European framework, else the definition's own if short."""
    if definition.elements.eqf_level is not None:
        return f"EQF {definition.elements.eqf_level}"
    return definition.level if len(definition.level) <= _LONGEST_LEVEL else ""


def shown_level(view: CredentialView) -> str:
    """What stands on the badge's cartouche: the level, or that it is a statement."""
    say = words(view.language)
    return level_of(view.definition) if view.whole else say("Statement")


def achievement_svg(definition: Definition, house: House, *, level: str | None = None) -> bytes:
    """The picture of an achievement, without a credential in it."""
    return _drawn(
        BadgeFace(
            definition.title,
            house.name,
            level_of(definition) if level is None else level,
            colour=house.colour,
            accent=house.accent,
            logo=house.logo,
        )
    )


def achievement_png(definition: Definition, house: House) -> bytes:
    """The same as PNG."""
    return _pixels(achievement_svg(definition, house))


def badge_svg(view: CredentialView) -> bytes:
    """The credential's badge with nothing baked in; a statement's says that it is one."""
    return achievement_svg(view.definition, house_of(view), level=shown_level(view))


def badge_picture(view: CredentialView) -> bytes:
    """The same as PNG, for pages."""
    return _pixels(badge_svg(view))


def badge_file(view: CredentialView, kind: str, token: str = "") -> bytes:
    """The badge with the signed credential baked in; `kind` is "png" or "svg".

    Where `token` is given, that is baked in, the credential as VC-JWT.
    """
    inside = token.encode() or view.document
    if kind == "svg":
        return bake_svg(badge_svg(view), inside)
    return bake_png(_pixels(badge_svg(view)), inside)


def certificate(view: CredentialView) -> bytes:
    """The certificate as PDF in the credential's language, the signed credential attached."""
    level = level_of(view.definition) if view.whole else ""
    return _set(
        view.document, badge_svg(view), view.learner, level, house_of(view), language=view.language
    )


def printed_words(language: str) -> Mapping[str, str]:
    """What a certificate says of itself, in a language; English where nobody has put it."""
    say = words(language)
    return {key: say(text) for key, text in LABELS.items()}


@lru_cache(maxsize=128)
def _drawn(face: BadgeFace) -> bytes:
    return draw_badge(face)


@lru_cache(maxsize=64)
def _pixels(svg: bytes) -> bytes:
    return badge_png(svg, PIXELS)


@lru_cache(maxsize=32)
def _set(
    document: bytes, picture: bytes, learner: str, level: str, house: House, *, language: str
) -> bytes:
    return make_certificate(
        load_json(document),
        picture,
        learner=learner,
        level=level,
        colour=house.colour,
        accent=house.accent,
        labels=printed_words(language),
        logo=house.logo,
    )
