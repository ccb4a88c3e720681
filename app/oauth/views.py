"""The OAuth 2.0 endpoints: programs register, learners decide, codes become tokens.

What is for programs takes no cookies and may be called from any site's page; what a learner decides
is a form of ours like any other.
"""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.oauth import answers
from app.oauth.registration import answer, read_registration
from app.oauth.server import METHODS, S256, Client, CodeGrant, OAuth2Error, Server
from app.oauth.words import scope_words
from app.web.access import SignInFirst, actor, needs, parts, public, without_cookies
from app.web.documents import SHORT, machine_answer
from app.web.limits import limited, person
from app.web.security import absolute_url, accepts_up_to, policy_with_form_to
from storage.errors import AssayError
from workflows.access.permissions import Permission
from workflows.access.rules import acting
from workflows.programs.commands import register_program
from workflows.programs.rules import GrantType, ProgramScope, read_scopes
from workflows.words import marked

blueprint = Blueprint("oauth", __name__)

SERVER = "assay_oauth_server"
LARGEST_REGISTRATION = 64 * 1024
LARGEST_FORM = 16 * 1024
ASKED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
SCOPES_DOCUMENTED = [scope.value for scope in ProgramScope]
CANNOT_ASK = marked(
    "The program that sent you here asked in a way that we cannot answer (%(error)s). Nothing was "
    "allowed. Go back to it, and tell whoever runs it."
)


class CannotAsk(AssayError):
    """A program's request that cannot even be sent back to it (400)."""

    status = 400

    def __init__(self, error: str) -> None:
        super().__init__(CANNOT_ASK, {"error": error})


@blueprint.record_once
def attach(state: object) -> None:
    """One server for all requests."""
    app: Flask = state.app  # type: ignore[attr-defined]
    app.extensions[SERVER] = Server()


@blueprint.after_request
def for_any_site(response: Response) -> Response:
    """Programs that run in a browser's page may read what programs are answered."""
    if answers.asked_by_program():
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/.well-known/oauth-authorization-server")
@public
@without_cookies
def metadata() -> Response:
    """What this server can do (RFC 8414)."""
    body = {
        "issuer": parts().settings.public_url,
        "authorization_endpoint": absolute_url("oauth.ask"),
        "token_endpoint": absolute_url("oauth.token"),
        "registration_endpoint": absolute_url("oauth.register"),
        "revocation_endpoint": absolute_url("oauth.revoke"),
        "scopes_supported": SCOPES_DOCUMENTED,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [one.value for one in GrantType],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "code_challenge_methods_supported": [S256],
        "authorization_response_iss_parameter_supported": True,
    }
    return machine_answer(answers.as_json(body).get_data(), "application/json", SHORT)


@blueprint.post("/oauth/register")
@public
@without_cookies
@limited("20 per hour")
@accepts_up_to(LARGEST_REGISTRATION)
def register() -> Response:
    """Register a program (RFC 7591). Nobody checks who it is; learners are told so."""
    sent = read_registration()
    loopback = not parts().settings.production
    made = register_program(parts().db, sent.registration(), loopback=loopback)
    return answers.as_json(answer(sent, made), 201)


@blueprint.get("/oauth/authorize")
@public
@limited("300 per hour", by=person)
def ask() -> AnyResponse:
    """The page on which a learner decides. A request that cannot be is refused before they sign in.

    Raises SignInFirst, Forbidden, CannotAsk.
    """
    grant = _asked()
    if not isinstance(grant, CodeGrant):
        return grant
    if actor().account_id is None:
        raise SignInFirst
    acting(actor(), Permission.VIEW_OWN_CREDENTIALS)
    client = cast(Client, grant.client).program
    allowed = read_scopes(grant.request.scope)
    page = render_template(
        "account/program_asks.html",
        program=client,
        scopes=[words for words in map(scope_words, allowed) if words],
        back=urlsplit(grant.redirect_uri or "").netloc,
        asked={name: request.args.get(name, "") for name in ASKED},
        learner=actor().name,
    )
    response = make_response(page)
    # the form's answer leads to the program, and a browser holds the whole way to this rule
    response.headers["Content-Security-Policy"] = policy_with_form_to(_origin(grant.redirect_uri))
    return response


@blueprint.post("/oauth/authorize")
@needs(Permission.VIEW_OWN_CREDENTIALS)
@limited("60 per hour", by=person)
def decide() -> AnyResponse:
    """What the learner decided goes back to the program, with a code or with their no."""
    grant = _asked()
    if not isinstance(grant, CodeGrant):
        return grant
    learner = actor() if request.form.get("decision") == "allow" else None
    answered = _server().create_authorization_response(
        request=grant.request, grant_user=learner, grant=grant
    )
    return cast(Response, answered)


@blueprint.post("/oauth/token")
@public
@without_cookies
@limited("6000 per hour")
@accepts_up_to(LARGEST_FORM)
def token() -> Response:
    """Exchange a code or a refresh token for tokens."""
    return _answered(lambda: _server().create_token_response())


@blueprint.post("/oauth/revoke")
@public
@without_cookies
@limited("6000 per hour")
@accepts_up_to(LARGEST_FORM)
def revoke() -> Response:
    """Give a token back (RFC 7009)."""
    return _answered(lambda: _server().give_back())


def _server() -> Server:
    return cast(Server, current_app.extensions[SERVER])


def _asked() -> CodeGrant | AnyResponse:
    """What the program asks, or the refusal that goes back to it. Raises CannotAsk."""
    try:
        return _server().asked(actor())
    except OAuth2Error as error:
        # anybody registers: who is not known here is not sent on (RFC 9700, section 4.11.2)
        if not error.redirect_uri or actor().account_id is None:
            raise CannotAsk(str(error.error)) from None
        refused = cast(Response, _server().handle_error_response(None, error))  # type: ignore[arg-type]
        issuer = [("iss", parts().settings.public_url)]
        refused.location = add_params_to_uri(refused.location, issuer)
        return refused
    except ValueError:  # Authlib puts what was sent into its words, and not every character fits
        raise CannotAsk("invalid_request") from None


def _answered(act: Callable[[], object]) -> Response:
    """Authlib's answer. What it cannot read is a request that makes no sense, and no fault."""
    twice = sorted(name for name, values in request.form.lists() if len(values) > 1)
    if twice:  # RFC 6749, section 3.2; Authlib would take one of them
        said = f"Sent more than once: {', '.join(twice)[:200]}."
        return answers.as_json({"error": "invalid_request", "error_description": said}, 400)
    try:
        response = cast(Response, act())
    except ValueError:
        return answers.as_json({"error": "invalid_request"}, 400)
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Assay"'
    return response


def _origin(address: str | None) -> str:
    parts_of = urlsplit(address or "")
    return f"{parts_of.scheme}://{parts_of.netloc}"
