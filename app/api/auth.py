"""Who calls by an access token, and for what: read from the request, refused in words.

A request with `Authorization: Bearer …` is its token's and nothing else's: cookies do not count
then, so it needs no form token, and nobody is signed in by it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import current_app, request

from storage.errors import AssayError, Forbidden
from workflows.people.tokens import TokenHolder, TokenScope

View = TypeVar("View", bound=Callable[..., Any])

REALM = "Assay"


class TokenRefused(AssayError):
    """The token is not one of ours, has expired or was revoked (401)."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            "This access token does not open anything: it is mistyped, has expired or was revoked. "
            "Make a new one on the page of your account."
        )


class ScopeMissing(Forbidden):
    """The token lives, and was not made for this (403)."""

    def __init__(self, scope: StrEnum) -> None:
        super().__init__(
            "This access token was not made for this: it lacks %(scope)s.", {"scope": scope.value}
        )
        self.scope = scope


def takes_token(scope: TokenScope | None) -> Callable[[View], View]:
    """Mark a view that programs may call with a token of this scope; None: of any."""

    def mark(view: View) -> View:
        view.takes_token = True  # type: ignore[attr-defined]
        view.token_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def bearer_token() -> str | None:
    """The token this request was sent with; None where there is none, or the view takes none."""
    view = current_app.view_functions.get(request.endpoint) if request.endpoint else None
    if not getattr(view, "takes_token", False):
        return None
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def hold_to_scope(holder: TokenHolder | None, view: Callable[..., Any]) -> None:
    """Return when the token may be used for this view. Raises TokenRefused, ScopeMissing."""
    if holder is None:
        raise TokenRefused
    scope: TokenScope | None = getattr(view, "token_scope", None)
    if scope is not None and scope not in holder.scopes:
        raise ScopeMissing(scope)


def challenge(error: AssayError) -> str:
    """What `WWW-Authenticate` says to a refusal (RFC 6750, section 3)."""
    if isinstance(error, TokenRefused):
        return f'Bearer realm="{REALM}", error="invalid_token"'
    if isinstance(error, ScopeMissing):
        return f'Bearer realm="{REALM}", error="insufficient_scope", scope="{error.scope.value}"'
    return f'Bearer realm="{REALM}"'
