"""Our own files: addresses that change with their content, so that they can be kept for ever."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, render_template, request

from app.web.access import frame_if_there, public

blueprint = Blueprint("assets", __name__)

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
OUR_COLOUR = "#0f5266"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def attach(app: Flask) -> None:
    """Give static files hashed addresses, and tell browsers how long each may be kept."""
    app.register_blueprint(blueprint)
    public(app.view_functions["static"])
    app.url_defaults(_add_version)
    app.after_request(_keep_for)


@blueprint.get("/theme.css")
@public
def theme() -> Response:
    """The institution's own colour, as a token for the style sheets."""
    house = frame_if_there().house
    colour = house.colour if house and COLOUR.fullmatch(house.colour) else OUR_COLOUR
    body = render_template("layout/theme.css", colour=colour)
    response = Response(body, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _add_version(endpoint: str, values: dict[str, object]) -> None:
    if endpoint == "static" and "v" not in values:
        path = Path(current_app.static_folder or "") / str(values["filename"])
        if path.is_file():
            values["v"] = _version(path, path.stat().st_mtime_ns)


def _keep_for(response: Response) -> Response:
    """A file asked for by its hash never changes; a module imported by its name may."""
    if request.endpoint == "static" and response.status_code in {200, 304}:
        response.headers["Cache-Control"] = FOR_EVER if "v" in request.args else ASK_AGAIN
    return response


@lru_cache(maxsize=512)
def _version(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
