"""The Open Badges 3.0 API of 1EdTech: a learner's credentials and profile, for their programs.

Every call but discovery carries the access token of a program that the learner connected, in the
Authorization header and nowhere else.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import UnsupportedMediaType

from app.api.auth import ScopeMissing, TokenRefused
from app.api.discovery import service_description
from app.api.paging import Page, page_asked
from app.web.access import frame, parts, public, without_cookies
from app.web.documents import LONG, machine_answer
from app.web.limits import address, limited
from app.web.security import absolute_url, accepts_up_to
from app.web.verify import FETCHER
from credentials.documents import MAX_BYTES, JsonObject, dump_json, load_json
from credentials.errors import CredentialError
from credentials.fetching import Fetcher
from storage.errors import AssayError, InvalidInput
from storage.ids import AccountId, token_hash
from workflows.access.permissions import Permission
from workflows.access.rules import acting
from workflows.brought.commands import Became, bring_credential
from workflows.brought.queries import credentials_for_program
from workflows.people.queries import own_account
from workflows.programs.commands import change_profile, touch_program
from workflows.programs.profile import changed_name, profile_of
from workflows.programs.queries import ProgramHolder, holder_of_program_token
from workflows.programs.rules import ProgramScope
from workflows.words import marked

blueprint = Blueprint("openbadges", __name__, url_prefix="/ims/ob/v3p0")

P = ParamSpec("P")

TOKEN = "text/plain"  # noqa: S105  # a media type
DOCUMENTS = ("application/json", "application/vc+ld+json", "application/vc", "application/ld+json")
AS_WHAT = marked(
    "Send a signed token (JWT) as text/plain, and a credential with its proof in it as "
    "application/json."
)
LARGEST_PROFILE = 64 * 1024
STATUS = {Became.CREATED: 201, Became.REPLACED: 200, Became.UNCHANGED: 304}


class ProgramRefused(TokenRefused):
    """No access token of a connected program, or one that opens nothing any more (401)."""

    def __init__(self) -> None:
        super().__init__()
        self.message = (
            "Send the access token of a connected program as Authorization: Bearer. One that has "
            "expired is refreshed; one that was withdrawn is asked for anew."
        )


class KindRefused(AssayError):
    """A body of a kind that no credential comes in (415)."""

    status = 415

    def __init__(self) -> None:
        super().__init__(AS_WHAT)


def caller() -> str:
    """Whose calls are counted together: those with one token, or from one address without."""
    sent = _bearer()
    return f"program:{token_hash(sent)}" if sent else address()


def rate() -> str:
    """How often one program may call for one person, as the installation is set."""
    return f"{parts().settings.api_calls_per_minute} per minute"


def for_programs(
    scope: ProgramScope,
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Mark a view that connected programs call with a token of this scope."""

    def mark(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def held(*args: P.args, **kwargs: P.kwargs) -> Response:
            _hold_to(scope)
            return view(*args, **kwargs)

        held.program_scope = scope  # type: ignore[attr-defined]
        counted = limited(rate, by=caller, scope="openbadges")(held)
        counted = limited("12000 per hour", scope="openbadges-address")(counted)
        return public(without_cookies(counted))

    return mark


@blueprint.after_request
def for_any_site(response: Response) -> Response:
    """Programs that run in a browser's page may read the answers; no cookie plays a part."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT"
    response.headers["Access-Control-Expose-Headers"] = "Link, X-Total-Count, Retry-After"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/discovery")
@public
@without_cookies
@limited("600 per hour")
def discovery() -> Response:
    """What this service is and how programs are let in: its OpenAPI description."""
    body = json.dumps(service_description(frame().house), ensure_ascii=False).encode()
    return machine_answer(body, "application/json", LONG)


@blueprint.get("/credentials")
@for_programs(ProgramScope.READ_CREDENTIALS)
def credentials() -> Response:
    """A page of the learner's credentials, issued here and from elsewhere."""
    who = acting(_holder().actor, Permission.VIEW_OWN_CREDENTIALS)
    page = page_asked()
    assert who.account_id is not None
    with parts().db.reading() as tx:
        found = credentials_for_program(
            tx, AccountId(who.account_id), page.since, page.offset, page.limit
        )
    # the documents go out letter for letter, as they were signed
    listed = ", ".join(found.documents)
    body = f'{{"credential": [{listed}], "compactJwsString": {json.dumps(list(found.tokens))}}}'
    response = Response(body, mimetype="application/json")
    response.headers["X-Total-Count"] = str(found.total)
    response.headers["Link"] = _links(page, found.total)
    return response


@blueprint.post("/credentials")
@for_programs(ProgramScope.BRING_CREDENTIALS)
@limited("300 per hour", by=caller, scope="openbadges-bring")
@accepts_up_to(MAX_BYTES)
def upsert() -> Response:
    """Keep a credential from elsewhere, or replace one that is kept."""
    if request.mimetype not in {TOKEN, *DOCUMENTS}:
        raise KindRefused
    sent = request.get_data(cache=False)
    became = bring_credential(
        parts().db,
        parts().site,
        cast(Fetcher, current_app.extensions[FETCHER]),
        _holder(),
        sent,
        as_token=request.mimetype == TOKEN,
    )
    status = STATUS[became]
    kind = TOKEN if request.mimetype == TOKEN else "application/json"
    return Response(b"" if status == 304 else sent, status, mimetype=kind)


@blueprint.get("/profile")
@for_programs(ProgramScope.READ_PROFILE)
def profile() -> Response:
    """Who the learner is."""
    return _profile()


@blueprint.put("/profile")
@for_programs(ProgramScope.CHANGE_PROFILE)
@accepts_up_to(LARGEST_PROFILE)
def put_profile() -> Response:
    """Change the learner's name; what else is sent has to be what it is already."""
    if request.mimetype not in DOCUMENTS:
        raise UnsupportedMediaType
    try:
        sent = load_json(request.get_data(cache=False))
    except CredentialError as error:
        raise InvalidInput(error.message, error.params) from None
    name = changed_name(sent, _own_profile())
    change_profile(parts().db, _holder(), name)
    return _profile()


def _profile() -> Response:
    return Response(dump_json(_own_profile()), mimetype="application/json")


def _own_profile() -> JsonObject:
    who = acting(_holder().actor, Permission.MANAGE_OWN_ACCOUNT)
    assert who.account_id is not None
    with parts().db.reading() as tx:
        return profile_of(own_account(tx, AccountId(who.account_id)))


def _hold_to(scope: ProgramScope) -> None:
    """Raises ProgramRefused, ScopeMissing."""
    sent, house = _bearer(), frame().house
    with parts().db.reading() as tx:
        holder = holder_of_program_token(tx, sent, house.id if house else None) if sent else None
    if holder is None:
        raise ProgramRefused
    if scope not in holder.scopes:
        raise ScopeMissing(scope)
    if holder.due:
        touch_program(parts().db, holder)
    g.program_holder = holder


def _holder() -> ProgramHolder:
    return cast(ProgramHolder, g.program_holder)


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _links(page: Page, total: int) -> str:
    """Where the other pages are (RFC 8288). First and last are always told."""
    last = max(0, (total - 1) // page.limit * page.limit)
    places = {"first": 0, "last": last}
    if page.offset + page.limit < total:
        places["next"] = page.offset + page.limit
    if page.offset > 0:
        places["prev"] = min(max(0, page.offset - page.limit), last)
    base = absolute_url("openbadges.credentials")
    return ", ".join(
        f'<{base}?{urlencode(page.query(offset))}>; rel="{rel}"' for rel, offset in places.items()
    )
