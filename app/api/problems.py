"""How the API says no: problem details (RFC 9457), one shape for every refusal and failure."""

import json
from collections.abc import Mapping

from flask import Response, request
from flask_babel import gettext

from app.api import imsx
from app.api.auth import ScopeMissing, challenge
from app.oauth import answers as oauth
from storage.errors import AssayError
from storage.events import request_id
from workflows.words import marked

UNDER = ("/api/", "/vc/", imsx.UNDER)
MEDIA_TYPE = "application/problem+json"
ADVICE: Mapping[int, str] = {
    400: marked("This is not a request that can be read."),
    404: marked("There is nothing here, or it is not yours to see."),
    405: marked("This address does not take this method; Allow says which it takes."),
    413: marked("The body of this request is too large."),
    415: marked("Send JSON, and say so: Content-Type: application/json."),
    429: marked("You call more often than is allowed. Wait as Retry-After says, then go on."),
    500: marked("Something went wrong on our side; tell us the request_id if it stays so."),
}


def asked_for_api() -> bool:
    """Whether this request was for the API, also where it has no such address."""
    return request.path.startswith(UNDER) or oauth.asked_by_program()


def problem(status: int, title: str, detail: str, problems: Mapping[str, str]) -> Response:
    """The answer. `problems` has the words for each field of what was sent."""
    if request.path.startswith(imsx.UNDER):
        return imsx.refusal(status, detail, problems)
    if oauth.asked_by_program():
        return oauth.refusal(status, detail, problems)
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "problems": dict(problems),
        "request_id": request_id.get(),
    }
    return Response(json.dumps(body), status, mimetype=MEDIA_TYPE)


def advice(status: int) -> str:
    """What to do about a refusal that has no words of its own."""
    return str(gettext(ADVICE.get(status, ADVICE[400])))


def add_headers(response: Response, error: AssayError) -> Response:
    """Tell programs how to come in, where that is what they lack (RFC 6750)."""
    if asked_for_api() and (error.status == 401 or isinstance(error, ScopeMissing)):
        response.headers["WWW-Authenticate"] = challenge(error)
    return response
