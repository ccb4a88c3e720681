"""Authlib's authorization server over our own tables: the only place that knows Authlib.

Codes by PKCE (S256) only, refresh tokens that are exchanged at each use, revocation. What Authlib
decides is the protocol; who may be asked what, and what is kept, is in `workflows/programs`.
"""

import hmac
import logging
from collections.abc import Collection
from dataclasses import dataclass

from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer as FlaskServer
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    ClientMixin,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Error,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter

from app.web.access import parts
from storage.ids import new_token, token_hash
from workflows.access.rules import Actor
from workflows.programs.commands import (
    Minted,
    Wish,
    allow_program,
    end_shown_twice,
    exchange_refresh_token,
    give_back,
    new_access_token,
    redeem_code,
)
from workflows.programs.queries import (
    Allowed,
    Program,
    allowed_by_code,
    allowed_by_token,
    program,
)
from workflows.programs.rules import (
    ACCESS_LIVES,
    ProgramScope,
    read_scopes,
    same_challenge_form,
    write_scopes,
)

# at DEBUG it writes whole tokens
logging.getLogger("authlib").setLevel(logging.WARNING)

METHODS = ("client_secret_basic", "none")
S256 = "S256"


@dataclass(frozen=True)
class Client(ClientMixin):
    """A registered program, as Authlib asks after it."""

    program: Program

    def get_client_id(self) -> str:
        return str(self.program.id)

    def get_default_redirect_uri(self) -> str:
        return ""  # it must be named

    def get_allowed_scope(self, scope: Collection[str] | str | None) -> str:
        asked = read_scopes(scope if isinstance(scope, str) else write_scopes([*(scope or ())]))
        return write_scopes([one for one in asked if one in self.program.scopes])

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.program.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        kept = self.program.secret_hash
        return kept is not None and hmac.compare_digest(token_hash(client_secret), kept)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("none" if self.program.public else "client_secret_basic")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.program.grant_types


@dataclass(frozen=True)
class Permit(AuthorizationCodeMixin, TokenMixin):
    """A code or a refresh token, as Authlib asks after it."""

    allowed: Allowed
    refreshes: bool = False

    @property
    def code_challenge(self) -> str:
        return self.allowed.code_challenge

    @property
    def code_challenge_method(self) -> str:
        return S256

    def get_redirect_uri(self) -> str:
        return self.allowed.redirect_uri

    def get_scope(self) -> str:
        return write_scopes(self.allowed.scopes)

    def check_client(self, client: ClientMixin) -> bool:
        return isinstance(client, Client) and client.program.id == self.allowed.client_id


class ChallengeNeeded(CodeChallenge):
    """PKCE by S256 for every program, with a secret or without."""

    SUPPORTED_CODE_CHALLENGE_METHOD = [S256]  # noqa: RUF012  # as Authlib has it

    def validate_code_challenge(self, grant: AuthorizationCodeGrant, redirect_uri: str) -> None:
        sent = _payload(grant.request)
        if sent.get("code_challenge_method") != S256:
            raise InvalidRequestError("code_challenge_method must be S256.")
        if not same_challenge_form(sent.get("code_challenge", "")):
            raise InvalidRequestError("code_challenge must be a SHA-256 in base64url.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):
    """A learner allows a program, and the program exchanges the code it gets for that."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_authorization_request(self) -> str:
        redirect_uri = super().validate_authorization_request()
        sent = _payload(self.request)
        if not sent.get("state"):
            raise InvalidRequestError("Missing 'state' in request.", redirect_uri=redirect_uri)
        if not self.request.scope:
            raise InvalidRequestError("Missing 'scope' in request.", redirect_uri=redirect_uri)
        return redirect_uri

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Actor | None
    ) -> tuple[int, str, list[tuple[str, str]]]:
        status, body, [(name, address)] = super().create_authorization_response(
            redirect_uri, grant_user
        )
        address = add_params_to_uri(address, [("scope", self.request.scope)])
        return status, body, [(name, address)]

    def generate_authorization_code(self) -> str:
        """The code is made where it is kept, with `save_authorization_code`'s wish."""
        client, learner, sent = self.request.client, self.request.user, _payload(self.request)
        assert isinstance(client, Client) and isinstance(learner, Actor)
        wish = Wish(
            client.program.id,
            self.request.scope.split(),
            sent["redirect_uri"],
            sent["code_challenge"],
        )
        return allow_program(parts().db, learner, wish)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """It is kept already."""

    def query_authorization_code(self, code: str, client: ClientMixin) -> Permit | None:
        with parts().db.reading() as tx:
            found = allowed_by_code(tx, code)
        return _usable(found, client)

    def authenticate_user(self, authorization_code: Permit) -> object:
        return authorization_code.allowed.account_id

    def delete_authorization_code(self, authorization_code: Permit) -> None:
        """It is used up with the same act that keeps its tokens."""


class RefreshGrant(RefreshTokenGrant):
    """A program exchanges its refresh token for fresh tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(  # type: ignore[override]  # None is a refusal
        self, refresh_token: str
    ) -> Permit | None:
        with parts().db.reading() as tx:
            found = allowed_by_token(tx, refresh_token, refreshes=True)
        return _usable(found, self.request.client, refreshes=True)

    def authenticate_user(self, refresh_token: Permit) -> object:
        return refresh_token.allowed.account_id

    def revoke_old_credential(self, refresh_token: TokenMixin) -> None:
        """It is used up with the same act that keeps the new ones."""


class Revocation(RevocationEndpoint):
    """A program gives back a token of its own (RFC 7009)."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: OAuth2Request, client: ClientMixin) -> None:
        """A hint that says nothing to us does not matter (RFC 7009, section 2.2)."""
        if "token" not in request.form:
            raise InvalidRequestError("Missing 'token' in request.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Permit | None:
        with parts().db.reading() as tx:
            for refreshes in (True, False):  # a hint is only that, and both are quickly found
                found = allowed_by_token(tx, token_string, refreshes=refreshes)
                if found is not None:
                    return Permit(found, refreshes)
        return None

    def revoke_token(self, token: Permit, request: OAuth2Request) -> None:
        allowed = token.allowed
        if allowed.token_id is not None:
            give_back(parts().db, allowed.grant_id, allowed.token_id, refreshes=token.refreshes)


class Issuer(IssuerParameter):
    """Answers name who gives them (RFC 9207), so that no program takes another's for ours."""

    def get_issuer(self) -> str:
        return parts().settings.public_url


class Server(FlaskServer):
    """The whole server."""

    def __init__(self) -> None:
        super().__init__(query_client=_client, save_token=_keep)
        self.scopes_supported = [scope.value for scope in ProgramScope]
        generator = BearerTokenGenerator(
            lambda **_asked: new_access_token(),
            lambda **_asked: new_token(),
            lambda _client, _grant_type: int(ACCESS_LIVES.total_seconds()),
        )
        self.register_token_generator("default", generator)
        self.register_grant(CodeGrant, [ChallengeNeeded()])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)
        self.register_extension(Issuer())

    def asked(self, who: Actor) -> CodeGrant:
        """What this request asks of a learner. Raises OAuth2Error, ValueError."""
        grant = self.get_consent_grant(end_user=who)  # type: ignore[no-untyped-call]
        assert isinstance(grant, CodeGrant)
        return grant

    def give_back(self) -> object:
        """The answer to this request to revoke a token. Raises ValueError."""
        return self.create_endpoint_response("revocation")  # type: ignore[no-untyped-call]


def _client(client_id: str) -> Client | None:
    with parts().db.reading() as tx:
        found = program(tx, client_id)
    return Client(found) if found else None


def _keep(token: dict[str, str], request: OAuth2Request) -> None:
    """Keep new tokens for the code or the refresh token they are exchanged for; once only."""
    db = parts().db
    minted = Minted(
        token["access_token"], token.get("refresh_token"), token.get("scope", "").split()
    )
    if isinstance(request.refresh_token, Permit):
        token_id = request.refresh_token.allowed.token_id
        kept = token_id is not None and exchange_refresh_token(db, token_id, minted)
    else:
        assert isinstance(request.authorization_code, Permit)
        kept = redeem_code(db, request.authorization_code.allowed.grant_id, minted)
    if not kept:
        raise InvalidGrantError("This was used already.")


def _usable(
    found: Allowed | None, client: ClientMixin | None, *, refreshes: bool = False
) -> Permit | None:
    """The permit, if it is this program's and lives. One that was used before ends everything."""
    if found is None or client is None:
        return None
    permit = Permit(found, refreshes)
    if not permit.check_client(client):
        return None
    if found.spent:
        end_shown_twice(parts().db, found.grant_id)
        return None
    return permit if found.live else None


def _payload(request: OAuth2Request) -> dict[str, str]:
    """What was sent, by name; the last where it was sent twice, which Authlib refuses."""
    return {} if request.payload is None else dict(request.payload.data)


__all__ = ["Client", "OAuth2Error", "Server"]
