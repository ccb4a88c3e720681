"""The institution's logo and colours: chosen by the administrator, seen before they are kept."""

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts, public, without_cookies
from app.web.documents import machine_answer
from app.web.forms import Form, Line, messages, parse
from app.web.limits import limited
from app.web.registrar import own_institution
from app.web.security import accepts_up_to
from credentials.colours import COLOUR
from storage.errors import InvalidInput
from workflows.access.permissions import Permission
from workflows.appearance import preview
from workflows.appearance.commands import (
    choose_colours,
    describe_logo,
    take_logo_off,
    wear_logo,
)
from workflows.appearance.queries import appearance_of, logo_picture
from workflows.appearance.rules import MOST_GIVEN, colour_checks

blueprint = Blueprint("appearance", __name__)

FOR_EVER = 365 * 24 * 3600
FORM_OVERHEAD = 64 * 1024


class ColourForm(Form):
    """The two colours."""

    colour: Line = ""
    accent: Line = ""


class LogoForm(Form):
    """What stands for the logo where it cannot be seen."""

    text: Line = ""


@blueprint.get("/logos/<sha256>.png")
@public
@without_cookies
def logo(sha256: str) -> Response:
    """A logo that is worn, or once was. It is what its address says, and never changes."""
    with parts().db.reading() as tx:
        picture = logo_picture(tx, sha256)
    response = machine_answer(picture, "image/png", FOR_EVER)
    response.headers["Cache-Control"] = f"public, max-age={FOR_EVER}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.get("/admin/appearance")
@needs(Permission.MANAGE_APPEARANCE)
def home() -> Response:
    """Logo and colours; with `?colour=` and `?accent=` as they would be, kept or not."""
    return hx.page_or_block("admin/appearance.html", "preview", 200, **_page(_asked()), errors={})


@blueprint.get("/admin/appearance/<any(badge, card, certificate):what>.png")
@needs(Permission.MANAGE_APPEARANCE)
@limited("600 per hour")
def picture(what: str) -> Response:
    """What it would look like."""
    colour, accent = _asked()
    with parts().db.reading() as tx:
        sample = preview.sample_of(tx, own_institution(), colour, accent)
    body = preview.draw(what, sample, parts().site)
    response = Response(body, mimetype="image/png")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/admin/appearance/theme.css")
@needs(Permission.MANAGE_APPEARANCE)
def theme() -> Response:
    """The colour that is tried out, as the style sheets' token."""
    colour = _asked()[0] or _page(("", ""))["colour"]
    return Response(render_template("layout/theme.css", colour=colour), mimetype="text/css")


@blueprint.post("/admin/appearance/colours")
@needs(Permission.MANAGE_APPEARANCE)
def colours() -> AnyResponse:
    """Keep the colours."""
    form = parse(ColourForm)
    try:
        choose_colours(parts().db, actor(), form.colour, form.accent)
    except InvalidInput as error:
        return _again(error, colour=form.colour, accent=form.accent)
    return hx.redirect("appearance.home", _("The colours are kept."))


@blueprint.post("/admin/appearance/logo")
@needs(Permission.MANAGE_APPEARANCE)
@accepts_up_to(MOST_GIVEN + FORM_OVERHEAD)
@limited("60 per hour")
def wear() -> AnyResponse:
    """Wear a logo; without a file, say anew what stands for the one that is worn."""
    form = parse(LogoForm)
    file = request.files.get("logo")
    try:
        if file is not None and file.filename:
            given = file.stream.read(MOST_GIVEN + 1)
            wear_logo(parts().db, parts().confinement, actor(), given, form.text)
        else:
            describe_logo(parts().db, actor(), form.text)
    except InvalidInput as error:
        return _again(error, text=form.text)
    return hx.redirect("appearance.home", _("The logo is kept. New credentials name it."))


@blueprint.post("/admin/appearance/logo/off")
@needs(Permission.MANAGE_APPEARANCE)
def take_off() -> AnyResponse:
    """Wear no logo."""
    take_logo_off(parts().db, actor())
    return hx.redirect("appearance.home", _("No logo is worn from now on."))


def _again(error: InvalidInput, **typed: str) -> Response:
    values = {**_page(("", "")), **typed}
    body = render_template("admin/appearance.html", **values, errors=messages(error))
    return make_response(body, error.status)


def _asked() -> tuple[str, str]:
    """The colours in the address; empty where there are none."""
    asked = (request.args.get(name, "").strip() for name in ("colour", "accent"))
    first, second = (value if COLOUR.fullmatch(value) else "" for value in asked)
    return first, second


def _page(asked: tuple[str, str]) -> dict[str, object]:
    with parts().db.reading() as tx:
        own = appearance_of(tx, own_institution())
    colour, accent = asked[0] or own.colour, asked[1] or own.accent
    return {
        "own": own,
        "colour": colour,
        "accent": accent,
        "tried": (colour, accent) != (own.colour, own.accent),
        "checks": colour_checks(colour, accent),
        "text": own.logo.text if own.logo else "",
    }
