"""How often one may try. Counted in Valkey; while it is away, in this process.

@blueprint.post("/sign-in")
@limited("10 per 15 minutes", by=account_named)
@limited("60 per 15 minutes")
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from app.settings import Settings
from app.web.access import View, actor, marked
from storage.ids import token_hash

MARK = "limits"
STORAGE_OPTIONS: dict[str, str | int] = {"socket_connect_timeout": 1, "socket_timeout": 2}


@dataclass(frozen=True)
class Limit:
    """So many requests in so much time, per whatever `by` says."""

    rate: str | Callable[[], str]
    by: Callable[[], str]
    scope: str


def address() -> str:
    """Whence the request came."""
    return request.remote_addr or "nowhere"


def person() -> str:
    """Who asks, or whence where nobody is signed in."""
    return str(actor().account_id or address())


def account_named() -> str:
    """The account that the form names, known or not; its address is kept nowhere."""
    return token_hash(request.form.get("email", "").strip().lower())


def account_named_from_here() -> str:
    """The account that the form names, asked for from this address."""
    return f"{account_named()}:{address()}"


def limited(
    rate: str | Callable[[], str], by: Callable[[], str] = address, scope: str = ""
) -> Callable[[View], View]:
    """Mark a view with a limit; views with the same `scope` share it."""

    def mark(view: View) -> View:
        limits = (*marked(view, MARK, ()), Limit(rate, by, scope))
        setattr(view, MARK, limits)
        return view

    return mark


def attach(app: Flask, settings: Settings) -> None:
    """Hold every marked view to its limits; call it when all views are there."""
    limiter = Limiter(
        address,
        app=app,
        storage_uri=settings.redis_url or "memory://",
        storage_options=STORAGE_OPTIONS if settings.redis_url else {},
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="assay",
        strategy="sliding-window-counter",
    )
    for endpoint, view in list(app.view_functions.items()):
        held: Callable[..., Any] = view
        for limit in marked(view, MARK, ()):
            scope = limit.scope or endpoint
            held = limiter.shared_limit(limit.rate, scope=scope, key_func=limit.by)(held)
        app.view_functions[endpoint] = held
