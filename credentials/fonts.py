"""The letters of badges, certificates and cards: fonts of packages, so that machines draw alike.

Typst brings Latin, Greek, Cyrillic and Hebrew; the packages below Arabic, Devanagari, Thai, and
Chinese, Japanese, Korean. The machine's own fonts are asked only for letters that none of these
has, and a letter that nobody has is left out: a hollow box says less than nothing.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import typst

from credentials.canonical import screen_text

PACKAGES = (
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_thai",
    "noto_cjk_sans_jp_regular",
)
FAMILIES = (
    "Libertinus Serif",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Sans CJK JP",
)
"""In this order; the drawings' templates name the same."""

_TRIAL = b"""#set text(font: json(bytes(sys.inputs.families)))
#set page(width: auto, height: auto)
#sys.inputs.text"""


def fonts_for(*texts: str) -> typst.Fonts:
    """The packages' fonts, and the machine's own beside them if a letter needs those."""
    return fonts_at_hand(all(has_font(text, everything=False) for text in texts))


def drawable(text: str) -> str:
    """The text without the letters that no font here has. Raises Malformed as signing would."""
    screen_text(text)
    if has_font(text, everything=True):
        return text
    return "".join(letter for letter in text if has_font(letter, everything=True))


@lru_cache(maxsize=2)
def fonts_at_hand(pinned: bool) -> typst.Fonts:
    """Typst's and the packages' fonts; the machine's too unless `pinned`."""
    return typst.Fonts(include_system_fonts=not pinned, font_paths=font_folders())


def font_folders() -> list[Path]:
    """Where the packages' fonts are; a package that is missing is left out."""
    found = (find_spec(name) for name in PACKAGES)
    return [Path(spec.origin).parent for spec in found if spec is not None and spec.origin]


@lru_cache(maxsize=8192)
def has_font(text: str, *, everything: bool) -> bool:
    """Whether there is a font for every letter: PDF/A is not made of text that has none."""
    if text.isascii() or not text.strip():
        return True
    try:
        typst.compile(
            _TRIAL,
            format="pdf",
            font_paths=fonts_at_hand(not everything),
            sys_inputs={"text": text, "families": _FAMILIES},
            pdf_standards=["a-2b"],
        )
    except typst.TypstError:
        return False
    return True


_FAMILIES = "[" + ", ".join(f'"{family}"' for family in FAMILIES) + "]"
