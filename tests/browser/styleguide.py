"""Serves the style guide alone: the real templates and static files, without database or people."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    render_template,
    render_template_string,
    request,
)
from flask_babel import Babel

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

MINIMAL = """{% extends "layout/minimal.html" %}
{% from "macros/feedback.html" import notice %}
{% block heading %}<h1>{{ _('What did you see?') }}</h1>{% endblock %}
{% block content %}{{ notice('info', text=_('About eight minutes.')) }}{% endblock %}"""


@dataclass(frozen=True)
class Viewer:
    """The person whose page it is, as templates see one."""

    name: str
    roles: list[str]
    initials: str


@dataclass(frozen=True)
class Institution:
    """The institution, as templates see one."""

    name: str


def styleguide_app() -> Flask:
    """An app with one page under the policy of the real one.

    The cookies `assay_theme` and `colour` change its looks.
    """
    app = Flask(__name__, template_folder=ROOT / "templates", static_folder=ROOT / "app" / "static")
    app.secret_key = "for a page that keeps nothing"
    Babel(app)
    app.jinja_env.globals["csrf_token"] = lambda: "token"
    app.add_url_rule("/", view_func=_guide)
    app.add_url_rule("/minimal", view_func=_minimal)
    app.add_url_rule("/theme.css", view_func=_theme)
    app.add_url_rule("/autosave", view_func=_autosave, methods=["POST"])
    app.after_request(_with_policy)
    return app


def _guide() -> str:
    flash("Saved. The change stands in the history.", "good")
    return render_template("layout/styleguide.html", **_context())


def _minimal() -> str:
    return render_template_string(MINIMAL, **_context())


def _context() -> dict[str, object]:
    return {
        "institution": Institution("Northern Lakes College"),
        "viewer": Viewer("Imani Okafor", ["Learner"], "IO"),
        "nav": [("Home", "/", True), ("My cases", "#", False), ("Credentials", "#", False)],
        "locales": [("en", "English", "?lang=en"), ("fr", "Français", "?lang=fr")],
        "locale": "en",
        "theme": request.cookies.get("assay_theme"),
        "demo": True,
        "at": datetime(2026, 4, 2, 14, 2, tzinfo=UTC),
    }


def _autosave() -> str:
    token = request.headers.get("X-CSRF-Token")
    words = f"Saved {request.form['reason']}" if token == "token" else "No token"
    macros = current_app.jinja_env.get_template("macros/forms.html").module
    return str(macros.saved_note("saved", words))  # type: ignore[attr-defined]


def _theme() -> Response:
    colour = request.cookies.get("colour", "#0f5266")
    return Response(render_template("layout/theme.css", colour=colour), mimetype="text/css")


def _with_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response
