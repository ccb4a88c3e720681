"""The words people read, in their language: gettext without a request.

    say = words(account.locale)
    say("Your case %(number)s was submitted.", number=case.number)

`marked` names a message where it is data; messages of AssayError, Problem and Answer are found by
the extractor without it (see `app/translations/`). Catalogues are read as the translators leave
them (.po), so there is nothing to compile and nothing to forget. What documents that leave the
house say of themselves is in catalogues of its own: a credential may speak a language in which
no page is offered.
"""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

CATALOGUES = Path(__file__).resolve().parents[1] / "app" / "translations"
SOURCE_LOCALE = "en"
PAGES, DOCUMENTS = "messages", "documents"


class Say(Protocol):
    """Puts a message id into a language and fills its places."""

    def __call__(self, message: str, /, **params: str | int) -> str:
        """The message in words."""
        ...


def words(locale: str = SOURCE_LOCALE) -> Say:
    """What says messages in a locale; a message without a translation stays English."""
    messages = catalogue(locale)

    def say(message: str, /, **params: str | int) -> str:
        return filled(messages.gettext(message), params)

    return say


def filled(text: str, params: Mapping[str, str | int]) -> str:
    """The text with its `%(name)s` places filled; without params it is left as it is."""
    return text % params if params else text


def marked(message: str) -> str:
    """The message itself, marked for the extractor."""
    return message


@lru_cache(maxsize=1)
def known_locales() -> tuple[str, ...]:
    """English, and every language that has a catalogue."""
    found = sorted(path.parents[1].name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE_LOCALE, *(locale for locale in found if locale != SOURCE_LOCALE))


@lru_cache(maxsize=32)
def catalogue(locale: str) -> NullTranslations:
    """The messages of a locale; one that says everything in English when there is none."""
    language = locale.partition("-")[0].partition("_")[0]
    if language == SOURCE_LOCALE or not (language.isascii() and language.isalpha()):
        return NullTranslations()
    papers = _read(language, DOCUMENTS)
    if locale not in known_locales():
        return papers
    pages = _read(locale, PAGES)
    pages.add_fallback(papers)
    return pages


def _read(locale: str, domain: str) -> NullTranslations:
    """A catalogue as its translators left it; an empty one where there is none."""
    path = CATALOGUES / locale / "LC_MESSAGES" / f"{domain}.po"
    if not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)
