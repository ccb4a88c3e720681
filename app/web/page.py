"""What the frame of every page is given: institution, viewer, the way around, the choices."""

from flask import Flask
from flask_babel import get_locale

from app.web.access import frame_if_there, parts
from app.web.i18n import choices, chosen_theme
from app.web.nav import navigation, shown_viewer
from app.web.security import csrf_token


def attach(app: Flask) -> None:
    """Give templates their frame."""
    app.context_processor(_frame)
    app.jinja_env.globals["csrf_token"] = csrf_token


def _frame() -> dict[str, object]:
    return {
        "institution": frame_if_there().house,
        "viewer": shown_viewer(),
        "nav": navigation(),
        "locale": str(get_locale() or "en"),
        "locales": choices(),
        "theme": chosen_theme(),
        "demo": parts().settings.demo,
    }
