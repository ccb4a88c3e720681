"""From errors to answers: a page, a message in the page that stays, or JSON; once, for every view.

No stack trace leaves the house. What went wrong unforeseen is logged with the request's id, and
the id is what the page shows.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app import logs
from app.api import problems as api
from app.web import hx
from app.web.access import SignInFirst, parts
from app.web.security import SAFE_METHODS, local_path
from storage.errors import AssayError, Conflict
from storage.events import request_id
from workflows.words import marked

log = logs.get(__name__)

TITLES: Mapping[int, str] = {
    400: marked("This request makes no sense to us"),
    401: marked("Please sign in"),
    403: marked("This is not yours to do"),
    404: marked("There is nothing here"),
    405: marked("This address does not take that"),
    409: marked("It changed meanwhile"),
    410: marked("This was erased"),
    413: marked("This is too large"),
    415: marked("We cannot read this kind of content"),
    422: marked("Some answers need another look"),
    429: marked("Slower, please"),
    500: marked("Something went wrong on our side"),
    503: marked("A part of the house is away"),
}
ADVICE: Mapping[int, str] = {
    400: marked("Go back and try again from our own pages."),
    404: marked("The address may be mistyped, or the thing is not yours to see."),
    405: marked("Go back and use the page's own buttons."),
    413: marked("Send less at once: fewer fields, shorter texts, or smaller files."),
    415: marked("Go back and use the page's own forms."),
    429: marked("Wait a few minutes, then try again."),
    500: marked("Nothing you did was wrong. What was saved before is safe; please try again."),
}
LOGGED = frozenset({401, 403, 429})


def attach(app: Flask) -> None:
    """Answer every error of this application."""
    app.register_error_handler(SignInFirst, sign_in_first)
    app.register_error_handler(AssayError, known_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unforeseen_error)


def sign_in_first(error: SignInFirst) -> AnyResponse:
    """Ask who it is, and come back afterwards."""
    if api.asked_for_api():
        return api.add_headers(_answer(error.status, gettext(error.message), {}), error)
    if _wants_json():
        return _json(error.status, gettext(error.message), {})
    back = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    if hx.by_htmx():
        back = local_path(_path_of(request.headers.get("HX-Current-URL", "")))
    address = url_for("account.sign_in", next=back)
    if hx.by_htmx():
        return Response(status=401, headers={"HX-Redirect": address})
    return hx.redirect_to(address)


def known_error(error: AssayError) -> AnyResponse:
    """Tell what the rules said, in the person's words."""
    if error.status in LOGGED or error.status >= 500:
        log.info("refused", status=error.status, rule=_rule(), error=type(error).__name__)
    words = gettext(error.message, **error.params)
    problems = {one.field: gettext(one.message, **one.params) for one in error.problems}
    response = _answer(error.status, words, problems, reload=isinstance(error, Conflict))
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "10"
    return api.add_headers(response, error)


def http_error(error: HTTPException) -> AnyResponse:
    """Answer what Flask itself refuses: no such page, wrong method, too much, too often."""
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if status in LOGGED:
        log.info("refused", status=status, rule=_rule(), error=type(error).__name__)
    response = _answer(status, _advice(status), {})
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    if isinstance(error, RateLimitExceeded) and error.limit is not None:
        # when the whole window has passed, at the latest
        response.headers["Retry-After"] = str(error.limit.limit.get_expiry())
    return response


def unforeseen_error(error: Exception) -> AnyResponse:
    """Log everything, tell nothing but the number under which it was logged."""
    log.error("unforeseen error", rule=_rule(), exc_info=error)
    try:
        return _answer(500, _advice(500), {})
    except Exception as worse:  # whatever broke the page may break the page that tells of it
        log.error("the page of errors failed too", exc_info=worse)
        return Response(f"{TITLES[500]}. {request_id.get()}", 500, mimetype="text/plain")


def _answer(
    status: int, words: str, problems: Mapping[str, str], *, reload: bool = False
) -> Response:
    if api.asked_for_api():
        return api.problem(status, gettext(TITLES.get(status, TITLES[400])), words, problems)
    if _wants_json():
        return _json(status, words, problems)
    context = {
        "status": status,
        "title": gettext(TITLES.get(status, TITLES[400])),
        "words": words,
        "problems": problems,
        "reload": reload,
        "back": local_path(_path_of(request.headers.get("Referer", ""))) or "/",
        "reference": request_id.get() if status >= 500 else "",
    }
    if not hx.is_partial():
        return make_response(render_template("errors/error.html", **context), status)
    if request.method in SAFE_METHODS and status in {401, 403, 404, 410}:
        # a page that polls has lost its right: it is loaded anew, says why, and polls no more
        return hx.reload_page(status)
    return hx.into_messages(render_template("errors/message.html", **context), status)


def _json(status: int, words: str, problems: Mapping[str, str]) -> Response:
    body = {"status": status, "error": words, "problems": dict(problems)}
    response = jsonify(body | {"request_id": request_id.get()})
    response.status_code = status
    return response


def _advice(status: int) -> str:
    return api.advice(status) if api.asked_for_api() else gettext(ADVICE.get(status, ADVICE[400]))


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json" and accepted[best] > accepted["text/html"]


def _rule() -> str:
    """The rule and not the path: paths may hold single-purpose tokens."""
    return request.url_rule.rule if request.url_rule else "(none)"


def _path_of(address: str) -> str:
    """The path of an address of our own page, as the browser tells it."""
    own = parts().settings.public_url
    return address.removeprefix(own) if address.startswith(f"{own}/") else ""
