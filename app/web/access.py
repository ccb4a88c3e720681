"""Which permission a page needs, and who asks. What carries no mark is refused to everyone.

    @blueprint.get("/cases/<uuid:case_id>")
    @needs(Permission.VIEW_CASE, of="case_id")
    def case(case_id: UUID) -> str: ...

`of` names the variable of the address whose thing the permission is asked for; `LOADERS` says how
each is found. The mark is put on the view; `guard` reads it before every request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request

from app import logs
from app.api.auth import bearer_token, hold_to_scope
from app.container import Container
from storage.database import Transaction
from storage.errors import AssayError, Unavailable
from workflows.access.commands import record_refusal
from workflows.access.permissions import Permission
from workflows.access.resources import (
    Asked,
    resource_of_assignment,
    resource_of_attestation,
    resource_of_case,
    resource_of_credential,
    resource_of_endorsement,
    resource_of_item,
    resource_of_sheet,
    resource_of_upload,
)
from workflows.access.rules import NOTHING, VISITOR, Actor, Resource, may, require
from workflows.people.queries import House, house
from workflows.people.sessions import TOUCH_EVERY, Viewer, touch_session, viewer_of
from workflows.people.tokens import TokenHolder, holder_of_token, touch_token

View = TypeVar("View", bound=Callable[..., Any])
Loader = Callable[[Transaction, Any, Asked], Resource]

log = logs.get(__name__)

EXTENSION = "assay"
SESSION_COOKIE = "assay_session"

LOADERS: Mapping[str, Loader] = {
    "case_id": resource_of_case,
    "item_id": resource_of_item,
    "upload_id": resource_of_upload,
    "assignment_id": resource_of_assignment,
    "sheet_id": resource_of_sheet,
    "attestation_id": resource_of_attestation,
    "credential_id": resource_of_credential,
    "endorsement_id": resource_of_endorsement,
}


class SignInFirst(AssayError):
    """Nobody is signed in, or not any more (401)."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Please sign in first.")


@dataclass(frozen=True)
class Frame:
    """What every page knows: whose house it is, and who looks."""

    house: House | None = None
    viewer: Viewer | None = None
    holder: TokenHolder | None = None


def needs(permission: Permission, of: str | None = None) -> Callable[[View], View]:
    """Mark a view with its permission, and the variable of its address that names the thing."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        view.of = of  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view as one that anybody may see."""
    return needs(Permission.VIEW_PUBLIC)(view)


def without_cookies(view: View) -> View:
    """Mark a view for machines: cookies do not count there, so it needs no form token."""
    view.without_cookies = True  # type: ignore[attr-defined]
    return view


def marked(view: Callable[..., Any], mark: str, default: object = None) -> Any:
    """What a view is marked with."""
    return getattr(view, mark, default)


def current_view() -> Callable[..., Any] | None:
    """The view that will answer this request; None when there is no such page."""
    return current_app.view_functions.get(request.endpoint) if request.endpoint else None


def parts() -> Container:
    """The parts of the house, for commands and queries."""
    return cast(Container, current_app.extensions[EXTENSION])


def actor() -> Actor:
    """Who asks, by session or token, with the roles held now; a visitor when it is nobody."""
    known = frame().viewer or frame().holder
    return known.actor if known else VISITOR


def resource() -> Resource:
    """The thing that this request's permission was asked for."""
    return cast(Resource, g.get("resource", NOTHING))


def frame() -> Frame:
    """House and viewer, read once a request. Raises Unavailable while the database is away."""
    if "frame" not in g:
        g.frame = _read_frame()
    return cast(Frame, g.frame)


def frame_if_there() -> Frame:
    """House and viewer, or an empty frame while the database is away."""
    try:
        return frame()
    except Unavailable:
        g.frame = Frame()
        return Frame()


def forget_frame() -> None:
    """Read the viewer anew: a session began or ended in this request."""
    g.pop("frame", None)


def guard() -> None:
    """Refuse the request unless its view is marked and the asker may.

    Raises SignInFirst, TokenRefused, Forbidden, NotFound.
    """
    view = current_view()
    if view is None:
        return
    permission = marked(view, "permission")
    if permission is None:
        raise RuntimeError(f"The view {request.endpoint} names no permission.")
    if bearer_token() is not None:
        hold_to_scope(frame().holder, view)
    if may(VISITOR, permission).allowed:
        return
    if actor().account_id is None:
        raise SignInFirst
    _require(permission, marked(view, "of"))


def attach(app: Flask, container: Container) -> None:
    """Give the application its parts and its guard."""
    app.extensions[EXTENSION] = container
    app.before_request(guard)


def cookie_name(name: str) -> str:
    """A cookie's name: with https, one that no other host can set."""
    secure = parts().settings.public_url.startswith("https://")
    return f"__Host-{name}" if secure else name


def session_token() -> str:
    """The token that the browser sent, or ''."""
    view = current_view()
    without = view is not None and marked(view, "without_cookies", False)
    if without or bearer_token() is not None:
        return ""
    return request.cookies.get(cookie_name(SESSION_COOKIE), "")


def _require(permission: Permission, of: str | None) -> None:
    """Ask for every thing named. Reaching for what is not one's own is written down."""
    for thing in _things_named(permission, of):
        answer = may(actor(), permission, thing)
        if of is not None and not answer.allowed and not answer.known:
            named = (request.view_args or {})[of]
            record_refusal(parts().db, actor(), permission, (of.removesuffix("_id"), named))
            log.warning("access refused", permission=permission.value, of=of)
        require(answer)


def _things_named(permission: Permission, of: str | None) -> list[Resource]:
    """The thing of the permission, and whatever else the address names: it must be allowed too,
    or one's own case would open the door to another's item."""
    if of is None:
        return [NOTHING]
    named, asked = request.view_args or {}, Asked(actor(), permission)
    with parts().db.reading() as tx:
        g.resource = LOADERS[of](tx, named[of], asked)
        others = [name for name in named if name in LOADERS and name != of]
        return [g.resource, *(LOADERS[name](tx, named[name], asked) for name in others)]


def _read_frame() -> Frame:
    sent = bearer_token()
    if sent is not None:
        return _read_holder(sent)
    token = session_token()
    with parts().db.reading() as tx:
        here = house(tx)
        viewer = viewer_of(tx, token, here.id if here else None) if token else None
        idle_for = tx.now - viewer.seen_at if viewer else None
    if viewer and idle_for and idle_for > TOUCH_EVERY:
        touch_session(parts().db, viewer.session_id)
    return Frame(here, viewer)


def _read_holder(sent: str) -> Frame:
    with parts().db.reading() as tx:
        here = house(tx)
        holder = holder_of_token(tx, sent, here.id if here else None)
        due = holder is not None and holder.due(tx.now)
    if holder is not None and due:
        touch_token(parts().db, holder.token_id)
    return Frame(here, holder=holder)
