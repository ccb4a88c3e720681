"""In which language and colours a page is shown: the visitor's choice, else what fits them."""

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, request, url_for
from flask_babel import Babel, Domain, get_locale

from app.web.access import cookie_name, frame_if_there
from workflows.words import SOURCE_LOCALE, catalogue, known_locales

LOCALE_COOKIE = "assay_locale"
THEME_COOKIE = "assay_theme"
THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 3600


class Catalogues(Domain):  # type: ignore[misc]  # flask_babel has no types
    """Messages of the request's locale, from the same catalogues as mails and errors."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of this request's language."""
        locale = get_locale()
        return catalogue(str(locale) if locale else SOURCE_LOCALE)


def attach(app: Flask) -> None:
    """Give pages their language."""
    babel = Babel(app, default_locale=SOURCE_LOCALE, locale_selector=chosen_locale)
    babel.domain_instance = Catalogues()


def chosen_locale() -> str:
    """The language of this request: chosen here, kept in the account, or asked by the browser."""
    known = known_locales()
    chosen = request.cookies.get(cookie_name(LOCALE_COOKIE), "")
    asker = frame_if_there().viewer or frame_if_there().holder
    for wish in (chosen, asker.locale if asker else ""):
        if wish in known:
            return wish
    return request.accept_languages.best_match(known, default=SOURCE_LOCALE) or SOURCE_LOCALE


def chosen_theme() -> str | None:
    """Light or dark, where the visitor chose; the page's own script keeps the choice."""
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in THEMES else None


def choices() -> list[tuple[str, str, str]]:
    """The languages to choose from: code, its own name, and the address that chooses it."""
    here = request.full_path.rstrip("?")
    return [
        (code, native_name(code), url_for("account.language", locale=code, next=here))
        for code in known_locales()
    ]


def native_name(code: str) -> str:
    """What a language calls itself."""
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]
