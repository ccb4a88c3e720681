"""One's own access tokens: made in a browser and shown once, listed, revoked."""

from uuid import UUID

from flask import Blueprint, make_response, render_template
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from app.settings import VcApi
from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, again, parse
from app.web.limits import limited, person
from storage.errors import InvalidInput
from storage.ids import AccountId
from workflows.access.permissions import Permission
from workflows.access.rules import may
from workflows.people.tokens import (
    LIFETIMES,
    TokenScope,
    make_token,
    own_token,
    own_tokens,
    revoke_token,
)

blueprint = Blueprint("tokens", __name__)

USUAL_DAYS = 90


class TokenForm(Form):
    """A token to be made."""

    name: Line = ""
    scopes: list[TokenScope] = Field(default_factory=list)
    days: int = 0


@blueprint.get("/account/tokens")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def page() -> str:
    """One's tokens, and the form that makes one."""
    values = {"days": USUAL_DAYS}
    return render_template("account/tokens.html", **_context(), values=values, errors={})


@blueprint.post("/account/tokens")
@needs(Permission.MANAGE_OWN_ACCOUNT)
@limited("30 per hour", by=person)
def make() -> AnyResponse:
    """Make a token; this answer is the only place where it is ever shown."""
    try:
        form = parse(TokenForm)
        made = make_token(parts().db, actor(), form.name, form.scopes, form.days)
    except InvalidInput as error:
        return again("account/tokens.html", error, **_context())
    return make_response(render_template("account/token_made.html", made=made, name=form.name))


@blueprint.get("/account/tokens/<uuid:token_id>/revoke")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def ask_revocation(token_id: UUID) -> str:
    """Ask once more before a token is revoked."""
    with parts().db.reading() as tx:
        token = own_token(tx, _own_id(), token_id)
    return render_template("account/token_revoke.html", token=token)


@blueprint.post("/account/tokens/<uuid:token_id>/revoke")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def revoke(token_id: UUID) -> AnyResponse:
    """End a token."""
    revoke_token(parts().db, actor(), token_id)
    return hx.redirect("tokens.page", _("The token is revoked. What used it is shut out now."))


def _own_id() -> AccountId:
    account_id = actor().account_id
    assert account_id is not None
    return account_id


def _context() -> dict[str, object]:
    with parts().db.reading() as tx:
        tokens = own_tokens(tx, _own_id())
    words = {scope: words for scope, words, _note in _scopes()}
    return {
        "tokens": [(token, ", ".join(words[scope] for scope in token.scopes)) for token in tokens],
        "lifetimes": [(str(days), _("%(days)s days", days=days)) for days in LIFETIMES],
        "scopes": [(scope.value, words, note) for scope, words, note in _scopes() if _use(scope)],
    }


def _use(scope: TokenScope) -> bool:
    """Whether the scope would open anything to this person here."""
    if scope is not TokenScope.CREDENTIALS_ISSUE:
        return True
    signs = parts().settings.vc_api is VcApi.TOKEN
    return signs and may(actor(), Permission.ISSUE_BY_API).allowed


def _scopes() -> list[tuple[TokenScope, str, str]]:
    """Each scope in words, and what it opens."""
    return [
        (TokenScope.CASES_READ, _("Read my cases"), _("Their states, outcomes and dates.")),
        (
            TokenScope.EVIDENCE_READ,
            _("Read my evidence"),
            _("What I said of each item, its receipt, and links to the files."),
        ),
        (
            TokenScope.EVIDENCE_WRITE,
            _("Change my evidence"),
            _("Send files, describe them, remove them before I submit."),
        ),
        (
            TokenScope.CREDENTIALS_ISSUE,
            _("Issue credentials for the institution"),
            _("By VC-API, for registrars, where the institution has switched it on."),
        ),
    ]
