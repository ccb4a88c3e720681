"""What protects every page: its host, its forms, its headers, its size, its redirects.

A form is taken when the browser says that it comes from our own pages (Sec-Fetch-Site, Origin) and
when it carries the token of the very session it is sent with.
"""

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.api.auth import bearer_token
from app.web.access import (
    View,
    cookie_name,
    current_view,
    frame_if_there,
    marked,
    parts,
    session_token,
)
from storage.errors import AssayError, Forbidden
from storage.ids import new_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
MOST_FIELDS = 1000
MOST_BODY = 2 * 1024**2
VISITOR_COOKIE = "assay_visitor"
VISITOR_SECONDS = 12 * 3600
OUTDATED = (
    "This form is from before you signed in or out, or from another site. Load the page again "
    "and send it once more."
)


class WrongHost(AssayError):
    """The request came under a name that is not ours (400)."""

    status = 400


def attach(app: Flask) -> None:
    """Check every request and put the headers on every answer."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MOST_BODY // 2
    app.config["MAX_FORM_PARTS"] = MOST_FIELDS
    app.before_request(check_host)
    app.before_request(check_size)
    app.before_request(check_site)
    app.after_request(with_headers)


def check_host() -> AnyResponse | None:
    """Answer only under our own name, so that no link we make leads elsewhere.

    On a machine of one's own, its other names lead to the right one.
    """
    public_url = parts().settings.public_url
    given = request.headers.get("Host", "").lower()
    if _for_machines() or given == urlsplit(public_url).netloc.lower():
        return None
    if request.method not in SAFE_METHODS or not _same_machine(given, public_url):
        raise WrongHost("This address does not belong to this site.")
    return redirect(public_url + request.full_path.rstrip("?"))


def check_size() -> None:
    """Let views that say so take more, and refuse forms of endless fields before they are read."""
    view = current_view()
    largest = marked(view, "max_body") if view is not None else None
    if largest is not None:
        request.max_content_length = largest
    if (request.content_length or 0) > (request.max_content_length or MOST_BODY):
        abort(413)
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    if is_form and request.get_data(cache=True).count(b"&") >= MOST_FIELDS:
        abort(413)


def check_site() -> None:
    """Refuse what another site's page sends with our visitor's cookies. Raises Forbidden."""
    if not _changes_something():
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    own = parts().settings.public_url
    if site not in {None, "same-origin", "none"} or (origin is not None and origin != own):
        raise Forbidden("This was sent from another site, so nothing was done.")


def check_token() -> None:
    """Refuse a form that does not carry its session's token. Raises Forbidden."""
    if not _changes_something():
        return
    # the form is read in any case, so that one that cannot be read ends here and in no view
    in_form = request.form.get("csrf_token", "")
    given = request.headers.get("X-CSRF-Token") or in_form
    bound = _bound_to()
    if not bound or not hmac.compare_digest(given.encode(), token_of(bound).encode()):
        raise Forbidden(OUTDATED)


def csrf_token() -> str:
    """The token for the forms of this page; a visitor gets a cookie that it is bound to."""
    bound = _bound_to()
    if not bound:
        g.new_visitor = bound = new_token()
    return token_of(bound)


def accepts_up_to(size: int) -> Callable[[View], View]:
    """Mark a view that takes bodies of up to so many bytes, such as small files in a form."""

    def mark(view: View) -> View:
        view.max_body = size  # type: ignore[attr-defined]
        return view

    return mark


def local_path(address: str | None) -> str | None:
    """The address when it is a path of this site that one can be sent to; else None."""
    if not address or not address.isprintable() or "\\" in address:
        return None
    split = urlsplit(address)
    if split.scheme or split.netloc or not address.startswith("/") or address.startswith("//"):
        return None
    return address


def absolute_url(endpoint: str, **values: object) -> str:
    """The address of a page as it may stand in a mail: under our own name, whatever was asked."""
    return parts().settings.public_url + url_for(endpoint, **values)  # type: ignore[arg-type]


def with_headers(response: Response) -> Response:
    """Put on every answer what browsers need to be strict."""
    response.headers.setdefault("Content-Security-Policy", _policy())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers["Permissions-Policy"] = _devices()
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Cache-Control", "no-store")
    if _by_https():
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    _keep_visitor(response)
    return response


def set_cookie(response: AnyResponse, name: str, value: str, seconds: int) -> None:
    """A cookie that scripts cannot read and other sites do not send with their forms."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=seconds,
        secure=_by_https(),
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: AnyResponse, name: str) -> None:
    """Take a cookie back."""
    set_cookie(response, name, "", 0)


def uses_devices(view: View) -> View:
    """Mark a view whose page may ask for the camera, the microphone and the screen."""
    view.devices = True  # type: ignore[attr-defined]
    return view


def _devices() -> str:
    """What pages may ask the browser for: nothing, but for the page that records."""
    view = current_view()
    allowed = "(self)" if view is not None and marked(view, "devices", False) else "()"
    rules = dict.fromkeys(("camera", "display-capture", "microphone"), allowed)
    rules |= dict.fromkeys(("geolocation", "payment"), "()")
    return ", ".join(f"{name}={who}" for name, who in rules.items())


def policy_with_form_to(origin: str) -> str:
    """The policy of a page whose form's answer leads on to another site, named by its origin."""
    return _policy(f" {origin}")


def _policy(forms_lead_to: str = "") -> str:
    store = parts().vault.browser_origin
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": f"'self' {store}",
        "media-src": f"'self' {store}",
        "connect-src": f"'self' {store}",
        "worker-src": "'self'",
        "form-action": f"'self'{forms_lead_to}",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _bound_to() -> str:
    """What this browser's forms are bound to: its live session, or its visitor's cookie."""
    if frame_if_there().viewer is not None:
        return session_token()
    new: str = g.get("new_visitor", "")
    return new or request.cookies.get(cookie_name(VISITOR_COOKIE), "")


def token_of(bound: str) -> str:
    """The token of the forms that are bound to a session's or visitor's token."""
    key = parts().settings.secret_key.encode()
    return hmac.new(key, b"csrf:" + bound.encode(), hashlib.sha256).hexdigest()


def _keep_visitor(response: Response) -> None:
    new = g.get("new_visitor")
    if new:
        set_cookie(response, VISITOR_COOKIE, new, VISITOR_SECONDS)


def _for_machines() -> bool:
    view = current_view()
    return view is not None and bool(marked(view, "without_cookies", False))


def _changes_something() -> bool:
    """By a browser's cookies, which go along unasked; an access token is sent on purpose.

    Where there is no such page, or it does not take this method, nothing will change.
    """
    machine = _for_machines() or bearer_token() is not None
    nothing = request.method in SAFE_METHODS or current_view() is None
    return not nothing and not machine


def _by_https() -> bool:
    return parts().settings.public_url.startswith("https://")


def _same_machine(host: str, public_url: str) -> bool:
    """Whether both are names of this very machine, at the same port."""
    own = urlsplit(public_url)
    port = f":{own.port}" if own.port else ""
    return own.hostname in LOOPBACK and host in {name + port for name in LOOPBACK}
